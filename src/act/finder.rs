//! What of a body are findings: what the scanner finds, where in JSON it counts, and what JSON's structure adds.

use std::sync::Arc;

use super::places::Places;
use crate::body::MediaType;
use crate::policy::BodyRule;
use crate::scan::{Finding, Scanner};

/// Finds in one decoded body what its rule looks for, in any cut.
#[derive(Debug)]
pub(super) struct Finder {
    scanner: Scanner,
    /// Only where the rule says something about places in JSON.
    places: Option<Places>,
}

impl Finder {
    pub(super) fn new(body_rule: &BodyRule, media_type: &MediaType) -> Finder {
        Finder {
            scanner: Scanner::new(&body_rule.program),
            places: body_rule.json.as_ref().map(|rules| Places::new(Arc::clone(rules), media_type)),
        }
    }

    /// Takes the next chunk and appends what has become certain, sorted by start. Returns the offset up to which everything is
    /// decided: no finding that is reported later starts before it.
    pub(super) fn feed(&mut self, chunk: &[u8], findings: &mut Vec<Finding>) -> u64 {
        let fresh = findings.len();
        let decided = self.scanner.feed(chunk, findings);
        match &mut self.places {
            Some(places) => places.feed(chunk, decided, findings, fresh),
            None => decided,
        }
    }

    /// Ends the body: decides what was still open.
    pub(super) fn finish(&mut self, findings: &mut Vec<Finding>) {
        let fresh = findings.len();
        self.scanner.finish(findings);
        if let Some(places) = &mut self.places {
            places.finish(findings, fresh);
        }
    }
}
