//! From offsets in the decoded view to offsets in the raw body.

use std::collections::VecDeque;

/// An escape: one byte of the view.
#[derive(Clone, Copy, Debug)]
struct Escape {
    /// Its offset in the view.
    decoded: u64,
    /// Its offset in the body.
    raw: u64,
    /// Its bytes in the body.
    len: u64,
}

/// The escapes of a view from some offset on, and the last one before that.
#[derive(Debug, Default)]
pub(super) struct Offsets(VecDeque<Escape>);

impl Offsets {
    /// Adds an escape behind all others.
    pub(super) fn push(&mut self, decoded: u64, raw: u64, len: usize) {
        self.0.push_back(Escape { decoded, raw, len: len as u64 });
    }

    /// Where the character at `decoded` starts in the body.
    pub(super) fn start(&self, decoded: u64) -> u64 {
        let behind = self.0.partition_point(|escape| escape.decoded <= decoded);
        match behind.checked_sub(1).and_then(|last| self.0.get(last)) {
            None => decoded,
            Some(escape) if escape.decoded == decoded => escape.raw,
            Some(escape) => {
                let beyond = decoded.saturating_sub(escape.decoded).saturating_sub(1);
                escape.raw.saturating_add(escape.len).saturating_add(beyond)
            }
        }
    }

    /// Where the character before `decoded` ends in the body.
    pub(super) fn end(&self, decoded: u64) -> u64 {
        let last = decoded.saturating_sub(1);
        let len = self.0.binary_search_by_key(&last, |escape| escape.decoded).ok().and_then(|at| self.0.get(at));
        self.start(last).saturating_add(len.map_or(1, |escape| escape.len))
    }

    /// Is any of the characters of `start..end` an escape?
    pub(super) fn any(&self, start: u64, end: u64) -> bool {
        let at = self.0.partition_point(|escape| escape.decoded < start);
        self.0.get(at).is_some_and(|escape| escape.decoded < end)
    }

    /// The offset in the view behind the last escape.
    pub(super) fn behind_last(&self) -> u64 {
        self.0.back().map_or(0, |escape| escape.decoded.saturating_add(1))
    }

    /// Forgets what lies before `decoded`, but for the last.
    pub(super) fn forget(&mut self, decoded: u64) {
        let before = self.0.partition_point(|escape| escape.decoded < decoded);
        self.0.drain(..before.saturating_sub(1));
    }
}
