//! Carrying out a judgement: the body forwarded, rewritten or refused, and the world told.

use std::sync::Arc;

use super::flow::{FLOOR_BYTES, Stage};
use super::host::Host;
use super::stream::{HttpStream, Step};
use crate::act::{Count, Direction, GRPC_PERMISSION_DENIED, Inspector, Judgement, Verdict, block_reply};
use crate::policy::Rule;
use crate::telemetry::{ErrorReason, Event, Metric, Subject, filter_state_findings};

/// Filter state of the exchange's gravest verdict.
const STATE_VERDICT: &str = "bodyguard.verdict";
/// Filter state of its findings.
const STATE_FINDINGS: &str = "bodyguard.findings";

/// Headers that describe a body as it was, and are wrong for a rewritten one (RFC 9110, RFC 9530, RFC 1864).
pub(super) const STALE_HEADERS: [&str; 5] = ["content-md5", "digest", "content-digest", "repr-digest", "etag"];

impl<H: Host> HttpStream<H> {
    /// Judges a body and carries the judgement out; `size` bytes of it are visible.
    pub(super) fn conclude(&mut self, direction: Direction, size: usize, began: u64) -> Step {
        let flow = self.flow(direction);
        let Some(mut inspector) = flow.inspector.take() else { return Step::Continue };
        let stage = std::mem::replace(&mut flow.stage, Stage::Pass);
        let kept = std::mem::take(&mut flow.kept);
        let rule = Arc::clone(inspector.rule());
        let mut judgement = inspector.finish();
        if judgement.rewrite && !self.rewrite(direction, stage, size, &kept, &inspector) {
            self.error(ErrorReason::Rewrite);
            judgement = judgement.unmasked(rule.mode, direction);
        }
        self.uncharge(direction);
        let spent = self.host.now().saturating_sub(began);
        let flow = self.flow(direction);
        flow.spent = flow.spent.saturating_add(spent);
        let told = (flow.spent, inspector.plain_bytes());
        self.count_findings(direction, &judgement.counts);
        self.record(direction, &rule, &judgement, Some(told));
        if judgement.verdict.blocks() {
            if stage.keeps() && size > 0 {
                self.put(direction, size, b"");
            }
            return self.cut(direction, stage == Stage::Held, &rule, &judgement);
        }
        // What was drained goes back, unless it was rewritten.
        if stage.keeps() && !judgement.rewrite && size == 0 && !kept.is_empty() {
            self.put(direction, size, &kept);
        }
        Step::Continue
    }

    /// Judges a body that was drained and cannot be given back, for its end came without a body callback.
    pub(super) fn conclude_lost(&mut self, direction: Direction, began: u64) -> Step {
        self.error(ErrorReason::Trailers);
        self.host.log(
            log::Level::Error,
            "bodyguard: trailers that no trailer header announced ended a body that was held in the VM, and it cannot be forwarded: \
             announce them, or set allow_on_headers_stop_iteration in Envoy and in the policy",
        );
        let flow = self.flow(direction);
        let Some(mut inspector) = flow.inspector.take() else { return Step::Continue };
        flow.kept = Vec::new();
        let spent = flow.spent.saturating_add(self.host.now().saturating_sub(began));
        let rule = Arc::clone(inspector.rule());
        let judgement = inspector.finish().lost(direction);
        self.uncharge(direction);
        self.count_findings(direction, &judgement.counts);
        self.record(direction, &rule, &judgement, Some((spent, inspector.plain_bytes())));
        self.cut(direction, false, &rule, &judgement)
    }

    /// Writes the masked body where the body is; `false` where it cannot be made to fit, and nothing was changed.
    fn rewrite(&mut self, direction: Direction, stage: Stage, size: usize, kept: &[u8], inspector: &Inspector) -> bool {
        let written = if stage.keeps() {
            // Whether we pause or not must not be seen in the result: it depends on how the body was cut.
            // Beyond what we pause for, only a last chunk that is longer than a frame of HTTP/2 makes a difference.
            let flow = self.flow(direction);
            let most = if flow.expected.is_none() && kept.len() <= FLOOR_BYTES {
                Some(FLOOR_BYTES)
            } else {
                flow.paused.then_some(kept.len())
            };
            inspector.rewrite(kept, most)
        } else {
            let raw = self.host.body(direction, 0, size).unwrap_or_default();
            inspector.rewrite(&raw, Some(size.max(FLOOR_BYTES)))
        };
        let Some(body) = written else { return false };
        if self.host.replace_body(direction, size, &body).is_err() {
            self.error(ErrorReason::HostCall);
            return false;
        }
        if stage == Stage::Held {
            self.describe(direction, body.len());
        }
        true
    }

