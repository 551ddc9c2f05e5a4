//! Identity numbers of European countries: each a function over letters and digits, and its row's judgement.

use super::id::{is_day, number, uniform, whole};
use crate::detect::Candidate;
use crate::detect::checksum::{self, mod11, remainder, weighted};

/// UK National Insurance number: prefixes that are issued (HMRC, NIM39110).
pub(crate) fn uk_nino(candidate: &Candidate<'_>) -> Option<usize> {
    whole(candidate, |text| {
        const NEVER: [&[u8; 2]; 7] = [b"BG", b"GB", b"NK", b"KN", b"TN", b"NT", b"ZZ"];
        text.len() == 9 && !NEVER.iter().any(|prefix| text.starts_with(*prefix))
    })
}

/// NHS number: ten digits, modulo 11.
pub(crate) fn uk_nhs(candidate: &Candidate<'_>) -> Option<usize> {
    whole(candidate, |text| text.len() == 10 && mod11(text) && !uniform(text))
}

/// German tax ID: no leading zero, ISO 7064, and of its first ten digits exactly one comes twice or three times.
pub(crate) fn de_tax_id(candidate: &Candidate<'_>) -> Option<usize> {
    whole(candidate, |text| {
        let mut counts = [0u8; 10];
        for digit in text.iter().take(10) {
            if let Some(count) = counts.get_mut(usize::from(digit.wrapping_sub(b'0'))) {
                *count = count.saturating_add(1);
            }
        }
        let repeated = counts.iter().filter(|count| **count > 1).count();
        let often = counts.iter().any(|count| *count > 3);
        let valid = checksum::Checksum::from_name("mod11_10").is_some_and(|checksum| (checksum.valid)(text));
        text.len() == 11 && !text.starts_with(b"0") && repeated == 1 && !often && valid
    })
}

/// French NIR: month and department that exist, and the key: 97 less the number modulo 97, Corsica's letters as numbers.
pub(crate) fn fr_nir(candidate: &Candidate<'_>) -> Option<usize> {
    whole(candidate, |text| {
        let Some((body, key)) = text.split_at_checked(13) else { return false };
        let mut digits = [0u8; 13];
        for (slot, byte) in digits.iter_mut().zip(body) {
            *slot = *byte;
        }
        // 2A counts as 19, 2B as 18.
        match body.get(5..7) {
            Some(b"2A") => digits = replaced(digits, *b"19"),
            Some(b"2B") => digits = replaced(digits, *b"18"),
            _ => {}
        }
        let month = matches!(number(body.get(3..5)), 1..=12 | 20..=42 | 50..=99);
        let serial = number(body.get(10..13)) > 0 && number(body.get(7..10)) > 0;
        let rest = remainder(&digits, 97).map(|rest| 97u32.wrapping_sub(rest));
        key.len() == 2 && month && serial && rest == Some(number(Some(key)))
    })
}

fn replaced(mut digits: [u8; 13], department: [u8; 2]) -> [u8; 13] {
    for (slot, byte) in digits.iter_mut().skip(5).zip(department) {
        *slot = byte;
    }
    digits
}

/// Spanish DNI and NIE: a letter by the number modulo 23; X, Y and Z count as 0, 1 and 2.
pub(crate) fn es_nif(candidate: &Candidate<'_>) -> Option<usize> {
    whole(candidate, |text| {
        const LETTERS: &[u8] = b"TRWAGMYFPDXBNJZSQVHLCKE";
        let Some((letter, body)) = text.split_last() else { return false };
        let lead = match body.first() {
            Some(first @ b'X'..=b'Z') => u32::from(first.wrapping_sub(b'X')),
            Some(first @ b'0'..=b'9') => u32::from(first.wrapping_sub(b'0')),
            _ => return false,
        };
        let value = lead.wrapping_mul(10_000_000).wrapping_add(number(body.get(1..)));
        let wanted = value.checked_rem(23).and_then(|rest| LETTERS.get(usize::try_from(rest).ok()?));
        body.len() == 8 && value > 0 && wanted == Some(letter) && !uniform(body)
    })
}

