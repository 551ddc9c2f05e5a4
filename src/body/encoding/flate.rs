//! DEFLATE (RFC 1951), with or without its zlib frame (RFC 1950), both ways, through zlib-rs.
//!
//! Why zlib-rs and not miniz_oxide, measured in V8: it decodes 4 MiB of JSON at 1.0 GB/s against 0.55, encodes twice as fast,
//! and a megabyte of empty blocks, which makes no output that a cap could stop, costs 12 ms against 2.3 s. Its price is 33 KB.
//!
//! This module refuses to know gzip, caps and sinks: it makes one piece of output per step, and its caller passes it on.

use zlib_rs::{Deflate, DeflateFlush, Inflate as ZlibInflate, InflateFlush, Status};

/// Longest piece of output, in bytes.
const PIECE_BYTES: usize = 32 * 1024;

/// Most that one decoder holds on the heap, in bytes: a piece, zlib's window of 32 KiB, its tables and its state.
pub(super) const MEMORY_BYTES: usize = 96 * 1024;

/// DEFLATE may refer back 2 to the power of this many bytes.
const WINDOW_BITS: u8 = 15;

/// Most effort of the encoder.
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
    let start = out.len();
    // One byte more than may be used: zlib tells that it has ended only where there is room left.
    out.resize(max_len.max(start).checked_add(1)?, 0);
    let mut deflate = Deflate::new(i32::from(level.min(MAX_LEVEL)), zlib_frame, WINDOW_BITS);
    loop {
        let (read, made) = (deflate.total_in() as usize, deflate.total_out() as usize);
        let at = start.checked_add(made)?;
        let status = deflate.compress(body.get(read..)?, out.get_mut(at..)?, DeflateFlush::Finish).ok()?;
        match status {
            Status::StreamEnd => {
                out.truncate(start.checked_add(deflate.total_out() as usize)?);
                return (out.len() <= max_len).then_some(out);
            }
            // Only bodies past 4 GiB take more than one call; else the room is used up.
            _ if (read, made) == (deflate.total_in() as usize, deflate.total_out() as usize) => return None,
            _ => {}
        }
    }
}

/// Most bytes that a body of `len` bytes takes, compressed at any level, in a zlib frame.
pub(super) fn most_bytes(len: usize) -> usize {
    zlib_rs::compress_bound(len)
}

/// Continues a CRC-32 over `bytes`; it starts at 0.
pub(super) fn crc32(crc: u32, bytes: &[u8]) -> u32 {
    zlib_rs::crc32::crc32(crc, bytes)
}
