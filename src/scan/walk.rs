//! Stage two: does a kind's pattern match from here, and how far? Resumable, so that no byte is read twice when a match comes
//! in several chunks.

use super::tables::{DEAD, START, State, Table};

/// A walk of a kind's DFA from the start of a possible value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk {
    state: State,
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
    pub(super) fn new() -> Walk {
        Walk { state: START, walked: 0, longest: None }
    }

    /// Walks on over `value`, which starts where the walk started and goes on to the end of what is known, at most `limit` bytes
    /// of it; `last` where nothing can follow.
    pub(super) fn on(&mut self, table: &Table, value: &[u8], limit: usize, last: bool) -> Walked {
        let bounded = value.get(..limit);
        let last = last || bounded.is_some();
        let value = bounded.unwrap_or(value);
        let (mut state, mut walked, mut longest) = (self.state, self.walked, self.longest);
        while let Some(byte) = value.get(walked) {
            let next = table.step(state, *byte);
            // In a run of like bytes the state stays. Branching on that breaks the chain of lookups that wait for one another.
            if next == state {
                walked = walked.wrapping_add(1);
                continue;
            }
            if table.matches(state) {
                longest = Some(walked);
            }
            if next == DEAD {
                return Walked::Done(longest);
            }
            state = next;
            walked = walked.wrapping_add(1);
        }
        if table.matches(state) {
            longest = Some(walked);
        }
        *self = Walk { state, walked, longest };
        if last { Walked::Done(longest) } else { Walked::Open }
    }
}
