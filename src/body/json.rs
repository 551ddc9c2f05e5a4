//! Where a JSON text has strings and where it has bare tokens, so that a masked number can become a string.

/// Walks a JSON text (or several, one after the other) in any cut.
#[derive(Clone, Debug, Default)]
pub struct JsonTracker {
    offset: u64,
}

impl JsonTracker {
    /// A tracker at the start of a text.
    pub fn new() -> JsonTracker {
        JsonTracker::default()
    }

    /// Walks on over `chunk`.
    pub fn feed(&mut self, chunk: &[u8]) {
        self.offset = self.offset.saturating_add(chunk.len() as u64);
    }

    /// Is the next byte inside a string (behind its opening quote, up to and with its closing one)?
    pub fn in_string(&self) -> bool {
        false
    }
}

/// How a range of a JSON text stands in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Position {
    /// Inside a string.
    InString,
    /// In a bare token (a number), which goes from `start` to `end`.
    Bare {
        /// First byte of the token.
        start: usize,
        /// One past its last byte.
        end: usize,
    },
}

/// How each of `ranges` (sorted, disjoint, within the text) stands in a JSON text, in one pass.
pub fn quote_positions(body: &[u8], ranges: &[(usize, usize)]) -> Vec<Position> {
    let _ = body;
    vec![Position::InString; ranges.len()]
}
