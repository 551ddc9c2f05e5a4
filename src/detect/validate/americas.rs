//! Identity numbers of the Americas: each a function over letters and digits, and its row's judgement.

use super::id::{Bare, grouped, number, uniform, whole};
use crate::detect::Candidate;
use crate::detect::checksum::{self, Checksum, weighted};

/// US bank routing number: a Federal Reserve prefix in use, weights 3, 7, 1.
pub(crate) fn us_bank_routing(candidate: &Candidate<'_>) -> Option<usize> {
    whole(candidate, |text| {
        let district = matches!(number(text.get(..2)), 1..=12 | 21..=32 | 61..=72 | 80);
        district && Checksum::from_name("aba").is_some_and(|checksum| (checksum.valid)(text))
    })
}

/// US ITIN: begins with 9, and a group that is assigned.
pub(crate) fn us_itin(candidate: &Candidate<'_>) -> Option<usize> {
    whole(candidate, |text| {
        let group = number(text.get(3..5));
        text.len() == 9 && text.starts_with(b"9") && matches!(group, 50..=65 | 70..=88 | 90..=92 | 94..=99) && !uniform(text)
    })
}

/// Written with dashes it is an ITIN and hardly anything else.
pub(crate) fn dashed(value: &[u8]) -> bool {
    value.iter().filter(|byte| **byte == b'-').count() >= 2
}

/// US national provider identifier: Luhn behind 80840, which stands for health and the United States.
pub(crate) fn us_npi(candidate: &Candidate<'_>) -> Option<usize> {
    whole(candidate, |text| {
        let mut whole = *b"80840----------";
        for (slot, byte) in whole.iter_mut().skip(5).zip(text) {
            *slot = *byte;
        }
        text.len() == 10 && matches!(text.first(), Some(b'1' | b'2')) && checksum::luhn(&whole)
    })
}

/// US DEA number: a registrant's letter, a second letter, six digits and their check digit.
pub(crate) fn us_dea(candidate: &Candidate<'_>) -> Option<usize> {
    whole(candidate, |text| {
        let digits = text.get(2..).unwrap_or_default();
        let sum = weighted(digits, &[1, 2, 1, 2, 1, 2]).and_then(|sum| sum.checked_rem(10));
        digits.len() == 7 && sum == Some(number(digits.get(6..))) && !uniform(digits)
    })
}

/// US Medicare beneficiary identifier: the pattern says all.
pub(crate) fn us_mbi(candidate: &Candidate<'_>) -> Option<usize> {
    whole(candidate, |text| text.len() == 11)
}

/// Canadian social insurance number: Luhn; none begins with 0 or 8.
pub(crate) fn ca_sin(candidate: &Candidate<'_>) -> Option<usize> {
    whole(candidate, |text| text.len() == 9 && !matches!(text.first(), Some(b'0' | b'8')) && checksum::luhn(text))
}

/// Brazilian CPF: two check digits.
pub(crate) fn br_cpf(candidate: &Candidate<'_>) -> Option<usize> {
    whole(candidate, |text| {
        let digit = |weights: &[u32]| weighted(text, weights).map(check_digit);
        let first = digit(&[10, 9, 8, 7, 6, 5, 4, 3, 2]);
        let second = digit(&[11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
        let wanted = first.zip(second).map(|(first, second)| first.wrapping_mul(10).wrapping_add(second));
        text.len() == 11 && wanted == Some(number(text.get(9..))) && !uniform(text)
    })
}

/// Brazilian CNPJ, of digits or (since 2026) letters too: a character counts what it is in ASCII, less 48.
pub(crate) fn br_cnpj(candidate: &Candidate<'_>) -> Option<usize> {
    whole(candidate, |text| {
        const WEIGHTS: [u32; 13] = [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2];
        let digit = |count: usize| {
            let weights = WEIGHTS.get(WEIGHTS.len().saturating_sub(count)..).unwrap_or_default();
            let sum = text.iter().zip(weights).map(|(byte, weight)| u32::from(byte.wrapping_sub(b'0')).wrapping_mul(*weight));
            check_digit(sum.sum())
        };
        let wanted = digit(12).wrapping_mul(10).wrapping_add(digit(13));
        text.len() == 14 && wanted == number(text.get(12..)) && !uniform(text)
    })
}

/// Eleven less the sum modulo 11; 0 for 10 and 11.
fn check_digit(sum: u32) -> u32 {
    match sum.checked_rem(11) {
        Some(rest @ 2..=10) => 11u32.wrapping_sub(rest),
        _ => 0,
    }
}

/// A CPF or CNPJ as it is printed: with points and a dash.
pub(crate) fn printed(value: &[u8]) -> bool {
    grouped(value) && value.contains(&b'.') && Bare::of(value).text().len() >= 11
}
