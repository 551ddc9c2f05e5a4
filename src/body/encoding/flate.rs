//! DEFLATE (RFC 1951), with or without its zlib frame (RFC 1950), both ways through miniz_oxide.
//!
//! Decoding goes into a window of 32 KiB that is also the output buffer. Each block costs its decoder a table or two, some 3 us in
//! V8, though it may be 10 bits long and hold nothing that a cap would stop: 1 MiB of empty blocks would keep a worker busy for
//! seconds. So blocks are counted, and beyond [`FREE_BLOCKS`] each must have its [`PLAIN_BYTES_PER_BLOCK`] and its
//! [`CODED_BYTES_PER_BLOCK`]; a body of more is refused. Looked at only where a block ends, that depends on the body alone, not on
//! how it was cut.
//!
//! This module refuses to know gzip, caps and sinks: it makes one piece of output per step, and its caller passes it on.

use miniz_oxide::DataFormat;
use miniz_oxide::deflate::core::{CompressorOxide, TDEFLFlush, TDEFLStatus, compress};
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_COMPUTE_ADLER32, TINFL_FLAG_HAS_MORE_INPUT, TINFL_FLAG_PARSE_ZLIB_HEADER, TINFL_FLAG_STOP_ON_BLOCK_BOUNDARY,
    TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, TINFL_LZ_DICT_SIZE, decompress_with_limit};

/// The farthest that DEFLATE refers back, in bytes; a piece of output is never longer.
const WINDOW_BYTES: usize = TINFL_LZ_DICT_SIZE;

/// Most that one decoder holds on the heap, in bytes: the window, the tables and the state.
pub(super) const MEMORY_BYTES: usize = 48 * 1024;
const _: () = assert!(WINDOW_BYTES + size_of::<DecompressorOxide>() <= MEMORY_BYTES);

/// Blocks that every body may have, however little is in them.
pub(super) const FREE_BLOCKS: u64 = 32_768;

/// For each so many bytes that came out of the body, it may have one block more. Encoders fill blocks with 16 KiB and more; one that
/// flushes behind every event of a stream makes two blocks of it: with events of 16 bytes for ever, of 5 for 23,800 events.
pub(super) const PLAIN_BYTES_PER_BLOCK: u64 = 8;

/// And no more than one for each so many bytes that went in: many bytes may come out of one. A flushed event of 2 bytes is 8 long.
pub(super) const CODED_BYTES_PER_BLOCK: u64 = 4;

/// Most effort of the encoder that is worth its time.
const MAX_LEVEL: u8 = 9;

/// The DEFLATE streams of one body, one after the other.
pub(super) struct Inflate {
    core: Box<DecompressorOxide>,
    window: Box<[u8]>,
    /// Where in the window the next byte goes.
    at: usize,
    /// Has the window been full once in this stream?
    wrapped: bool,
    zlib_frame: bool,
    /// Blocks of the body that have ended.
    blocks: u64,
    /// Bytes of the body that have gone in.
    coded: u64,
    /// Bytes of the body that have come out.
    plain: u64,
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
    /// The body has too many blocks for what came out of it.
    TooManyBlocks,
}

impl Inflate {
    /// At the start of a raw stream.
    pub(super) fn new() -> Inflate {
        Inflate {
            core: Box::default(),
            window: vec![0; WINDOW_BYTES].into_boxed_slice(),
            at: 0,
            wrapped: false,
            zlib_frame: false,
            blocks: 0,
            coded: 0,
            plain: 0,
        }
    }

    /// Starts the body's next stream, with a zlib frame or without. Costs nothing; its blocks count with those before.
    pub(super) fn start(&mut self, zlib_frame: bool) {
        self.core.init();
        self.at = 0;
        self.wrapped = false;
        self.zlib_frame = zlib_frame;
    }

