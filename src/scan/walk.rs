//! Stage two: does a kind's pattern match from here, and how far? Resumable, so that no byte is read twice when a match comes
//! in several chunks.

use regex_automata::dfa::Automaton;
use regex_automata::dfa::dense::DFA;
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
        let value = bounded.unwrap_or(value);
        let (mut state, mut walked, mut longest) = (self.state, self.walked, self.longest);
        while let Some(byte) = value.get(walked) {
            let next = dfa.next_state(state, *byte);
            // In a run of like bytes the state stays. Branching on that breaks the chain of lookups that wait for one another.
            if next == state {
                walked = walked.wrapping_add(1);
                continue;
            }
            longest = matched(dfa, state, walked).or(longest);
            if dfa.is_special_state(next) && (dfa.is_dead_state(next) || dfa.is_quit_state(next)) {
                return Walked::Done(longest);
            }
            state = next;
            walked = walked.wrapping_add(1);
        }
        longest = matched(dfa, state, walked).or(longest);
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

/// The length of the match that `state` tells of, `walked` bytes from the start: a DFA of this library is one byte late.
#[inline(always)]
fn matched(dfa: &DFA<&'static [u32]>, state: StateID, walked: usize) -> Option<usize> {
    (dfa.is_special_state(state) && dfa.is_match_state(state)).then(|| walked.wrapping_sub(1))
}
