//! The `gzip` coding (RFC 1952): any number of members, each with its header, a DEFLATE stream, its CRC-32 and its length.
//!
//! All header flags are read; nothing of a header is kept. Reserved flags, a wrong checksum of any kind and a header of more
//! than [`MAX_HEADER_BYTES`] are errors.

use super::flate::{Inflate, Next};
use super::{DecodeError, Output};

/// Longest header of one member, in bytes. HTTP senders write 10, file servers a name, bgzip 18. Without a bound, a file name
/// or comment without end would be a place for bytes that nobody scans.
pub(super) const MAX_HEADER_BYTES: u16 = 4096;

/// The header that the encoder writes: no flags, no time, no system.
pub(super) const PLAIN_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// CRC-32 and length, 4 bytes each, little-endian.
pub(super) const TRAILER_BYTES: usize = 8;

const FLAG_HEADER_CRC: u8 = 1 << 1;
const FLAG_EXTRA: u8 = 1 << 2;
const FLAG_NAME: u8 = 1 << 3;
const FLAG_COMMENT: u8 = 1 << 4;
const FLAGS_RESERVED: u8 = 0b1110_0000;

/// The trailer of one member that holds `plain`.
pub(super) fn trailer(plain: &[u8]) -> [u8; TRAILER_BYTES] {
    // The length is kept modulo 2^32.
    trailer_of(crc32(0, plain), plain.len() as u32)
}

fn trailer_of(crc: u32, length: u32) -> [u8; TRAILER_BYTES] {
    (u64::from(length) << 32 | u64::from(crc)).to_le_bytes()
}

/// Decodes members until the input ends.
#[derive(Debug)]
pub(super) struct Gzip {
    inflate: Inflate,
    stage: Stage,
    /// CRC-32 of the member's plain bytes.
    crc: u32,
    /// Length of the member's plain bytes, modulo 2^32.
    length: u32,
}

#[derive(Debug)]
enum Stage {
    /// Before the first byte of the body.
    Start,
    /// Behind a member.
    Between,
    /// Behind a member, in zero bytes.
    Padding,
    Header(Header),
    Stream,
    Trailer(Collector<TRAILER_BYTES>),
}

impl Gzip {
    pub(super) fn new() -> Gzip {
        Gzip { inflate: Inflate::new(), stage: Stage::Start, crc: 0, length: 0 }
    }

    pub(super) fn feed(&mut self, chunk: &[u8], out: &mut Output, sink: &mut dyn FnMut(&[u8])) -> Result<(), DecodeError> {
        let mut rest = chunk;
        while let Some((byte, behind)) = rest.split_first() {
            if matches!(self.stage, Stage::Stream) {
                rest = self.stream(rest, out, sink)?;
            } else {
                self.frame(*byte)?;
                rest = behind;
            }
        }
        Ok(())
    }

    pub(super) fn may_end(&self) -> bool {
        matches!(self.stage, Stage::Start | Stage::Between | Stage::Padding)
    }

    /// Decodes within a DEFLATE stream; returns what of the input is behind it.
    fn stream<'a>(&mut self, input: &'a [u8], out: &mut Output, sink: &mut dyn FnMut(&[u8])) -> Result<&'a [u8], DecodeError> {
        let mut rest = input;
        loop {
            let step = self.inflate.step(rest, out.room());
            rest = rest.get(step.consumed..).unwrap_or_default();
            let next = step.next;
            self.crc = crc32(self.crc, step.output);
            self.length = self.length.wrapping_add(step.output.len() as u32);
            out.give(step.output, sink)?;
            match next {
                Next::Again => {}
                Next::Corrupt => return Err(DecodeError::Corrupt),
                Next::TooManyBlocks => return Err(DecodeError::TooManyBlocks),
                Next::Feed => return Ok(&[]),
                Next::Ended => {
                    self.stage = Stage::Trailer(Collector::default());
                    return Ok(rest);
                }
            }
        }
    }

    /// Takes one byte outside of a DEFLATE stream.
    fn frame(&mut self, byte: u8) -> Result<(), DecodeError> {
        match &mut self.stage {
            Stage::Between | Stage::Padding if byte == 0 => self.stage = Stage::Padding,
            Stage::Start | Stage::Between => {
                let mut header = Header::new();
                header.take(byte)?;
                self.stage = Stage::Header(header);
            }
            Stage::Header(header) => {
                if header.take(byte)? {
                    self.inflate.start(false);
                    self.crc = 0;
                    self.length = 0;
                    self.stage = Stage::Stream;
                }
            }
            Stage::Trailer(trailer) => {
                if trailer.take(byte) {
                    let expected = trailer_of(self.crc, self.length);
                    if trailer.bytes != expected {
                        return Err(DecodeError::Corrupt);
                    }
                    self.stage = Stage::Between;
                }
            }
            Stage::Padding | Stage::Stream => return Err(DecodeError::Corrupt),
        }
        Ok(())
    }
}

