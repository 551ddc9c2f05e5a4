//! The host calls that the filter makes: the safe subset of Proxy-Wasm, as a trait.
//!
//! Every call may fail, and none may panic. The limits of each in a real Envoy stand beside it; the state machine keeps to them.

use crate::act::Direction;
use crate::telemetry::MetricType;

use super::head::Headers;

/// A host call that the host refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refused;

/// The result of a host call.
pub type HostResult<T> = Result<T, Refused>;

/// What the host does for the filter.
pub trait Host {
    /// The plugin configuration, as it came; empty where there is none.
    fn configuration(&self) -> Vec<u8>;

    /// Nanoseconds since the epoch.
    fn now(&self) -> u64;

    /// A line in the host's log.
    fn log(&self, level: log::Level, line: &str);

    /// All headers of the message whose headers callback runs, or that is held.
    fn headers(&self, direction: Direction) -> HostResult<Headers>;

    /// Sets a header, in the same window; of several of one name, the first.
    fn set_header(&self, direction: Direction, name: &str, value: &[u8]) -> HostResult<()>;

    /// Adds a header beside others of its name, in the same window.
    fn add_header(&self, direction: Direction, name: &str, value: &[u8]) -> HostResult<()>;

    /// Removes a header, in the same window.
    fn remove_header(&self, direction: Direction, name: &str) -> HostResult<()>;

    /// Removes a trailer, in the trailers callback; one that is not there is none.
    fn remove_trailer(&self, direction: Direction, name: &str) -> HostResult<()>;

    /// Bytes of the body that is visible now: the chunk, or all that Envoy has buffered while the filter paused.
    fn body(&self, direction: Direction, start: usize, len: usize) -> HostResult<Vec<u8>>;

    /// Replaces all that is visible of the body, which is `len` bytes.
    ///
    /// A body that Envoy has buffered must never become longer than it was, but for small ones: past the listener's
    /// buffer limit Envoy answers 413, or crashes.
    fn replace_body(&self, direction: Direction, len: usize, with: &[u8]) -> HostResult<()>;

    /// Answers in the upstream's place. `grpc_status` for gRPC requests.
    fn reply(&self, status: u16, details: &str, headers: &[(&str, &str)], body: &str, grpc_status: Option<i32>)
    -> HostResult<()>;

    /// Lets go of headers that were held. Call it only for the context that is in effect.
    fn resume(&self, direction: Direction) -> HostResult<()>;

    /// Cuts the stream.
    fn reset(&self, direction: Direction) -> HostResult<()>;

    /// Makes the calls that follow act on the HTTP stream `context_id`, from a root callback.
    fn set_effective_context(&self, context_id: u32) -> HostResult<()>;

    /// A property, by its path with a NUL between its parts: text as it is, an integer as 8 bytes, little-endian. Refused where
    /// Envoy has none.
    fn property(&self, path: &str) -> HostResult<Vec<u8>>;

    /// Sets the filter state `wasm.<name>`.
    fn set_filter_state(&self, name: &str, value: &[u8]) -> HostResult<()>;

    /// Defines a metric; its id. Never more than once a name and root: every call grows a map of the host.
    fn define_metric(&self, metric_type: MetricType, name: &str) -> HostResult<u32>;

    /// Adds to a counter (never 0) or a gauge.
    fn increment_metric(&self, id: u32, by: i64) -> HostResult<()>;

    /// Records a value of a histogram, or sets a gauge.
    fn record_metric(&self, id: u32, value: u64) -> HostResult<()>;

    /// Begins an HTTP call to `cluster`, for the context that is in effect, and with its end; the token of its answer.
    /// `headers` need `:method`, `:path` and `:authority`; `timeout` is in milliseconds.
    fn call(&self, cluster: &str, headers: &[(&str, &str)], body: &[u8], timeout: u32) -> HostResult<u32>;

    /// The headers of the answer, in the callback that tells of it; none where no answer came.
    fn call_response(&self) -> HostResult<Headers>;

    /// The first `max` bytes of the answer's body, in the same window.
    fn call_response_body(&self, max: usize) -> HostResult<Vec<u8>>;

    /// Asks for a root tick every so many milliseconds; 0: no more.
    fn set_tick_period(&self, milliseconds: u32) -> HostResult<()>;

    /// Bytes of this VM's linear memory.
    fn memory_bytes(&self) -> u64;
}
