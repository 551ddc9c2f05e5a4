//! A regex of a policy as a table: built when the policy loads, walked without building anything.
//!
//! The table is the DFA of the regex, anchored at a start, with the preferences of Rust's regexes: of several matches that begin
//! at one place the one that a regex search reports. It is made by asking a lazy DFA for every state there is, so the module carries
//! one way of making automata only. A state tells of a match one byte late, because `\b` and `$` look at the byte behind it.
//!
//! This module refuses to know bodies; a scanner walks the table.

use std::collections::HashMap;

use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::DFA;
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_automata::util::{start, syntax};
use regex_automata::{Anchored, MatchKind};

use super::super::pattern::{MAX_REGEX_BYTES, reason};
use crate::sort;

/// Most bytes of the table of one detector.
pub const MAX_COMPILED_BYTES: usize = 262_144;
/// Longest match of a regex that could match more, in bytes.
pub const MAX_MATCH_BYTES: usize = 4096;

/// Bytes that the lazy DFA may take while its states are copied: a state of it is larger than one of the table.
const WORK_BYTES: usize = 32 * 1024 * 1024;

/// A state of an automaton: the index of its row.
pub type State = u16;

/// The automaton of a detector.
pub struct Automaton {
    /// For each byte its class.
    classes: [u8; 256],
    /// For each state, for each class and last for the end of the body, the state that follows.
    next: Vec<State>,
    /// Cells of a row.
    width: usize,
    /// This state and those behind it tell of a match.
    first_match: State,
    /// For each byte before a start, and last for the start of the body, the state to begin in.
    starts: Vec<State>,
    /// Most bytes of a match.
    max_len: usize,
}

impl Automaton {
    /// Nothing matches from here on.
    pub const DEAD: State = 0;

    /// Compiles a regex.
    ///
    /// # Errors
    /// What is wrong with it, on one line.
    pub fn new(regex: &str) -> Result<Automaton, String> {
        if regex.len() > MAX_REGEX_BYTES {
            return Err(format!("longer than {MAX_REGEX_BYTES} bytes"));
        }
        Automaton::of(regex)
    }

    /// Compiles a regex of any length: what is made of it is bounded.
    pub(super) fn of(regex: &str) -> Result<Automaton, String> {
        let syntax = syntax::Config::new().unicode(false).utf8(false).nest_limit(64);
        let hir = syntax::parse_with(regex, &syntax).map_err(|error| reason(&error.to_string()))?;
        match hir.properties().minimum_len() {
            Some(0) => return Err("matches the empty text".into()),
            None => return Err("matches nothing".into()),
            Some(_) => {}
        }
        let max_len = hir.properties().maximum_len().unwrap_or(usize::MAX).min(MAX_MATCH_BYTES);
        let thompson =
            thompson::Config::new().utf8(false).nfa_size_limit(Some(MAX_COMPILED_BYTES)).which_captures(WhichCaptures::None);
        let nfa = thompson::Compiler::new().configure(thompson).build_from_hir(&hir).map_err(|error| too_large(&error))?;
        let config = DFA::config().match_kind(MatchKind::LeftmostFirst).cache_capacity(WORK_BYTES);
        let dfa = DFA::builder().configure(config).build_from_nfa(nfa).map_err(|error| reason(&error.to_string()))?;
        Copier::new(&dfa).copy(max_len).ok_or_else(|| format!("compiles to more than {MAX_COMPILED_BYTES} bytes"))
    }

    /// The automaton that matches nothing: of a kind whose values come from elsewhere.
    pub(super) fn nothing() -> Automaton {
        let starts = vec![Automaton::DEAD; 257];
        Automaton { classes: [0; 256], next: Vec::new(), width: 0, first_match: State::MAX, starts, max_len: 0 }
    }

    /// Does it match nothing?
    pub fn is_nothing(&self) -> bool {
        self.next.is_empty()
    }

    /// The state at a start that `before` stands before; `None`: the body starts there.
    #[inline]
    pub fn start(&self, before: Option<u8>) -> State {
        self.starts.get(before.map_or(256, usize::from)).copied().unwrap_or(Automaton::DEAD)
    }

