//! The body of a PEM block, unit by unit, as JSON, URLs and HTML write it.
//!
//! It refuses to know what the units add up to.

use super::boundary::hex;

/// A piece of a body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unit {
    /// A character of base64.
    Letter(u8),
    /// A line end or a space.
    Break,
    /// Anything else.
    Other,
}

/// The first unit of `text` and its bytes; `None` at the end.
pub(super) fn first(text: &[u8]) -> Option<(Unit, usize)> {
    Some(match text {
        [] => return None,
        [b'\\', ..] => {
            let slashes = text.iter().take_while(|byte| **byte == b'\\').count();
            let (unit, length) = match text.get(slashes..).unwrap_or_default() {
                [b'n' | b'r' | b't', ..] => (Unit::Break, 1),
                [b'/', ..] => (Unit::Letter(b'/'), 1),
                [b'u', b'0', b'0', high, low, ..] => (of(hex(*high, *low)), 5),
                _ => (Unit::Other, 0),
            };
            (unit, slashes.saturating_add(length))
        }
        [b'%', high, low, ..] if hex(*high, *low).is_some() => (of(hex(*high, *low)), 3),
        [b'&', b'#', b'1', b'0' | b'3', b';', ..] => (Unit::Break, 5),
        [b'&', b'#', b'x' | b'X', b'a' | b'A' | b'd' | b'D', b';', ..] => (Unit::Break, 5),
        [b'&', b'#', b'x' | b'X', b'0', b'a' | b'A' | b'd' | b'D', b';', ..] => (Unit::Break, 6),
        [byte, ..] => (of(Some(*byte)), 1),
    })
}

fn of(byte: Option<u8>) -> Unit {
    match byte {
        Some(byte) if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=') => Unit::Letter(byte),
        Some(b'\n' | b'\r' | b'\t' | b' ') => Unit::Break,
        _ => Unit::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_line_end_is_one_break() {
        for text in
            ["\n", "\r", "\t", " ", r"\n", r"\\n", r"\\\\r", "%0A", "%0d", "%20", "&#10;", "&#13;", "&#xA;", "&#x0d;", r"\u000a"]
        {
            assert_eq!(first(text.as_bytes()), Some((Unit::Break, text.len())), "{text}");
        }
    }

    #[test]
    fn escaped_letters_of_base64_are_letters() {
        for (text, letter) in [("A", b'A'), (r"\/", b'/'), ("%2B", b'+'), ("%2f", b'/'), ("%3D", b'='), (r"\u002b", b'+')] {
            assert_eq!(first(text.as_bytes()), Some((Unit::Letter(letter), text.len())), "{text}");
        }
        for text in ["-", ":", ".", "&", "%", r"\", "%2", "%2C"] {
            assert_eq!(first(text.as_bytes()), Some((Unit::Other, text.len().min(if text == "%2" { 1 } else { 3 }))), "{text}");
        }
    }
}
