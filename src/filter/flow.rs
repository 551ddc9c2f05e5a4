//! One direction of an exchange: where its body is while it is judged.

use crate::act::{Direction, InFlight, Inspector, Judgement};

/// Who holds the message now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Nobody: it passes untouched (or has passed judgement).
    Pass,
    /// Headers are held, and Envoy buffers the body while we pause.
    Held,
    /// Headers have gone; Envoy buffers the body while we pause, because trailers are announced, and only while we pause can a body
    /// still be written when they come.
    Buffered,
    /// Headers have gone; the body is taken out of each chunk and kept in the VM, outside Envoy's buffer and its limit, and
    /// written into the last chunk.
    Drained,
    /// As `Drained`, and we pause, as long as the body is small: nothing says whether trailers will end it, and they may. Once it is
    /// larger than [`PROBE_BYTES`] or [`PROBE_BYTES_CHUNKED`] it is `Drained`.
    Probed,
    /// It flows: each chunk is judged by itself, but for its end.
    Streamed,
    /// It passes untouched, and is inspected on the way: the rule only watches.
    Watched,
    /// All that its head announced has come, and has passed judgement; what comes beyond that is no part of it, and is swallowed.
    Whole,
    /// It was blocked; whatever still comes of it is swallowed.
    Cut,
}

/// A body that Envoy buffers may always be written back this long, in bytes: no sane listener's buffer limit is smaller.
pub const FLOOR_BYTES: usize = 32 * 1024;

/// Most bytes of a body that trailers can end without having been announced: with one frame of HTTP/2 behind them, they may still be
/// written into a buffer of the floor's size, where that frame is the last.
pub const PROBE_BYTES: usize = FLOOR_BYTES / 2;

/// The same of a chunked response over HTTP/1.1. While we pause, the next chunk must fit the listener's buffer, and there it may be as
/// long as the cluster's; so we do not pause for long.
pub const PROBE_BYTES_CHUNKED: usize = 4 * 1024;

/// Most bytes that could leave and yet wait, where announced trailers may come and bytes behind them are held: masks make them at
/// most about three times as long.
pub const PATIENCE_BYTES: usize = FLOOR_BYTES / 4;

impl Stage {
    /// Is the body kept in the VM?
    pub fn keeps(self) -> bool {
        matches!(self, Stage::Drained | Stage::Probed)
    }
}

/// One direction of an exchange.
pub struct Flow {
    /// Which.
    pub direction: Direction,
    /// Who holds the message now.
    pub stage: Stage,
    /// What its head was found to be, until that is told.
    pub head: Option<Judgement>,
    /// Its inspection, until it is judged.
    pub inspector: Option<Box<Inspector>>,
    /// Its inspection in flight, until it ends.
    pub streamer: Option<Box<dyn InFlight>>,
    /// Its headers are still ours.
    pub headers_held: bool,
    /// Of a body that flows: its head announced trailers.
    pub trailers: bool,
    /// The last callback paused: the body that the next one sees is in Envoy's buffer, and bound to its limit.
    pub paused: bool,
    /// It leaves other than it came.
    pub rewritten: bool,
    /// What was drained.
    pub kept: Vec<u8>,
    /// While `Probed`: how far.
    pub probe_bytes: usize,
    /// Bytes that have come.
    pub received: u64,
    /// Bytes that will come, where the head says so.
    pub expected: Option<u64>,
    /// Bytes counted in the VM's budget.
    pub charged: u64,
    /// Nanoseconds spent on it in callbacks.
    pub spent: u64,
    /// When its headers were held, while no body callback has come since.
    pub waiting_since: Option<u64>,
    /// When the watch let its headers go, while no body callback has come since.
    pub let_go_at: Option<u64>,
}

impl Flow {
    /// A flow that passes everything.
    pub fn new(direction: Direction) -> Flow {
        Flow {
            direction,
            stage: Stage::Pass,
            head: None,
            inspector: None,
            streamer: None,
            headers_held: false,
            trailers: false,
            paused: false,
            rewritten: false,
            kept: Vec::new(),
            probe_bytes: PROBE_BYTES,
            received: 0,
            expected: None,
            charged: 0,
            spent: 0,
            waiting_since: None,
            let_go_at: None,
        }
    }

    /// Has all of the body come that the head announced?
    pub fn is_whole(&self) -> bool {
        self.expected.is_some_and(|expected| self.received >= expected)
    }
}
