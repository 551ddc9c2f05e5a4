//! Stage two: does a kind's pattern match from here, and how far? Resumable, so that no byte is read twice when a match comes
//! in several chunks.

use regex_automata::dfa::Automaton;
use regex_automata::dfa::dense::DFA;
use regex_automata::util::primitives::StateID;

use super::tables::Table;

/// Bytes to walk one by one before and between looking for a run: most values have none.
const PATIENCE: usize = 12;

/// A walk of a kind's DFA from the start of a possible value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk {
    state: StateID,
    /// Bytes walked over.
    walked: usize,
    /// The longest match so far, in bytes.
    longest: Option<usize>,
}

/// What a walk came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Walked {
    /// No byte that may follow can change it: the longest match, if there is one.
    Done(Option<usize>),
    /// The bytes ended first.
    Open,
}

impl Walk {
    /// A walk at its start.
    pub(super) fn new(table: &Table) -> Walk {
        Walk { state: table.start, walked: 0, longest: None }
    }

    /// Walks on over `value`, which starts where the walk started and goes on to the end of what is known, at most `limit` bytes
    /// of it; `last` where nothing can follow.
    pub(super) fn on(&mut self, table: &Table, value: &[u8], limit: usize, last: bool) -> Walked {
        let dfa = &table.dfa;
        let bounded = value.get(..limit);
        let last = last || bounded.is_some();
        let value = bounded.unwrap_or(value);
        let (mut state, mut walked, mut longest) = (self.state, self.walked, self.longest);
        let mut patience = walked.wrapping_add(PATIENCE);
        while let Some(byte) = value.get(walked) {
            let before = state;
            state = dfa.next_state(before, *byte);
            if dfa.is_special_state(state) {
                // A DFA of this library is one byte late: it says behind a match that there was one.
                if dfa.is_match_state(state) {
                    longest = Some(walked);
                } else if dfa.is_dead_state(state) || dfa.is_quit_state(state) {
                    return Walked::Done(longest);
                }
            }
            walked = walked.wrapping_add(1);
            if state == before && walked >= patience {
                // A run of like bytes: eight at a time, for these lookups do not wait for one another.
                let run = skip(dfa, state, value, &mut walked);
                if run && dfa.is_match_state(state) {
                    longest = Some(walked.wrapping_sub(1));
                }
                patience = walked.wrapping_add(PATIENCE);
            }
        }
        (self.walked, self.longest) = (walked, longest);
        self.state = state;
        if !last {
            return Walked::Open;
        }
        if dfa.is_match_state(dfa.next_eoi_state(state)) {
            self.longest = Some(self.walked);
        }
        Walked::Done(self.longest)
    }
}

/// Moves `at` on, eight bytes at a time, as long as these leave `state` as it is; did it move?
#[inline(always)]
fn skip(dfa: &DFA<&'static [u32]>, state: StateID, value: &[u8], at: &mut usize) -> bool {
    let from = *at;
    while let Some(eight) = value.get(*at..).and_then(|rest| rest.first_chunk::<8>()) {
        if eight.iter().fold(false, |left, byte| left | (dfa.next_state(state, *byte) != state)) {
            break;
        }
        *at = at.wrapping_add(8);
    }
    *at != from
}