    /// Makes held headers tell the truth about a rewritten body of `len` bytes.
    fn describe(&mut self, direction: Direction, len: usize) {
        let Ok(headers) = self.host.headers(direction) else {
            self.error(ErrorReason::HostCall);
            return;
        };
        if headers.get("content-length").is_some()
            && self.host.set_header(direction, "content-length", len.to_string().as_bytes()).is_err()
        {
            // A length that is wrong is request smuggling; none at all is correct.
            self.remove_headers(direction, &headers, &["content-length"]);
        }
        self.remove_headers(direction, &headers, &STALE_HEADERS);
    }

    /// Keeps a message from its receiver, as cleanly as its headers still allow.
    pub(super) fn cut(&mut self, direction: Direction, headers_held: bool, rule: &Rule, judgement: &Judgement) -> Step {
        if direction == Direction::Request || headers_held {
            return self.refuse(direction, rule, judgement);
        }
        self.flow(direction).stage = Stage::Cut;
        if self.host.reset(direction).is_err() {
            self.error(ErrorReason::HostCall);
        }
        Step::Pause
    }

    /// Answers in the message's place.
    pub(super) fn refuse(&mut self, direction: Direction, rule: &Rule, judgement: &Judgement) -> Step {
        self.flow(direction).stage = Stage::Cut;
        self.replied = true;
        let reply = block_reply(rule, &self.shared.policy.name, direction, judgement);
        let headers: Vec<(&str, &str)> = reply.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let body = if self.grpc { &reply.grpc_message } else { &reply.body };
        let grpc_status = self.grpc.then_some(GRPC_PERMISSION_DENIED);
        if self.host.reply(reply.status, "bodyguard_blocked", &headers, body, grpc_status).is_err() {
            self.error(ErrorReason::HostCall);
            let _ = self.host.reset(direction);
        }
        Step::Pause
    }

    /// Tells metrics, log and filter state. `told`: nanoseconds spent on the body, and its plain bytes; `None` where none was read.
    pub(super) fn record(&mut self, direction: Direction, rule: &Rule, judgement: &Judgement, told: Option<(u64, u64)>) {
        const NANOSECONDS_PER_MICROSECOND: u64 = 1_000;
        let joined = self.flow(direction).head.take().map(|head| head.joined(judgement.clone()));
        let judgement = joined.as_ref().unwrap_or(judgement);
        self.flow(direction).rewritten |= judgement.rewrite;
        let (host, metrics) = (&self.host, &self.shared.metrics);
        metrics.add(host, Metric::Messages { direction, verdict: judgement.verdict }, 1);
        if let Some((spent, bytes)) = told {
            metrics.add(host, Metric::InspectedBytes { direction }, to_i64(bytes));
            metrics.record(host, Metric::BodyBytes { direction }, bytes);
            let microseconds = spent.checked_div(NANOSECONDS_PER_MICROSECOND).unwrap_or_default();
            metrics.record(host, Metric::InspectMicroseconds { direction }, microseconds);
        }
        if judgement.rewrite {
            metrics.add(host, Metric::BodyMutations { direction }, 1);
        }
        if let Some(reason) = judgement.uninspected {
            metrics.add(host, Metric::Uninspected { direction, reason }, 1);
        }
        self.shared.report_memory(host);
        self.set_filter_state(direction, judgement);
        if judgement.verdict != Verdict::Clean || !judgement.counts.is_empty() {
            self.log_event(direction, rule, judgement);
        }
    }

    /// Counts findings. Apart from [`HttpStream::record`], for those of a stream cannot wait for its end.
    pub(super) fn count_findings(&self, direction: Direction, counts: &[Count]) {
        for count in counts {
            let metric = Metric::Findings { engine: count.engine, kind: count.kind, direction, action: count.action };
            self.shared.metrics.add(&self.host, metric, to_i64(count.findings));
        }
    }

    fn set_filter_state(&mut self, direction: Direction, judgement: &Judgement) {
        if self.verdict < Some(judgement.verdict) {
            self.verdict = Some(judgement.verdict);
            let _ = self.host.set_filter_state(STATE_VERDICT, judgement.verdict.as_str().as_bytes());
        }
        if !judgement.counts.is_empty() {
            if !self.findings.is_empty() {
                self.findings.push(';');
            }
            self.findings.push_str(&filter_state_findings(&self.shared.policy.detectors, direction, &judgement.counts));
            let _ = self.host.set_filter_state(STATE_FINDINGS, self.findings.as_bytes());
        }
    }

    fn log_event(&self, direction: Direction, rule: &Rule, judgement: &Judgement) {
        let of = |name| self.request_headers.get(name).unwrap_or_default();
        let subject = Subject {
            request_id: of("x-request-id"),
            method: of(":method"),
            authority: of(":authority"),
            path: of(":path"),
            traceparent: of("traceparent"),
        };
        let event = Event::new(&self.shared.policy, rule.mode, direction, judgement, subject, self.host.now());
        self.host.log(event.level, &event.to_json());
        if let Some(exporter) = &self.shared.exporter {
            exporter.borrow_mut().enqueue(&self.host, &self.shared.metrics, event);
        }
    }
}

fn to_i64(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
