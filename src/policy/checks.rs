//! What a policy block looks for: `checks.body`, and in which direction.
//!
//! This module refuses to know scopes: `checks.body` is one value, replaced as a whole.

use super::MinFindings;
use super::cursor::Cursor;
use super::document::{DIRECTION, MASK};
use super::kinds;
use super::shape::Report;
use crate::detect::{Detectors, KindSet};

/// The cap of requests where none is set, in bytes. That of responses is 0, so it has to be set.
const BUILT_IN_REQUEST_BYTES: u64 = 1_048_576;

/// What differs by direction.
pub(super) struct Direction {
    pub(super) is_request: bool,
    pub(super) bodies: &'static str,
    pub(super) inspect: &'static str,
    pub(super) max_bytes: &'static str,
    pub(super) body_mode: &'static str,
    pub(super) built_in_bytes: u64,
}

pub(super) const REQUEST: Direction = Direction {
    is_request: true,
    bodies: "requests",
    inspect: "inspect_request_body",
    max_bytes: "max_request_body_bytes",
    body_mode: "request_body_mode",
    built_in_bytes: BUILT_IN_REQUEST_BYTES,
};

pub(super) const RESPONSE: Direction = Direction {
    is_request: false,
    bodies: "responses",
    inspect: "inspect_response_body",
    max_bytes: "max_response_body_bytes",
    body_mode: "response_body_mode",
    built_in_bytes: 0,
};

/// `checks.body`: one value, replaced as a whole.
#[derive(Clone, Debug, Default)]
pub(super) struct BodyChecks {
    pub(super) dlp: Option<Dlp>,
    /// Where `detect_sensitive_data` is true.
    pub(super) sensitive_data: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) struct Dlp {
    pub(super) path: String,
    pub(super) request: bool,
    pub(super) response: bool,
    pub(super) block: KindSet,
    pub(super) redact: KindSet,
    pub(super) redact_in_observe_modes: bool,
    /// Values that are published for tests are no findings.
    pub(super) except_test_values: bool,
    /// Kinds of `redact` whose masks keep the length.
    pub(super) same_length: KindSet,
    pub(super) min_findings: MinFindings,
}

impl BodyChecks {
    pub(super) fn read(cursor: &Cursor<'_>, detectors: &Detectors, report: &mut Report) -> BodyChecks {
        let sensitive_data = cursor.field("detect_sensitive_data").filter(|flag| flag.boolean() == Some(true));
        BodyChecks {
            dlp: cursor.field("dlp").map(|dlp| Dlp::read(&dlp, detectors, report)),
            sensitive_data: sensitive_data.map(|flag| flag.path),
        }
    }
}

impl Dlp {
    pub(super) fn read(cursor: &Cursor<'_>, detectors: &Detectors, report: &mut Report) -> Dlp {
        let directions = [("response", (false, true)), ("request", (true, false)), ("both", (true, true))];
        let direction = cursor.field("direction").and_then(|direction| direction.choice(&DIRECTION, &directions));
        let (request, response) = direction.unwrap_or((false, true));
        let items = |name| cursor.field(name).map(|list| list.items()).unwrap_or_default();
        let (blocked, redacted) = (items("block"), items("redact"));
        let (block, redact) = (kinds::list(&blocked, detectors), kinds::list(&redacted, detectors));
        let min_findings =
            cursor.field("min_findings").map(|field| min_findings(&field, block, detectors, report)).unwrap_or_default();
        // Fewer than block may be masked, so a kind with a threshold may stand in both.
        let at_once = block.iter().filter(|kind| min_findings.of(*kind) == 1).collect();
        kinds::check_apart(&blocked, &redacted, at_once, detectors, report);
        Dlp {
            path: cursor.path.clone(),
            request,
            response,
            block,
            redact,
            redact_in_observe_modes: cursor.field("redact_in_observe_modes").and_then(|flag| flag.boolean()).unwrap_or(true),
            except_test_values: cursor.field("except_test_values").and_then(|flag| flag.boolean()).unwrap_or(false),
            same_length: cursor.field("mask").map(|mask| same_length(&mask, redact, detectors, report)).unwrap_or_default(),
            min_findings,
        }
    }

    pub(super) fn covers(&self, direction: &Direction) -> bool {
        if direction.is_request { self.request } else { self.response }
    }
}

/// The kinds of `redact` for which `mask` says `same_length`.
fn same_length(mask: &Cursor<'_>, redact: KindSet, detectors: &Detectors, report: &mut Report) -> KindSet {
    let says = |cursor: &Cursor<'_>| cursor.choice(&MASK, &[("label", false), ("same_length", true)]).unwrap_or(false);
    if mask.text().is_some() {
        return if says(mask) { redact } else { KindSet::EMPTY };
    }
    let mut all = KindSet::EMPTY;
    for (name, style) in mask.fields() {
        let Some(named) = kinds::set(name, detectors) else { continue };
        let named: KindSet = named.iter().filter(|kind| redact.contains(*kind)).collect();
        if named.is_empty() {
            report.warning(style.path, format!("has no effect: redact does not name {name}"));
        } else if says(&style) {
            all = all.union(named);
        }
    }
    all
}

/// How many findings block, as `min_findings` says.
fn min_findings(field: &Cursor<'_>, block: KindSet, detectors: &Detectors, report: &mut Report) -> MinFindings {
    if let Some(all) = field.integer() {
        return MinFindings::OfAll(all.max(1));
    }
    let mut named = Vec::new();
    for (name, value) in field.fields() {
        let Some((kinds, least)) = kinds::set(name, detectors).zip(value.integer()) else { continue };
        if !kinds.iter().any(|kind| block.contains(kind)) {
            report.warning(value.path, format!("has no effect: block does not name {name}"));
        }
        named.push((detectors.kind(name).is_none(), kinds, least.max(1)));
    }
    // A map has no order: a kind's own entry goes before its groups', and of those the smallest counts.
    let least = |kind| {
        let entries = named.iter().filter(|(_, kinds, _)| kinds.contains(kind));
        entries.map(|(by_group, _, least)| (*by_group, *least)).min().map(|(_, least)| (kind, least))
    };
    MinFindings::ByKind(block.iter().filter_map(least).collect())
}
