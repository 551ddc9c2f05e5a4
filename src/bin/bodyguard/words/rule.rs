//! What a rule does with the messages of its route, in words: each direction, each part of a message.

use bodyguard::act::{Direction, wants_whole_bodies};
use bodyguard::detect::KindSet;
use bodyguard::policy::{BodyMode, BodyRule, FailMode, HeadRule, MinFindings, Mode, Policy, Rule};
use serde_json::Value;

use super::Page;
use super::kinds::{joined, masks, names};

/// A rule and what it stands in.
pub(super) struct RuleWords<'a> {
    pub(super) policy: &'a Policy,
    /// What the policy was read from.
    pub(super) document: &'a Value,
    /// Its `spec`.
    pub(super) spec: &'a Value,
    pub(super) rule: &'a Rule,
}

impl RuleWords<'_> {
    /// Writes what the rule does, a sentence or some a line.
    pub(super) fn write(&self, page: &mut Page) {
        let rule = self.rule;
        if rule.mode == Mode::Off {
            page.line(5, "Mode off: passes unread, both ways.");
            return;
        }
        page.line(
            5,
            &match rule.mode {
                Mode::Block => "Mode block: what is to be blocked is blocked.".to_owned(),
                mode => format!("Mode {mode}: nothing is blocked; what would be is recorded (would_block), and passes."),
            },
        );
        for direction in [Direction::Request, Direction::Response] {
            page.line(5, if direction == Direction::Request { "Requests" } else { "Responses" });
            let mut lines = self.body(direction);
            match direction {
                Direction::Request => {
                    lines.extend(self.head("Header values", "headers", rule.heads.request_headers.as_ref(), direction));
                    lines.extend(self.head("The query", "query", rule.heads.query.as_ref(), direction));
                }
                Direction::Response => {
                    lines.extend(self.head("Header values", "headers", rule.heads.response_headers.as_ref(), direction));
                }
            }
            lines.iter().for_each(|line| page.item(7, line));
        }
        self.others().iter().for_each(|line| page.line(5, line));
    }

    fn body(&self, direction: Direction) -> Vec<String> {
        let (side, inspect) = match direction {
            Direction::Request => (self.rule.request.as_ref(), "inspect_request_body"),
            Direction::Response => (self.rule.response.as_ref(), "inspect_response_body"),
        };
        let Some(side) = side else { return vec![format!("Bodies are not read: {}.", self.why_not(inspect))] };
        let cap = bytes(side.max_bytes);
        let streams = "streams (event streams, gRPC, lines of JSON) as they flow, without a cap";
        let how = match side.body_mode {
            BodyMode::Buffered => format!("Bodies are read whole, up to {cap}."),
            BodyMode::Streamed => format!("Bodies are read as they flow, without a cap; gRPC messages up to {cap}."),
            BodyMode::Auto => format!("Bodies are read whole, up to {cap}; {streams}."),
        };
        let mut lines = vec![how];
        lines.extend(self.lists(side, "body", direction));
        if side.body_mode != BodyMode::Streamed {
            let status = if direction == Direction::Request { 413 } else { 502 };
            lines.push(match self.rule.mode {
                Mode::Block => format!("A longer body is blocked (code body.truncated): {status}."),
                _ => "A longer body passes unread, recorded as would_block.".into(),
            });
        }
        let status = if direction == Direction::Request { "400 or 415" } else { "502" };
        let fail_mode = self.rule.fail_mode;
        lines.push(format!(
            "By {fail_mode}, a body that cannot be decoded {}.",
            match (fail_mode, self.rule.mode) {
                (FailMode::Open, _) => "passes unread, counted".to_owned(),
                (FailMode::Close, Mode::Block) => format!("is blocked (code body.undecodable): {status}"),
                (FailMode::Close, _) => "passes unread, recorded as would_block".to_owned(),
            }
        ));
        let skipped: Vec<&str> = self.rule.skip_content_types.iter().map(|range| range.as_str()).collect();
        if !skipped.is_empty() {
            lines.push(format!("Bodies of the types {} are not read.", joined(&skipped, "and")));
        }
        lines
    }

    /// Why the bodies of a direction are not read: the flag as the most specific scope sets it.
    fn why_not(&self, inspect: &str) -> String {
        let domain = self.rule.source.split(".routes[").next().unwrap_or_default();
        let scopes = [(self.rule.source.as_str(), "the route"), (domain, "the domain")];
        // Without routes, a domain is one.
        let scopes = scopes.into_iter().filter(|(path, name)| *name == "the domain" || *path != domain);
        let scopes = scopes.map(|(path, name)| (super::at(self.document, path).and_then(|scope| scope.get("policy")), name));
        let defaults = (self.spec.get("defaults"), "defaults");
        let said = scopes.chain([defaults]).find_map(|(block, name)| {
            let flag = block?.get(inspect)?.as_bool()?;
            Some((flag, name))
        });
        match said {
            Some((true, _)) => "no check looks for anything in them".into(),
            Some((false, scope)) => format!("{inspect} is false in {scope}"),
            None => format!("{inspect} is not set"),
        }
    }

    /// What is looked for in the header values or the query; nothing where they are not read.
    fn head(&self, what: &str, part: &str, head_rule: Option<&HeadRule>, direction: Direction) -> Vec<String> {
        let Some(head_rule) = head_rule else { return Vec::new() };
        let of = head_rule.names.to_string();
        let of = if of.is_empty() { of } else { format!(" ({})", of.trim()) };
        self.lists(&head_rule.lists, part, direction).into_iter().map(|line| format!("{what}{of}: {}", lower(&line))).collect()
    }

    /// What blocks, what is masked and how, what does not count.
    fn lists(&self, side: &BodyRule, part: &str, direction: Direction) -> Vec<String> {
        let (rule, detectors) = (self.rule, &*self.policy.detectors);
        let blocks = rule.mode == Mode::Block;
        let mut lines = Vec::new();
        let (done, then) =
            if blocks { ("Blocked", self.reply(side, part, direction)) } else { ("Recorded as would_block", "it passes".into()) };
        if side.sensitive_data {
            let code = format!("{part}.sensitive_data:<kind>");
            lines.push(format!("{done} with a finding of any kind of group:core, stripe_key too (code {code}): {then}."));
        }
        let hook = if side.sensitive_data { KindSet::core() } else { KindSet::EMPTY };
        let block = side.block.without(hook);
        if !block.is_empty() {
            lines.push(format!("{done} with {} (code {part}.dlp_block:<kind>): {then}.", self.enough(side, block)));
        }
        let redact = if blocks { side.redact.without(hook) } else { side.redact };
        if !redact.is_empty() {
            if blocks || side.redact_in_observe_modes {
                let also = if redact.iter().any(|kind| side.block.contains(kind)) { " where they do not block" } else { "" };
                lines.push(format!("Masked{also}: {}.", masks(detectors, side, redact)));
            } else {
                lines.push(format!("Recorded (would_redact), not masked: {}.", names(detectors, redact, "and")));
            }
        }
        if side.program.excepts_test_values() {
            lines.push("Values that are published for tests and documentation are no findings.".into());
        }
        lines
    }

    /// How many findings of which kinds block.
    fn enough(&self, side: &BodyRule, block: KindSet) -> String {
        let detectors = &*self.policy.detectors;
        match &side.min_findings {
            MinFindings::OfAll(1) => format!("a finding of {}", names(detectors, block, "or")),
            MinFindings::OfAll(least) => format!("{least} findings and more, in all, of {}", names(detectors, block, "or")),
            MinFindings::ByKind(by_kind) => {
                let of_kind = by_kind.iter().filter(|(kind, _)| block.contains(*kind));
                let mut parts: Vec<String> =
                    of_kind.map(|(kind, least)| format!("{least} findings and more of {}", detectors.name(*kind))).collect();
                let others: KindSet = block.iter().filter(|kind| !by_kind.iter().any(|(of, _)| of == kind)).collect();
                if !others.is_empty() {
                    parts.push(format!("one of {}", names(detectors, others, "or")));
                }
                parts.join(", or ")
            }
        }
    }

    /// What the two ends of a message get that is blocked.
    fn reply(&self, side: &BodyRule, part: &str, direction: Direction) -> String {
        let status = self.rule.block_response.as_ref().and_then(|reply| reply.status).unwrap_or(403);
        let cut = "streams are cut before the finding";
        match (part, direction, side.body_mode, self.policy.allow_on_headers_stop_iteration) {
            ("body", Direction::Request, BodyMode::Streamed, _) => {
                format!("{status}; the upstream sees what came before the finding, and an aborted body")
            }
            ("body", Direction::Request, _, false) => format!("{status}; the upstream sees headers and an aborted body"),
            ("body", Direction::Response, BodyMode::Streamed, _) => "it is cut before the finding".into(),
            ("body", Direction::Response, BodyMode::Buffered, true) => status.to_string(),
            ("body", Direction::Response, BodyMode::Auto, true) => format!("{status}; {cut}"),
            ("body", Direction::Response, BodyMode::Buffered, false) => {
                "its headers have gone, so it is cut before its body".into()
            }
            ("body", Direction::Response, BodyMode::Auto, false) => {
                format!("its headers have gone, so it is cut before its body; {cut}")
            }
            (_, Direction::Request, ..) => format!("{status}; the upstream sees nothing of it"),
            (_, Direction::Response, ..) => status.to_string(),
        }
    }

    /// What is neither of the head nor of the body.
    fn others(&self) -> Vec<String> {
        let rule = self.rule;
        let mut lines = Vec::new();
        if let Some(reply) = &rule.block_response {
            let content_type = reply.content_type.as_deref().unwrap_or("application/json");
            let body = reply
                .body
                .as_ref()
                .map_or("the usual body".into(), |body| format!("a body of its own, {}", bytes(body.len() as u64)));
            lines.push(format!("The reply to what is blocked: {content_type}, {body}."));
        }
        if wants_whole_bodies(rule) {
            lines.push("Requests for a part of a body lose Range and If-Range.".into());
        }
        if rule.deny_upgrades {
            lines.push(match rule.mode {
                Mode::Block => "Upgrades (WebSocket) and CONNECT are blocked (code body.upgrade_denied): 403.".into(),
                _ => "Upgrades (WebSocket) and CONNECT are recorded as would_block, and pass.".to_owned(),
            });
        } else if rule.request.is_some() || rule.response.is_some() {
            lines.push("Upgrades (WebSocket) and CONNECT pass unread, counted.".into());
        }
        lines
    }
}

/// The text with its first letter in lower case.
fn lower(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

/// A number of bytes, in the largest unit that it is a multiple of.
pub(super) fn bytes(count: u64) -> String {
    for (shift, unit) in [(30, "GiB"), (20, "MiB"), (10, "KiB")] {
        let size = 1u64 << shift;
        if count >= size && count.is_multiple_of(size) {
            return format!("{} {unit}", count >> shift);
        }
    }
    format!("{count} bytes")
}