    /// The state behind `byte`.
    #[inline(always)]
    pub fn step(&self, state: State, byte: u8) -> State {
        let class = self.classes.get(usize::from(byte)).copied().unwrap_or(0);
        self.cell(state, usize::from(class))
    }

    /// The state behind the end of the body.
    pub fn end(&self, state: State) -> State {
        self.cell(state, self.width.saturating_sub(1))
    }

    /// Does `state` tell that a match ends before the byte (or the end) that led to it?
    #[inline(always)]
    pub fn matches(&self, state: State) -> bool {
        state >= self.first_match
    }

    /// Most bytes of a match.
    pub fn max_len(&self) -> usize {
        self.max_len
    }

    /// Most steps that it takes for a byte of a body: from so many starts before it a match can reach it, and no stretch of a
    /// body is walked twice in the same state.
    pub fn steps(&self) -> usize {
        self.next.len().checked_div(self.width).unwrap_or(0).min(self.max_len)
    }

    /// Bytes of its table.
    pub fn bytes(&self) -> usize {
        self.next.len().saturating_mul(size_of::<State>())
    }

    /// All states that a match may start in, each once.
    pub(super) fn all_starts(&self) -> Vec<State> {
        sort::sorted_set(self.starts.clone())
    }

    #[inline(always)]
    fn cell(&self, state: State, class: usize) -> State {
        let at = usize::from(state).wrapping_mul(self.width).wrapping_add(class);
        self.next.get(at).copied().unwrap_or(Automaton::DEAD)
    }
}

impl std::fmt::Debug for Automaton {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Automaton({} bytes)", self.bytes())
    }
}

fn too_large(error: &thompson::BuildError) -> String {
    match error.size_limit() {
        Some(limit) => format!("compiles to more than {limit} bytes"),
        None => reason(&error.to_string()),
    }
}

/// Copies all states of a lazy DFA.
struct Copier<'a> {
    dfa: &'a DFA,
    cache: regex_automata::hybrid::dfa::Cache,
    /// States in the order in which they were first seen, without the dead one.
    seen: Vec<LazyStateID>,
    numbers: HashMap<LazyStateID, usize>,
}