/// Italian codice fiscale: month and day that exist, and the check letter.
pub(crate) fn it_codice_fiscale(candidate: &Candidate<'_>) -> Option<usize> {
    whole(candidate, |text| {
        /// What a character counts at an odd place, by digit or letter.
        const ODD: [u32; 26] = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
        let Some((check, body)) = text.split_last() else { return false };
        let sum = body.iter().enumerate().try_fold(0u32, |sum, (at, byte)| {
            let value = match byte {
                b'0'..=b'9' => byte.wrapping_sub(b'0'),
                b'A'..=b'Z' => byte.wrapping_sub(b'A'),
                _ => return None,
            };
            let value = if at.is_multiple_of(2) { *ODD.get(usize::from(value))? } else { u32::from(value) };
            Some(sum.wrapping_add(value))
        });
        let wanted = sum.and_then(|sum| sum.checked_rem(26)).and_then(|rest| u8::try_from(rest).ok());
        let month = b" ABCDEHLMPRST".iter().zip(0u32..).find(|(letter, _)| Some(*letter) == text.get(8));
        let day = number(text.get(9..11));
        let day = month.is_some_and(|(_, month)| is_day(month, if day > 40 { day.wrapping_sub(40) } else { day }));
        text.len() == 16 && day && wanted.map(|rest| rest.wrapping_add(b'A')) == Some(*check)
    })
}

/// Dutch citizen service number: nine digits, the "elfproef".
pub(crate) fn nl_bsn(candidate: &Candidate<'_>) -> Option<usize> {
    whole(candidate, |text| {
        let sum = weighted(text, &[9, 8, 7, 6, 5, 4, 3, 2, 10]);
        text.len() == 9 && sum.is_some_and(|sum| sum.is_multiple_of(11)) && !uniform(text)
    })
}

/// Polish PESEL: a date whose month tells the century, and the check digit.
pub(crate) fn pl_pesel(candidate: &Candidate<'_>) -> Option<usize> {
    whole(candidate, |text| {
        let month = number(text.get(2..4));
        let day = month < 93 && is_day(month.wrapping_rem(20), number(text.get(4..6)));
        let sum = weighted(text, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]);
        text.len() == 11 && day && sum.is_some_and(|sum| sum.is_multiple_of(10))
    })
}

/// Swedish personal number: a date (coordination numbers add 60 to the day), Luhn over the last ten digits.
pub(crate) fn se_personal_number(candidate: &Candidate<'_>) -> Option<usize> {
    whole(candidate, |text| {
        let ten = match text {
            [b'1', b'9', rest @ ..] | [b'2', b'0', rest @ ..] if rest.len() == 10 => rest,
            _ => text,
        };
        let day = number(ten.get(4..6));
        let day = if day > 60 { day.wrapping_sub(60) } else { day };
        ten.len() == 10 && is_day(number(ten.get(2..4)), day) && checksum::luhn(ten)
    })
}

/// `YYMMDD-NNNN` is one and hardly anything else; with four digits of a year it looks like any date.
pub(crate) fn se_alone(value: &[u8]) -> bool {
    value.len() == 11 && matches!(value.get(6), Some(b'-' | b'+'))
}

/// Finnish personal identity code: a date, a sign for the century, and a character by the number modulo 31.
pub(crate) fn fi_personal_number(candidate: &Candidate<'_>) -> Option<usize> {
    whole(candidate, |text| {
        const CHARACTERS: &[u8] = b"0123456789ABCDEFHJKLMNPRSTUVWXY";
        let Some((check, body)) = text.split_last() else { return false };
        // The sign is a dash or a plus, which does not count, or a letter.
        let serial = match body {
            [.., a, b, c] => [*a, *b, *c],
            _ => return false,
        };
        let (day, month) = (number(body.get(..2)), number(body.get(2..4)));
        let value = number(body.get(..6)).wrapping_mul(1000).wrapping_add(number(Some(&serial)));
        let wanted = value.checked_rem(31).and_then(|rest| CHARACTERS.get(usize::try_from(rest).ok()?));
        is_day(month, day) && serial != *b"000" && serial != *b"001" && wanted == Some(check)
    })
}
