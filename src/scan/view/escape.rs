//! Escapes of JSON, URLs, HTML and XML that stand for a character of a value: where one begins, how long it is, what it is.
//!
//! Taken are a space and all that ASCII prints but `" \ % { } [ ]`: values are made of the rest, documents of quotes and brackets,
//! and escapes of `\` and `%`. Those are left as they are written: validators know how `%22` or `\n` look beside a value. An escape
//! is read once, from left to right; what it stands for begins no other.

use crate::scan::block::{self, BLOCK, Block};

/// Most bytes of an escape: `&#0000064;`.
pub(in crate::scan) const ESCAPE_MAX: usize = 10;
/// Most backslashes of one: JSON in JSON in JSON doubles them each time.
pub(in crate::scan) const BACKSLASHES: usize = 4;
/// What every escape begins with behind all but the last of its backslashes: fingerprints, as what may stand at each of three places.
pub(in crate::scan) const PRINTS: [[&[u8]; 3]; 9] = [
    [b"\\", b"u", b"0"],
    [b"%", b"234567", b"0123456789abcdefABCDEF"],
    [b"&", b"#", b"0123456789xX"],
    [b"&", b"n", b"b"],
    [b"&", b"p", b"l"],
    [b"&", b"a", b"p"],
    [b"&", b"c", b"o"],
    [b"&", b"p", b"e"],
    [b"&", b"l", b"o"],
];
/// Bytes that are looked at one by one before whole blocks are.
const NEAR: usize = 8;
/// No-break space in Latin-1, taken for a space.
const NO_BREAK_SPACE: u32 = 0xa0;

/// Names of HTML for what may stand in a value.
const NAMES: [(&[u8], u8); 6] =
    [(b"&nbsp;", b' '), (b"&plus;", b'+'), (b"&apos;", b'\''), (b"&commat;", b'@'), (b"&period;", b'.'), (b"&lowbar;", b'_')];

/// What the bytes at a position are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::scan) enum Parsed {
    /// An escape of `len` bytes that stands for `byte`.
    Escape { len: usize, byte: u8 },
    /// All that is known may be the beginning of an escape.
    Partial,
    /// No escape.
    No,
}

/// Does an escape begin with this byte?
pub(in crate::scan) fn begins(byte: &u8) -> bool {
    matches!(byte, b'\\' | b'%' | b'&')
}

/// Where the escape begins whose fingerprint, of [`PRINTS`], ends at `at`, and what it is: one that begins at `from` or behind it, and is
/// one or may become one where `bytes` end. `last` is the byte before `bytes`.
pub(in crate::scan) fn ending(bytes: &[u8], from: usize, at: usize, last: u8) -> Option<(usize, Parsed)> {
    let mut start = at.checked_sub(2)?;
    let byte = |at: usize| at.checked_sub(1).map_or(Some(last), |before| bytes.get(before).copied());
    if bytes.get(start) == Some(&b'\\') {
        let longest = start.saturating_sub(BACKSLASHES);
        while start > longest && byte(start) == Some(b'\\') {
            start = start.saturating_sub(1);
        }
        // More of them are no escape.
        if byte(start) == Some(b'\\') {
            return None;
        }
    }
    let parsed = parse(bytes.get(start..).unwrap_or_default());
    (start >= from && parsed != Parsed::No).then_some((start, parsed))
}

/// What may become an escape at the end of `bytes`, from `from` on.
pub(in crate::scan) fn begun(bytes: &[u8], from: usize, last: u8) -> Option<(usize, Parsed)> {
    let from = from.max(bytes.len().saturating_sub(ESCAPE_MAX));
    if !bytes.get(from..).is_some_and(|end| end.iter().any(begins)) {
        return None;
    }
    find(bytes, from, bytes.len(), last)
}

