//! Where long walks have been, so that none is walked again from each of its bytes.
//!
//! A regex such as `a+b` walks over a thousand `a` from each of them, and never matches. But from the second start on the walk is in
//! the same state as the first one was, at the same byte; it can go on where that one ended. So a lane keeps the states of its last
//! long walk. Short walks are not kept: most are, and to walk them is as quick. What is walked again and again is only what an
//! automaton counts: `a{1,200}b` is in another state at each start, and takes 200 steps for each.

use std::collections::VecDeque;

use crate::detect::State;

/// Steps of a walk before it is kept.
const SHORT: usize = 32;

/// The states of a lane's last long walk.
#[derive(Clone, Default, Debug)]
pub(super) struct Trail {
    /// The states, each behind one byte more than the one before it; a walk that comes to one of them comes to all that follow.
    states: VecDeque<State>,
    /// The offset behind the byte that led to the first of them.
    from: u64,
    /// Where the walk began that goes on now.
    start: u64,
    /// It has come to one of the states.
    met: bool,
    /// It has written its own states over those of another.
    wrote: bool,
}

impl Trail {
    /// A walk begins, at a later start than the one before.
    pub(super) fn begin(&mut self, start: u64) {
        (self.start, self.met, self.wrote) = (start, false, false);
        let past = self.index(start).unwrap_or(0);
        if past >= self.states.len() {
            self.states.clear();
        } else if past > self.states.len().saturating_sub(past) {
            self.states.drain(..past);
            self.from = start;
        }
    }

    /// The walk is in `state` after so many steps. Where the walk that is kept was in that state too: how many more steps that one
    /// took, and the state that it came to. It told of no match on the way, for no walk starts before the end of a match.
    #[inline]
    pub(super) fn meet(&mut self, walked: usize, state: State) -> Option<(usize, State)> {
        if self.states.is_empty() && walked < SHORT {
            return None;
        }
        self.compare(walked, state)
    }

    fn compare(&mut self, walked: usize, state: State) -> Option<(usize, State)> {
        let at = self.start.saturating_add(walked as u64);
        let index = self.index(at).filter(|index| *index <= self.states.len());
        if let Some(known) = index.and_then(|index| self.states.get(index).copied())
            && known == state
            && !self.met
        {
            self.met = true;
            let more = self.states.len().saturating_sub(index.unwrap_or(0)).saturating_sub(1);
            return Some((more, *self.states.back()?));
        }
        if walked < SHORT && !self.met {
            return None;
        }
        self.wrote |= !self.met;
        match index {
            Some(index) if index < self.states.len() => *self.states.get_mut(index)? = state,
            Some(_) if !self.states.is_empty() => self.states.push_back(state),
            _ => {
                self.states.clear();
                self.states.push_back(state);
                self.from = at;
            }
        }
        None
    }

    /// The walk has ended after so many steps.
    pub(super) fn end(&mut self, walked: usize) {
        if self.wrote && !self.met {
            // It wrote over the states of others and never came to theirs: only its own are one walk.
            let kept = self.index(self.start.saturating_add(walked as u64)).map_or(0, |last| last.saturating_add(1));
            self.states.truncate(kept);
            let own = self.start.saturating_add(SHORT as u64);
            self.states.drain(..self.index(own).unwrap_or(0).min(self.states.len()));
            self.from = self.from.max(own);
        }
    }

    /// The index of the state behind the byte that ends at an offset.
    fn index(&self, offset: u64) -> Option<usize> {
        usize::try_from(offset.checked_sub(self.from)?).ok()
    }
}
