//! The `zstd` coding (RFC 8878, RFC 9659): any number of frames, on the decoder of the crate `ruzstd`.
//!
//! That decoder wants whole headers and whole blocks, so this file reads their lengths and collects them. Windows are those that
//! RFC 9659 allows as a content coding. Dictionaries and skippable frames, places for bytes that nobody scans, are refused.
//!
//! The crate hands out what lies behind a window only; the last window of a frame comes at its end. Bounded, and yet too late for
//! streams that somebody waits for: [`super::Coding::is_prompt`].

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::{DecodeError, Output};

/// Most bytes that a frame may refer back (RFC 9659, section 3).
pub(super) const MAX_WINDOW_BYTES: u64 = 8 * 1024 * 1024;

/// Most bytes of a block (RFC 8878, section 3.1.1.2.4).
const MAX_BLOCK_BYTES: usize = 128 * 1024;
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// The magic number and the frame's descriptor, which says how long the rest of the header is.
const PREFIX_BYTES: usize = 5;
const BLOCK_HEADER_BYTES: usize = 3;
const CHECKSUM_BYTES: usize = 4;

/// A frame of `body` as it is: raw blocks, no checksum.
pub(super) fn stored(body: &[u8]) -> Vec<u8> {
    /// No flags; a window of one block.
    const DESCRIPTORS: [u8; 2] = [0, 7 << 3];
    let mut out = Vec::with_capacity(body.len().saturating_add(body.len() >> 12).saturating_add(16));
    out.extend(MAGIC);
    out.extend(DESCRIPTORS);
    let mut rest = body;
    loop {
        let (block, behind) = rest.split_at_checked(MAX_BLOCK_BYTES).unwrap_or((rest, &[]));
        let header = u32::try_from(block.len()).unwrap_or(0) << 3 | u32::from(behind.is_empty());
        out.extend(header.to_le_bytes().iter().take(BLOCK_HEADER_BYTES));
        out.extend_from_slice(block);
        if behind.is_empty() {
            return out;
        }
        rest = behind;
    }
}

/// Decodes frames until the input ends.
pub(super) struct Zstd {
    decoder: FrameDecoder,
    /// A header or a block that is not whole yet.
    pending: Vec<u8>,
    stage: Stage,
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
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MAX_WINDOW_BYTES);
        Zstd { decoder, pending: Vec::new(), stage: Stage::Between }
    }

    pub(super) fn feed(&mut self, chunk: &[u8], out: &mut Output, sink: &mut dyn FnMut(&[u8])) -> Result<(), DecodeError> {
        self.pending.extend_from_slice(chunk);
        let pending = std::mem::take(&mut self.pending);
        let mut rest = pending.as_slice();
        while let Some(length) = self.next_part(rest)? {
            let Some((part, behind)) = rest.split_at_checked(length) else { break };
            self.take(part, out, sink)?;
            rest = behind;
        }
        self.pending = rest.to_vec();
        Ok(())
    }

    pub(super) fn may_end(&self) -> bool {
        self.stage == Stage::Between && self.pending.is_empty()
    }

    /// Bytes of the header or block that `bytes` start with; `None` while that cannot be told.
    fn next_part(&self, bytes: &[u8]) -> Result<Option<usize>, DecodeError> {
        match self.stage {
            Stage::Between => header_bytes(bytes),
            Stage::Blocks { checksum } => block_bytes(bytes, checksum),
        }
    }

    fn take(&mut self, part: &[u8], out: &mut Output, sink: &mut dyn FnMut(&[u8])) -> Result<(), DecodeError> {
        let corrupt = |_| DecodeError::Corrupt;
        if self.stage == Stage::Between {
            self.decoder.reset(part).map_err(corrupt)?;
            let checksum = part.get(4).is_some_and(|descriptor| descriptor & 4 != 0);
            self.stage = Stage::Blocks { checksum };
            return Ok(());
        }
        let ended = self.decoder.decode_blocks(part, BlockDecodingStrategy::UptoBlocks(1)).map_err(corrupt)?;
        out.give(&self.decoder.collect().unwrap_or_default(), sink)?;
        if ended {
            let told = self.decoder.get_checksum_from_data();
            if told.is_some() && told != self.decoder.get_calculated_checksum() {
                return Err(DecodeError::Corrupt);
            }
            self.stage = Stage::Between;
        }
        Ok(())
    }
}

/// Bytes of a frame's header.
fn header_bytes(bytes: &[u8]) -> Result<Option<usize>, DecodeError> {
    // Wrong bytes are told as early as they come.
    if !bytes.iter().zip(MAGIC).all(|(byte, magic)| *byte == magic) {
        return Err(DecodeError::Corrupt);
    }
    let Some(descriptor) = bytes.get(MAGIC.len()) else { return Ok(None) };
    let single_segment = descriptor & 0x20 != 0;
    let window = usize::from(!single_segment);
    if descriptor & 3 != 0 {
        return Err(DecodeError::Corrupt);
    }
    let content_size = match descriptor >> 6 {
        0 => usize::from(single_segment),
        1 => 2,
        2 => 4,
        _ => 8,
    };
    Ok(PREFIX_BYTES.checked_add(window).and_then(|bytes| bytes.checked_add(content_size)))
}

/// Bytes of a block, with the checksum of its frame where it is the last.
fn block_bytes(bytes: &[u8], checksum: bool) -> Result<Option<usize>, DecodeError> {
    let Some((header, _)) = bytes.split_first_chunk::<BLOCK_HEADER_BYTES>() else { return Ok(None) };
    let [low, middle, high] = *header;
    let header = u32::from_le_bytes([low, middle, high, 0]);
    let size = usize::try_from(header >> 3).unwrap_or(usize::MAX);
    if size > MAX_BLOCK_BYTES {
        return Err(DecodeError::Corrupt);
    }
    let content = match header >> 1 & 3 {
        0 | 2 => size,
        // One byte, so many times.
        1 => 1,
        _ => return Err(DecodeError::Corrupt),
    };
    let trailer = if checksum && header & 1 != 0 { CHECKSUM_BYTES } else { 0 };
    Ok(BLOCK_HEADER_BYTES.checked_add(content).and_then(|bytes| bytes.checked_add(trailer)))
}

// The decoder holds bytes of a body, so nothing of it is shown.
impl std::fmt::Debug for Zstd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Zstd").field("stage", &self.stage).finish_non_exhaustive()
    }
}
