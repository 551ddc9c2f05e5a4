//! Telephone numbers: country codes that exist, and the North American plan's rules.

use super::boundary;
use super::id::{self, Bare};
use crate::detect::Candidate;

/// Fewest and most digits of an international number, country code and all (ITU-T E.164 section 6); the shortest in use have 8.
const DIGITS: std::ops::RangeInclusive<usize> = 8..=15;

/// Country codes (ITU-T E.164 list of assigned country codes) of two digits; all others have three.
const SHORT_CODES: [u8; 44] = [
    20, 27, 30, 31, 32, 33, 34, 36, 39, 40, 41, 43, 44, 45, 46, 47, 48, 49, 51, 52, 53, 54, 55, 56, 57, 58, 60, 61, 62, 63, 64,
    65, 66, 81, 82, 84, 86, 90, 91, 92, 93, 94, 95, 98,
];
/// First two digits of the codes with three.
const LONG_CODES: [u8; 23] = [21, 22, 23, 24, 25, 26, 29, 35, 37, 38, 42, 50, 59, 67, 68, 69, 80, 85, 87, 88, 96, 97, 99];

/// No letter or digit before the plus, nor what makes it a sum or a piece of base64.
pub(crate) fn international_may_start(before: &[u8], here: &[u8]) -> bool {
    let joined = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b')' | b']' | b'_' | b'.');
    !boundary::left(before).is_some_and(joined) && !boundary::inside_escape(before, here)
}

/// A country code that exists, and as many digits as a number has. Behind `+1` and `+7` it ends with its eleventh digit.
pub(crate) fn international(candidate: &Candidate<'_>) -> Option<usize> {
    let code = Bare::of(candidate.value)
        .text()
        .iter()
        .take(2)
        .fold(0u8, |code, byte| code.wrapping_mul(10).wrapping_add(byte.wrapping_sub(b'0')));
    let plan = matches!(code, 10..=19 | 70..=79);
    let end = if plan { end_of_digit(candidate.value, NATIONAL)? } else { candidate.value.len() };
    let value = candidate.value.get(..end)?;
    let after = boundary::behind(candidate.value, candidate.after, end);
    let bare = Bare::of(value);
    let digits = bare.text();
    let known = match digits.split_first() {
        Some((b'1', rest)) => national_plan(rest),
        Some((b'7', rest)) => rest.len() == 10,
        _ => SHORT_CODES.contains(&code) || LONG_CODES.contains(&code),
    };
    let alone = international_may_start(candidate.before, value) && id::may_end(after);
    let uniform = digits.get(2..).is_none_or(id::uniform);
    // Degrees of longitude behind those of latitude: `+364947-0845057`.
    let place = value.windows(6).any(|part| matches!(part, [b'-', b'0', rest @ ..] if rest.iter().all(u8::is_ascii_digit)));
    (alone && !place && known && DIGITS.contains(&digits.len()) && !uniform).then_some(end)
}

/// Digits of a number behind `+1` and `+7`, the code among them.
const NATIONAL: usize = 11;

/// The length of `value` up to its digit of that number.
fn end_of_digit(value: &[u8], number: usize) -> Option<usize> {
    let digits = value.iter().enumerate().filter(|(_, byte)| byte.is_ascii_digit());
    digits.map(|(at, _)| at.saturating_add(1)).nth(number.saturating_sub(1))
}

/// A parenthesis or a digit that nothing joins to what is before it; behind a plus it is no national number.
pub(crate) fn us_may_start(before: &[u8], here: &[u8]) -> bool {
    before.last() != Some(&b'+') && id::may_start(before, here)
}

/// Ten digits of the North American plan, with or without a 1.
pub(crate) fn us(candidate: &Candidate<'_>) -> Option<usize> {
    let alone = us_may_start(candidate.before, candidate.value) && id::may_end(candidate.after);
    let bare = Bare::of(candidate.value);
    let digits = match bare.text() {
        [b'1', rest @ ..] if rest.len() == 10 => rest,
        digits => digits,
    };
    (alone && national_plan(digits)).then_some(candidate.value.len())
}

/// Dashes or a parenthesis make a telephone number of ten digits; points and spaces do not.
pub(crate) fn us_alone(value: &[u8]) -> bool {
    value.iter().any(|byte| matches!(byte, b'(')) || value.iter().filter(|byte| **byte == b'-').count() >= 2
}

/// `NXX NXX-XXXX`: neither area nor exchange begins with 0 or 1 or ends with 11; 555-01xx is for films, and is taken for one.
fn national_plan(digits: &[u8]) -> bool {
    match digits {
        [area, a, b, exchange, c, d, _, _, _, _] => {
            let service = |pair: (u8, u8)| pair == (b'1', b'1');
            *area >= b'2' && *exchange >= b'2' && !service((*a, *b)) && !service((*c, *d)) && !id::uniform(digits)
        }
        _ => false,
    }
}
