//! The `zstd` coding (RFC 8878, RFC 9659): any number of frames, on the decoder of the crate `ruzstd`.
//!
//! That decoder wants whole headers and whole blocks, so this file reads their lengths and collects them. Windows are those that
//! RFC 9659 allows as a content coding. Dictionaries and skippable frames, places for bytes that nobody scans, are refused.
//!
//! The crate gives only what lies behind a window, the last window at a frame's end: too late for streams that somebody waits for.
//! So the window is kept here. The crate is told of every block that it was the last, and then shows all that it holds; what was
//! not seen before is copied out, and nothing is taken. When it holds half a window more than it must, all is taken, and the last
//! window goes back in as raw blocks, which change nothing but what may be referred to.

mod frame;

use std::hash::Hasher;

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use twox_hash::XxHash64;

pub(super) use frame::stored;

use self::frame::{
    CHECKSUM_BYTES, DESCRIPTOR_CHECKSUM, Header, LAST_BLOCK, MAGIC, MAX_BLOCK_BYTES, WINDOW_OF_ONE_BLOCK, block_bytes,
    raw_block_header,
};
use super::{DecodeError, Output};

/// Most that one decoder holds on the heap for its window, in bytes.
pub(super) const MAX_HEAP_BYTES: usize = 25 * 1024 * 1024;

/// Decodes frames until the input ends.
pub(super) struct Zstd {
    decoder: FrameDecoder,
    /// A header or a block that is not whole yet.
    pending: Vec<u8>,
    stage: Stage,
    /// Bytes that the frame may refer back.
    window: usize,
    /// The largest window of all frames.
    largest: usize,
    /// Bytes at the front of what the decoder holds that were given already.
    given: usize,
    /// Of the frame's plain bytes.
    hash: XxHash64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// Before a frame.
    Between,
    /// In a frame that ends with a checksum, or not.
    Blocks { checksum: bool },
}

impl Zstd {
    pub(super) fn new() -> Zstd {
        Zstd {
            decoder: FrameDecoder::new(),
            pending: Vec::new(),
            stage: Stage::Between,
            window: 0,
            largest: 0,
            given: 0,
            hash: XxHash64::with_seed(0),
        }
    }

    pub(super) fn feed(&mut self, chunk: &[u8], out: &mut Output, sink: &mut dyn FnMut(&[u8])) -> Result<(), DecodeError> {
        self.pending.extend_from_slice(chunk);
        let mut pending = std::mem::take(&mut self.pending);
        let mut rest = pending.as_mut_slice();
        while let Some(length) = self.next_part(rest)? {
            if length > rest.len() {
                break;
            }
            let (part, behind) = rest.split_at_mut_checked(length).unwrap_or_default();
            match self.stage {
                Stage::Between => self.begin(part)?,
                Stage::Blocks { checksum } => self.block(part, checksum, out, sink)?,
            }
            rest = behind;
        }
        self.pending = rest.to_vec();
        Ok(())
    }

    pub(super) fn may_end(&self) -> bool {
        self.stage == Stage::Between && self.pending.is_empty()
    }

    /// Most that the windows so far take on the heap, in bytes: one and a half in a buffer that grows by doubling, one on its way back
    /// in, and some blocks.
    pub(super) fn heap_bytes(&self) -> usize {
        let buffer = self.largest.saturating_add(self.largest >> 1).checked_next_power_of_two().unwrap_or(MAX_HEAP_BYTES);
        buffer.saturating_add(self.largest).saturating_add(MAX_BLOCK_BYTES << 2).min(MAX_HEAP_BYTES)
    }

    /// Bytes of the header or block that `bytes` start with; `None` while that cannot be told.
    fn next_part(&self, bytes: &[u8]) -> Result<Option<usize>, DecodeError> {
        match self.stage {
            Stage::Between => Ok(Header::read(bytes)?.map(|header| header.bytes)),
            Stage::Blocks { checksum } => block_bytes(bytes, checksum),
        }
    }

