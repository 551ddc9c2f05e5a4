//! Stage two: does a kind's pattern match from here, and how far? Resumable, so that no byte is read twice when a match comes
//! in several chunks.

use regex_automata::dfa::Automaton;
use regex_automata::util::primitives::StateID;

use super::tables::Table;

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
        let rest = bounded.unwrap_or(value).get(self.walked..).unwrap_or_default();
        let mut state = self.state;
        for byte in rest {
            state = dfa.next_state(state, *byte);
            if dfa.is_special_state(state) {
                // A DFA of this library is one byte late: it says behind a match that there was one.
                if dfa.is_match_state(state) {
                    self.longest = Some(self.walked);
                } else if dfa.is_dead_state(state) || dfa.is_quit_state(state) {
                    return Walked::Done(self.longest);
                }
            }
            self.walked = self.walked.saturating_add(1);
        }
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
