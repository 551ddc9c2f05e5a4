//! The `deflate` coding: a zlib stream (RFC 1950), or a raw one (RFC 1951) as some senders have it.
//!
//! The low four bits of the first byte tell them apart. In zlib they are the method, 8. In raw DEFLATE, 8 would be a stored
//! block whose padding is not zero, which no encoder writes; so 8 means zlib, and then header and checksum must hold.

use super::flate::{Inflate, Next};
use super::{DecodeError, Output};

/// Decodes one zlib or raw stream.
#[derive(Debug)]
pub(super) struct Deflate {
    inflate: Inflate,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Start,
    Stream,
    Ended,
}

impl Deflate {
    pub(super) fn new() -> Deflate {
        Deflate { inflate: Inflate::new(), stage: Stage::Start }
    }

    pub(super) fn feed(&mut self, chunk: &[u8], out: &mut Output, sink: &mut dyn FnMut(&[u8])) -> Result<(), DecodeError> {
        let Some(first) = chunk.first() else { return Ok(()) };
        if self.stage == Stage::Start {
            self.inflate.start(first & 0x0f == 8);
            self.stage = Stage::Stream;
        }
        let mut rest = chunk;
        while self.stage == Stage::Stream {
            let step = self.inflate.step(rest, out.room());
            rest = rest.get(step.consumed..).unwrap_or_default();
            let next = step.next;
            out.give(step.output, sink)?;
            match next {
                Next::Again => {}
                Next::Corrupt => return Err(DecodeError::Corrupt),
                Next::TooManyBlocks => return Err(DecodeError::TooManyBlocks),
                Next::Feed => return Ok(()),
                Next::Ended => self.stage = Stage::Ended,
            }
        }
        if rest.is_empty() { Ok(()) } else { Err(DecodeError::Corrupt) }
    }

    pub(super) fn may_end(&self) -> bool {
        self.stage != Stage::Stream
    }
}
