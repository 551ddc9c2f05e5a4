//! The frames of zstd (RFC 8878, section 3.1): where their headers and blocks end, and how a body is stored in one.
//!
//! This module refuses to know how a block is decoded.

use super::super::DecodeError;

/// Most bytes that a frame may refer back (RFC 9659, section 3).
const MAX_WINDOW_BYTES: usize = 8 * 1024 * 1024;

/// Most bytes of a block (RFC 8878, section 3.1.1.2.4).
pub(super) const MAX_BLOCK_BYTES: usize = 128 * 1024;
pub(super) const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const BLOCK_HEADER_BYTES: usize = 3;
pub(super) const CHECKSUM_BYTES: usize = 4;

const DESCRIPTOR_DICTIONARY: u8 = 0b11;
pub(super) const DESCRIPTOR_CHECKSUM: u8 = 1 << 2;
const DESCRIPTOR_RESERVED: u8 = 1 << 3;
const DESCRIPTOR_SINGLE_SEGMENT: u8 = 1 << 5;

/// A header without flags and with a window of one block.
pub(super) const WINDOW_OF_ONE_BLOCK: [u8; 6] = [0x28, 0xb5, 0x2f, 0xfd, 0, 7 << 3];

/// The flag of a block's header.
pub(super) const LAST_BLOCK: u8 = 1;

pub(super) fn raw_block_header(len: usize, last: bool) -> [u8; BLOCK_HEADER_BYTES] {
    let [low, middle, high, _] = (u32::try_from(len).unwrap_or(0) << 3 | u32::from(last)).to_le_bytes();
    [low, middle, high]
}

/// A frame of `body` as it is: raw blocks, no checksum.
pub(in super::super) fn stored(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len().saturating_add(body.len() >> 12).saturating_add(16));
    out.extend(WINDOW_OF_ONE_BLOCK);
    let mut rest = body;
    loop {
        let (block, behind) = rest.split_at_checked(MAX_BLOCK_BYTES).unwrap_or((rest, &[]));
        out.extend(raw_block_header(block.len(), behind.is_empty()));
        out.extend_from_slice(block);
        if behind.is_empty() {
            return out;
        }
        rest = behind;
    }
}

/// What a frame's header says.
pub(super) struct Header {
    pub(super) descriptor: u8,
    /// Of the header.
    pub(super) bytes: usize,
    /// Behind the descriptor: the window, where there is no single segment, and the content's size, where it is told.
    fields: u128,
}

impl Header {
    /// Reads the header that `bytes` start with; `None` while it is not whole.
    pub(super) fn read(bytes: &[u8]) -> Result<Option<Header>, DecodeError> {
        // Wrong bytes are told as early as they come.
        if !bytes.iter().zip(MAGIC).all(|(byte, magic)| *byte == magic) {
            return Err(DecodeError::Corrupt);
        }
        let Some((descriptor, behind)) = bytes.get(MAGIC.len()..).and_then(<[u8]>::split_first) else { return Ok(None) };
        if descriptor & (DESCRIPTOR_DICTIONARY | DESCRIPTOR_RESERVED) != 0 {
            return Err(DecodeError::Corrupt);
        }
        let single_segment = descriptor & DESCRIPTOR_SINGLE_SEGMENT != 0;
        let content_size = match descriptor >> 6 {
            0 => usize::from(single_segment),
            1 => 2,
            2 => 4,
            _ => 8,
        };
        let Some(fields) = behind.get(..content_size.saturating_add(usize::from(!single_segment))) else { return Ok(None) };
        let value = fields.iter().rev().fold(0_u128, |value, byte| value << 8 | u128::from(*byte));
        let bytes = MAGIC.len().saturating_add(1).saturating_add(fields.len());
        Ok(Some(Header { descriptor: *descriptor, bytes, fields: value }))
    }

    /// Bytes that the frame may refer back.
    pub(super) fn window(&self) -> Result<usize, DecodeError> {
        let window = if self.descriptor & DESCRIPTOR_SINGLE_SEGMENT == 0 {
            // An exponent and eighths (RFC 8878, section 3.1.1.1.2).
            let (exponent, eighths) = (self.fields as u8 >> 3, self.fields & 7);
            (8_u128 | eighths) << (u32::from(exponent).saturating_add(7))
        } else {
            // A size of two bytes begins at 256.
            self.fields.saturating_add(if self.descriptor >> 6 == 1 { 256 } else { 0 })
        };
        usize::try_from(window).ok().filter(|window| *window <= MAX_WINDOW_BYTES).ok_or(DecodeError::Corrupt)
    }
}

/// Bytes of a block, with the checksum of its frame where it is the last.
pub(super) fn block_bytes(bytes: &[u8], checksum: bool) -> Result<Option<usize>, DecodeError> {
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
