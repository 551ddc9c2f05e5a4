//! DEFLATE (RFC 1951), with or without its zlib frame (RFC 1950): decoded by zlib-rs, encoded by miniz_oxide.
//!
//! Two libraries, for the two ways are not alike: what is decoded is written by strangers, what is encoded is our own. Measured in
//! V8, a megabyte of empty blocks, which makes no output that a cap could stop, keeps miniz_oxide's decoder busy for 2.3 s and
//! zlib-rs's for 12 ms; ordinary JSON is decoded at 0.55 and at 1.0 GB/s.
//!
//! This module refuses to know gzip, caps and sinks: it makes one piece of output per step, and its caller passes it on.

use miniz_oxide::DataFormat;
use miniz_oxide::deflate::core::{CompressorOxide, TDEFLFlush, TDEFLStatus, compress};
use zlib_rs::{Inflate as ZlibInflate, InflateFlush, Status};

/// Longest piece of output, in bytes.
const PIECE_BYTES: usize = 32 * 1024;

/// Most that one decoder holds on the heap, in bytes: a piece, zlib's window of 32 KiB, its tables and its state.
pub(super) const MEMORY_BYTES: usize = 96 * 1024;

/// DEFLATE may refer back 2 to the power of this many bytes.
const WINDOW_BITS: u8 = 15;

/// Most effort of the encoder that is worth its time.
const MAX_LEVEL: u8 = 9;

/// One DEFLATE stream after the other.
pub(super) struct Inflate {
    zlib: ZlibInflate,
    piece: Box<[u8]>,
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
    /// At the start of a raw stream.
    pub(super) fn new() -> Inflate {
        Inflate { zlib: ZlibInflate::new(false, WINDOW_BITS), piece: vec![0; PIECE_BYTES].into_boxed_slice() }
    }

    /// Starts a new stream, with a zlib frame or without. Costs little: a body of a million empty members is cheap.
    pub(super) fn start(&mut self, zlib_frame: bool) {
        self.zlib.reset(zlib_frame);
    }

    /// Decodes on; makes at most `max` bytes, and no more than a piece.
    pub(super) fn step(&mut self, input: &[u8], max: usize) -> Step<'_> {
        let room = max.min(self.piece.len());
        let (read_before, made_before) = (self.zlib.total_in(), self.zlib.total_out());
        let status = match self.piece.get_mut(..room) {
            Some(piece) => self.zlib.decompress(input, piece, InflateFlush::NoFlush),
            None => Ok(Status::BufError),
        };
        // No more than the two lengths given, which are of type usize.
        let consumed = self.zlib.total_in().saturating_sub(read_before) as usize;
        let made = self.zlib.total_out().saturating_sub(made_before) as usize;
        let next = match status {
            Ok(Status::StreamEnd) => Next::Ended,
            // A full piece: there may be more, of the input or from within.
            Ok(_) if made >= room => Next::Again,
            Ok(_) if consumed >= input.len() => Next::Feed,
            _ => Next::Corrupt,
        };
        Step { consumed, output: self.piece.get(..made).unwrap_or_default(), next }
    }
}

// The window and the piece hold bytes of a body, so nothing of them is shown.
impl std::fmt::Debug for Inflate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inflate").finish_non_exhaustive()
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

/// Continues a CRC-32 over `bytes`; it starts at 0.
pub(super) fn crc32(crc: u32, bytes: &[u8]) -> u32 {
    zlib_rs::crc32::crc32(crc, bytes)
}
