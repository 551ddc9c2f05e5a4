//! Content codings: gzip, deflate, br and zstd, decoded as they arrive and bounded by a cap.
//!
//! | part | does |
//! |---|---|
//! | this file | the codings, the [`Decoder`] over all of them, the one-shot encoder |
//! | `header` | reads `content-encoding`, narrows `accept-encoding` |
//! | `gzip`, `deflate` | the framing of each coding: headers, checksums, ends |
//! | `flate` | DEFLATE itself, both ways |
//! | `brotli`, `zstd` | codings that are decoded and stored: an encoder that compresses is as large as the rest of the module |
//!
//! Another coding is one more variant of [`Coding`] and of `Engine`, one more file beside `gzip`, and one more name in
//! `header`. This module refuses to know what the bytes mean; its errors and its `Debug` never contain any.

mod brotli;
mod deflate;
mod flate;
mod gzip;
mod header;
mod zstd;

pub use header::{Wanted, narrow_accept_encoding};

/// Effort levels that [`Coding::encode_within`] tries, in this order: on JSON in V8 at 0.28, 0.11 and 0.06 GB/s, for 17.7, 13.9 and
/// 13.9 per cent of the size.
const EFFORTS: [u8; 3] = [2, 6, 9];

/// A content coding that can be decoded and made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Coding {
    /// No coding.
    Identity,
    /// gzip (RFC 1952), any number of members.
    Gzip,
    /// deflate: zlib (RFC 1950) or, as some senders do, raw (RFC 1951).
    Deflate,
    /// br (RFC 7932). Made without compression.
    Brotli,
    /// zstd (RFC 8878). Made without compression.
    Zstd,
}

/// Why a body could not be decoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DecodeError {
    /// The bytes are not of the coding, or end too early, or have something behind the end.
    Corrupt,
    /// More than the cap's bytes came out.
    OverCap,
    /// gzip or deflate: more than [`Decoder::FREE_BLOCKS`], and not enough bytes in them.
    TooManyBlocks,
}

impl std::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            DecodeError::Corrupt => f.write_str("the body does not decode under its content coding"),
            DecodeError::OverCap => f.write_str("the decoded body is longer than its cap"),
            DecodeError::TooManyBlocks => {
                let (free, plain, coded) = (Decoder::FREE_BLOCKS, Decoder::PLAIN_BYTES_PER_BLOCK, Decoder::CODED_BYTES_PER_BLOCK);
                write!(
                    f,
                    "the body has more than {free} deflate blocks, with less than {plain} bytes in each or {coded} compressed"
                )
            }
        }
    }
}

impl std::error::Error for DecodeError {}

impl Coding {
    /// Reads the values of all `content-encoding` headers joined with commas; `None` where one of them cannot be decoded here,
    /// or more than one is named. `identity` entries and empty ones count for nothing; an empty value is [`Coding::Identity`].
    pub fn from_header(value: &[u8]) -> Option<Coding> {
        header::content_coding(value)
    }