    fn begin(&mut self, part: &[u8]) -> Result<(), DecodeError> {
        let Some(header) = Header::read(part)? else { return Err(DecodeError::Corrupt) };
        self.window = header.window()?;
        self.largest = self.largest.max(self.window);
        // The crate needs to know how long a block may be, and would make room for all of a window at once. Windows of a block and
        // more are the same to it, then; no window is as small as some single segments.
        let told = if self.window >= MAX_BLOCK_BYTES {
            WINDOW_OF_ONE_BLOCK.to_vec()
        } else {
            let descriptor = header.descriptor & !DESCRIPTOR_CHECKSUM;
            part.iter().enumerate().map(|(at, byte)| if at == MAGIC.len() { descriptor } else { *byte }).collect()
        };
        self.decoder.reset(told.as_slice()).map_err(|_| DecodeError::Corrupt)?;
        self.given = 0;
        self.hash = XxHash64::with_seed(0);
        self.stage = Stage::Blocks { checksum: header.descriptor & DESCRIPTOR_CHECKSUM != 0 };
        Ok(())
    }

    /// Decodes a block, with the checksum behind it where it is the last.
    fn block(
        &mut self,
        part: &mut [u8],
        checksum: bool,
        out: &mut Output,
        sink: &mut dyn FnMut(&[u8]),
    ) -> Result<(), DecodeError> {
        let last = part.first().is_some_and(|byte| byte & LAST_BLOCK != 0);
        let told = (last && checksum).then(|| part.last_chunk::<CHECKSUM_BYTES>().copied()).flatten();
        self.decode(part)?;
        let mut seen = Seen { skip: self.given, hash: &mut self.hash, out, sink, result: Ok(()) };
        let _ = self.decoder.collect_to_writer(&mut seen);
        seen.result?;
        self.given = self.decoder.can_collect();
        if last {
            self.stage = Stage::Between;
            // The low half of the hash, where there is one.
            return if told.is_none_or(|told| u32::from_le_bytes(told) == self.hash.finish() as u32) {
                Ok(())
            } else {
                Err(DecodeError::Corrupt)
            };
        }
        let spare = self.given.saturating_sub(self.window);
        if spare > MAX_BLOCK_BYTES && spare > self.window >> 1 {
            self.renew()?;
        }
        Ok(())
    }

    fn decode(&mut self, block: &mut [u8]) -> Result<(), DecodeError> {
        if let Some(byte) = block.first_mut() {
            *byte |= LAST_BLOCK;
        }
        self.decoder.decode_blocks(&*block, BlockDecodingStrategy::UptoBlocks(1)).map_err(|_| DecodeError::Corrupt)?;
        Ok(())
    }

    /// Leaves no more than a window in the decoder, at the beginning of its buffer: it shows only what does not wrap around.
    fn renew(&mut self) -> Result<(), DecodeError> {
        let mut window = Taken { skip: self.given.saturating_sub(self.window), bytes: Vec::with_capacity(self.window) };
        self.decoder.collect_to_writer(&mut window).map_err(|_| DecodeError::Corrupt)?;
        // There is nothing left to collect; but only this begins the buffer anew.
        let _ = self.decoder.collect();
        for bytes in window.bytes.chunks(MAX_BLOCK_BYTES.min(self.window).max(1)) {
            let mut block = raw_block_header(bytes.len(), false).to_vec();
            block.extend_from_slice(bytes);
            self.decode(&mut block)?;
        }
        self.given = self.decoder.can_collect();
        Ok(())
    }
}

/// Looks at what the decoder holds, and takes nothing of it.
struct Seen<'a> {
    skip: usize,
    hash: &'a mut XxHash64,
    out: &'a mut Output,
    sink: &'a mut dyn FnMut(&[u8]),
    result: Result<(), DecodeError>,
}

impl ruzstd::io::Write for Seen<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ruzstd::io::Error> {
        let new = bytes.get(self.skip..).unwrap_or_default();
        self.hash.write(new);
        self.result = self.out.give(new, self.sink);
        Ok(0)
    }

    fn flush(&mut self) -> Result<(), ruzstd::io::Error> {
        Ok(())
    }
}

/// Takes all that the decoder holds, and keeps what is behind the first `skip` bytes.
struct Taken {
    skip: usize,
    bytes: Vec<u8>,
}

impl ruzstd::io::Write for Taken {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ruzstd::io::Error> {
        let kept = bytes.get(self.skip..).unwrap_or_default();
        self.skip = self.skip.saturating_sub(bytes.len());
        self.bytes.extend_from_slice(kept);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), ruzstd::io::Error> {
        Ok(())
    }
}

// The decoder holds bytes of a body, so nothing of it is shown.
impl std::fmt::Debug for Zstd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Zstd").field("stage", &self.stage).finish_non_exhaustive()
    }
}
