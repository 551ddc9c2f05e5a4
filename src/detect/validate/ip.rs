//! Addresses that are routed in the Internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{boundary, id};
use crate::detect::Candidate;
use crate::detect::near::starts_word;

/// No letter or digit, no point, and no slash behind a word: `Chrome/120.0.1.2` is a version.
pub(crate) fn v4_may_start(before: &[u8], here: &[u8]) -> bool {
    let product = match before {
        [rest @ .., b'/'] => boundary::left(rest).is_some_and(|byte| byte.is_ascii_alphanumeric()),
        [.., b'.' | b'-' | b'_'] => true,
        _ => false,
    };
    !product && id::may_start(before, here) && !is_version(before)
}

/// What versions and sections have before them; and what may stand between such a word and the number.
const NUMBERED: [&str; 11] = ["§", "version", "release", "build", "ver", "firmware", "v8", "section", "sections", "to", "from"];

/// The place of the first that only leads to such a word.
const LINKS: usize = 9;

/// Does a word for a version or a section stand before it: directly, or as in `V8 from 1.2.3.4 to`?
#[inline(never)]
fn is_version(before: &[u8]) -> bool {
    let mut text = before;
    for _ in 0..5 {
        let joins = text.iter().rev().take(6).take_while(|byte| b" :=\"'\\^~<>(v".contains(byte)).count();
        text = text.get(..text.len().saturating_sub(joins)).unwrap_or_default();
        let number = text.iter().rev().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
        match NUMBERED.iter().zip(0usize..).find_map(|(word, place)| Some((without(text, word.as_bytes())?, place))) {
            Some((_, ..LINKS)) => return true,
            Some((rest, _)) => text = rest,
            None if number > 0 => text = text.get(..text.len().saturating_sub(number)).unwrap_or_default(),
            None => return false,
        }
    }
    false
}

/// What stands before a word that a text ends with.
#[inline(never)]
fn without<'a>(text: &'a [u8], word: &[u8]) -> Option<&'a [u8]> {
    let (before, end) = text.split_at_checked(text.len().checked_sub(word.len())?)?;
    (end.eq_ignore_ascii_case(word) && starts_word(before, end)).then_some(before)
}

/// Four numbers up to 255 that are the address of a host in the Internet.
pub(crate) fn v4(candidate: &Candidate<'_>) -> Option<usize> {
    let alone = v4_may_start(candidate.before, candidate.value) && !boundary::alphanumeric_after(candidate.after);
    let goes_on =
        matches!(candidate.after, [b'.' | b'/' | b'-' | b'_', b'0'..=b'9', ..] | [b'-' | b'+', b'a'..=b'z' | b'A'..=b'Z', ..]);
    let text = std::str::from_utf8(candidate.value).ok()?;
    let address: Ipv4Addr = text.parse().ok()?;
    (alone && !goes_on && is_public_v4(address)).then_some(candidate.value.len())
}

/// Public resolvers of names, which people know by heart.
const RESOLVERS: [[u8; 4]; 4] = [[1, 1, 1, 1], [8, 8, 4, 4], [8, 8, 8, 8], [9, 9, 9, 9]];

/// Not of a block that IANA keeps for special purposes; not a network's own address, as versions and masks look.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, d] = address.octets();
    let local = matches!((a, b), (0 | 10 | 127 | 224..=255, _) | (100, 64..=127) | (169, 254) | (172, 16..=31) | (192, 168));
    let other = matches!((a, b, c), (198, 18 | 19, _) | (192, 0, 0 | 2) | (192, 88, 99) | (198, 51, 100) | (203, 0, 113));
    let special = local || other;
    // Chapters and versions look like addresses with small numbers; of addresses, one in four thousand does.
    let chapter = [a, b, c, d].iter().all(|part| *part < 32) && !RESOLVERS.contains(&[a, b, c, d]);
    // Object identifiers of X.500 attributes, certificate extensions and the curves of RFC 8410.
    let identifier = matches!((a, b, c), (2, 5, 4 | 29) | (1, 3, 101));
    !special && !chapter && !identifier && d != 0 && (b, c) != (0, 0)
}

/// No letter, digit or colon before it.
pub(crate) fn v6_may_start(before: &[u8], here: &[u8]) -> bool {
    !matches!(before, [.., b':' | b'.' | b'-' | b'_']) && id::may_start(before, here)
}

/// A global unicast address that is not for documentation.
pub(crate) fn v6(candidate: &Candidate<'_>) -> Option<usize> {
    // The pattern takes all colons: the one behind an address may be of the text.
    let value = candidate.value.strip_suffix(b":").filter(|value| !value.ends_with(b":")).unwrap_or(candidate.value);
    let after = boundary::behind(candidate.value, candidate.after, value.len());
    let alone = v6_may_start(candidate.before, value)
        && !boundary::alphanumeric_after(after)
        && !matches!(after, [b':' | b'.' | b'/', b'0'..=b'9', ..])
        && !value.ends_with(b"::");
    let address: Ipv6Addr = std::str::from_utf8(value).ok()?.parse().ok()?;
    (alone && is_public_v6(address)).then_some(value.len())
}

/// 2000::/3 without documentation and protocol assignments.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let special = matches!((a, b), (0x2001, 0..=0x1ff | 0xdb8) | (0x3fff, 0..=0xfff));
    a & 0xe000 == 0x2000 && !special && !IpAddr::V6(address).is_unspecified()
}