    /// Its name in `content-encoding`; for identity, which never stands there, `identity`.
    pub fn name(self) -> &'static str {
        match self {
            Coding::Identity => "identity",
            Coding::Gzip => "gzip",
            Coding::Deflate => "deflate",
            Coding::Brotli => "br",
            Coding::Zstd => "zstd",
        }
    }

    /// Does [`Coding::encode`] make bodies smaller? br and zstd have a form for bodies as they are, and that is all that is made.
    pub fn compresses(self) -> bool {
        matches!(self, Coding::Gzip | Coding::Deflate)
    }

    /// Encodes a whole body. Effort 0 (stored) to 9, as gzip's levels; higher ones count as 9.
    ///
    /// The same body and level give the same bytes: the gzip header carries no time and no name.
    pub fn encode(self, body: &[u8], level: u8) -> Vec<u8> {
        let mut room = most_encoded_bytes(body);
        // The bound is enough, so this loops once.
        loop {
            match self.encode_bounded(body, level, room) {
                Some(encoded) => return encoded,
                None => room = room.saturating_mul(2),
            }
        }
    }

    /// Encodes a whole body into at most `max_len` bytes: fast first, then with more effort; `None` where it does not fit.
    pub fn encode_within(self, body: &[u8], max_len: usize) -> Option<Vec<u8>> {
        match self {
            Coding::Identity | Coding::Brotli | Coding::Zstd => self.encode_bounded(body, 0, max_len),
            Coding::Gzip | Coding::Deflate => {
                let room = max_len.min(most_encoded_bytes(body));
                EFFORTS.iter().find_map(|level| self.encode_bounded(body, *level, room))
            }
        }
    }

    /// One attempt; stops as soon as it is clear that `max_len` bytes are not enough.
    fn encode_bounded(self, body: &[u8], level: u8, max_len: usize) -> Option<Vec<u8>> {
        match self {
            Coding::Brotli => Some(brotli::stored(body)).filter(|stored| stored.len() <= max_len),
            Coding::Zstd => Some(zstd::stored(body)).filter(|stored| stored.len() <= max_len),
            Coding::Identity => (body.len() <= max_len).then(|| body.to_vec()),
            Coding::Deflate => flate::compress_into(Vec::new(), body, true, level, max_len),
            Coding::Gzip => {
                let payload_len = max_len.checked_sub(gzip::TRAILER_BYTES)?;
                let mut out = flate::compress_into(gzip::PLAIN_HEADER.to_vec(), body, false, level, payload_len)?;
                out.extend_from_slice(&gzip::trailer(body));
                Some(out)
            }
        }
    }
}

/// More bytes than any coding of `body` takes at any level, in a gzip frame.
fn most_encoded_bytes(body: &[u8]) -> usize {
    flate::most_bytes(body.len()).saturating_add(gzip::PLAIN_HEADER.len()).saturating_add(gzip::TRAILER_BYTES)
}

/// Decodes one body, chunk by chunk.
///
/// Memory: under gzip and deflate [`Decoder::MEMORY_BYTES`] on the heap (48 KiB), whatever the input; none under identity; under br
/// and zstd what the window needs that the input asks for, at most [`Decoder::MAX_WINDOW_BYTES`], and some 500 KiB. Nothing of the
/// input is kept but what it may still refer to.
///
/// An empty body is legal under every coding: it is what `HEAD` answers have. gzip members may be followed by zero bytes, as
/// gzip(1) allows for padded files; anything else behind the end is [`DecodeError::Corrupt`].
#[derive(Debug)]
pub struct Decoder {
    engine: Engine,
    output: Output,
    failed: Option<DecodeError>,
}

/// One way of decoding per coding.
#[derive(Debug)]
enum Engine {
    Identity,
    Gzip(gzip::Gzip),
    Deflate(deflate::Deflate),
    Brotli(brotli::Brotli),
    Zstd(Box<zstd::Zstd>),
}

/// Counts what comes out and stops at the cap.
#[derive(Debug)]
struct Output {
    cap: u64,
    total: u64,
}

impl Output {
    /// Most bytes worth making next: what is left below the cap and one more, which shows that there is more.
    fn room(&self) -> usize {
        let left = self.cap.saturating_sub(self.total).saturating_add(1);
        usize::try_from(left).unwrap_or(usize::MAX)
    }

    /// Hands `bytes` on, up to the cap.
    fn give(&mut self, bytes: &[u8], sink: &mut dyn FnMut(&[u8])) -> Result<(), DecodeError> {
        let left = usize::try_from(self.cap.saturating_sub(self.total)).unwrap_or(usize::MAX);
        let (fits, over) = bytes.split_at_checked(left).unwrap_or((bytes, &[]));
        self.total = self.total.saturating_add(fits.len() as u64);
        if !fits.is_empty() {
            sink(fits);
        }
        if over.is_empty() { Ok(()) } else { Err(DecodeError::OverCap) }
    }
}

impl Decoder {
    /// Lets the decoder give `cap` bytes in all, where that is more than it may give already.
    pub fn raise_cap(&mut self, cap: u64) {
        self.output.cap = self.output.cap.max(cap);
    }

    /// What a decoder of gzip or deflate holds on the heap, in bytes.
    pub const MEMORY_BYTES: usize = flate::MEMORY_BYTES;

    /// Blocks that a body of gzip or deflate may have, however little comes out of them; its members' blocks count together.
    pub const FREE_BLOCKS: u64 = flate::FREE_BLOCKS;

