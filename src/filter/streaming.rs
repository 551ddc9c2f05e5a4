//! Bodies that flow: each chunk goes on as soon as it is judged.

use std::sync::Arc;

use super::deliver::STALE_HEADERS;
use super::flow::{FLOOR_BYTES, PATIENCE_BYTES, Stage};
use super::head::Headers;
use super::host::Host;
use super::stream::{HttpStream, Step};
use crate::act::{Direction, Failure, Flowing, InFlight, Judgement};
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
        flow.trailers = headers.get("trailer").is_some();
        if hold {
            self.wait_for_body(direction);
            return Step::Pause;
        }
        Step::Continue
    }

    /// `size` bytes of a body are visible that have not been seen.
    pub(super) fn stream_chunk(&mut self, direction: Direction, size: usize, end_of_stream: bool) -> Step {
        let began = self.host.now();
        self.first_body_callback(direction, began);
        let chunk = if size == 0 { Ok(Vec::new()) } else { self.host.body(direction, 0, size) };
        let flow = self.flow(direction);
        let Some(mut streamer) = flow.streamer.take() else { return Step::Continue };
        let mut out = std::mem::take(&mut flow.kept);
        // Where we paused, what is written is Envoy's own buffer, and may not grow past its limit (see `Host::replace_body`).
        let room = if std::mem::take(&mut flow.paused) { size.max(FLOOR_BYTES) } else { usize::MAX };
        let rule = Arc::clone(streamer.rule());
        let Ok(chunk) = chunk else {
            self.error(ErrorReason::HostCall);
            let judgement = streamer.judgement().lost(direction);
            return self.cut_stream(direction, streamer, &rule, &judgement, began);
        };
        let mut unchanged = out.is_empty();
        match streamer.feed(&chunk) {
            Ok(Flowing::AsItCame) if unchanged => {}
            Ok(Flowing::AsItCame) => out.extend_from_slice(&chunk),
            Ok(Flowing::Instead(bytes)) if unchanged => (out, unchanged) = (bytes, false),
            Ok(Flowing::Instead(bytes)) => out.extend(bytes),
            Ok(Flowing::Cut) => {
                let judgement = streamer.judgement();
                return self.cut_stream(direction, streamer, &rule, &judgement, began);
            }
            Err(failure) => {
                let judgement = streamer.fail(failure);
                return self.cut_stream(direction, streamer, &rule, &judgement, began);
            }
        }
        if end_of_stream {
            let (last, judgement) = streamer.finish();
            match last {
                Flowing::Cut => return self.cut_stream(direction, streamer, &rule, &judgement, began),
                Flowing::Instead(tail) if !tail.is_empty() => {
                    if unchanged {
                        (out, unchanged) = (chunk, false);
                    }
                    out.extend(tail);
                }
                _ => {}
            }
            if out.len() > room {
                self.error(ErrorReason::Rewrite);
                let judgement = judgement.lost(direction);
                return self.cut_stream(direction, streamer, &rule, &judgement, began);
            }
            if !unchanged {
                self.put(direction, size, &out);
            }
            self.spend(direction, began);
            self.flow(direction).headers_held = false;
            self.tell_stream(direction, streamer, &rule, &judgement);
            return Step::Continue;
        }
        let held = streamer.held_bytes();
        let may_end_held = held > 0 && held <= PATIENCE_BYTES && streamer.may_end_held();
        let waiting = if held > 0 { out.len().min(PATIENCE_BYTES) } else { 0 };
        if !self.hold_bytes(direction, held.saturating_add(waiting).saturating_add(streamer.window_bytes())) {
            let judgement = streamer.fail(Failure::TooLarge);
            return self.cut_stream(direction, streamer, &rule, &judgement, began);
        }
        self.count_stream(direction, streamer.as_mut());
        self.spend(direction, began);
        let flow = self.flow(direction);
        flow.streamer = Some(streamer);
        // While we pause, what is held can still be given back when trailers come. Only where they are announced: a body that ends
        // without them right behind a pause could not grow past Envoy's buffer any more.
        flow.paused = may_end_held && flow.trailers && out.len() <= PATIENCE_BYTES;
        flow.headers_held &= flow.paused;
        if flow.paused {
            flow.kept = out;
            self.put(direction, size, b"");
            return Step::Pause;
        }
        if !unchanged {
            if out.len() > room {
                // The rest goes with the next chunk, which is not buffered.
                flow.kept = out.split_off(room);
            }
            self.put(direction, size, &out);
        }
        Step::Continue
    }

    /// Trailers end the body. What is held can be given back only if we paused: no other body callback comes.
    pub(super) fn end_streaming_by_trailers(&mut self, direction: Direction) -> Step {
        let began = self.host.now();
        let flow = self.flow(direction);
        let Some(mut streamer) = flow.streamer.take() else { return Step::Continue };
        let mut out = std::mem::take(&mut flow.kept);
        let writable = flow.paused;
        let rule = Arc::clone(streamer.rule());
        let (last, mut judgement) = streamer.finish();
        match last {
            Flowing::Cut => return self.cut_stream(direction, streamer, &rule, &judgement, began),
            Flowing::Instead(tail) => out.extend(tail),
            Flowing::AsItCame => {}
        }
        let fits = writable && out.len() <= FLOOR_BYTES;
        if !out.is_empty() && !fits {
            self.error(ErrorReason::Trailers);
            judgement = judgement.lost(direction);
            return self.cut_stream(direction, streamer, &rule, &judgement, began);
        }
        if !out.is_empty() {
            self.put(direction, 0, &out);
        }
        self.spend(direction, began);
        self.tell_stream(direction, streamer, &rule, &judgement);
        Step::Continue
    }

    pub(super) fn put(&mut self, direction: Direction, size: usize, body: &[u8]) {
        if self.host.replace_body(direction, size, body).is_err() {
            self.error(ErrorReason::HostCall);
        }
    }

    /// Counts what is held now in the VM's budget; `false` where it does not fit.
    fn hold_bytes(&mut self, direction: Direction, held: usize) -> bool {
        let (held, charged) = (held as u64, self.flow(direction).charged);
        if held > charged {
            return self.charge(direction, held.saturating_sub(charged));
        }
        self.uncharge_all_but(direction, held);
        true
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

    pub(super) fn tell_stream(
        &mut self,
        direction: Direction,
        mut streamer: Box<dyn InFlight>,
        rule: &Rule,
        judgement: &Judgement,
    ) {
        self.flow(direction).stage = Stage::Pass;
        self.uncharge(direction);
        self.count_stream(direction, streamer.as_mut());
        let told = (self.flow(direction).spent, streamer.plain_bytes());
        self.record(direction, rule, judgement, Some(told));
    }

    pub(super) fn count_stream(&self, direction: Direction, streamer: &mut dyn InFlight) {
        self.count_findings(direction, &streamer.take_counts());
        for reason in streamer.take_uninspected() {
            self.uninspected(direction, reason);
        }
    }

    pub(super) fn spend(&mut self, direction: Direction, began: u64) {
        let spent = self.host.now().saturating_sub(began);
        let flow = self.flow(direction);
        flow.spent = flow.spent.saturating_add(spent);
    }
}
