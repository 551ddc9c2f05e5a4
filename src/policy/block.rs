//! Policy blocks: read at one scope, laid over each other, and made into the rule of a route.
//!
//! A block is sparse: of the three scopes, `defaults`, a domain's and a route's, the most specific value that is set wins.
//! This module refuses to know which requests a rule is for.

use std::sync::Arc;

use super::checks::{BodyChecks, Direction, REQUEST, RESPONSE};
use super::cursor::Cursor;
use super::document::{BODY_MODE, FAIL_MODE, MAX_BODY_BYTES, MODE, RANGES, UPGRADES};
use super::heads::{HeadChecks, Heads};
use super::shape::Report;
use super::{BlockResponse, BodyMode, BodyRule, FailMode, Mode, Rule};
use crate::body::MediaRange;
use crate::detect::{Detectors, KindSet};
use crate::scan::Programs;

/// The cap of a gRPC message in a streamed direction without a cap, in bytes: what gRPC itself takes unless told otherwise.
const BUILT_IN_MESSAGE_BYTES: u64 = 4 * 1_048_576;

/// How specific a block is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Scope {
    Defaults,
    Domain,
    Route,
}

/// A value that was set, and where.
#[derive(Clone, Debug)]
struct Set<T> {
    value: T,
    path: String,
    scope: Scope,
}

/// One policy block, or several laid over each other.
#[derive(Clone, Debug, Default)]
pub(super) struct Block {
    mode: Option<Set<Mode>>,
    fail_mode: Option<FailMode>,
    request: Side,
    response: Side,
    skip_content_types: Option<Vec<MediaRange>>,
    strip_ranges: Option<bool>,
    deny_upgrades: Option<bool>,
    block_response: BlockResponse,
    body: Option<BodyChecks>,
    heads: HeadChecks,
}

/// The fields of one direction.
#[derive(Clone, Debug, Default)]
struct Side {
    inspect: Option<Set<bool>>,
    max_bytes: Option<Set<u64>>,
    body_mode: Option<BodyMode>,
}

impl Block {
    /// Reads a block, and reports what cannot stand together within it.
    pub(super) fn read(cursor: Option<&Cursor<'_>>, scope: Scope, detectors: &Detectors, report: &mut Report) -> Block {
        let Some(cursor) = cursor else { return Block::default() };
        let modes = [("off", Mode::Off), ("detect", Mode::Detect), ("shadow", Mode::Shadow), ("block", Mode::Block)];
        let fail_modes = [("fail_open", FailMode::Open), ("fail_close", FailMode::Close)];
        let ranges = |ranges: Cursor<'_>| ranges.items().iter().filter_map(|range| MediaRange::parse(range.text()?)).collect();
        let block = Block {
            mode: set(cursor, "mode", scope, |mode| mode.choice(&MODE, &modes)),
            fail_mode: cursor.field("fail_mode").and_then(|mode| mode.choice(&FAIL_MODE, &fail_modes)),
            request: Side::read(cursor, scope, &REQUEST),
            response: Side::read(cursor, scope, &RESPONSE),
            skip_content_types: cursor.field("skip_content_types").map(ranges),
            strip_ranges: cursor.field("ranges").and_then(|ranges| ranges.choice(&RANGES, &[("strip", true), ("allow", false)])),
            deny_upgrades: cursor.field("upgrades").and_then(|word| word.choice(&UPGRADES, &[("allow", false), ("deny", true)])),
            block_response: cursor.field("block_response").map(block_response).unwrap_or_default(),
            heads: cursor.field("checks").map(|checks| HeadChecks::read(&checks, detectors, report)).unwrap_or_default(),
            body: cursor
                .field("checks")
                .and_then(|checks| checks.field("body"))
                .map(|body| BodyChecks::read(&body, detectors, report)),
        };
        for (side, direction) in block.sides() {
            let inspected = side.inspect.as_ref().filter(|inspect| inspect.value);
            if let (Some(Set { value: Mode::Off, .. }), Some(inspect)) = (&block.mode, inspected) {
                report.error(&inspect.path, "found true beside mode: off, allowed: false (off inspects nothing)");
            }
            // What a body mode of an outer scope makes of the cap is seen when the scopes are merged.
            let buffers = side.body_mode != Some(BodyMode::Streamed) && (side.body_mode.is_some() || scope == Scope::Defaults);
            if let (Some(_), Some(cap)) = (inspected.filter(|_| buffers), &side.max_bytes) {
                report_cap(cap, direction, report);
            }
        }
        block
    }