/// A field of `N` bytes that may arrive in pieces.
#[derive(Debug)]
struct Collector<const N: usize> {
    bytes: [u8; N],
    have: usize,
}

impl<const N: usize> Default for Collector<N> {
    fn default() -> Self {
        Collector { bytes: [0; N], have: 0 }
    }
}

impl<const N: usize> Collector<N> {
    /// Takes one byte; is the field complete?
    fn take(&mut self, byte: u8) -> bool {
        if let Some(place) = self.bytes.get_mut(self.have) {
            *place = byte;
        }
        self.have = self.have.saturating_add(1);
        self.have >= N
    }
}

/// Walks one member's header.
#[derive(Debug)]
struct Header {
    field: Field,
    flags: u8,
    taken: u16,
    crc: u32,
}

#[derive(Debug)]
enum Field {
    Fixed(Collector<10>),
    ExtraLength(Collector<2>),
    /// With the bytes that are left of it.
    Extra(u16),
    Name,
    Comment,
    Crc(Collector<2>),
}

impl Header {
    fn new() -> Header {
        Header { field: Field::Fixed(Collector::default()), flags: 0, taken: 0, crc: 0 }
    }

    /// Takes one byte; is the header complete?
    fn take(&mut self, byte: u8) -> Result<bool, DecodeError> {
        self.taken = self.taken.saturating_add(1);
        if self.taken > MAX_HEADER_BYTES {
            return Err(DecodeError::Corrupt);
        }
        // The checksum covers all that stands before it.
        if !matches!(self.field, Field::Crc(_)) {
            self.crc = crc32(self.crc, &[byte]);
        }
        let field_ended = match &mut self.field {
            Field::Fixed(fixed) => {
                let place = fixed.have;
                let ended = fixed.take(byte);
                self.flags = fixed.bytes[3];
                // Wrong bytes are told as early as they come, so that what is no gzip at all is never waited for.
                let legal = match place {
                    0 => byte == PLAIN_HEADER[0],
                    1 => byte == PLAIN_HEADER[1],
                    2 => byte == PLAIN_HEADER[2],
                    3 => byte & FLAGS_RESERVED == 0,
                    _ => true,
                };
                if !legal {
                    return Err(DecodeError::Corrupt);
                }
                ended
            }
            Field::ExtraLength(length) => length.take(byte),
            Field::Extra(left) => {
                *left = left.saturating_sub(1);
                *left == 0
            }
            Field::Name | Field::Comment => byte == 0,
            Field::Crc(crc) => {
                let ended = crc.take(byte);
                // The low 16 bits of the header's CRC-32.
                if ended && u32::from(u16::from_le_bytes(crc.bytes)) != self.crc & 0xffff {
                    return Err(DecodeError::Corrupt);
                }
                ended
            }
        };
        if !field_ended {
            return Ok(false);
        }
        match self.next_field() {
            Some(field) => {
                self.field = field;
                Ok(false)
            }
            None => Ok(true),
        }
    }

    /// The field behind the one that has just ended, in the order of RFC 1952.
    fn next_field(&self) -> Option<Field> {
        let has = |flag: u8| self.flags & flag != 0;
        let extra_length = match &self.field {
            Field::ExtraLength(length) => u16::from_le_bytes(length.bytes),
            _ => 0,
        };
        let rank = match &self.field {
            Field::Fixed(_) => 0,
            Field::ExtraLength(_) => 1,
            Field::Extra(_) => 2,
            Field::Name => 3,
            Field::Comment => 4,
            Field::Crc(_) => 5,
        };
        if rank < 1 && has(FLAG_EXTRA) {
            Some(Field::ExtraLength(Collector::default()))
        } else if rank < 2 && extra_length > 0 {
            Some(Field::Extra(extra_length))
        } else if rank < 3 && has(FLAG_NAME) {
            Some(Field::Name)
        } else if rank < 4 && has(FLAG_COMMENT) {
            Some(Field::Comment)
        } else if rank < 5 && has(FLAG_HEADER_CRC) {
            Some(Field::Crc(Collector::default()))
        } else {
            None
        }
    }
}

/// Continues a CRC-32 over `bytes`; it starts at 0.
fn crc32(crc: u32, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(crc);
    hasher.update(bytes);
    hasher.finalize()
}
