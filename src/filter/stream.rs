//! One HTTP exchange: the state machine behind the callbacks.
//!
//! It moves bytes between the host and the core, in the two worlds of Envoy's `allow_on_headers_stop_iteration`: headers held until
//! the body is judged, or released before it. What it does with a body is the core's judgement; how that is carried out is here.

use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use super::deliver::STALE_HEADERS;
use super::ends::Ends;
use super::flow::{Flow, PROBE_BYTES_CHUNKED, Stage};
use super::head::Headers;
use super::host::Host;
use super::root::{Shared, TICK_MILLISECONDS, Waiting};
use crate::act::{self, Direction, Failure, Inspector, MessageHead, Plan, Uninspected, Verdict};
use crate::body::{MediaType, narrow_accept_encoding};
use crate::policy::{RequestHead, Resolution, Rule};
use crate::telemetry::{ErrorReason, Metric};

/// What the host shall do with the message after a callback.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Let go of it.
    Continue,
    /// Hold it.
    Pause,
}

/// One HTTP exchange.
pub struct HttpStream<H: Host> {
    pub(super) host: H,
    pub(super) shared: Rc<Shared>,
    context_id: u32,
    waiting: Waiting<H>,
    me: Weak<RefCell<HttpStream<H>>>,
    pub(super) request_headers: Rc<Headers>,
    pub(super) rule: Option<Arc<Rule>>,
    pub(super) grpc: bool,
    upgrade: bool,
    /// The reply of the exchange is ours: it is not inspected.
    pub(super) replied: bool,
    request: Flow,
    response: Flow,
    pub(super) verdict: Option<Verdict>,
    pub(super) findings: String,
}

impl<H: Host> HttpStream<H> {
    /// An exchange that begins.
    pub fn new(
        host: H,
        shared: Rc<Shared>,
        context_id: u32,
        waiting: Waiting<H>,
        me: Weak<RefCell<HttpStream<H>>>,
    ) -> HttpStream<H> {
        HttpStream {
            host,
            shared,
            context_id,
            waiting,
            me,
            request_headers: Rc::default(),
            rule: None,
            grpc: false,
            upgrade: false,
            replied: false,
            request: Flow::new(Direction::Request),
            response: Flow::new(Direction::Response),
            verdict: None,
            findings: String::new(),
        }
    }

    /// The headers of a message have come; `end_of_stream`: it has no body.
    pub fn on_headers(&mut self, direction: Direction, end_of_stream: bool) -> Step {
        if self.replied {
            return Step::Continue;
        }
        if direction == Direction::Response && self.rule.is_none() {
            self.forget(direction);
            return Step::Continue;
        }
        let headers = match self.host.headers(direction) {
            Ok(headers) => Rc::new(headers),
            Err(_) => {
                self.error(ErrorReason::HostCall);
                return Step::Continue;
            }
        };
        // Envoy may put a reply of its own in a response's place.
        self.forget(direction);
        if direction == Direction::Request {
            self.on_request(&headers);
        }
        let Some(rule) = self.rule.clone() else { return Step::Continue };
        if !self.judge_head(direction, &rule, &headers) {
            return Step::Pause;
        }
        let step = self.begin_body(direction, &rule, &headers, end_of_stream);
        if self.flow(direction).stage == Stage::Pass {
            self.record_head(direction);
        }
        step
    }

    /// Decides what is done with the body behind a head.
    fn begin_body(&mut self, direction: Direction, rule: &Arc<Rule>, headers: &Headers, end_of_stream: bool) -> Step {
        let tunnel = self.is_tunnel(direction, headers);
        if end_of_stream && !tunnel {
            return Step::Continue;
        }
        let content_encoding = headers.joined("content-encoding");
        let head = MessageHead {
            content_type: headers.get("content-type"),
            content_encoding: content_encoding.as_deref(),
            content_length: headers.content_length(),
            partial: direction == Direction::Response && headers.get(":status") == Some(b"206"),
        };
        let plan = if tunnel { act::plan_tunnel(rule, direction) } else { act::plan(rule, direction, &head) };
        match plan {
            Plan::Pass(reason) => {
                if let Some(reason) = reason {
                    self.uninspected(direction, reason);
                }
                Step::Continue
            }
            Plan::Judged(judgement) => {
                self.count_findings(direction, &judgement.counts);
                self.record(direction, rule, &judgement, None);
                if judgement.verdict.blocks() { self.refuse(direction, rule, &judgement) } else { Step::Continue }
            }
            Plan::Stream(streamer) if !act::may_interfere(rule, direction) => {
                let flow = self.flow(direction);
                (flow.stage, flow.streamer) = (Stage::Watched, Some(streamer));
                Step::Continue
            }
            Plan::Inspect(inspector) if !act::may_interfere(rule, direction) => {
                let flow = self.flow(direction);
                (flow.stage, flow.inspector) = (Stage::Watched, Some(inspector));
                flow.expected = head.content_length;
                Step::Continue
            }
            Plan::Stream(streamer) => self.begin_streaming(direction, streamer, headers),
            Plan::Inspect(inspector) => {
                let flow = self.flow(direction);
                flow.inspector = Some(inspector);
                flow.expected = head.content_length;
                if self.shared.hold_headers.get() {
                    self.hold(direction);
                    Step::Pause
                } else {
                    self.release(direction, headers);
                    Step::Continue
                }
            }
        }
    }

