//! The beginnings of messages: what a request decides about both of its messages, and what is done with the body behind a head.
//!
//! It chooses who holds the body and makes the headers fit for that; what then comes of the body is not known here.

use std::rc::Rc;
use std::sync::Arc;

use super::deliver::STALE_HEADERS;
use super::ends::Ends;
use super::flow::{PROBE_BYTES_CHUNKED, Stage};
use super::head::Headers;
use super::host::Host;
use super::root::TICK_MILLISECONDS;
use super::stream::{HttpStream, Step};
use crate::act::{self, Direction, Inspector, MessageHead, Plan};
use crate::body::{MediaType, narrow_accept_encoding};
use crate::policy::{RequestHead, Resolution, Rule};
use crate::telemetry::ErrorReason;

impl<H: Host> HttpStream<H> {
    /// Reads what of a request decides about both of its messages.
    pub(super) fn on_request(&mut self, headers: &Rc<Headers>) {
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

    /// Decides what is done with the body behind a head.
    pub(super) fn begin_body(&mut self, direction: Direction, rule: &Arc<Rule>, headers: &Headers, end_of_stream: bool) -> Step {
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
    pub(super) fn release(&mut self, direction: Direction, headers: &Headers) {
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
}
