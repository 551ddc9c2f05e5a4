//! gRPC's framing: one byte that says whether a message is compressed, four of its length, the message.
//! See <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>.

/// Bytes before each message.
pub const PREFIX_BYTES: usize = 5;

/// What stands before a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Prefix {
    /// The message is under the coding of the `grpc-encoding` header.
    pub compressed: bool,
    /// Bytes of the message.
    pub len: usize,
}

impl Prefix {
    /// Reads the prefix at the start of `bytes`; `None` while it is not all there.
    pub fn read(bytes: &[u8]) -> Option<Prefix> {
        let (prefix, _) = bytes.split_first_chunk::<PREFIX_BYTES>()?;
        let [flags, length @ ..] = prefix;
        Some(Prefix { compressed: flags & 1 != 0, len: usize::try_from(u32::from_be_bytes(*length)).ok()? })
    }

    /// Bytes of the prefix and the message together.
    pub fn frame_bytes(self) -> usize {
        self.len.saturating_add(PREFIX_BYTES)
    }
}
