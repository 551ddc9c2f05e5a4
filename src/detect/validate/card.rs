//! Payment card numbers: Luhn, a known issuer, its lengths and its way of grouping.

use super::boundary::{self, behind};
use super::issuers::{self, Print};
use crate::detect::Candidate;

/// Most digits of a number (ISO/IEC 7812-1).
const MAX_DIGITS: usize = 19;
/// Groups that fit into what a validator sees; a chain that long has no known beginning. An IBAN has at most nine.
const CHAIN_MAX: usize = 12;
/// Bytes of a group of four and its separator.
const GROUP: usize = 5;
/// Groups of a number printed in fours.
const FOURS: usize = 4;
/// Bytes of four groups of four with their separators.
const FOUR_FOURS: usize = 19;

/// Do some issuer's numbers begin with this digit?
pub(crate) fn begins(digit: u8) -> bool {
    !matches!(digit, b'0' | b'1' | b'7')
}

/// A digit that some issuer's numbers begin with (timestamps begin with 1), no letter or digit before it, and it is no fraction
/// of a decimal number.
pub(crate) fn may_start(before: &[u8], here: &[u8]) -> bool {
    let led = here.first().is_none_or(|digit| begins(*digit));
    let free = || !boundary::alphanumeric_before(before) && !is_fraction(before) && !boundary::inside_escape(before, here);
    led && (free() || opens_track(before))
}

/// The first track of a magnetic stripe begins with `%B` and the number (ISO/IEC 7813). `%B4` would be no first byte of a
/// character in UTF-8, so it is an escape only behind another.
fn opens_track(before: &[u8]) -> bool {
    match before {
        [.., b'%', b'2', b'5', b'B'] => true,
        [rest @ .., b'%', b'B'] => boundary::left(rest).is_none_or(|byte| byte.is_ascii()),
        _ => false,
    }
}

/// The longest number of a known issuer that the match begins with: 4-4-4-4 and three more digits can be a card and its
/// security code.
pub(crate) fn accept(candidate: &Candidate<'_>) -> Option<usize> {
    let whole = candidate.value.len();
    let shorter = Some(FOUR_FOURS).filter(|length| *length < whole && !candidate.value.iter().all(u8::is_ascii_digit));
    let fits = |length: &usize| {
        let free = !boundary::alphanumeric_after(behind(candidate.value, candidate.after, *length));
        free && candidate.value.get(..*length).is_some_and(is_number)
    };
    // Nine of ten numbers fail here, so what stands around is looked at last.
    let length = Some(whole).filter(fits).or_else(|| shorter.filter(fits))?;
    (may_start(candidate.before, candidate.value) && !goes_on_a_chain(candidate)).then_some(length)
}

/// Does a grouped number go on a chain of fours with the same separator, as in an IBAN or an ICCID? Behind four groups it does
/// not: that is another card.
fn goes_on_a_chain(candidate: &Candidate<'_>) -> bool {
    let Some(separator) = candidate.value.get(4).filter(|byte| !byte.is_ascii_digit()) else { return false };
    let of_chain = |group: &&[u8]| match group {
        [four @ .., end] if four.len() == 4 && end == separator => {
            let text = four.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
            text && four.iter().any(u8::is_ascii_digit)
        }
        _ => false,
    };
    let mut count = candidate.before.rchunks(GROUP).take_while(of_chain).count();
    let outside = candidate.before.len().saturating_sub(count.saturating_mul(GROUP));
    if count > 0 && candidate.before.get(..outside).is_some_and(boundary::alphanumeric_before) {
        count = count.saturating_sub(1);
    }
    // An expiry or a year before the number, in digits alone, is no chain; `89`, which ICCIDs begin with, is neither.
    let date = count == 1
        && *separator != b'-'
        && candidate
            .before
            .last_chunk::<GROUP>()
            .is_some_and(|[four @ .., _]| four.iter().all(u8::is_ascii_digit) && !four.starts_with(b"89"));
    if date {
        return false;
    }
    // Coordinates of a drawing: `0-5029-1968-5535-4561`.
    let number = count == 0 && matches!(candidate.before, [.., b'0'..=b'9', b'-']);
    number || (count < CHAIN_MAX && !count.is_multiple_of(FOURS))
}

/// A point before it, and before that a digit (`0.4111`) or nothing a word or an ellipsis could end with (`x=.4111`).
fn is_fraction(before: &[u8]) -> bool {
    match before {
        [rest @ .., b'.'] => !boundary::left(rest).is_none_or(|byte| {
            byte.is_ascii_alphabetic() || matches!(byte, b'.' | b'_' | b')' | b']' | b'"' | b'\'' | b'\n') || !byte.is_ascii()
        }),
        _ => false,
    }
}