/// The first position in `from..to` at which an escape begins, or may begin where `bytes` end; `last` is the byte before them.
pub(super) fn find(bytes: &[u8], from: usize, to: usize, last: u8) -> Option<(usize, Parsed)> {
    let rest = bytes.get(from..to).unwrap_or_default();
    // Where there is one, there is another.
    let (near, rest) = rest.split_at_checked(NEAR).unwrap_or((rest, &[]));
    let mask = near.iter().rev().fold(0, |mask, byte| mask << 1 | u64::from(begins(byte)));
    if let Some(found) = first(bytes, from, mask, last) {
        return Some(found);
    }
    let from = from.saturating_add(near.len());
    let (blocks, edge) = rest.as_chunks();
    let (pairs, single) = blocks.as_chunks();
    let look = |at: usize, block: &Block| {
        let base = from.wrapping_add(at.wrapping_mul(BLOCK));
        first(bytes, base, block::escapes(block), last)
    };
    // Two blocks are asked at once, which is quicker.
    for (index, [a, b]) in pairs.iter().enumerate() {
        if block::may_escape(a, b) {
            let at = index.wrapping_mul(2);
            if let Some(found) = look(at, a).or_else(|| look(at.wrapping_add(1), b)) {
                return Some(found);
            }
        }
    }
    if let Some(found) = single.first().and_then(|block| look(pairs.len().wrapping_mul(2), block)) {
        return Some(found);
    }
    if edge.is_empty() {
        return None;
    }
    first(bytes, to.saturating_sub(edge.len()), block::escapes(&block::padded(edge)), last)
}

/// The first of the marked positions, the lowest bit standing for `base`, at which an escape begins.
#[inline]
fn first(bytes: &[u8], base: usize, mut mask: u64, last: u8) -> Option<(usize, Parsed)> {
    loop {
        let at = base.wrapping_add(mask.trailing_zeros() as usize);
        mask &= mask.checked_sub(1)?;
        let before = at.checked_sub(1).map_or(Some(last), |before| bytes.get(before).copied());
        let here = bytes.get(at..).unwrap_or_default();
        // A run of backslashes is read at its first.
        if here.first() == Some(&b'\\') && before == Some(b'\\') {
            continue;
        }
        let parsed = parse(here);
        if parsed != Parsed::No {
            return Some((at, parsed));
        }
    }
}

/// What `bytes` begin with. Before a backslash must stand none.
#[inline]
pub(in crate::scan) fn parse(bytes: &[u8]) -> Parsed {
    match bytes {
        // Most of what looks like one is seen to be none at a glance.
        [b'%', high, ..] if !matches!(high, b'2'..=b'7') => Parsed::No,
        [b'\\', next, ..] if !matches!(next, b'u' | b'\\') => Parsed::No,
        [b'&', a, b, ..]
            if !matches!([a, b], [b'#', _] | [b'n', b'b'] | [b'p', b'l' | b'e'] | [b'a', b'p'] | [b'c', b'o'] | [b'l', b'o']) =>
        {
            Parsed::No
        }
        [b'%', hex @ ..] => hexadecimal(1, hex),
        [b'\\', ..] => unicode(bytes),
        [b'&', b'#', number @ ..] => numeric(number),
        [b'&', ..] => named(bytes),
        _ => Parsed::No,
    }
}

/// The length of the escape that `bytes` begin with, and what it stands for, if that may stand in a value.
pub(crate) fn escape_at(bytes: &[u8]) -> Option<(usize, u8)> {
    match parse(bytes) {
        Parsed::Escape { len, byte } => Some((len, byte)),
        Parsed::Partial | Parsed::No => None,
    }
}

/// The bytes that a value stands for: escapes of characters of values decoded, all else as it is written.
pub(crate) fn as_it_reads(value: &[u8]) -> impl Iterator<Item = u8> {
    let mut rest = value;
    std::iter::from_fn(move || {
        let (len, byte) = match escape_at(rest) {
            Some(escape) => escape,
            None => (1, *rest.first()?),
        };
        rest = rest.get(len..)?;
        Some(byte)
    })
}

/// What a value stands for, if it holds what may be an escape.
pub(in crate::scan) fn decoded(value: &[u8]) -> Option<Vec<u8>> {
    value.iter().any(begins).then(|| as_it_reads(value).collect())
}

/// The escape whose two last digits are the first of `hex`, `before` bytes from its start.
fn hexadecimal(before: usize, hex: &[u8]) -> Parsed {
    let mut code = 0u32;
    for index in 0..2 {
        let Some(digit) = hex.get(index) else { return Parsed::Partial };
        let Some(digit) = char::from(*digit).to_digit(16) else { return Parsed::No };
        code = code.wrapping_mul(16).wrapping_add(digit);
    }
    // `%A0` is a part of a character in UTF-8, `\u00a0` is one.
    if code > 127 && before == 1 { Parsed::No } else { taken(before.saturating_add(2), code) }
}

