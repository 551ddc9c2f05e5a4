//! Bodies that flow: each chunk goes on as soon as it is judged.

use std::sync::Arc;

use super::deliver::STALE_HEADERS;
use super::flow::Stage;
use super::head::Headers;
use super::host::Host;
use super::stream::{HttpStream, Step};
use crate::act::{Direction, Flowing, InFlight, Judgement};
use crate::policy::Rule;
use crate::telemetry::ErrorReason;

impl<H: Host> HttpStream<H> {
    /// Begins a body that flows. Its headers are held until its first chunk where Envoy lets us, for a clean reply to that one; a
    /// body that takes its time gets them from the watch.
    pub(super) fn begin_streaming(&mut self, direction: Direction, streamer: Box<dyn InFlight>, headers: &Headers) -> Step {
        if streamer.may_resize() {
            self.remove_headers(direction, headers, &["content-length"]);
        }
        if streamer.may_rewrite() {
            self.remove_headers(direction, headers, &STALE_HEADERS);
        }
        if streamer.decodes() {
            self.remove_headers(direction, headers, &["content-encoding"]);
        }
        let hold = self.shared.hold_headers.get();
        let flow = self.flow(direction);
        flow.stage = Stage::Streamed;
        flow.streamer = Some(streamer);
        flow.headers_held = hold;
        if hold {
            self.wait_for_body(direction);
            return Step::Pause;
        }
        Step::Continue
    }

    /// A chunk of `size` bytes has come.
    pub(super) fn stream_chunk(&mut self, direction: Direction, size: usize, end_of_stream: bool) -> Step {
        let began = self.host.now();
        self.first_body_callback(direction, began);
        let chunk = if size == 0 { Ok(Vec::new()) } else { self.host.body(direction, 0, size) };
        let Some(mut streamer) = self.flow(direction).streamer.take() else { return Step::Continue };
        let rule = Arc::clone(streamer.rule());
        let Ok(chunk) = chunk else {
            self.error(ErrorReason::HostCall);
            let judgement = streamer.judgement().lost(direction);
            return self.cut_stream(direction, streamer, &rule, &judgement, began);
        };
        let mut out = match streamer.feed(&chunk) {
            Ok(Flowing::AsItCame) => None,
            Ok(Flowing::Instead(bytes)) => Some(bytes),
            Ok(Flowing::Cut) => {
                let judgement = streamer.judgement();
                return self.cut_stream(direction, streamer, &rule, &judgement, began);
            }
            Err(failure) => {
                let judgement = streamer.fail(failure);
                return self.cut_stream(direction, streamer, &rule, &judgement, began);
            }
        };
        let ended = end_of_stream.then(|| streamer.finish());
        match &ended {
            Some((Flowing::Cut, judgement)) => return self.cut_stream(direction, streamer, &rule, judgement, began),
            Some((Flowing::Instead(tail), _)) if !tail.is_empty() => {
                out.get_or_insert(chunk).extend_from_slice(tail);
            }
            _ => {}
        }
        if let Some(out) = out
            && self.host.replace_body(direction, size, &out).is_err()
        {
            self.error(ErrorReason::HostCall);
        }
        self.spend(direction, began);
        self.flow(direction).headers_held = false;
        match ended {
            Some((_, judgement)) => self.tell_stream(direction, streamer, &rule, &judgement),
            None => {
                self.count_stream(direction, streamer.as_mut());
                self.flow(direction).streamer = Some(streamer);
            }
        }
        Step::Continue
    }

    /// Trailers end the body. What is still held cannot be given back any more: no body callback comes.
    pub(super) fn end_streaming_by_trailers(&mut self, direction: Direction) -> Step {
        let began = self.host.now();
        let Some(mut streamer) = self.flow(direction).streamer.take() else { return Step::Continue };
        let rule = Arc::clone(streamer.rule());
        let (last, mut judgement) = streamer.finish();
        let lost = matches!(&last, Flowing::Instead(tail) if !tail.is_empty());
        if lost {
            self.error(ErrorReason::Trailers);
            judgement = judgement.lost(direction);
        }
        if lost || last == Flowing::Cut {
            return self.cut_stream(direction, streamer, &rule, &judgement, began);
        }
        self.spend(direction, began);
        self.tell_stream(direction, streamer, &rule, &judgement);
        Step::Continue
    }

    /// The exchange is over: what was seen of a body that never ended is told.
    pub(super) fn close_streaming(&mut self, direction: Direction) {
        if let Some(streamer) = self.flow(direction).streamer.take() {
            let rule = Arc::clone(streamer.rule());
            let judgement = streamer.judgement();
            self.tell_stream(direction, streamer, &rule, &judgement);
        }
    }

    fn cut_stream(
        &mut self,
        direction: Direction,
        streamer: Box<dyn InFlight>,
        rule: &Rule,
        judgement: &Judgement,
        began: u64,
    ) -> Step {
        self.spend(direction, began);
        self.tell_stream(direction, streamer, rule, judgement);
        let headers_held = self.flow(direction).headers_held;
        self.cut(direction, headers_held, rule, judgement)
    }

    fn tell_stream(&mut self, direction: Direction, mut streamer: Box<dyn InFlight>, rule: &Rule, judgement: &Judgement) {
        self.flow(direction).stage = Stage::Pass;
        self.count_stream(direction, streamer.as_mut());
        let told = (self.flow(direction).spent, streamer.plain_bytes());
        self.record(direction, rule, judgement, Some(told));
    }

    fn count_stream(&self, direction: Direction, streamer: &mut dyn InFlight) {
        self.count_findings(direction, &streamer.take_counts());
        for reason in streamer.take_uninspected() {
            self.uninspected(direction, reason);
        }
    }

    fn spend(&mut self, direction: Direction, began: u64) {
        let spent = self.host.now().saturating_sub(began);
        let flow = self.flow(direction);
        flow.spent = flow.spent.saturating_add(spent);
    }
}