    /// `size` bytes of a body are visible: a chunk, or all that was buffered while we paused.
    pub fn on_body(&mut self, direction: Direction, size: usize, end_of_stream: bool) -> Step {
        let step = self.take_body(direction, size, end_of_stream);
        self.shared.report_inflight(&self.host);
        step
    }

    fn take_body(&mut self, direction: Direction, size: usize, end_of_stream: bool) -> Step {
        match self.flow(direction).stage {
            Stage::Pass => return Step::Continue,
            Stage::Whole => {
                if size > 0 {
                    self.error(ErrorReason::Overlong);
                    let _ = self.host.replace_body(direction, size, b"");
                }
                return Step::Continue;
            }
            Stage::Cut => {
                let _ = self.host.replace_body(direction, size, b"");
                return Step::Pause;
            }
            Stage::Streamed => return self.stream_chunk(direction, size, end_of_stream),
            Stage::Watched => {
                self.watch_chunk(direction, size, end_of_stream);
                return Step::Continue;
            }
            Stage::Held | Stage::Buffered | Stage::Probed | Stage::Drained => {}
        }
        let began = self.host.now();
        self.first_body_callback(direction, began);
        let (fed, visible) = self.take_chunk(direction, size, end_of_stream);
        let flow = self.flow(direction);
        if end_of_stream || fed.is_err() || flow.is_whole() {
            let step = self.conclude(direction, visible, began);
            let flow = self.flow(direction);
            if fed.is_ok() && !end_of_stream && flow.stage == Stage::Pass {
                flow.stage = Stage::Whole;
            }
            return step;
        }
        self.spend(direction, began);
        let flow = self.flow(direction);
        flow.paused = flow.stage != Stage::Drained;
        if flow.paused { Step::Pause } else { Step::Continue }
    }

    /// Trailers end a body that no body callback has ended.
    pub fn on_trailers(&mut self, direction: Direction) -> Step {
        let step = self.end_by_trailers(direction);
        self.shared.report_inflight(&self.host);
        if step == Step::Continue && self.flow(direction).rewritten {
            for name in STALE_HEADERS {
                let _ = self.host.remove_trailer(direction, name);
            }
        }
        step
    }

    fn end_by_trailers(&mut self, direction: Direction) -> Step {
        if matches!(self.flow(direction).stage, Stage::Pass | Stage::Whole) {
            return Step::Continue;
        }
        let now = self.host.now();
        self.first_body_callback(direction, now);
        let flow = self.flow(direction);
        match flow.stage {
            Stage::Pass | Stage::Whole => Step::Continue,
            Stage::Cut => Step::Pause,
            Stage::Streamed => self.end_streaming_by_trailers(direction),
            Stage::Watched => {
                self.watch_chunk(direction, 0, true);
                Step::Continue
            }
            Stage::Held | Stage::Buffered => {
                let visible = usize::try_from(flow.received).unwrap_or(usize::MAX);
                self.conclude(direction, visible, now)
            }
            Stage::Probed => self.conclude(direction, 0, now),
            Stage::Drained if flow.kept.is_empty() => self.conclude(direction, 0, now),
            Stage::Drained => self.conclude_lost(direction, now),
        }
    }

    /// The exchange is over, however it went.
    pub fn on_close(&mut self) {
        self.forget(Direction::Request);
        self.forget(Direction::Response);
    }

    fn forget(&mut self, direction: Direction) {
        self.close_streaming(direction);
        self.record_head(direction);
        self.uncharge(direction);
        *self.flow(direction) = Flow::new(direction);
        self.shared.report_inflight(&self.host);
    }

