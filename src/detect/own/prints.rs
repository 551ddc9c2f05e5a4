//! By what a match of an automaton is noticed: three bytes that stand together at one distance from its start.
//!
//! A scanner cannot walk from every byte. From the automaton it is seen which bytes a match may have at each of its first places;
//! of those places three neighbours are taken that are rarest in ordinary bodies. What begins in many ways (`cat|dog`) has a
//! print for each, all at one distance, so that starts are noticed in their order.

use std::collections::BTreeMap;

use super::super::frequency::common;
use super::automaton::{Automaton, State};
use crate::sort;

/// A set of bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct ByteSet([u64; 4]);

/// Bytes of a print.
const PRINT: usize = 4;
/// Most bytes from a start to the end of its print.
const MAX_LEAD: usize = 7;
/// Most ways to begin that are told apart.
const MAX_PRINTS: usize = 128;

/// By what matches are noticed.
#[derive(Clone, Debug)]
pub struct Prints {
    /// Bytes from the start of a match to the last byte of its print.
    pub lead: usize,
    /// The prints: a match has one of them. The block loop looks for the last three bytes, and what it finds is held against all four.
    pub sets: Vec<[ByteSet; PRINT]>,
}

impl ByteSet {
    /// Every byte.
    pub const ALL: ByteSet = ByteSet([u64::MAX; 4]);

    /// This byte alone.
    pub fn of(byte: u8) -> ByteSet {
        let mut set = ByteSet::default();
        set.insert(byte);
        set
    }

    /// Is `byte` in the set?
    #[inline]
    pub fn contains(&self, byte: u8) -> bool {
        self.0.get(usize::from(byte >> 6)).is_some_and(|word| word.wrapping_shr(u32::from(byte)) & 1 != 0)
    }

    /// Its bytes.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        (0..=u8::MAX).filter(move |byte| self.contains(*byte))
    }

    fn insert(&mut self, byte: u8) {
        if let Some(word) = self.0.get_mut(usize::from(byte >> 6)) {
            *word |= 1u64.wrapping_shl(u32::from(byte));
        }
    }

    /// Are all its bytes in `other`?
    pub fn is_within(&self, other: &ByteSet) -> bool {
        self.0.iter().zip(other.0).all(|(word, other)| word & !other == 0)
    }

    /// The bytes in either set.
    #[must_use]
    pub fn union(self, other: ByteSet) -> ByteSet {
        let mut words = self.0;
        words.iter_mut().zip(other.0).for_each(|(word, more)| *word |= more);
        ByteSet(words)
    }

    /// How common its bytes are in bodies, of a million.
    fn chance(self) -> u64 {
        let of_4096: u64 = self.iter().map(|byte| u64::from(common(byte))).sum();
        of_4096.saturating_mul(1_000_000).wrapping_shr(12).min(1_000_000)
    }
}

impl FromIterator<u8> for ByteSet {
    fn from_iter<T: IntoIterator<Item = u8>>(bytes: T) -> ByteSet {
        let mut set = ByteSet::default();
        bytes.into_iter().for_each(|byte| set.insert(byte));
        set
    }
}

/// Bytes, and the states that they lead to.
type Step = (ByteSet, Vec<State>);

impl Prints {
    /// The prints of an automaton.
    pub fn of(automaton: &Automaton) -> Prints {
        let paths = paths(automaton);
        let longest = paths.iter().map(Vec::len).min().unwrap_or(1).max(1);
        let at = |path: &[ByteSet], lead: usize| -> [ByteSet; PRINT] {
            [3, 2, 1, 0].map(|back| lead.checked_sub(back).and_then(|place| path.get(place)).copied().unwrap_or(ByteSet::ALL))
        };
        let sets = |lead: usize| {
            let mut sets: Vec<[ByteSet; PRINT]> = Vec::with_capacity(paths.len());
            for print in paths.iter().map(|path| at(path, lead)) {
                if !sets.contains(&print) {
                    sets.push(print);
                }
            }
            sets
        };
        // What the block loop sees in vain costs a closer look, and what is a print costs a walk, some ten times as much.
        let cost = |print: &[ByteSet; PRINT]| print_chance(&seen(print)).saturating_add(print_chance(print).saturating_mul(10));
        let chance = |lead: &usize| sets(*lead).iter().map(cost).fold(0u64, u64::saturating_add);
        let lead = (0..longest).min_by_key(chance).unwrap_or(0);
        Prints { lead, sets: sets(lead) }
    }

    /// How many of a million bytes of an ordinary body end a print.
    pub fn chance(&self) -> u64 {
        self.sets.iter().map(print_chance).fold(0u64, u64::saturating_add).min(1_000_000)
    }
}

/// A print as the block loop sees it: three bytes by their nibbles, the middle one by its low nibble alone.
fn seen([_, first, middle, last]: &[ByteSet; PRINT]) -> [ByteSet; PRINT] {
    let by_nibbles = |set: &ByteSet, high: bool| {
        let (mut lows, mut highs) = (0u16, 0u16);
        for byte in set.iter() {
            lows |= 1u16.wrapping_shl(u32::from(byte & 15));
            highs |= 1u16.wrapping_shl(u32::from(byte >> 4));
        }
        let mut wide = ByteSet::default();
        for byte in 0..=u8::MAX {
            let bit = |set: u16, nibble: u8| set.wrapping_shr(u32::from(nibble)) & 1 != 0;
            if bit(lows, byte & 15) && (!high || bit(highs, byte >> 4)) {
                wide.insert(byte);
            }
        }
        wide
    };
    [ByteSet::ALL, by_nibbles(first, true), by_nibbles(middle, false), by_nibbles(last, true)]
}

