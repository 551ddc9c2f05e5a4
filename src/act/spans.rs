//! What is read of a head, as pieces of one text: the values of headers, the parameters of a query.
//!
//! The text is scanned once. No finding reaches from one piece into the next, nor from a name into its value: a piece that one
//! crosses is scanned again by itself, so that none hides another. This module refuses to know what becomes of findings.

use std::ops::Range;
use std::sync::Arc;

use crate::policy::HeadRule;
use crate::scan::{Finding, Program};

/// A piece of the scanned text.
pub(super) struct Span {
    /// Where its name begins, which stands before it; its own start where nothing does.
    pub(super) named_from: usize,
    /// The piece.
    pub(super) range: Range<usize>,
    /// Which header it is of.
    pub(super) header: usize,
}

/// The findings in `spans` (sorted, disjoint) of `text`, sorted by start.
pub(super) fn scan(program: &Arc<Program>, text: &[u8], spans: &[Span]) -> Vec<Finding> {
    let all = program.scan(text);
    let mut findings = Vec::with_capacity(all.len());
    let mut rest = all.iter().peekable();
    // How far the findings reach that began before a piece, or in one before it.
    let mut reach = 0u64;
    for Span { named_from, range, .. } in spans {
        let (start, end) = (range.start as u64, range.end as u64);
        while let Some(before) = rest.next_if(|finding| finding.start < start) {
            reach = reach.max(before.end);
        }
        let mut crossed = reach > start;
        let known = findings.len();
        while let Some(inside) = rest.next_if(|finding| finding.start < end) {
            reach = reach.max(inside.end);
            findings.push(*inside);
        }
        crossed |= reach > end;
        if crossed {
            findings.truncate(known);
            findings.extend(alone(program, text, *named_from, range));
        }
    }
    findings
}

/// The findings in a piece as if there were no other: by itself, and those that its name helps to find.
fn alone(program: &Arc<Program>, text: &[u8], named_from: usize, range: &Range<usize>) -> Vec<Finding> {
    let scan = |from: usize| {
        let findings = program.scan(text.get(from..range.end).unwrap_or_default()).into_iter();
        let moved = move |offset: u64| offset.saturating_add(from as u64);
        findings.map(move |finding| Finding { start: moved(finding.start), end: moved(finding.end), ..finding })
    };
    let mut findings: Vec<Finding> = scan(range.start).collect();
    if named_from < range.start {
        findings.extend(scan(named_from).filter(|finding| finding.start >= range.start as u64));
        findings.sort_by_key(|finding| (finding.kind, finding.start));
        findings.dedup_by(|later, earlier| later.kind == earlier.kind && later.start < earlier.end);
        findings.sort();
    }
    findings
}

/// The parameters of a query that are read. Some servers part them at a `;` too: what is behind one in a parameter that is not read
/// counts by its own name.
pub(super) fn parameters(head_rule: &HeadRule, query: &[u8]) -> Vec<Span> {
    let mut spans = Vec::new();
    let is_read = |parameter: &[u8]| {
        let name = parameter.split(|byte| *byte == b'=').next().unwrap_or_default();
        head_rule.names.has_parameter(&decoded(name))
    };
    let mut start = 0usize;
    for parameter in query.split(|byte| *byte == b'&') {
        let whole = is_read(parameter);
        let mut piece_start = start;
        for piece in parameter.split(|byte| *byte == b';' && !whole) {
            let end = piece_start.saturating_add(piece.len());
            if whole || is_read(piece) {
                spans.push(Span { named_from: piece_start, range: piece_start..end, header: 0 });
            }
            piece_start = end.saturating_add(1);
        }
        start = start.saturating_add(parameter.len()).saturating_add(1);
    }
    spans
}

/// A parameter's name as a server reads it.
fn decoded(name: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some((byte, behind)) = rest.split_first() {
        let escaped = || {
            let hex = behind.get(..2).filter(|hex| *byte == b'%' && hex.iter().all(u8::is_ascii_hexdigit))?;
            u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()
        };
        (rest, _) = match escaped() {
            Some(byte) => (behind.get(2..).unwrap_or_default(), out.push(byte)),
            None => (behind, out.push(if *byte == b'+' { b' ' } else { *byte })),
        };
    }
    out
}
