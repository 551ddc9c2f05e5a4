//! International bank account numbers: a country, its length, and the checksum.

use super::id;
use super::{boundary, boundary::behind};
use crate::detect::{Candidate, checksum};

/// Length of an IBAN by country: the countries of each length. Those of the SWIFT IBAN Registry (release 99), and those that use
/// IBANs without standing in it: Angola, Algeria, Benin, Burkina Faso, Cameroon, Cape Verde, the Central African Republic, Chad, the
/// Comoros, Congo, Equatorial Guinea, Gabon, Guinea-Bissau, Iran, Ivory Coast, Madagascar, Mali, Morocco,
/// Mozambique, Niger, Senegal, Togo.
const LENGTHS: [(usize, &[u8]); 18] = [
    (15, b"NO"),
    (16, b"BE"),
    (18, b"DKFIFKFOGLNLSD"),
    (19, b"MKSI"),
    (20, b"ATBAEEKZLTLUMNXK"),
    (21, b"CHHRLILV"),
    (22, b"BGBHCRDEGBGEIEMERSVA"),
    (23, b"AEGIILIQOMSOTL"),
    (24, b"ADCZESMDPKROSASESKTNVG"),
    (25, b"AOCVGWLYMZPTST"),
    (26, b"DZIRISTR"),
    (27, b"BICFCGCMDJFRGAGQGRITKMMCMGMRSMTD"),
    (28, b"ALAZBFBJBYCICYDOGTHNHULBMAMLNENIPLSNSVTG"),
    (29, b"BREGPSQAUA"),
    (30, b"JOKWMUYE"),
    (31, b"MTSC"),
    (32, b"LC"),
    (33, b"RU"),
];

/// No letter or digit before it, nor a group that an IBAN could begin with: then it is a piece of that.
pub(crate) fn may_start(before: &[u8], here: &[u8]) -> bool {
    let goes_on = match before {
        [.., a, b, c, d, b' ' | b'+' | b'-'] => {
            [a, b].iter().all(|byte| byte.is_ascii_uppercase()) && [c, d].iter().all(|byte| byte.is_ascii_digit())
        }
        _ => false,
    };
    !goes_on && !boundary::alphanumeric_before(before) && !boundary::inside_escape(before, here)
}

/// As many letters and digits as its country has, with the checksum; bare, or in fours.
pub(crate) fn accept(candidate: &Candidate<'_>) -> Option<usize> {
    let country = candidate.value.get(..2)?;
    let (wanted, _) = LENGTHS.iter().find(|(_, names)| names.as_chunks::<2>().0.iter().any(|name| name == country))?;
    let mut count = 0usize;
    let end = candidate.value.iter().position(|byte| {
        count = count.saturating_add(usize::from(byte.is_ascii_alphanumeric()));
        count == *wanted
    });
    let end = end?.checked_add(1)?;
    let value = candidate.value.get(..end)?;
    let alone =
        may_start(candidate.before, value) && !boundary::alphanumeric_after(behind(candidate.value, candidate.after, end));
    (alone && checksum::mod97(id::Bare::of(value).text())).then_some(end)
}