    /// Lets go of headers that have waited `patience` nanoseconds for a body; `true` while some still wait.
    pub fn still_waits(&mut self, now: u64, patience: u64) -> bool {
        let mut waits = false;
        for direction in [Direction::Request, Direction::Response] {
            let Some(since) = self.flow(direction).waiting_since else { continue };
            // A stream may well wait for its peer: its headers are let go at the first look, and prove nothing.
            let streams = self.flow(direction).stage == Stage::Streamed;
            if !streams && now.saturating_sub(since) < patience {
                waits = true;
                continue;
            }
            self.flow(direction).waiting_since = None;
            if self.host.set_effective_context(self.context_id).is_err() {
                continue;
            }
            let Ok(headers) = self.host.headers(direction) else {
                self.error(ErrorReason::HostCall);
                continue;
            };
            if self.flow(direction).stage == Stage::Held {
                self.release(direction, &headers);
            }
            self.flow(direction).headers_held = false;
            self.flow(direction).let_go_at = (!streams).then_some(now);
            if self.host.resume(direction).is_err() {
                self.error(ErrorReason::HostCall);
            }
        }
        waits
    }

    /// Reads what of a request decides about both of its messages.
    fn on_request(&mut self, headers: &Rc<Headers>) {
        let pairs = headers.to_vec();
        let pseudo = |name| headers.get(name).unwrap_or_default();
        let authority = pseudo(":authority");
        let ends = Ends::learn(&self.host, self.shared.policy.asks(authority));
        let request = RequestHead {
            authority,
            path: pseudo(":path"),
            method: pseudo(":method"),
            headers: &pairs,
            source_principal: ends.source_principal.as_deref(),
            destination_port: ends.destination_port,
            cluster: ends.cluster.as_deref(),
        };
        let Resolution::Rule(rule) = self.shared.policy.resolve(&request) else { return };
        self.grpc = headers.get("content-type").is_some_and(|value| MediaType::parse(value).is_native_grpc());
        self.upgrade = headers.is_upgrade();
        if let Some(wanted) = act::wanted_codings(&rule) {
            let narrowed = headers.joined("accept-encoding").and_then(|value| narrow_accept_encoding(&value, wanted));
            if let Some(narrowed) = narrowed {
                let _ = self.host.set_header(Direction::Request, "accept-encoding", &narrowed);
            }
        }
        if act::wants_whole_bodies(&rule) {
            self.remove_headers(Direction::Request, headers, &["range", "if-range"]);
        }
        self.rule = Some(rule);
        self.request_headers = Rc::clone(headers);
    }

    /// Is what follows no body, but a tunnel? A request that asks for an upgrade has none to inspect; a response is one only where
    /// the upstream agreed.
    fn is_tunnel(&self, direction: Direction, headers: &Headers) -> bool {
        let connect = || self.request_headers.get(":method") == Some(b"CONNECT");
        match direction {
            Direction::Request => self.upgrade,
            Direction::Response => match headers.get(":status") {
                Some(b"101") => self.upgrade,
                Some(status) => self.upgrade && connect() && status.starts_with(b"2"),
                None => false,
            },
        }
    }

    fn hold(&mut self, direction: Direction) {
        self.flow(direction).stage = Stage::Held;
        if self.shared.must_watch() {
            self.wait_for_body(direction);
        }
    }

    /// Puts held headers under the watch: they are let go when no body callback comes.
    pub(super) fn wait_for_body(&mut self, direction: Direction) {
        let now = self.host.now();
        self.flow(direction).waiting_since = Some(now);
        if self.waiting.borrow().is_empty() {
            let _ = self.host.set_tick_period(TICK_MILLISECONDS);
        }
        self.waiting.borrow_mut().push(self.me.clone());
    }

    /// Makes headers fit to go before the body is judged, and chooses where the body is kept.
    fn release(&mut self, direction: Direction, headers: &Headers) {
        let flow = self.flow(direction);
        let may = |what: fn(&Inspector) -> bool| flow.inspector.as_deref().is_some_and(what);
        let (may_rewrite, may_resize) = (may(Inspector::may_rewrite), may(Inspector::may_resize));
        if may_resize {
            self.remove_headers(direction, headers, &["content-length"]);
        }
        if may_rewrite {
            self.remove_headers(direction, headers, &STALE_HEADERS);
        }
        // Only HTTP/1.1 has this header, and of a request Envoy has removed it already: its chunks fit the listener's buffer.
        if headers.get("transfer-encoding").is_some() {
            self.flow(direction).probe_bytes = PROBE_BYTES_CHUNKED;
        }
        let stage = if self.flow(direction).expected.is_some() {
            Stage::Drained
        } else if self.grpc || headers.get("trailer").is_some() {
            Stage::Buffered
        } else {
            Stage::Probed
        };
        self.flow(direction).stage = stage;
    }

