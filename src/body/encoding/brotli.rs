//! The `br` coding (RFC 7932), on the decoder of the crate `brotli-decompressor`.
//!
//! Windows are those of the RFC, up to 16 MiB; the "large window" extension is no `br` and is refused. The window is allocated as
//! the body grows into it.

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

use super::{DecodeError, Output};

/// Most bytes that a stream may refer back: the largest window of RFC 7932, section 9.1.
pub(super) const MAX_WINDOW_BYTES: usize = 1 << 24;

/// Most bytes of output in one piece.
const PIECE_BYTES: usize = 16 * 1024;

/// Most bytes of a stored meta-block here: what a length of four nibbles can say.
const STORED_BYTES: usize = 1 << 16;

/// A stream of `body` as it is: uncompressed meta-blocks (RFC 7932, sections 9.1 and 9.2).
pub(super) fn stored(body: &[u8]) -> Vec<u8> {
    // A meta-block's header: not the last, four nibbles of length less one, uncompressed. The first has the window before it.
    const UNCOMPRESSED: u32 = 1 << 19;
    /// The last meta-block, empty; behind the window, and alone.
    const EMPTY_STREAM: u8 = 0b110;
    const END: u8 = 0b11;
    if body.is_empty() {
        return vec![EMPTY_STREAM];
    }
    let mut out = Vec::with_capacity(body.len().saturating_add(body.len() >> 12).saturating_add(8));
    for (index, block) in body.chunks(STORED_BYTES).enumerate() {
        let length = u32::try_from(block.len().saturating_sub(1)).unwrap_or(0);
        let header = (length << 3 | UNCOMPRESSED) << u32::from(index == 0);
        out.extend(header.to_le_bytes().iter().take(3));
        out.extend_from_slice(block);
    }
    out.push(END);
    out
}

/// Decodes one stream.
pub(super) struct Brotli {
    state: Box<BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>>,
    piece: Box<[u8]>,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Start,
    Stream,
    Ended,
}

impl Brotli {
    pub(super) fn new() -> Brotli {
        let alloc = StandardAlloc::default;
        Brotli {
            state: Box::new(BrotliState::new_strict(alloc(), alloc(), alloc())),
            piece: vec![0; PIECE_BYTES].into_boxed_slice(),
            stage: Stage::Start,
        }
    }

    pub(super) fn feed(&mut self, chunk: &[u8], out: &mut Output, sink: &mut dyn FnMut(&[u8])) -> Result<(), DecodeError> {
        if chunk.is_empty() {
            return Ok(());
        }
        if self.stage == Stage::Start {
            self.stage = Stage::Stream;
        }
        let (mut left, mut at) = (chunk.len(), 0);
        while self.stage == Stage::Stream {
            let mut room = out.room().min(self.piece.len());
            let (mut made, mut total) = (0, 0);
            let result = BrotliDecompressStream(
                &mut left,
                &mut at,
                chunk,
                &mut room,
                &mut made,
                &mut self.piece,
                &mut total,
                &mut self.state,
            );
            out.give(self.piece.get(..made).unwrap_or_default(), sink)?;
            match result {
                BrotliResult::ResultSuccess => self.stage = Stage::Ended,
                BrotliResult::NeedsMoreInput => return Ok(()),
                BrotliResult::NeedsMoreOutput => {}
                BrotliResult::ResultFailure => return Err(DecodeError::Corrupt),
            }
        }
        if left == 0 { Ok(()) } else { Err(DecodeError::Corrupt) }
    }

    pub(super) fn may_end(&self) -> bool {
        self.stage != Stage::Stream
    }
}

// The state holds bytes of a body, so nothing of it is shown.
impl std::fmt::Debug for Brotli {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Brotli").field("stage", &self.stage).finish_non_exhaustive()
    }
}