    /// Decodes on; makes at most `max` bytes, and no more than what fits before the end of the window.
    pub(super) fn step(&mut self, input: &[u8], max: usize) -> Step<'_> {
        if self.at >= self.window.len() {
            self.at = 0;
            self.wrapped = true;
        }
        let start = self.at;
        let end = start.saturating_add(max);
        let flags = self.flags();
        let mut rest = input;
        let next = loop {
            let room = end.saturating_sub(self.at);
            let (status, read, made) = decompress_with_limit(&mut self.core, rest, &mut self.window, self.at, room, flags);
            rest = rest.get(read..).unwrap_or_default();
            self.at = self.at.saturating_add(made);
            self.coded = self.coded.saturating_add(read as u64);
            self.plain = self.plain.saturating_add(made as u64);
            let progress = self.at > start || rest.len() < input.len();
            match status {
                TINFLStatus::BlockBoundary | TINFLStatus::Done => {
                    self.blocks = self.blocks.saturating_add(1);
                    if self.blocks > self.most_blocks() {
                        break Next::TooManyBlocks;
                    }
                    if status == TINFLStatus::Done {
                        break Next::Ended;
                    }
                }
                TINFLStatus::NeedsMoreInput => break Next::Feed,
                TINFLStatus::HasMoreOutput if progress => break Next::Again,
                _ => break Next::Corrupt,
            }
        };
        let consumed = input.len().saturating_sub(rest.len());
        Step { consumed, output: self.window.get(start..self.at).unwrap_or_default(), next }
    }

    /// Blocks that the body may have had by now. Where a block ends, no whole byte has been read ahead.
    fn most_blocks(&self) -> u64 {
        let full = |bytes: u64, per_block: u64| bytes.checked_div(per_block).unwrap_or(0);
        FREE_BLOCKS.saturating_add(full(self.plain, PLAIN_BYTES_PER_BLOCK).min(full(self.coded, CODED_BYTES_PER_BLOCK)))
    }

    fn flags(&self) -> u32 {
        let mut flags = TINFL_FLAG_HAS_MORE_INPUT | TINFL_FLAG_STOP_ON_BLOCK_BOUNDARY;
        if self.zlib_frame {
            flags |= TINFL_FLAG_PARSE_ZLIB_HEADER | TINFL_FLAG_COMPUTE_ADLER32;
        }
        if !self.wrapped {
            // Until the window is full for the first time, a reference to before the stream's start is an error, as in every
            // other inflater; without this flag it would read what an earlier member left in the window.
            flags |= TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
        }
        flags
    }
}

// The window holds bytes of a body, so nothing of it is shown.
impl std::fmt::Debug for Inflate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inflate").field("blocks", &self.blocks).finish_non_exhaustive()
    }
}

/// Appends `body`, compressed, to `out`, which must not become longer than `max_len` bytes; `None` where that is not enough.
pub(super) fn compress_into(mut out: Vec<u8>, body: &[u8], zlib_frame: bool, level: u8, max_len: usize) -> Option<Vec<u8>> {
    let mut at = out.len();
    out.resize(max_len.max(at), 0);
    let mut compressor = CompressorOxide::default();
    let format = if zlib_frame { DataFormat::Zlib } else { DataFormat::Raw };
    compressor.set_format_and_level(format, level.min(MAX_LEVEL));
    let mut rest = body;
    loop {
        let (status, read, written) = compress(&mut compressor, rest, out.get_mut(at..)?, TDEFLFlush::Finish);
        rest = rest.get(read..)?;
        at = at.checked_add(written)?;
        match status {
            TDEFLStatus::Done => {
                out.truncate(at);
                return Some(out);
            }
            // Out of room, or (never seen) stuck.
            TDEFLStatus::Okay if at < max_len && (read, written) != (0, 0) => {}
            _ => return None,
        }
    }
}

/// Most bytes that a body of `len` bytes takes, compressed at any level, in a zlib frame: stored blocks, at the worst.
pub(super) fn most_bytes(len: usize) -> usize {
    /// For each so many bytes, one more for the heads of the blocks they are stored in.
    const BYTES_PER_HEAD_BYTE: usize = 1 << 8;
    /// The frame, and room for the last block.
    const FRAME_BYTES: usize = 64;
    len.saturating_add(len.checked_div(BYTES_PER_HEAD_BYTE).unwrap_or(len)).saturating_add(FRAME_BYTES)
}
