//! Telephone numbers: country codes that exist, and the North American plan's rules.

use super::boundary;
use super::id::{self, Bare};
use crate::detect::Candidate;

/// Fewest and most digits of an international number, country code and all (ITU-T E.164 section 6); the shortest in use have 8.
const DIGITS: std::ops::RangeInclusive<usize> = 8..=15;

/// Country codes (ITU-T E.164 list of assigned country codes) by their first two digits, from 20 on: a bit for each third digit, the
/// lowest for 0. All third digits follow a code that has but two.
const CODES: [[u16; 10]; 8] = [
    [ALL, 0x14e, ALL, ALL, ALL, 0x1ff, ALL, ALL, 0, 0x383],
    [ALL, ALL, ALL, ALL, ALL, ALL, ALL, 0x1ff, 0x2ef, ALL],
    [ALL, ALL, 0x00b, ALL, ALL, ALL, ALL, ALL, ALL, ALL],
    [ALL, ALL, ALL, ALL, ALL, ALL, ALL, ALL, ALL, ALL],
    [ALL, ALL, ALL, ALL, ALL, ALL, ALL, 0x3fd, 0x3ef, 0x007],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [0x101, ALL, ALL, 0, ALL, 0x06d, ALL, 0x101, 0x14f, 0],
    [ALL, ALL, ALL, ALL, ALL, ALL, 0x1ff, 0x2ff, ALL, 0x17c],
];
const ALL: u16 = 0x3ff;

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
        // The digits of a code stand together: `+2.00100` is a decimal.
        _ => candidate.value.get(2).is_some_and(u8::is_ascii_digit) && has_code(digits),
    };
    let alone = international_may_start(candidate.before, value) && id::may_end(after);
    let uniform = digits.get(2..).is_none_or(id::uniform);
    (alone && !is_place(value) && known && DIGITS.contains(&digits.len()) && !uniform).then_some(end)
}

/// Do these digits begin with a country code?
fn has_code(digits: &[u8]) -> bool {
    let [a, b, c, ..] = digits else { return false };
    let thirds = CODES.as_flattened().get(usize::try_from(id::number(Some(&[*a, *b])).wrapping_sub(20)).unwrap_or(usize::MAX));
    thirds.is_some_and(|thirds| thirds & 1u16.wrapping_shl(u32::from(c.wrapping_sub(b'0'))) != 0)
}

/// Latitude and longitude in degrees and minutes, and seconds (ISO 6709): `+3436-05827`, `+364947-0845057`.
#[inline(never)]
fn is_place(value: &[u8]) -> bool {
    let (latitude, longitude) = match value {
        [b'+', a, b, c, d, b'-', rest @ ..] if rest.len() == 5 => ([*a, *b, *c, *d], rest),
        [b'+', a, b, c, d, _, _, b'-', rest @ ..] if rest.len() == 7 => ([*a, *b, *c, *d], rest),
        _ => return false,
    };
    let minutes = |tens: &u8| *tens < b'6';
    latitude.iter().chain(longitude).all(u8::is_ascii_digit)
        && matches!(latitude, [_, _, tens, _] if minutes(&tens))
        && matches!(longitude, [b'0' | b'1', _, _, tens, ..] if minutes(tens))
}

/// Digits of a number behind `+1` and `+7`, the code among them.
const NATIONAL: usize = 11;

/// The length of `value` up to its digit of that number.
fn end_of_digit(value: &[u8], number: usize) -> Option<usize> {
    let digits = value.iter().enumerate().filter(|(_, byte)| byte.is_ascii_digit());
    digits.map(|(at, _)| at.saturating_add(1)).nth(number.saturating_sub(1))
}

/// A plus, a parenthesis or a digit that nothing joins to what is before it, and no other country's code: `+52 449 978 0001`.
pub(crate) fn us_may_start(before: &[u8], here: &[u8]) -> bool {
    let joins = before.iter().rev().take_while(|byte| b" .-()".contains(byte)).count();
    let code = before.get(..before.len().saturating_sub(joins)).unwrap_or_default();
    let foreign = match code {
        [.., b'+'] => true,
        [.., b'+', one] => one.is_ascii_digit() && *one != b'1',
        [.., b'+', a, b] | [.., b'+', a, b, _] => a.is_ascii_digit() && b.is_ascii_digit(),
        _ => false,
    };
    !foreign && id::may_start(before, here)
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

/// Dashes, a parenthesis or a plus make a telephone number of ten digits; points and spaces do not.
pub(crate) fn us_alone(value: &[u8]) -> bool {
    value.iter().any(|byte| matches!(byte, b'(' | b'+')) || value.iter().filter(|byte| **byte == b'-').count() >= 2
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
