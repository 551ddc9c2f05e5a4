//! What identity numbers have in common: they stand alone, and what separates their groups does not count.
//!
//! It refuses to know any country's rules: those are told to it as a function over letters and digits.

use super::boundary;
use crate::detect::Candidate;

/// Most letters and digits of an identity number; an IBAN has at most 34.
const LONGEST: usize = 34;

/// The letters and digits of a value, in upper case.
pub(crate) struct Bare {
    bytes: [u8; LONGEST],
    len: usize,
}

impl Bare {
    /// Those of `value`, at most as many as an identity number has.
    pub(crate) fn of(value: &[u8]) -> Bare {
        let mut bare = Bare { bytes: [0; LONGEST], len: 0 };
        for (slot, byte) in bare.bytes.iter_mut().zip(value.iter().filter(|byte| byte.is_ascii_alphanumeric())) {
            *slot = byte.to_ascii_uppercase();
            bare.len = bare.len.saturating_add(1);
        }
        bare
    }

    /// The letters and digits.
    pub(crate) fn text(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// No letter or digit before it, and it is no piece of a longer number.
pub(crate) fn may_start(before: &[u8], here: &[u8]) -> bool {
    !boundary::alphanumeric_before(before) && !goes_on(before) && !boundary::inside_escape(before, here)
}

/// Does a number go on here over a point, a dash or the like: a decimal, a UUID, a date, a path? A point or a dash behind no word
/// begins a fraction or a negative number.
fn goes_on(before: &[u8]) -> bool {
    let [rest @ .., joint @ (b'.' | b'-' | b'/' | b'_')] = before else { return false };
    if matches!(joint, b'.' | b'-') && rest.last().is_none_or(|byte| b" \t\n\"=:,([{+*>".contains(byte)) {
        return true;
    }
    let word = rest.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric());
    word.take(12).any(u8::is_ascii_digit)
}

/// Does nothing behind it make it a piece of something longer?
pub(crate) fn may_end(after: &[u8]) -> bool {
    !boundary::alphanumeric_after(after)
        && !matches!(after, [b'.' | b'-' | b'/' | b'_' | b'+', b'0'..=b'9', ..] | [b'-' | b'_', b'a'..=b'z' | b'A'..=b'Z', ..])
}

/// The whole match, where it stands alone and its letters and digits are `valid`.
pub(crate) fn whole(candidate: &Candidate<'_>, valid: fn(&[u8]) -> bool) -> Option<usize> {
    let alone = may_start(candidate.before, candidate.value) && may_end(candidate.after);
    (alone && valid(Bare::of(candidate.value).text())).then_some(candidate.value.len())
}

/// Is it written in groups?
pub(crate) fn grouped(value: &[u8]) -> bool {
    value.iter().any(|byte| !byte.is_ascii_alphanumeric())
}

/// The number that some digits write; 0 where they are none.
pub(crate) fn number(digits: Option<&[u8]>) -> u32 {
    digits.unwrap_or_default().iter().fold(0, |sum, byte| sum.wrapping_mul(10).wrapping_add(u32::from(byte.wrapping_sub(b'0'))))
}

/// All the same digit: a placeholder.
pub(crate) fn uniform(text: &[u8]) -> bool {
    text.iter().all(|byte| Some(byte) == text.first())
}

/// Is there such a day in some year? A leap day counts.
pub(crate) fn is_day(month: u32, day: u32) -> bool {
    let days = match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_of_something_longer_is_not_alone() {
        let rows: [(&str, &str, bool); 24] = [
            ("", "", true),
            ("id: ", ",", true),
            ("1,", ",2", true),
            ("id-", "", true),
            ("x.", ".", true),
            ("0.", "", false),
            ("= -", "", false),
            ("-", "", false),
            ("1 .", "", false),
            ("no.", "", true),
            ("550e8400-e29b-41d4-a716-", "", false),
            ("2024/", "", false),
            ("id_1_", "", false),
            ("a", "", false),
            ("1", "", false),
            ("", "a", false),
            ("", ".5", false),
            ("", ". 5", true),
            ("", "-a716", false),
            ("", "-4", false),
            ("", "/2", false),
            (r"a\n", r"\n", true),
            ("%20", "%20", true),
            (r"\u00e9", "", true),
        ];
        for (before, after, wanted) in rows {
            let alone = may_start(before.as_bytes(), b"123456789") && may_end(after.as_bytes());
            assert_eq!(alone, wanted, "{before:?} {after:?}");
        }
    }
}
