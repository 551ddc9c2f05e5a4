//! Stage two: does a kind's pattern match from here, and how far? Resumable, so that no byte is read twice when a match comes
//! in several chunks.

use regex_automata::dfa::Automaton;
use regex_automata::util::primitives::StateID;
use regex_automata::{Anchored, util::start};

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
    pub(super) fn new(table: &Table) -> Option<Walk> {
        let state = table.start_state(&start::Config::new().anchored(Anchored::Yes)).ok()?;
        Some(Walk { state, walked: 0, longest: None })
    }

    /// Walks on over `value`, which starts where the walk started and goes on to the end of what is known, at most `limit` bytes
    /// of it; `last` where nothing can follow.
    pub(super) fn on(&mut self, table: &Table, value: &[u8], limit: usize, last: bool) -> Walked {
        let bounded = value.get(..limit);
        let last = last || bounded.is_some();
        let rest = bounded.unwrap_or(value).get(self.walked..).unwrap_or_default();
        let mut state = self.state;
        for byte in rest {
            state = table.next_state(state, *byte);
            if table.is_special_state(state) {
                // A DFA of this library is one byte late: it says behind a match that there was one.
                if table.is_match_state(state) {
                    self.longest = Some(self.walked);
                } else if table.is_dead_state(state) || table.is_quit_state(state) {
                    return Walked::Done(self.longest);
                }
            }
            self.walked = self.walked.saturating_add(1);
        }
        self.state = state;
        if !last {
            return Walked::Open;
        }
        if table.is_match_state(table.next_eoi_state(state)) {
            self.longest = Some(self.walked);
        }
        Walked::Done(self.longest)
    }
}