impl<'a> Copier<'a> {
    fn new(dfa: &'a DFA) -> Copier<'a> {
        Copier { dfa, cache: dfa.create_cache(), seen: Vec::new(), numbers: HashMap::new() }
    }

    /// Its number: 0 for the dead state, else one more than its index in `seen`.
    fn number(&mut self, state: LazyStateID) -> usize {
        if state.is_dead() || state.is_quit() {
            return 0;
        }
        // A state tells of itself by its tags, which are part of its id.
        let next = self.seen.len().saturating_add(1);
        let number = *self.numbers.entry(state).or_insert(next);
        if number == next {
            self.seen.push(state);
        }
        number
    }

    /// The table; `None` where it would be too large.
    fn copy(mut self, max_len: usize) -> Option<Automaton> {
        let mut classes = [0u8; 256];
        for (byte, class) in (0..=u8::MAX).zip(&mut classes) {
            *class = self.dfa.byte_classes().get(byte);
        }
        let count = usize::from(classes.iter().copied().max()?).checked_add(1)?;
        let width = count.checked_add(1)?;
        let most = MAX_COMPILED_BYTES.checked_div(width.checked_mul(size_of::<State>())?)?.min(usize::from(State::MAX));
        let samples: Vec<u8> = (0..count)
            .filter_map(|class| classes.iter().position(|of| usize::from(*of) == class))
            .filter_map(|byte| u8::try_from(byte).ok())
            .collect();
        let mut starts = Vec::with_capacity(257);
        for before in (0..=u8::MAX).map(Some).chain([None]) {
            let config = start::Config::new().anchored(Anchored::Yes).look_behind(before);
            let state = self.dfa.start_state(&mut self.cache, &config).ok()?;
            starts.push(self.number(state));
        }
        let mut rows: Vec<usize> = Vec::new();
        let mut at = 0;
        while let Some(state) = self.seen.get(at).copied() {
            for byte in &samples {
                let next = self.dfa.next_state(&mut self.cache, state, *byte).ok()?;
                let number = self.number(next);
                rows.push(number);
            }
            let next = self.dfa.next_eoi_state(&mut self.cache, state).ok()?;
            let number = self.number(next);
            rows.push(number);
            at = at.checked_add(1)?;
            if self.seen.len() >= most || self.cache.clear_count() > 0 {
                return None;
            }
        }
        // Those that match come last.
        let that =
            |match_states| (0..).zip(&self.seen).filter(move |(_, state)| state.is_match() == match_states).map(|(at, _)| at);
        let mut order: Vec<usize> = that(false).collect();
        let first_match = order.len();
        order.extend(that(true));
        let mut renumbered = vec![Automaton::DEAD; order.len().checked_add(1)?];
        for (new, old) in (1..).zip(&order) {
            *renumbered.get_mut(old.checked_add(1)?)? = new;
        }
        let new = |old: &usize| renumbered.get(*old).copied().unwrap_or(Automaton::DEAD);
        let mut next = vec![Automaton::DEAD; width];
        for old in &order {
            let row = rows.chunks_exact(width).nth(*old)?;
            next.extend(row.iter().map(new));
        }
        Some(Automaton {
            classes,
            next,
            width,
            first_match: State::try_from(first_match.checked_add(1)?).ok()?,
            starts: starts.iter().map(new).collect(),
            max_len,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The match that begins at the start of `text`, which `before` stands before.
    fn matched(automaton: &Automaton, before: Option<u8>, text: &str) -> Option<usize> {
        let mut state = automaton.start(before);
        let mut longest = None;
        for (at, byte) in text.bytes().enumerate() {
            state = automaton.step(state, byte);
            if automaton.matches(state) {
                longest = Some(at);
            }
        }
        if automaton.matches(automaton.end(state)) { Some(text.len()) } else { longest }
    }

    #[test]
    fn a_match_is_the_one_that_a_regex_search_reports() {
        for (regex, before, text, len) in [
            ("PN-[0-9]{6}", None, "PN-0123456", Some(9)),
            ("a|ab", None, "ab", Some(1)),
            ("ab|a", None, "ab", Some(2)),
            ("key=.*;", None, "key=a;b;c", Some(8)),
            ("key=.*?;", None, "key=a;b;c", Some(6)),
            (r"\bx+\b", Some(b' '), "xx.", Some(2)),
            (r"\bx+\b", Some(b'a'), "xx.", None),
            (r"\bx+\b", Some(b' '), "xx", Some(2)),
            (r"\bx+\b", Some(b' '), "xxa", None),
            ("^x", None, "x", Some(1)),
            ("^x", Some(b'\n'), "x", None),
            ("(?m)^x$", Some(b'\n'), "x\n", Some(1)),
            ("x$", Some(b' '), "x", Some(1)),
            ("x$", Some(b' '), "x ", None),
            ("(?i)straße", None, "STRAßE", Some(7)),
            ("[^a]{2}", None, "é", Some(2)),
        ] {
            assert_eq!(matched(&Automaton::new(regex).unwrap(), before, text), len, "{regex} {text}");
        }
    }

    #[test]
    fn what_cannot_be_a_detector_is_refused_with_its_reason() {
        for (regex, error) in [
            ("", "matches the empty text"),
            ("a*", "matches the empty text"),
            (r"\b", "matches the empty text"),
            ("[a&&b]", "matches nothing"),
            ("(?=a)", "look-around, including look-ahead and look-behind, is not supported"),
            (r"(a)\1", "backreferences are not supported"),
            ("[0-9]{3}(", "unclosed group"),
            ("(?:[a-z]{1000}){1000}", "compiles to more than 262144 bytes"),
            ("[ab]*a[ab]{16}", "compiles to more than 262144 bytes"),
        ] {
            assert_eq!(Automaton::new(regex).unwrap_err(), error, "{regex}");
        }
        assert_eq!(Automaton::new(&"a".repeat(MAX_REGEX_BYTES + 1)).unwrap_err(), "longer than 2048 bytes");
        assert_eq!(Automaton::new("a+").unwrap().max_len(), MAX_MATCH_BYTES);
        assert_eq!(Automaton::new("a{3,17}").unwrap().max_len(), 17);
    }
}