/// Digits with one kind of separator, grouped as their issuer prints them, that pass Luhn.
fn is_number(value: &[u8]) -> bool {
    if let Some(digits) = sixteen(value) {
        let [a, b, c, d, e, f, ..] = digits;
        return passes_luhn(&digits) && issuers::issuer(first_six(&[a, b, c, d, e, f]), digits.len()).is_some();
    }
    let mut digits = [0u8; MAX_DIGITS];
    let mut count = 0usize;
    for (slot, byte) in digits.iter_mut().zip(value.iter().filter(|byte| byte.is_ascii_digit())) {
        *slot = *byte;
        count = count.saturating_add(1);
    }
    let Some(digits) = digits.get(..count) else { return false };
    let Some(issuer) = digits.first_chunk().and_then(|digits| issuers::issuer(first_six(digits), count)) else { return false };
    let groups = || value.split(|byte| !byte.is_ascii_digit()).map(<[u8]>::len);
    let bare = value.len() == count;
    let printed = bare
        || match (issuer.print, count) {
            (Print::FourSixFive, _) => groups().eq([4, 6, 5]),
            (Print::FourSixFour, 14) => groups().eq([4, 6, 4]),
            _ => groups().take(4).eq([4, 4, 4, 4]),
        };
    // A time in milliseconds of the years from 2065 on, of a whole hour most often (earlier ones begin with 1).
    let time = count == 13 && digits.ends_with(b"00000");
    printed && !time && std::str::from_utf8(digits).is_ok_and(luhn::valid) && !is_article_number(digits)
}

/// The digits of a number of sixteen, which most have, bare or in fours: that is how all who issue them print them.
fn sixteen(value: &[u8]) -> Option<[u8; 16]> {
    let bare = value.get(4)?.is_ascii_digit();
    match value {
        [_, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] if bare => value.first_chunk().copied(),
        [a, b, c, d, _, e, f, g, h, _, i, j, k, l, _, m, n, o, p] if !bare => {
            Some([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p].map(|digit| *digit))
        }
        _ => None,
    }
}

/// Luhn, eight digits at once: of each pair the first counts twice, less nine where that has two digits.
fn passes_luhn(digits: &[u8; 16]) -> bool {
    const PAIRS: u64 = 0x0001_0001_0001_0001;
    let half = |digits: &[u8; 8]| {
        let digits = u64::from_le_bytes(*digits) & PAIRS.wrapping_mul(0x0f0f);
        let twice = (digits & PAIRS.wrapping_mul(15)).wrapping_mul(2);
        let two_digits = twice.wrapping_add(PAIRS.wrapping_mul(6)) >> 4 & PAIRS;
        let pairs = twice.wrapping_sub(two_digits.wrapping_mul(9)).wrapping_add(digits >> 8 & PAIRS.wrapping_mul(15));
        pairs.wrapping_mul(PAIRS) >> 48
    };
    let halves = digits.first_chunk().zip(digits.last_chunk());
    halves.is_some_and(|(first, last)| half(first).wrapping_add(half(last)).is_multiple_of(10))
}

/// What the first six digits stand for.
fn first_six(digits: &[u8; 6]) -> u32 {
    digits.iter().fold(0u32, |sum, digit| sum.wrapping_mul(10).wrapping_add(amount(*digit)))
}

/// What a digit stands for.
fn amount(digit: u8) -> u32 {
    u32::from(digit.saturating_sub(b'0'))
}

/// A European article number: 13 digits with the check digit of GS1. One in ten passes Luhn by chance, Germany's and Japan's
/// begin with 4, and Visa numbers of 13 digits have not been issued for decades.
fn is_article_number(digits: &[u8]) -> bool {
    let weighted = digits.iter().zip([1u32, 3].into_iter().cycle());
    let sum = weighted.map(|(digit, weight)| amount(*digit).saturating_mul(weight)).sum::<u32>();
    digits.len() == 13 && sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_digits_pass_luhn_where_the_library_says_so() {
        let mut seed = 0x9e37_79b9_7f4a_7c15u64;
        for _ in 0..5000 {
            let digits = [0; 16].map(|_: u8| {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                b"0123456789"[(seed % 10) as usize]
            });
            assert_eq!(passes_luhn(&digits), luhn::valid(str::from_utf8(&digits).unwrap()), "{digits:?}");
        }
    }
}
