//! One start's way through its kind's automaton.
//!
//! A walk can stop at any byte and go on with the next chunk: it is three numbers. It refuses to know kinds and findings.

use super::block;
use super::tables::{self, DEAD, State, Table};

/// Steps that are taken at once.
const AHEAD: usize = 8;

/// A walk that has come to some byte behind its start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk {
    state: State,
    /// Bytes from the start that were walked over.
    walked: usize,
    /// Length of the longest match so far.
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
    /// A walk at its start, `state`.
    pub(super) fn at(state: State) -> Walk {
        Walk { state, walked: 0, longest: None }
    }

    /// A walk that has come over `text`, which must not lead to the dead state; else one at its start.
    pub(super) fn behind(table: &Table, text: &[u8]) -> Walk {
        let mut walk = Walk::at(table.start);
        match walk.on(table, text, usize::MAX, false) {
            Walked::Open => walk,
            Walked::Done(_) => Walk::at(table.start),
        }
    }

    /// The same walk from a start that is some bytes further left, where they lead to the same state. It must have passed no match.
    pub(super) fn further_left(self, bytes: usize) -> Walk {
        Walk { walked: self.walked.saturating_add(bytes), ..self }
    }

    /// A few steps on over `rest`, which follows what was walked over; `None` if they lead to the dead state and no match ends on
    /// the way. It spares most of what only begins like a value the rest of the way.
    #[inline]
    pub(super) fn ahead(self, table: &Table, rest: &[u8]) -> Option<Walk> {
        let mut walk = self;
        for byte in rest.iter().take(AHEAD) {
            if table.about(walk.state) != 0 {
                break;
            }
            walk.state = table.step(walk.state, *byte);
            if walk.state == DEAD {
                return None;
            }
            walk.walked = walk.walked.wrapping_add(1);
        }
        Some(walk)
    }

    /// Walks on over `value`, which starts where the walk started and goes on to the end of what is known, at most `limit` bytes
    /// of it; `last` where nothing can follow.
    pub(super) fn on(&mut self, table: &Table, value: &[u8], limit: usize, last: bool) -> Walked {
        let bounded = value.get(..limit);
        let last = last || bounded.is_some();
        let value = bounded.unwrap_or(value);
        let Walk { mut state, mut walked, mut longest } = *self;
        loop {
            let about = table.about(state);
            if about != 0 {
                if let Some(leap) = table.leap(about) {
                    let run = value.get(walked..).and_then(|rest| rest.get(..leap.count));
                    if run.is_some_and(|run| block::span(&leap.over, run) == leap.count) {
                        walked = walked.wrapping_add(leap.count);
                        state = leap.to;
                        continue;
                    }
                }
                if tables::matches(about) {
                    longest = Some(walked);
                }
            }
            let Some(byte) = value.get(walked) else { break };
            let next = table.step(state, *byte);
            if next == DEAD {
                return Walked::Done(longest);
            }
            walked = walked.wrapping_add(1);
            // Where two like bytes stand, there are often more.
            if next == state {
                let rest = value.get(walked..).unwrap_or_default();
                walked = walked.wrapping_add(table.stay(about).map_or(0, |over| block::span(over, rest)));
            }
            state = next;
        }
        *self = Walk { state, walked, longest };
        if last { Walked::Done(longest) } else { Walked::Open }
    }
}