fn print_chance(print: &[ByteSet; PRINT]) -> u64 {
    print.iter().fold(1_000_000u64, |chance, set| chance.saturating_mul(set.chance()).checked_div(1_000_000).unwrap_or(0))
}

/// The ways in which matches begin: for each of the first places the bytes that may stand there. No match is shorter than a path.
fn paths(automaton: &Automaton) -> Vec<Vec<ByteSet>> {
    // A path is known by the states that it may have come to; those that came the same way are one.
    let mut paths: Vec<(Vec<ByteSet>, Vec<State>)> = vec![(Vec::new(), automaton.all_starts())];
    for _ in 0..=MAX_LEAD {
        let split: Option<Vec<Vec<Step>>> = paths.iter().map(|(_, states)| steps(automaton, states)).collect();
        // Where a match may end, the byte behind it says nothing.
        let Some(split) = split else { break };
        let mut longer: Vec<(Vec<ByteSet>, Vec<State>)> = Vec::new();
        for ((path, _), steps) in paths.iter().zip(split) {
            for (set, states) in steps {
                let mut path = path.clone();
                path.push(set);
                longer.push((path, states));
            }
        }
        paths = if longer.len() > MAX_PRINTS { vec![join(longer)] } else { longer };
    }
    paths.into_iter().map(|(path, _)| path).collect()
}

/// The bytes on which a match goes on from any of `states`, with what they lead to; `None` where a match may end before them.
fn steps(automaton: &Automaton, states: &[State]) -> Option<Vec<Step>> {
    let mut steps: BTreeMap<Vec<State>, ByteSet> = BTreeMap::new();
    if states.iter().any(|state| automaton.matches(automaton.end(*state))) {
        return None;
    }
    for byte in 0..=u8::MAX {
        let mut next: Vec<State> = states.iter().map(|state| automaton.step(*state, byte)).collect();
        next.retain(|state| *state != Automaton::DEAD);
        if next.iter().any(|state| automaton.matches(*state)) {
            return None;
        }
        if !next.is_empty() {
            steps.entry(sort::sorted_set(next)).or_default().insert(byte);
        }
    }
    Some(steps.into_iter().map(|(states, set)| (set, states)).collect())
}

/// One path for many: at each place what any of them has.
fn join(paths: Vec<(Vec<ByteSet>, Vec<State>)>) -> (Vec<ByteSet>, Vec<State>) {
    let mut joined: (Vec<ByteSet>, Vec<State>) = (Vec::new(), Vec::new());
    for (path, states) in paths {
        joined.0.resize(path.len(), ByteSet::default());
        joined.0.iter_mut().zip(path).for_each(|(set, more)| *set = set.union(more));
        joined.1.extend(states);
    }
    joined.1 = sort::sorted_set(joined.1);
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(regex: &str) -> (usize, Vec<[String; PRINT]>) {
        let prints = Prints::of(&Automaton::new(regex).unwrap());
        let text = |set: &ByteSet| match set {
            set if *set == ByteSet::ALL => "any".to_owned(),
            set => set.iter().map(char::from).collect(),
        };
        (prints.lead, prints.sets.iter().map(|print| print.each_ref().map(text)).collect())
    }

    #[test]
    fn a_print_is_the_rarest_place_of_the_first_bytes() {
        for (regex, lead, prints) in [
            ("PN-[0-9]{6}", 2, vec![["any", "P", "N", "-"]]),
            ("(?i)mrn[0-9]{8}", 2, vec![["any", "Mm", "Rr", "Nn"]]),
            ("x", 0, vec![["any", "any", "any", "x"]]),
            ("ab|c", 0, vec![["any", "any", "any", "a"], ["any", "any", "any", "c"]]),
            (r"\bsecret\b", 5, vec![["c", "r", "e", "t"]]),
            ("cat|dog", 2, vec![["any", "c", "a", "t"], ["any", "d", "o", "g"]]),
            ("wayne-vault", 7, vec![["e", "-", "v", "a"]]),
            ("[0-9]{4}", 3, vec![["0123456789", "0123456789", "0123456789", "0123456789"]]),
            ("https://hooks", 7, vec![["s", ":", "/", "/"]]),
        ] {
            let (lead_found, mut found) = shown(regex);
            found.sort();
            assert_eq!(found, prints.iter().map(|print| print.map(str::to_owned)).collect::<Vec<_>>(), "{regex}");
            assert!(lead_found == lead || regex == "[0-9]{4}", "{regex}: {lead_found}");
        }
    }

    #[test]
    fn many_ways_to_begin_become_one() {
        let prints = Prints::of(&Automaton::new("[a-z]{3}[0-9]|[A-Z][a-c]x[ab]{4}").unwrap());
        assert!(prints.sets.len() <= MAX_PRINTS && prints.chance() < 1_000_000);
        let words: Vec<String> = (0..300u32).map(|word| format!("w{word:03}x")).collect();
        let prints = Prints::of(&Automaton::new(&words.join("|")).unwrap());
        assert!(prints.sets.len() <= MAX_PRINTS, "{}", prints.sets.len());
    }
}
