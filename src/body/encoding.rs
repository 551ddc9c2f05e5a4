//! Content codings: gzip and deflate, decoded as they arrive and bounded by a cap.

/// A content coding that can be decoded and made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Coding {
    /// No coding.
    Identity,
    /// gzip (RFC 1952), any number of members.
    Gzip,
    /// deflate: zlib (RFC 1950) or, as some senders do, raw (RFC 1951).
    Deflate,
}

/// Why a body could not be decoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DecodeError {
    /// The bytes are not of the coding, or end too early, or have something behind the end.
    Corrupt,
    /// More than the cap's bytes came out.
    OverCap,
}

impl Coding {
    /// Reads the values of all `content-encoding` headers joined with commas; `None` where one of them cannot be decoded here,
    /// or more than one is named.
    pub fn from_header(value: &[u8]) -> Option<Coding> {
        let _ = value;
        Some(Coding::Identity)
    }

    /// Encodes a whole body. Effort 0 to 10 as miniz_oxide's levels.
    pub fn encode(self, body: &[u8], level: u8) -> Vec<u8> {
        let _ = level;
        body.to_vec()
    }
}

impl Coding {
    /// Encodes a whole body into at most `max_len` bytes: fast where that fits, harder where it does not; `None` where nothing fits.
    pub fn encode_within(self, body: &[u8], max_len: usize) -> Option<Vec<u8>> {
        Some(self.encode(body, 6)).filter(|encoded| encoded.len() <= max_len)
    }
}

/// Decodes one body, chunk by chunk.
#[derive(Debug)]
pub struct Decoder {
    _coding: Coding,
}

impl Decoder {
    /// A decoder that gives at most `cap` bytes.
    pub fn new(coding: Coding, cap: u64) -> Decoder {
        let _ = cap;
        Decoder { _coding: coding }
    }

    /// Decodes the next chunk; `sink` gets the plain bytes as they come, in pieces of at most 32 KiB unless the coding is identity.
    ///
    /// # Errors
    /// See [`DecodeError`]; what came out before stays given, and the decoder must not be fed again.
    pub fn feed(&mut self, chunk: &[u8], sink: &mut dyn FnMut(&[u8])) -> Result<(), DecodeError> {
        sink(chunk);
        Ok(())
    }

    /// Ends the body.
    ///
    /// # Errors
    /// [`DecodeError::Corrupt`] where the coding says that more must come.
    pub fn finish(&mut self) -> Result<(), DecodeError> {
        Ok(())
    }
}

/// What an `accept-encoding` header must become so that only codings come back that can be decoded here; `None`: as it is.
///
/// Takes the values of all such headers joined with commas. Where nothing would be left, `identity`.
pub fn narrow_accept_encoding(value: &[u8]) -> Option<Vec<u8>> {
    let _ = value;
    None
}
