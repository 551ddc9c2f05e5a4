//! Identity numbers of Asia and Oceania: each a function over letters and digits, and its row's judgement.

use super::id::{Bare, grouped, is_day, number, uniform, whole};
use crate::detect::Candidate;
use crate::detect::checksum::{self, weighted};

/// `None` where three groups of four are a piece of more groups, as of a card number.
fn fours(candidate: &Candidate<'_>) -> Option<()> {
    let before = matches!(candidate.before, [.., b'0'..=b'9', b' ' | b'+' | b'-']);
    let behind = matches!(candidate.after, [b' ' | b'+' | b'-', b'0'..=b'9', ..]);
    (!(grouped(candidate.value) && (before || behind))).then_some(())
}

/// Indian Aadhaar: Verhoeff; none begins with 0 or 1.
pub(crate) fn in_aadhaar(candidate: &Candidate<'_>) -> Option<usize> {
    fours(candidate)?;
    whole(candidate, |text| {
        text.len() == 12 && !matches!(text.first(), Some(b'0' | b'1')) && checksum::verhoeff(text) && !uniform(text)
    })
}

/// Indian permanent account number: the pattern says all.
pub(crate) fn in_pan(candidate: &Candidate<'_>) -> Option<usize> {
    whole(candidate, |text| text.len() == 10 && text.get(5..9) != Some(b"0000"))
}

/// Australian tax file number: nine digits, weighted, modulo 11.
pub(crate) fn au_tfn(candidate: &Candidate<'_>) -> Option<usize> {
    whole(candidate, |text| {
        let sum = weighted(text, &[1, 4, 3, 7, 5, 8, 6, 9, 10]);
        text.len() == 9 && sum.is_some_and(|sum| sum.is_multiple_of(11)) && !uniform(text)
    })
}

/// Australian Medicare number: the ninth digit checks the eight before; the tenth is of the card, an eleventh of the person.
pub(crate) fn au_medicare(candidate: &Candidate<'_>) -> Option<usize> {
    whole(candidate, |text| {
        let sum = weighted(text, &[1, 3, 7, 9, 1, 3, 7, 9]).and_then(|sum| sum.checked_rem(10));
        let person = text.get(10).is_none_or(|byte| *byte != b'0');
        matches!(text.len(), 10 | 11) && sum == Some(number(text.get(8..9))) && person
    })
}

/// Singapore NRIC and FIN: a letter by the weighted sum; T and G add 4, M adds 3.
pub(crate) fn sg_nric(candidate: &Candidate<'_>) -> Option<usize> {
    whole(candidate, |text| {
        let (offset, letters): (u32, &[u8]) = match text.first() {
            Some(b'S') => (0, b"JZIHGFEDCBA"),
            Some(b'T') => (4, b"JZIHGFEDCBA"),
            Some(b'F') => (0, b"XWUTRQPNMLK"),
            Some(b'G') => (4, b"XWUTRQPNMLK"),
            Some(b'M') => (3, b"XWUTRQPNJLK"),
            _ => return false,
        };
        let digits = text.get(1..8).unwrap_or_default();
        let sum = weighted(digits, &[2, 7, 6, 5, 4, 3, 2]).map(|sum| sum.wrapping_add(offset));
        let wanted = sum.and_then(|sum| sum.checked_rem(11)).and_then(|rest| letters.get(usize::try_from(rest).ok()?));
        text.len() == 9 && wanted == text.last() && !uniform(digits)
    })
}

/// Japanese My Number: twelve digits, the last by weights modulo 11.
pub(crate) fn jp_my_number(candidate: &Candidate<'_>) -> Option<usize> {
    fours(candidate)?;
    whole(candidate, |text| {
        let sum = weighted(text, &[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]).and_then(|sum| sum.checked_rem(11));
        let wanted = sum.map(|rest| if rest <= 1 { 0 } else { 11u32.wrapping_sub(rest) });
        text.len() == 12 && wanted == Some(number(text.get(11..))) && !uniform(text)
    })
}

/// Korean resident registration number: a date, a digit for sex and century.
pub(crate) fn kr_rrn(candidate: &Candidate<'_>) -> Option<usize> {
    whole(candidate, |text| {
        let sex = matches!(text.get(6), Some(b'1'..=b'8'));
        text.len() == 13 && sex && is_day(number(text.get(2..4)), number(text.get(4..6)))
    })
}

/// With a dash and the check digit that was issued until October 2020 it stands for itself.
pub(crate) fn kr_rrn_alone(value: &[u8]) -> bool {
    let bare = Bare::of(value);
    let sum = weighted(bare.text(), &[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]).and_then(|sum| sum.checked_rem(11));
    let wanted = sum.and_then(|rest| 11u32.wrapping_sub(rest).checked_rem(10));
    grouped(value) && wanted == Some(number(bare.text().get(12..)))
}

/// Chinese resident ID: a date of birth and ISO 7064.
pub(crate) fn cn_resident_id(candidate: &Candidate<'_>) -> Option<usize> {
    whole(candidate, |text| {
        let year = matches!(number(text.get(6..10)), 1900..=2049);
        // Provinces (GB/T 2260), and those for residents from Taiwan, Hong Kong and Macau.
        let province = matches!(number(text.get(..2)), 11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81..=83);
        text.len() == 18
            && year
            && province
            && is_day(number(text.get(10..12)), number(text.get(12..14)))
            && checksum::mod11_2(text)
    })
}
