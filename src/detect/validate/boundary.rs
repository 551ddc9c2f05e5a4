//! What stands beside a match, with the escapes of JSON, URLs and terminals understood.
//!
//! A match is refused when it is a piece of something longer, so validators look at the byte before it. In `"a\nAKIA..."` that
//! byte is the `n` of an escape: it stands for a line end, and is no letter. The same holds for `%3D`, for `\u000a` and for the
//! `m` that ends a terminal colour.
//!
//! Any number of backslashes is taken for an escape. `\\n` in a JSON body can be a backslash and an `n`, or a line end in JSON
//! inside JSON, as logs have it. The second is what people have, and to take the first for it costs nothing.
//!
//! This module refuses to know kinds.

/// Bytes that an escape stands for; bytes above ASCII are all alike.
const NON_ASCII: u8 = 0x80;

/// The byte before a position, decoded where an escape ends there; `None` at the start of the body.
pub(crate) fn left(before: &[u8]) -> Option<u8> {
    let last = *before.last()?;
    // All escapes end with a letter or a digit, and begin at most six bytes before their end.
    if !last.is_ascii_alphanumeric() || (last != b'm' && !may_hold_escape::<6>(before)) {
        return Some(last);
    }
    if ends_with_colour(before) {
        return Some(0x1b);
    }
    escape(before).or(Some(last))
}

/// Where `wanted` stands first; eight bytes at once, since values are long and calls of a library are dear in the module.
pub(crate) fn find(bytes: &[u8], wanted: u8) -> Option<usize> {
    let (words, rest) = bytes.as_chunks();
    for (word, at) in words.iter().zip((0usize..).step_by(8)) {
        let zeros = zeros(u64::from_le_bytes(*word) ^ ONES.wrapping_mul(u64::from(wanted)));
        if zeros != 0 {
            return Some(at.wrapping_add(zeros.trailing_zeros() as usize / 8));
        }
    }
    let at = rest.iter().position(|byte| *byte == wanted)?;
    Some(bytes.len().wrapping_sub(rest.len()).wrapping_add(at))
}

/// Is there a `wanted` byte?
pub(crate) fn holds(bytes: &[u8], wanted: u8) -> bool {
    // No early end: it becomes vector instructions.
    bytes.iter().fold(false, |found, byte| found | (*byte == wanted))
}

/// A one in each byte.
const ONES: u64 = 0x0101_0101_0101_0101;

/// The highest bit of the first byte that is zero; the bits above may be wrong.
fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & ONES.wrapping_mul(0x80)
}

/// Could one of the last `N` bytes begin an escape?
fn may_hold_escape<const N: u32>(before: &[u8]) -> bool {
    match before.last_chunk() {
        Some(eight) => {
            let unwanted = 8u32.saturating_sub(N).saturating_mul(8);
            let near = u64::from_le_bytes(*eight) | !u64::MAX.wrapping_shl(unwanted);
            zeros(near ^ ONES.wrapping_mul(0x5c)) | zeros(near ^ ONES.wrapping_mul(0x25)) != 0
        }
        None => true,
    }
}

/// Is the byte before a position a letter or a digit?
pub(crate) fn alphanumeric_before(before: &[u8]) -> bool {
    left(before).is_some_and(|byte| byte.is_ascii_alphanumeric())
}

/// Do the bytes behind a position begin with a letter or a digit?
pub(crate) fn alphanumeric_after(after: &[u8]) -> bool {
    after.first().is_some_and(u8::is_ascii_alphanumeric)
}

/// What is behind the first `len` bytes of a match: the rest of the match, or else what follows it.
pub(crate) fn behind<'a>(value: &'a [u8], after: &'a [u8], len: usize) -> &'a [u8] {
    match value.get(len..) {
        Some(rest) if !rest.is_empty() => rest,
        _ => after,
    }
}

/// Does a position stand in the middle of an escape, so that its byte is not what it looks like?
pub(crate) fn inside_escape(before: &[u8], here: &[u8]) -> bool {
    if before.last().is_some_and(|byte| *byte == b'[' || of_colour(*byte)) && goes_on_a_colour(before, here) {
        return true;
    }
    if !may_hold_escape::<5>(before) {
        return false;
    }
    let hexadecimal = |digits: &[&u8]| digits.iter().all(|byte| byte.is_ascii_hexdigit());
    // What is no escape of one sort may be one of another: `\u%41` holds one.
    match (before, here) {
        ([.., b'\\'], [b'n' | b'r' | b't' | b'b' | b'f', ..]) => true,
        ([.., b'\\'], [b'u', a, b, c, d, ..])
        | ([.., b'\\', b'u'], [a, b, c, d, ..])
        | ([.., b'\\', b'u', a], [b, c, d, ..])
        | ([.., b'\\', b'u', a, b], [c, d, ..])
        | ([.., b'\\', b'u', a, b, c], [d, ..])
            if hexadecimal(&[a, b, c, d]) =>
        {
            true
        }
        ([.., b'\\'], [b'x', a, b, ..])
        | ([.., b'\\', b'x'], [a, b, ..])
        | ([.., b'\\', b'x', a], [b, ..])
        | ([.., b'%'], [a, b, ..])
        | ([.., b'%', a], [b, ..])
            if hexadecimal(&[a, b]) =>
        {
            true
        }
        _ => false,
    }
}