    /// For each so many bytes that come out, it may have one block more.
    pub const PLAIN_BYTES_PER_BLOCK: u64 = flate::PLAIN_BYTES_PER_BLOCK;

    /// And no more than one for each so many bytes that go in.
    pub const CODED_BYTES_PER_BLOCK: u64 = flate::CODED_BYTES_PER_BLOCK;

    /// Most that a decoder holds on the heap for its window, in bytes: that of zstd. br has a window of 16 MiB.
    pub const MAX_WINDOW_BYTES: usize = zstd::MAX_HEAP_BYTES;

    /// A decoder that gives at most `cap` bytes.
    pub fn new(coding: Coding, cap: u64) -> Decoder {
        let engine = match coding {
            Coding::Identity => Engine::Identity,
            Coding::Gzip => Engine::Gzip(gzip::Gzip::new()),
            Coding::Deflate => Engine::Deflate(deflate::Deflate::new()),
            Coding::Brotli => Engine::Brotli(brotli::Brotli::new()),
            Coding::Zstd => Engine::Zstd(Box::new(zstd::Zstd::new())),
        };
        Decoder { engine, output: Output { cap, total: 0 }, failed: None }
    }

    /// Decodes the next chunk; `sink` gets the plain bytes as they come, in pieces.
    ///
    /// Exactly `cap` bytes come out before [`DecodeError::OverCap`], and no more than one byte is decoded past them.
    ///
    /// # Errors
    /// See [`DecodeError`]; what comes out before the error is given, the same in every cut. A decoder that has failed says the
    /// same again and gives nothing.
    pub fn feed(&mut self, chunk: &[u8], sink: &mut dyn FnMut(&[u8])) -> Result<(), DecodeError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let fed = match &mut self.engine {
            Engine::Identity => self.output.give(chunk, sink),
            Engine::Gzip(gzip) => gzip.feed(chunk, &mut self.output, sink),
            Engine::Deflate(deflate) => deflate.feed(chunk, &mut self.output, sink),
            Engine::Brotli(brotli) => brotli.feed(chunk, &mut self.output, sink),
            Engine::Zstd(zstd) => zstd.feed(chunk, &mut self.output, sink),
        };
        self.failed = fed.err();
        fed
    }

    /// Ends the body.
    ///
    /// # Errors
    /// [`DecodeError::Corrupt`] where the coding says that more must come; what [`Decoder::feed`] said where it failed.
    pub fn finish(&mut self) -> Result<(), DecodeError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let complete = match &self.engine {
            Engine::Identity => true,
            Engine::Gzip(gzip) => gzip.may_end(),
            Engine::Deflate(deflate) => deflate.may_end(),
            Engine::Brotli(brotli) => brotli.may_end(),
            Engine::Zstd(zstd) => zstd.may_end(),
        };
        if complete { Ok(()) } else { Err(DecodeError::Corrupt) }
    }

    /// About what the window takes that the body's coding refers back into: it grows with the body, up to the coding's bound. 0 for
    /// codings whose memory is bounded by [`Decoder::MEMORY_BYTES`].
    pub fn window_bytes(&self) -> usize {
        let most = match &self.engine {
            Engine::Identity | Engine::Gzip(_) | Engine::Deflate(_) => 0,
            Engine::Brotli(_) => brotli::MAX_WINDOW_BYTES,
            Engine::Zstd(zstd) => zstd.heap_bytes(),
        };
        usize::try_from(self.output.total).unwrap_or(usize::MAX).saturating_mul(2).min(most)
    }

    /// Bytes that have come out so far.
    pub fn decoded_bytes(&self) -> u64 {
        self.output.total
    }
}

/// Decodes a whole body into at most `cap` bytes.
///
/// # Errors
/// See [`DecodeError`].
pub fn decode(coding: Coding, body: &[u8], cap: u64) -> Result<Vec<u8>, DecodeError> {
    let mut plain = Vec::new();
    let mut decoder = Decoder::new(coding, cap);
    decoder.feed(body, &mut |piece| plain.extend_from_slice(piece))?;
    decoder.finish()?;
    Ok(plain)
}
