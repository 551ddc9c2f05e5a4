//! The key at hand, as it reads when its escapes are decoded.

use super::MAX_KEY_BYTES;

/// A key that is being read.
#[derive(Clone, Default, Debug)]
pub(super) struct Key {
    /// Of at most [`MAX_KEY_BYTES`].
    text: Vec<u8>,
    /// There was more of it.
    too_long: bool,
    /// The first half of a surrogate pair.
    high: Option<u32>,
}

impl Key {
    /// Another key begins.
    pub(super) fn clear(&mut self) {
        self.text.clear();
        (self.too_long, self.high) = (false, None);
    }

    /// The key, if it is one that a path can name.
    pub(super) fn name(&self) -> Option<&[u8]> {
        (!self.too_long).then_some(self.text.as_slice())
    }

    /// A byte as it stands.
    pub(super) fn push(&mut self, byte: u8) {
        self.end_pair();
        self.append(&[byte]);
    }

    /// The byte behind a backslash, unless it is `u`.
    pub(super) fn push_escaped(&mut self, byte: u8) {
        self.push(match byte {
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            other => other,
        });
    }

    /// The UTF-16 unit of a `\uXXXX`. The first half of a pair waits for the second.
    pub(super) fn push_unit(&mut self, unit: u32) {
        let code = match self.high.take() {
            Some(high) if (0xDC00..0xE000).contains(&unit) => {
                0x1_0000_u32.wrapping_add((high & 0x3FF) << 10).wrapping_add(unit & 0x3FF)
            }
            alone => {
                self.high = alone;
                self.end_pair();
                unit
            }
        };
        if (0xD800..0xDC00).contains(&code) {
            self.high = Some(code);
            return;
        }
        let mut utf8 = [0; 4];
        let text = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER).encode_utf8(&mut utf8);
        self.append(text.as_bytes());
    }

    /// Half a pair, alone, is no character.
    fn end_pair(&mut self) {
        if self.high.take().is_some() {
            self.append("\u{FFFD}".as_bytes());
        }
    }

    fn append(&mut self, bytes: &[u8]) {
        self.too_long |= self.text.len().saturating_add(bytes.len()) > MAX_KEY_BYTES;
        if !self.too_long {
            self.text.extend_from_slice(bytes);
        }
    }
}
