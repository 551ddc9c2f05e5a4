//! Bodies under rules that only watch: nothing is held, and nothing is changed.

use std::sync::Arc;

use super::flow::Stage;
use super::host::Host;
use super::stream::HttpStream;
use crate::act::{Direction, Failure, InFlight, Inspector};
use crate::telemetry::ErrorReason;

impl<H: Host> HttpStream<H> {
    /// Looks at a chunk that passes; at its end, or where it cannot be read further, what was seen is told.
    pub(super) fn watch_chunk(&mut self, direction: Direction, size: usize, end_of_stream: bool) {
        let began = self.host.now();
        let chunk = if size == 0 { Ok(Vec::new()) } else { self.host.body(direction, 0, size) };
        if chunk.is_err() {
            self.error(ErrorReason::HostCall);
        }
        let chunk = chunk.map_err(|_| Failure::Corrupt);
        let flow = self.flow(direction);
        flow.received = flow.received.saturating_add(size as u64);
        let ended = end_of_stream || flow.is_whole();
        if let Some(inspector) = flow.inspector.take() {
            self.watch_buffered(direction, inspector, chunk, ended, began);
        } else if let Some(streamer) = flow.streamer.take() {
            self.watch_flowing(direction, streamer, chunk, ended, began);
        }
    }

    fn watch_buffered(
        &mut self,
        direction: Direction,
        mut inspector: Box<Inspector>,
        chunk: Result<Vec<u8>, Failure>,
        ended: bool,
        began: u64,
    ) {
        let fed = chunk.map_err(|failure| inspector.fail(failure)).and_then(|chunk| inspector.feed(&chunk));
        if fed.is_ok() && !ended {
            self.spend(direction, began);
            self.flow(direction).inspector = Some(inspector);
            return;
        }
        let judgement = inspector.finish();
        self.flow(direction).stage = Stage::Pass;
        self.spend(direction, began);
        let told = (self.flow(direction).spent, inspector.plain_bytes());
        self.count_findings(direction, &judgement.counts);
        self.record(direction, &Arc::clone(inspector.rule()), &judgement, Some(told));
    }

    fn watch_flowing(
        &mut self,
        direction: Direction,
        mut streamer: Box<dyn InFlight>,
        chunk: Result<Vec<u8>, Failure>,
        ended: bool,
        began: u64,
    ) {
        let rule = Arc::clone(streamer.rule());
        let judgement = match chunk.and_then(|chunk| streamer.feed(&chunk)) {
            Err(failure) => streamer.fail(failure),
            Ok(_) if ended => streamer.finish().1,
            Ok(_) => {
                self.count_stream(direction, streamer.as_mut());
                self.spend(direction, began);
                self.flow(direction).streamer = Some(streamer);
                return;
            }
        };
        self.spend(direction, began);
        self.tell_stream(direction, streamer, &rule, &judgement);
    }
}
