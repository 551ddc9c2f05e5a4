//! One kind's way through a body: which start is being judged, which wait behind it, and from where on it may find.
//!
//! A kind's findings never overlap each other, and an earlier start goes before a later one. So a lane judges its starts one
//! after the other: as long as one is open (its value may go on in the next chunk), later ones wait.

use std::collections::VecDeque;

use crate::detect::{Candidate, Conditions, is_test_value, may_go_on};

use super::Finding;
use super::program::Detector;
use super::view::decoded;
use super::walk::{Walk, Walked};

/// A part of a body that lies in memory in one piece.
#[derive(Clone, Copy)]
pub(super) struct Slice<'a> {
    /// The bytes.
    pub(super) bytes: &'a [u8],
    /// The offset of the first of them in the body.
    pub(super) at: u64,
    /// Does the body end with them?
    pub(super) last: bool,
}

impl<'a> Slice<'a> {
    /// The index of an offset. Offsets before the slice count as its start; no caller has one.
    pub(super) fn index(&self, offset: u64) -> usize {
        usize::try_from(offset.saturating_sub(self.at)).unwrap_or(usize::MAX)
    }

    /// All bytes from `offset` on.
    pub(super) fn from(&self, offset: u64) -> &'a [u8] {
        self.bytes.get(self.index(offset)..).unwrap_or_default()
    }
}

/// What a validator sees of the bytes behind a match; `None` while more of them must come.
///
/// Nothing that a match could be a piece of goes on past a line end or a double quote, so no validator looks past one. Whole lines
/// and JSON strings are so judged when they are there: the events of a stream need not wait for the next one.
fn look_ahead(behind: &[u8], most: usize, last: bool) -> Option<&[u8]> {
    let known = behind.get(..most).unwrap_or(behind);
    match known.iter().position(|byte| matches!(byte, b'\n' | b'"')) {
        Some(end) => known.get(..=end),
        None => (last || known.len() == most).then_some(known),
    }
}

/// A start that is not judged yet.
#[derive(Clone, Copy, Debug)]
struct Open {
    start: u64,
    step: Step,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// How far does the pattern match?
    Walk(Walk),
    /// It matches this many bytes; the validator has yet to see what stands behind them.
    Accept(usize),
}

/// One kind's state. What it looks for is told to it each time.
#[derive(Clone, Default, Debug)]
pub(super) struct Lane {
    /// No finding may start before this offset any more.
    next: u64,
    open: Option<Open>,
    waiting: VecDeque<u64>,
}

impl Lane {
    /// The offset from which on it may find.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// The first offset that is not decided because a value that starts there is still open.
    pub(super) fn undecided(&self) -> Option<u64> {
        self.open.map(|open| open.start)
    }

    /// Takes a possible start, of which stage one gives each in ascending order.
    ///
    /// `walk` has come from there as far as is known already.
    #[inline]
    pub(super) fn offer(&mut self, start: u64, walk: Walk, of: &Detector, slice: Slice<'_>, findings: &mut Vec<Finding>) {
        if start < self.next {
            return;
        }
        if self.open.is_some() {
            if self.waiting.back().is_none_or(|last| *last < start) {
                self.waiting.push_back(start);
            }
            return;
        }
        self.judge(Open { start, step: Step::Walk(walk) }, of, slice, findings);
    }

    /// Goes on with what is open, now that `slice` holds more.
    pub(super) fn resume(&mut self, of: &Detector, slice: Slice<'_>, findings: &mut Vec<Finding>) {
        let Some(open) = self.open.take() else { return };
        self.judge(open, of, slice, findings);
        while self.open.is_none() {
            let Some(start) = self.waiting.pop_front() else { return };
            if start >= self.next {
                self.judge(Open { start, step: Step::Walk(Walk::at(of.table.start)) }, of, slice, findings);
            }
        }
    }

    fn judge(&mut self, mut open: Open, of: &Detector, slice: Slice<'_>, findings: &mut Vec<Finding>) {
        let bytes = slice.from(open.start);
        if let Step::Walk(walk) = &mut open.step {
            match walk.on(of.table, bytes, of.spec.max_len, slice.last) {
                Walked::Open if may_go_on(of.kind, bytes) => {
                    self.open = Some(open);
                    return;
                }
                Walked::Open | Walked::Done(None) => {
                    self.next = open.start.saturating_add(1);
                    return;
                }
                Walked::Done(Some(len)) => open.step = Step::Accept(len),
            }
        }
        let Step::Accept(len) = open.step else { return };
        let (value, behind) = bytes.split_at_checked(len).unwrap_or((bytes, &[]));
        let Some(after) = look_ahead(behind, of.spec.look_ahead(), slice.last) else {
            self.open = Some(open);
            return;
        };
        let conditions = of.policy.conditions(of.kind);
        let reach = conditions.map_or(0, Conditions::reach);
        if !slice.last && behind.len() < reach {
            self.open = Some(open);
            return;
        }
        let before = slice.bytes.get(..slice.index(open.start)).unwrap_or_default();
        let before = before.get(before.len().saturating_sub(of.spec.look_behind())..).unwrap_or_default();
        self.next = match of.judge(&Candidate { before, value, after }) {
            Some(range) => {
                let start = open.start.saturating_add(range.start as u64);
                let end = open.start.saturating_add(range.end as u64);
                // What the policy refuses is no finding; nothing is looked for in its place.
                let (before, here) = slice.bytes.split_at_checked(slice.index(start)).unwrap_or_default();
                let (value, after) = here.split_at_checked(range.len()).unwrap_or((here, &[]));
                let before = before.get(before.len().saturating_sub(reach)..).unwrap_or_default();
                let after = after.get(..reach).unwrap_or(after);
                let excepts = |value: &[u8]| {
                    (of.except_test_values && is_test_value(of.kind, value))
                        || conditions.is_some_and(|conditions| conditions.excepts(value))
                };
                // Of a value that holds escapes, what it reads as counts too.
                let asked = of.except_test_values || conditions.is_some();
                let excepted = asked && (excepts(value) || decoded(value).is_some_and(|value| excepts(&value)));
                if !excepted && conditions.is_none_or(|conditions| conditions.besides(before, value, after)) {
                    findings.push(Finding { start, end, kind: of.kind });
                }
                end
            }
            None => open.start.saturating_add(1),
        };
    }
}