/// Do the rest of a colour's digits and its `m` stand here?
fn goes_on_a_colour(before: &[u8], here: &[u8]) -> bool {
    let digits = here.iter().take_while(|byte| of_colour(**byte)).count();
    here.get(digits) == Some(&b'm') && opens_colour(before)
}

/// What the escape stands for that ends here, if one does.
fn escape(before: &[u8]) -> Option<u8> {
    match before {
        [.., b'\\', b'n'] => Some(b'\n'),
        [.., b'\\', b'r'] => Some(b'\r'),
        [.., b'\\', b't'] => Some(b'\t'),
        [.., b'\\', b'b'] => Some(8),
        [.., b'\\', b'f'] => Some(12),
        [.., b'\\', b'u', a, b, c, d] => {
            let (high, low) = (hex(*a, *b)?, hex(*c, *d)?);
            Some(if high == 0 { low } else { NON_ASCII })
        }
        [.., b'\\', b'x', a, b] | [.., b'%', a, b] => hex(*a, *b),
        _ => None,
    }
}

/// The byte that two hexadecimal digits stand for.
pub(crate) fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    digit(high)?.checked_mul(16)?.checked_add(digit(low)?)
}

/// Does a terminal colour end here: ESC, `[`, digits and semicolons, `m`; ESC raw or as `\u001b`, `\x1b`, `\033`, `\e`?
fn ends_with_colour(before: &[u8]) -> bool {
    before.strip_suffix(b"m").is_some_and(opens_colour)
}

/// The same but for the `m`.
fn opens_colour(before: &[u8]) -> bool {
    let digits = before.iter().rev().take_while(|byte| of_colour(**byte)).count();
    let escape = before.get(..before.len().saturating_sub(digits)).and_then(|escape| escape.strip_suffix(b"["));
    matches!(
        escape,
        Some(
            [.., 0x1b]
                | [.., b'0', b'0', b'1', b'b' | b'B']
                | [.., b'x', b'1', b'b' | b'B']
                | [.., b'0', b'3', b'3']
                | [.., b'\\', b'e']
        )
    )
}

fn of_colour(byte: u8) -> bool {
    byte.is_ascii_digit() || byte == b';'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escape_before_a_position_counts_as_the_byte_it_stands_for() {
        let rows: [(&[u8], Option<u8>); 17] = [
            (b"", None),
            (b"a", Some(b'a')),
            (br"\n", Some(b'\n')),
            (br"\\n", Some(b'\n')),
            (br"\r\n", Some(b'\n')),
            (br"\f", Some(12)),
            (br"\q", Some(b'q')),
            (br"\u000a", Some(b'\n')),
            (br"\u0041", Some(b'A')),
            (br"\u00e9", Some(0xe9)),
            (br"\u20ac", Some(NON_ASCII)),
            (br"\u00g0", Some(b'0')),
            (b"%3D", Some(b'=')),
            (b"%41", Some(b'A')),
            (b"%zD", Some(b'D')),
            (b"\x1b[1;31m", Some(0x1b)),
            (br"\u001b[0m", Some(0x1b)),
        ];
        for (before, wanted) in rows {
            assert_eq!(left(before), wanted, "{:?}", before.escape_ascii().to_string());
        }
    }

    #[test]
    fn a_byte_is_found_where_it_stands_first() {
        for len in 0..40usize {
            for at in 0..len {
                let mut bytes = vec![b'-'; len];
                bytes[at..].fill(b'.');
                assert_eq!((find(&bytes, b'.'), find(&bytes[..at], b'.')), (Some(at), None));
                assert!(holds(&bytes, b'.') && !holds(&bytes[..at], b'.'));
            }
        }
    }

    #[test]
    fn a_position_inside_an_escape_is_known_as_such() {
        let text = br"x\u0020%20\x20\ty";
        let inside: Vec<usize> = (0..text.len()).filter(|at| inside_escape(&text[..*at], &text[*at..])).collect();
        assert_eq!(inside, [2, 3, 4, 5, 6, 8, 9, 11, 12, 13, 15]);
        for (before, here) in
            [("level \x1b[", "31mx"), ("level \x1b[1;", "31mx"), (r"level \u001b[3", "1mx"), ("level \x1b[1", "mx")]
        {
            assert!(inside_escape(before.as_bytes(), here.as_bytes()), "{before:?}");
        }
        assert!(!inside_escape(b"a[", b"31mx"));
        assert!(!inside_escape(b"100%", b"us@x.com"));
        assert!(!inside_escape(br"\", b"user@x.com"));
    }

    #[test]
    fn an_escape_is_known_behind_the_beginning_of_another_and_more_bytes_change_nothing() {
        for text in [r"\u%41111", r"\u4%41111", r"\u41%41111", r"\x%41111", r"\%41111"] {
            let percent = text.find('%').unwrap();
            for at in [percent + 1, percent + 2] {
                for end in percent + 3..=text.len() {
                    assert!(inside_escape(&text.as_bytes()[..at], &text.as_bytes()[at..end]), "{text} {at} {end}");
                }
            }
        }
    }
}
