//! DEFLATE (RFC 1951), with or without its zlib frame (RFC 1950), into a window of 32 KiB that is also the output buffer.
//!
//! This module refuses to know gzip, caps and sinks: it makes one piece of output per step, and its caller passes it on.

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_COMPUTE_ADLER32, TINFL_FLAG_HAS_MORE_INPUT, TINFL_FLAG_PARSE_ZLIB_HEADER, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, TINFL_LZ_DICT_SIZE, decompress_with_limit};

/// The farthest that DEFLATE refers back, in bytes; a piece of output is never longer.
const WINDOW_BYTES: usize = TINFL_LZ_DICT_SIZE;

/// What one decoder holds on the heap, in bytes.
pub(super) const MEMORY_BYTES: usize = WINDOW_BYTES + size_of::<DecompressorOxide>();

/// One DEFLATE stream after the other.
pub(super) struct Inflate {
    core: Box<DecompressorOxide>,
    window: Box<[u8]>,
    /// Where in the window the next byte goes.
    at: usize,
    /// Has the window been full once in this stream?
    wrapped: bool,
    zlib: bool,
}

/// What one step did.
pub(super) struct Step<'a> {
    /// Bytes of the input that were used.
    pub(super) consumed: usize,
    /// What came out.
    pub(super) output: &'a [u8],
    /// What is next.
    pub(super) next: Next,
}

/// What to do after a step.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Step again with the rest of the input.
    Again,
    /// All input is used; come back with more.
    Feed,
    /// The stream has ended; what is left of the input is not part of it.
    Ended,
    /// The stream is broken behind this output.
    Corrupt,
}

impl Inflate {
    /// At the start of a stream.
    pub(super) fn new() -> Inflate {
        Inflate { core: Box::default(), window: vec![0; WINDOW_BYTES].into_boxed_slice(), at: 0, wrapped: false, zlib: false }
    }

    /// Starts a new stream, with a zlib frame or without. Costs nothing: a body of a million empty members is cheap.
    pub(super) fn start(&mut self, zlib: bool) {
        self.core.init();
        self.at = 0;
        self.wrapped = false;
        self.zlib = zlib;
    }

    /// Decodes on; makes at most `max` bytes, and no more than what fits before the end of the window.
    pub(super) fn step(&mut self, input: &[u8], max: usize) -> Step<'_> {
        if self.at >= self.window.len() {
            self.at = 0;
            self.wrapped = true;
        }
        let mut flags = TINFL_FLAG_HAS_MORE_INPUT;
        if self.zlib {
            flags |= TINFL_FLAG_PARSE_ZLIB_HEADER | TINFL_FLAG_COMPUTE_ADLER32;
        }
        if !self.wrapped {
            // Until the window is full for the first time, a reference to before the stream's start is an error, as in every
            // other inflater; without this flag it would read what an earlier member left in the window.
            flags |= TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
        }
        let start = self.at;
        let (status, consumed, made) = decompress_with_limit(&mut self.core, input, &mut self.window, start, max, flags);
        self.at = start.saturating_add(made);
        let next = match status {
            TINFLStatus::Done => Next::Ended,
            TINFLStatus::NeedsMoreInput => Next::Feed,
            TINFLStatus::HasMoreOutput if made > 0 || consumed > 0 => Next::Again,
            _ => Next::Corrupt,
        };
        Step { consumed, output: self.window.get(start..self.at).unwrap_or_default(), next }
    }
}

// The window holds bytes of a body, so nothing of it is shown.
impl std::fmt::Debug for Inflate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inflate").field("zlib", &self.zlib).finish_non_exhaustive()
    }
}