/// `\u0041`, with up to [`BACKSLASHES`].
fn unicode(bytes: &[u8]) -> Parsed {
    let run = bytes.iter().take(BACKSLASHES.saturating_add(1)).take_while(|byte| **byte == b'\\').count();
    let rest = bytes.get(run..).unwrap_or_default();
    match rest.strip_prefix(b"u00") {
        _ if run > BACKSLASHES => Parsed::No,
        Some(hex) => hexadecimal(run.saturating_add(3), hex),
        None if b"u00".starts_with(rest) => Parsed::Partial,
        None => Parsed::No,
    }
}

/// `64;` or `x40;` behind `&#`.
fn numeric(number: &[u8]) -> Parsed {
    let (radix, before, digits) = match number {
        [b'x' | b'X', digits @ ..] => (16, 3usize, digits),
        digits => (10, 2, digits),
    };
    let mut code = 0u32;
    for index in 0..ESCAPE_MAX.saturating_sub(before) {
        let Some(byte) = digits.get(index) else { return Parsed::Partial };
        match char::from(*byte).to_digit(radix) {
            Some(digit) => code = code.saturating_mul(radix).saturating_add(digit),
            None if *byte == b';' && index > 0 => return taken(before.saturating_add(index).saturating_add(1), code),
            None => return Parsed::No,
        }
    }
    Parsed::No
}

fn named(bytes: &[u8]) -> Parsed {
    for (name, byte) in NAMES {
        if bytes.starts_with(name) {
            return Parsed::Escape { len: name.len(), byte };
        }
        if name.starts_with(bytes) {
            return Parsed::Partial;
        }
    }
    Parsed::No
}

/// An escape of `len` bytes, if what it stands for may stand in a value.
fn taken(len: usize, code: u32) -> Parsed {
    match u8::try_from(code) {
        Ok(byte) if matches!(byte, b' '..=b'~') && !b"\"\\%{}[]".contains(&byte) => Parsed::Escape { len, byte },
        _ if code == NO_BREAK_SPACE => Parsed::Escape { len, byte: b' ' },
        _ => Parsed::No,
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_what_stands_in_values_are_read_and_no_others() {
        let rows: [(&str, Option<u8>); 39] = [
            ("%41", Some(b'A')),
            ("%5f", Some(b'_')),
            ("%20", Some(b' ')),
            ("%3D", Some(b'=')),
            ("%2f", Some(b'/')),
            ("%22", None),
            ("%25", None),
            ("%5C", None),
            ("%5B", None),
            ("%7d", None),
            ("%7F", None),
            (r"\u003c", Some(b'<')),
            (r"\u005c", None),
            ("%B4", None),
            ("%A0", None),
            ("%4g", None),
            (r"\u0041", Some(b'A')),
            (r"\\u002B", Some(b'+')),
            (r"\\\\u002B", Some(b'+')),
            (r"\\\\\u002B", None),
            (r"\u00a0", Some(b' ')),
            (r"\u0022", None),
            (r"\u000a", None),
            (r"\u0141", None),
            (r"\n", None),
            (r"\/", None),
            ("&#64;", Some(b'@')),
            ("&#0000064;", Some(b'@')),
            ("&#00000064;", None),
            ("&#x40;", Some(b'@')),
            ("&#X040;", Some(b'@')),
            ("&#160;", Some(b' ')),
            ("&#;", None),
            ("&#x;", None),
            ("&#320;", None),
            ("&commat;", Some(b'@')),
            ("&lowbar;", Some(b'_')),
            ("&amp;", None),
            ("&nbsp;", Some(b' ')),
        ];
        for (text, wanted) in rows {
            let whole = format!("{text}12345678901");
            let parsed = parse(whole.as_bytes());
            let wanted = wanted.map_or(Parsed::No, |byte| Parsed::Escape { len: text.len(), byte });
            assert_eq!(parsed, wanted, "{text}");
            for cut in 1..whole.len() {
                let early = parse(&whole.as_bytes()[..cut]);
                assert!(early == parsed || early == Parsed::Partial && cut < ESCAPE_MAX, "{text} cut at {cut}");
            }
        }
    }

    #[test]
    fn an_escape_is_found_wherever_it_stands() {
        for at in 0..200 {
            let mut text = vec![b'&'; 210];
            text.splice(at..at, *b"%41");
            assert_eq!(find(&text, 0, text.len(), 0), Some((at, Parsed::Escape { len: 3, byte: b'A' })));
            assert_eq!(find(&text, at + 1, 210, 0), None);
        }
    }
}