    /// This block, with `outer` where nothing is set.
    pub(super) fn over(self, outer: &Block) -> Block {
        Block {
            mode: self.mode.or_else(|| outer.mode.clone()),
            fail_mode: self.fail_mode.or(outer.fail_mode),
            request: self.request.over(&outer.request),
            response: self.response.over(&outer.response),
            skip_content_types: self.skip_content_types.or_else(|| outer.skip_content_types.clone()),
            strip_ranges: self.strip_ranges.or(outer.strip_ranges),
            deny_upgrades: self.deny_upgrades.or(outer.deny_upgrades),
            block_response: BlockResponse {
                status: self.block_response.status.or(outer.block_response.status),
                content_type: self.block_response.content_type.or_else(|| outer.block_response.content_type.clone()),
                body: self.block_response.body.or_else(|| outer.block_response.body.clone()),
            },
            body: self.body.or_else(|| outer.body.clone()),
            heads: self.heads.over(&outer.heads),
        }
    }

    /// The rule that the block makes, the built-in values under it; reports what is wrong only once the scopes are merged.
    pub(super) fn into_rule(self, source: String, programs: &mut Programs, report: &mut Report) -> Rule {
        let mode = self.mode.as_ref().map_or(Mode::Block, |mode| mode.value);
        let checks = self.body.clone().unwrap_or_default();
        let (request, response) = if mode == Mode::Off {
            self.report_off(report);
            (None, None)
        } else {
            self.report_unused_checks(&checks, report);
            (
                self.request.rule(&REQUEST, &source, &checks, programs, report),
                self.response.rule(&RESPONSE, &source, &checks, programs, report),
            )
        };
        let heads = if mode == Mode::Off { Heads::default() } else { self.heads.rules(programs) };
        Rule {
            heads,
            source,
            mode,
            fail_mode: self.fail_mode.unwrap_or(FailMode::Close),
            request,
            response,
            skip_content_types: self.skip_content_types.unwrap_or_default(),
            strip_ranges: self.strip_ranges.unwrap_or(true),
            deny_upgrades: self.deny_upgrades.unwrap_or(false),
            block_response: Some(self.block_response).filter(|reply| *reply != BlockResponse::default()),
            detectors: Arc::clone(programs.detectors()),
        }
    }

    fn sides(&self) -> [(&Side, &'static Direction); 2] {
        [(&self.request, &REQUEST), (&self.response, &RESPONSE)]
    }

    /// An inspect flag that is inherited by a scope that says off is meant to be switched off there. One that stands in a more
    /// specific scope than off is a mistake more often than not; within one scope it is an error.
    fn report_off(&self, report: &mut Report) {
        let Some(mode) = &self.mode else { return };
        for (side, _) in self.sides() {
            if let Some(inspect) = side.inspect.as_ref().filter(|inspect| inspect.value && inspect.scope > mode.scope) {
                report.warning(&inspect.path, format!("true has no effect: mode is off, from {}", mode.path));
            }
        }
    }

    fn report_unused_checks(&self, checks: &BodyChecks, report: &mut Report) {
        for (side, direction) in self.sides() {
            if let Some(dlp) = checks.dlp.as_ref().filter(|dlp| dlp.covers(direction) && !side.inspected()) {
                report.warning(
                    &dlp.path,
                    format!(
                        "looks for kinds in {}, but {} is not true: they are not inspected",
                        direction.bodies, direction.inspect
                    ),
                );
            }
        }
        if let Some(path) = checks.sensitive_data.as_ref().filter(|_| !self.request.inspected() && !self.response.inspected()) {
            report.warning(path, "true has no effect: neither inspect_request_body nor inspect_response_body is true");
        }
    }
}

impl Side {
    fn read(cursor: &Cursor<'_>, scope: Scope, direction: &Direction) -> Side {
        let body_modes = [("auto", BodyMode::Auto), ("buffered", BodyMode::Buffered), ("streamed", BodyMode::Streamed)];
        Side {
            inspect: set(cursor, direction.inspect, scope, |flag| flag.boolean()),
            max_bytes: set(cursor, direction.max_bytes, scope, |cap| cap.integer()),
            body_mode: cursor.field(direction.body_mode).and_then(|mode| mode.choice(&BODY_MODE, &body_modes)),
        }
    }

