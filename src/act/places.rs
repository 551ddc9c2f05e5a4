//! Where in a JSON document findings count, and what its structure is itself a finding of.
//!
//! Walks beside the scanner, as far as everything is decided, so that a chunk's cut never matters; what is not decided yet is
//! kept, as the scanner keeps it. What is no JSON has no places: there, every finding counts.

use std::sync::Arc;

use crate::body::{JsonWalk, Layout, MediaType, Passed, Place};
use crate::policy::{JsonRules, JsonSource};
use crate::scan::Finding;

/// Judges the findings of one body by their places. See the module.
#[derive(Debug)]
pub(super) struct Places {
    rules: Arc<JsonRules>,
    walk: JsonWalk,
    /// The bytes that are scanned and not walked over.
    tail: Vec<u8>,
}

impl Places {
    /// For a body of that media type.
    pub(super) fn new(rules: Arc<JsonRules>, media_type: &MediaType) -> Places {
        Places { walk: JsonWalk::new(Arc::clone(rules.paths()), layout(media_type)), rules, tail: Vec::new() }
    }

    /// Takes the chunk that was scanned, the offset up to which the scanner has decided, and all of `findings` from the index
    /// `fresh` on: takes out those that do not count, adds those of the structure. Returns the offset up to which everything
    /// is decided.
    pub(super) fn feed(&mut self, chunk: &[u8], decided: u64, findings: &mut Vec<Finding>, fresh: usize) -> u64 {
        if self.walk.is_over() {
            return decided;
        }
        if self.tail.is_empty() {
            let walked = self.judge(chunk, decided, findings, fresh);
            self.tail.extend_from_slice(chunk.get(walked..).unwrap_or_default());
        } else {
            let mut tail = std::mem::take(&mut self.tail);
            tail.extend_from_slice(chunk);
            let walked = self.judge(&tail, decided, findings, fresh);
            tail.drain(..walked.min(tail.len()));
            self.tail = tail;
        }
        if self.walk.is_over() {
            self.tail = Vec::new();
        }
        if self.rules.sources().is_empty() {
            return decided;
        }
        // A key or scalar that is not at its end may be a finding yet.
        self.walk.open_since().map_or(decided, |open| open.min(decided))
    }

    /// Ends the body.
    pub(super) fn finish(&mut self, findings: &mut Vec<Finding>, fresh: usize) {
        if self.walk.is_over() {
            return;
        }
        let tail = std::mem::take(&mut self.tail);
        self.judge(&tail, u64::MAX, findings, fresh);
        let rules = &self.rules;
        self.walk.finish(&mut |passed| told(rules, passed, findings));
    }

    /// Bytes that are kept: those that the scanner keeps too.
    pub(super) fn held(&self) -> usize {
        self.tail.len()
    }

    /// Walks over `bytes`, the first of which is the walk's next, up to `decided`; returns how many that were.
    fn judge(&mut self, bytes: &[u8], decided: u64, findings: &mut Vec<Finding>, fresh: usize) -> usize {
        let Places { rules, walk, .. } = self;
        let from = walk.offset();
        let mut walked = 0;
        let mut over = |walk: &mut JsonWalk, upto: u64, found: &mut Vec<Finding>| {
            let upto = usize::try_from(upto.saturating_sub(from)).unwrap_or(usize::MAX).clamp(walked, bytes.len());
            walk.walk(bytes.get(walked..upto).unwrap_or_default(), &mut |passed| told(rules, passed, found));
            walked = upto;
            upto
        };
        let mut structural = Vec::new();
        let mut index = 0usize;
        findings.retain(|finding| {
            let is_fresh = index >= fresh;
            index = index.saturating_add(1);
            if !is_fresh {
                return true;
            }
            over(walk, finding.start, &mut structural);
            rules.limit(finding.kind).is_none_or(|limit| limit.allows(walk.place()))
        });
        let walked = over(walk, decided, &mut structural);
        if !structural.is_empty() {
            findings.append(&mut structural);
            findings.get_mut(fresh..).unwrap_or_default().sort_unstable();
        }
        walked
    }
}

/// Findings of what the walk has passed.
fn told(rules: &JsonRules, passed: Passed, findings: &mut Vec<Finding>) {
    for (kind, source) in rules.sources() {
        let (start, end, place) = match (source, passed) {
            (JsonSource::Values(wanted), Passed::Scalar { start, end, paths }) if paths.meets(*wanted) => {
                (start, end, Place::Value(paths))
            }
            (JsonSource::Keys(wanted), Passed::Key { start, end, paths }) if paths.meets(*wanted) && start < end => {
                (start, end, Place::Key(paths))
            }
            (JsonSource::Items(number_of), Passed::Item { start, number, paths }) if number == *number_of => {
                (start, start.saturating_add(1), Place::Value(paths))
            }
            _ => continue,
        };
        if rules.limit(*kind).is_none_or(|limit| limit.allows(place)) {
            findings.push(Finding { start, end, kind: *kind });
        }
    }
}

/// How documents would lie in a body of that type. What turns out to be none is text.
fn layout(media_type: &MediaType) -> Layout {
    match media_type.essence() {
        "text/event-stream" => Layout::Events,
        _ if media_type.is_json_lines() => Layout::Lines,
        _ => Layout::Documents,
    }
}