    pub(super) fn remove_headers(&mut self, direction: Direction, headers: &Headers, names: &[&str]) {
        for name in names {
            if headers.get(name).is_some() && self.host.remove_header(direction, name).is_err() {
                self.error(ErrorReason::HostCall);
            }
        }
    }

    pub(super) fn first_body_callback(&mut self, direction: Direction, now: u64) {
        let flow = self.flow(direction);
        if flow.waiting_since.take().is_some() {
            self.shared.body_came_while_held();
        } else if let Some(let_go_at) = flow.let_go_at.take() {
            self.shared.body_came_after_letting_go(&self.host, now.saturating_sub(let_go_at));
        }
    }

    /// Reads and inspects what has come since the last callback; drains it where the body is kept in the VM, but for one that has
    /// come in one piece. Returns how many bytes of the body are visible then.
    fn take_chunk(&mut self, direction: Direction, size: usize, end_of_stream: bool) -> (Result<(), Failure>, usize) {
        let flow = self.flow(direction);
        let drains = flow.stage.keeps();
        let seen = if drains { 0 } else { usize::try_from(flow.received).unwrap_or(usize::MAX) };
        let new = size.saturating_sub(seen);
        if new == 0 {
            return (Ok(()), size);
        }
        let Ok(chunk) = self.host.body(direction, seen, new) else {
            self.error(ErrorReason::HostCall);
            let visible = if drains { 0 } else { size };
            return (Err(self.fail(direction, Failure::Corrupt)), visible);
        };
        let fits = self.charge(direction, chunk.len() as u64);
        let flow = self.flow(direction);
        flow.received = flow.received.saturating_add(chunk.len() as u64);
        let fed = match flow.inspector.as_mut() {
            Some(inspector) if fits => inspector.feed(&chunk),
            Some(inspector) => Err(inspector.fail(Failure::TooLarge)),
            None => Ok(()),
        };
        if !drains {
            return (fed, size);
        }
        let in_one_piece = flow.kept.is_empty() && (end_of_stream || fed.is_err() || flow.is_whole());
        if flow.kept.is_empty() {
            flow.kept = chunk;
        } else {
            flow.kept.extend_from_slice(&chunk);
        }
        if flow.kept.len() > flow.probe_bytes {
            flow.stage = Stage::Drained;
        }
        if in_one_piece {
            return (fed, size);
        }
        self.put(direction, size, b"");
        (fed, 0)
    }

    fn fail(&mut self, direction: Direction, failure: Failure) -> Failure {
        match self.flow(direction).inspector.as_mut() {
            Some(inspector) => inspector.fail(failure),
            None => failure,
        }
    }

    /// Counts bytes in the VM's budget; `false` where they no longer fit.
    pub(super) fn charge(&mut self, direction: Direction, bytes: u64) -> bool {
        let inflight = self.shared.vm.inflight.get().saturating_add(bytes);
        if inflight > self.shared.policy.max_inflight_body_bytes {
            self.error(ErrorReason::Budget);
            return false;
        }
        self.shared.vm.inflight.set(inflight);
        let flow = self.flow(direction);
        flow.charged = flow.charged.saturating_add(bytes);
        true
    }

    pub(super) fn uncharge(&mut self, direction: Direction) {
        self.uncharge_all_but(direction, 0);
    }

    /// Counts only `kept` bytes of what a message was charged; no more than that.
    pub(super) fn uncharge_all_but(&mut self, direction: Direction, kept: u64) {
        let flow = self.flow(direction);
        let bytes = flow.charged.saturating_sub(kept);
        flow.charged = flow.charged.min(kept);
        self.shared.vm.inflight.set(self.shared.vm.inflight.get().saturating_sub(bytes));
    }

    pub(super) fn uninspected(&self, direction: Direction, reason: Uninspected) {
        self.shared.metrics.add(&self.host, Metric::Uninspected { direction, reason }, 1);
    }

    pub(super) fn error(&self, reason: ErrorReason) {
        self.shared.metrics.add(&self.host, Metric::Errors { reason }, 1);
    }

    pub(super) fn flow(&mut self, direction: Direction) -> &mut Flow {
        match direction {
            Direction::Request => &mut self.request,
            Direction::Response => &mut self.response,
        }
    }
}
