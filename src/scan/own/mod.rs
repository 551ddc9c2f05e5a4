//! A policy's own kinds: where their values may start, and their way through a body.
//!
//! The findings of an own kind are defined by a regex search: go through the body from left to right; at a position, take the
//! match that the regex prefers of those that begin there and have at most `max_len` bytes; go on at its end. Each match, widened to
//! whole characters of UTF-8, is then judged by the kind's conditions, once: one that they refuse is skipped whole. A match begins
//! with the first byte of a character, and what stands before it is read with its escapes decoded, so that in `"\nsecret"` a word
//! begins behind the line end. `tests/reference/own.rs` does exactly that, naively.
//!
//! A start is noticed by its print (`notice`), then a [`OwnLane`] walks the kind's automaton from there.

mod notice;
mod trail;

use std::collections::VecDeque;

use crate::detect::{Automaton, Detector, Kind, LOOK_BEHIND, State, byte_before};

use super::Finding;
use super::lane::Slice;
pub(super) use notice::Notice;
use trail::Trail;

/// Most bytes by which a match is widened: those of a character behind its first.
const WIDEN: usize = 3;

/// A start that is not judged yet.
#[derive(Clone, Copy, Debug)]
struct Open {
    start: u64,
    step: Step,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// How far does the regex match?
    Walk(Walk),
    /// It matches this many bytes; what stands behind them is not known yet.
    Accept(usize),
}

/// A walk of an automaton from a start.
#[derive(Clone, Copy, Debug)]
struct Walk {
    state: State,
    /// Bytes walked over.
    walked: usize,
    /// The match so far, in bytes.
    matched: Option<usize>,
}

/// One own kind's state. What it looks for is told to it each time.
#[derive(Clone, Default, Debug)]
pub(super) struct OwnLane {
    /// No match may start before this offset any more.
    next: u64,
    open: Option<Open>,
    waiting: VecDeque<u64>,
    trail: Trail,
}

/// An own kind and its definition.
pub(super) type Of<'a> = (Kind, &'a Detector);

impl OwnLane {
    /// The offset from which on it may find.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// The first offset that is not decided because a value that starts there is still open.
    pub(super) fn undecided(&self) -> Option<u64> {
        self.open.map(|open| open.start)
    }

    /// Takes a possible start, of which the prefilter gives each in ascending order.
    pub(super) fn offer(&mut self, start: u64, of: Of<'_>, slice: Slice<'_>, findings: &mut Vec<Finding>) {
        if start < self.next {
            return;
        }
        if self.open.is_some() {
            if self.waiting.back().is_none_or(|last| *last < start) {
                self.waiting.push_back(start);
            }
            return;
        }
        self.begin(start, of, slice, findings);
    }

    /// Goes on with what is open, now that `slice` holds more.
    pub(super) fn resume(&mut self, of: Of<'_>, slice: Slice<'_>, findings: &mut Vec<Finding>) {
        let Some(open) = self.open.take() else { return };
        self.judge(open, of, slice, findings);
        while self.open.is_none() {
            let Some(start) = self.waiting.pop_front() else { return };
            if start >= self.next {
                self.begin(start, of, slice, findings);
            }
        }
    }

    fn begin(&mut self, start: u64, of: Of<'_>, slice: Slice<'_>, findings: &mut Vec<Finding>) {
        if slice.from(start).first().is_some_and(|first| goes_on_a_character(*first)) {
            return;
        }
        let state = of.1.automaton.start(byte_before(near_before(slice, start, LOOK_BEHIND)));
        self.trail.begin(start);
        self.judge(Open { start, step: Step::Walk(Walk { state, walked: 0, matched: None }) }, of, slice, findings);
    }

    fn judge(&mut self, mut open: Open, of: Of<'_>, slice: Slice<'_>, findings: &mut Vec<Finding>) {
        let (kind, detector) = of;
        let bytes = slice.from(open.start);
        if let Step::Walk(walk) = &mut open.step {
            if !self.walk(walk, &detector.automaton, bytes, slice.last) {
                self.open = Some(open);
                return;
            }
            match walk.matched {
                Some(len) => open.step = Step::Accept(len),
                None => {
                    self.next = open.start.saturating_add(1);
                    return;
                }
            }
        }
        let Step::Accept(len) = open.step else { return };
        let behind = bytes.get(len..).unwrap_or_default();
        let wider = behind.iter().take(WIDEN).take_while(|byte| goes_on_a_character(**byte)).count();
        let len = len.saturating_add(wider);
        let (value, behind) = bytes.split_at_checked(len).unwrap_or((bytes, &[]));
        let conditions = &detector.setting.conditions;
        let reach = conditions.reach();
        let known = slice.last || !behind.is_empty() || wider == WIDEN;
        if !known || (!slice.last && behind.len() < reach) {
            self.open = Some(open);
            return;
        }
        let end = open.start.saturating_add(len as u64);
        if conditions.hold(near_before(slice, open.start, reach), value, behind.get(..reach).unwrap_or(behind)) {
            findings.push(Finding { start: open.start, end, kind });
        }
        self.next = end;
    }

    /// Walks on over `value`, which starts where the walk started; `false` where more bytes must come.
    fn walk(&mut self, walk: &mut Walk, automaton: &Automaton, value: &[u8], last: bool) -> bool {
        // A state tells of a match one byte late.
        let limit = automaton.max_len().saturating_add(1);
        let bounded = value.get(..limit);
        let value = bounded.unwrap_or(value);
        let Walk { mut state, mut walked, mut matched } = *walk;
        while let Some(byte) = value.get(walked) {
            state = automaton.step(state, *byte);
            if automaton.matches(state) {
                matched = Some(walked);
            }
            walked = walked.wrapping_add(1);
            if state == Automaton::DEAD {
                break;
            }
            if let Some((more, there)) = self.trail.meet(walked, state) {
                // As an earlier walk from here on: no further match up to where that one ended.
                (walked, state) = (walked.saturating_add(more), there);
            }
        }
        let dead = state == Automaton::DEAD;
        if !dead && bounded.is_none() {
            if !last {
                *walk = Walk { state, walked, matched };
                return false;
            }
            if automaton.matches(automaton.end(state)) {
                matched = Some(walked);
            }
        }
        self.trail.end(walked);
        *walk = Walk { state, walked, matched };
        true
    }
}

/// Up to `reach` bytes before an offset.
fn near_before(slice: Slice<'_>, start: u64, reach: usize) -> &[u8] {
    let before = slice.bytes.get(..slice.index(start)).unwrap_or_default();
    before.get(before.len().saturating_sub(reach)..).unwrap_or_default()
}

/// A byte of UTF-8 that does not begin a character.
fn goes_on_a_character(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}