    fn over(self, outer: &Side) -> Side {
        Side {
            inspect: self.inspect.or_else(|| outer.inspect.clone()),
            max_bytes: self.max_bytes.or_else(|| outer.max_bytes.clone()),
            body_mode: self.body_mode.or(outer.body_mode),
        }
    }

    fn inspected(&self) -> bool {
        self.inspect.as_ref().is_some_and(|inspect| inspect.value)
    }

    /// The rule of one direction, where it is inspected and there is something to look for.
    fn rule(
        self,
        direction: &Direction,
        source: &str,
        checks: &BodyChecks,
        programs: &mut Programs,
        report: &mut Report,
    ) -> Option<BodyRule> {
        let inspect = self.inspect.filter(|inspect| inspect.value)?;
        let body_mode = self.body_mode.unwrap_or(BodyMode::Auto);
        let max_bytes = match &self.max_bytes {
            // Nothing is buffered but a gRPC message.
            None if body_mode == BodyMode::Streamed => BUILT_IN_MESSAGE_BYTES,
            Some(cap) if body_mode == BodyMode::Streamed && cap.value == 0 => BUILT_IN_MESSAGE_BYTES,
            Some(cap) => {
                report_cap(cap, direction, report);
                cap.value
            }
            None => direction.built_in_bytes,
        };
        if max_bytes == 0 && self.max_bytes.is_none() {
            report.error(
                &inspect.path,
                format!(
                    "found true without {} (built in: 0), allowed: with one from 1 to {MAX_BODY_BYTES}, or {}: streamed",
                    direction.max_bytes, direction.body_mode
                ),
            );
        }
        let dlp = checks.dlp.as_ref().filter(|dlp| dlp.covers(direction));
        let (block, redact) = dlp.map(|dlp| (dlp.block, dlp.redact)).unwrap_or_default();
        let sensitive_data = checks.sensitive_data.is_some();
        let hook = if sensitive_data { KindSet::core() } else { KindSet::EMPTY };
        // Of the check as a whole: a value is not a finding of the hook in one direction and none in the other.
        let except_test_values = checks.dlp.as_ref().is_some_and(|dlp| dlp.except_test_values);
        let rule = BodyRule {
            max_bytes,
            body_mode,
            block,
            redact,
            sensitive_data,
            program: programs.excepting(block.union(redact).union(hook), except_test_values),
            json: None,
            redact_in_observe_modes: dlp.is_none_or(|dlp| dlp.redact_in_observe_modes),
            same_length: dlp.map(|dlp| dlp.same_length).unwrap_or_default(),
            min_findings: dlp.map(|dlp| dlp.min_findings.clone()).unwrap_or_default(),
        };
        if rule.kinds().is_empty() {
            report.warning(
                &inspect.path,
                format!("true has no effect for {source}: no check looks for anything in its {}", direction.bodies),
            );
            return None;
        }
        Some(rule)
    }
}

fn set<T>(cursor: &Cursor<'_>, name: &str, scope: Scope, read: impl Fn(&Cursor<'_>) -> Option<T>) -> Option<Set<T>> {
    let field = cursor.field(name)?;
    Some(Set { value: read(&field)?, path: field.path, scope })
}

fn block_response(cursor: Cursor<'_>) -> BlockResponse {
    let text = |name| cursor.field(name).and_then(|field| field.text().map(str::to_owned));
    BlockResponse {
        status: cursor.field("status").and_then(|status| status.integer()).and_then(|status| u16::try_from(status).ok()),
        content_type: text("content_type"),
        body: text("body"),
    }
}

/// A cap of 0 that stands on an inspected direction.
fn report_cap(cap: &Set<u64>, direction: &Direction, report: &mut Report) {
    if cap.value == 0 {
        report.error(&cap.path, format!("found 0 where {} is true, allowed: 1 to {MAX_BODY_BYTES}", direction.inspect));
    }
}
