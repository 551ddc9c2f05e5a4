//! Where a protobuf message has its strings, without knowing its schema.
//!
//! A string's neighbours in the message are a tag and a length, and either may look like a letter. So each string is found and given
//! by itself, and nobody mistakes a length for the first letter of a name.
//! See <https://protobuf.dev/programming-guides/encoding/>.

use std::ops::Range;

/// Deepest nesting that is followed; protobuf's own readers stop at 100.
const MAX_DEPTH: usize = 32;

/// The ranges of `message` to look at one by one: every length-delimited field that is no message itself. A message that does not
/// parse is one range.
pub fn texts(message: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    if fields(message, 0, MAX_DEPTH, &mut found) { found } else { std::iter::once(0..message.len()).collect() }
}

/// Appends the texts of the message `bytes`, which starts at `base`; `false`, with nothing appended, where it is no message.
fn fields(bytes: &[u8], base: usize, depth: usize, found: &mut Vec<Range<usize>>) -> bool {
    let before = found.len();
    let mut rest = bytes;
    while !rest.is_empty() {
        let Some(behind) = field(rest, base.saturating_add(bytes.len().saturating_sub(rest.len())), depth, found) else {
            found.truncate(before);
            return false;
        };
        rest = behind;
    }
    true
}

/// Reads one field at the start of `bytes`; what is behind it.
fn field<'a>(bytes: &'a [u8], base: usize, depth: usize, found: &mut Vec<Range<usize>>) -> Option<&'a [u8]> {
    let (tag, rest) = varint(bytes)?;
    if tag >> 3 == 0 || tag > u64::from(u32::MAX) {
        return None;
    }
    match tag & 7 {
        0 => varint(rest).map(|(_, behind)| behind),
        1 => rest.get(8..),
        5 => rest.get(4..),
        2 => {
            let (len, rest) = varint(rest)?;
            let (value, behind) = rest.split_at_checked(usize::try_from(len).ok()?)?;
            let start = base.checked_add(bytes.len().checked_sub(rest.len())?)?;
            let nested = !is_plain_text(value) && depth > 0 && fields(value, start, depth.saturating_sub(1), found);
            if !nested && !value.is_empty() {
                found.push(start..start.checked_add(value.len())?);
            }
            Some(behind)
        }
        _ => None,
    }
}

/// Text without any control character. A nested message nearly always has one: the tags of its first fields, or a short length.
fn is_plain_text(value: &[u8]) -> bool {
    std::str::from_utf8(value).is_ok_and(|text| !text.bytes().any(|byte| byte < b' '))
}

/// A base-128 number, and what is behind it.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    const MAX_LEN: usize = 10;
    let mut value = 0u64;
    for (index, byte) in bytes.iter().take(MAX_LEN).enumerate() {
        let shift = u32::try_from(index.checked_mul(7)?).ok()?;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(index.checked_add(1)?..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(message: &[u8]) -> Vec<String> {
        texts(message).into_iter().map(|range| String::from_utf8_lossy(&message[range]).into_owned()).collect()
    }

    #[test]
    fn strings_are_found_by_themselves_at_any_depth() {
        // 1: "ada@example.com", 2: 150, 3: { 1: "hi", 4: "deep" }, 5: fixed32
        let message = b"\x0a\x0fada@example.com\x10\x96\x01\x1a\x0a\x0a\x02hi\x22\x04deep\x2d\0\0\0\0";
        assert_eq!(shown(message), ["ada@example.com", "hi", "deep"]);
    }

    #[test]
    fn a_length_that_looks_like_a_letter_belongs_to_no_string() {
        let name = "a".repeat(50 - "@example.com".len()) + "@example.com";
        let inner = [b"\x0a\x32".as_slice(), name.as_bytes()].concat();
        assert_eq!(inner[1], b'2');
        let outer = [&[0x0a, u8::try_from(inner.len()).unwrap()], inner.as_slice()].concat();
        assert_eq!(shown(&outer), [name]);
    }

    #[test]
    fn what_is_no_message_is_one_text() {
        assert_eq!(shown(b"hello, world"), ["hello, world"]);
        assert_eq!(shown(b""), Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn any_bytes_give_sorted_ranges_within_them(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let ranges = texts(&bytes);
            prop_assert!(ranges.iter().all(|range| range.start < range.end && range.end <= bytes.len()));
            prop_assert!(ranges.windows(2).all(|pair| pair[0].end <= pair[1].start));
        }
    }
}
