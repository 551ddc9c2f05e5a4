//! Check digits: a table of named algorithms over letters and digits.
//!
//! Each takes a value without separators, letters in upper case, the check character where its issuer puts it, and says whether it
//! is consistent. It refuses to know lengths, ranges and dates: those are the validators'. Anything that is no letter or digit, or
//! too short to hold a check digit, is not consistent.

/// One algorithm.
#[derive(Clone, Copy, Debug)]
pub struct Checksum {
    /// Its name in policies.
    pub name: &'static str,
    /// What uses it, and where it is defined.
    pub about: &'static str,
    /// Is the value consistent?
    pub valid: fn(&[u8]) -> bool,
}

/// Every algorithm by name.
pub static CHECKSUMS: [Checksum; 9] = [
    Checksum { name: "luhn", about: "payment cards, SIN, NPI (ISO/IEC 7812-1 annex B)", valid: luhn },
    Checksum { name: "mod97", about: "IBAN: check digits third and fourth (ISO 13616, ISO 7064 MOD 97-10)", valid: mod97 },
    Checksum { name: "aba", about: "US bank routing numbers: weights 3, 7, 1", valid: aba },
    Checksum { name: "verhoeff", about: "Aadhaar (Verhoeff 1969)", valid: verhoeff },
    Checksum {
        name: "mod11",
        about: "weights 2, 3, 4 and so on from the right, sum a multiple of 11 (NHS number)",
        valid: mod11,
    },
    Checksum { name: "mod11_2", about: "Chinese resident IDs, ORCID: the last may be X (ISO 7064 MOD 11-2)", valid: mod11_2 },
    Checksum { name: "mod11_10", about: "German tax IDs (ISO 7064 MOD 11,10)", valid: mod11_10 },
    Checksum {
        name: "mod11_bsn",
        about: "Dutch citizen service numbers: like mod11, the last digit counts -1",
        valid: mod11_bsn,
    },
    Checksum { name: "ean", about: "article numbers, Swiss AHV numbers: weights 1 and 3 (GS1)", valid: ean },
];

impl Checksum {
    /// The algorithm of that name.
    pub fn from_name(name: &str) -> Option<&'static Checksum> {
        CHECKSUMS.iter().find(|checksum| checksum.name == name)
    }
}

/// What a digit stands for; anything else is no digit.
fn digit(byte: u8) -> Option<u32> {
    char::from(byte).to_digit(10)
}

/// The digits of `text` times their weights, summed up; `None` where one is no digit. Weights that are missing are 0.
pub(super) fn weighted(text: &[u8], weights: &[u32]) -> Option<u32> {
    let weights = weights.iter().copied().chain(std::iter::repeat(0));
    text.iter().zip(weights).try_fold(0u32, |sum, (byte, weight)| Some(sum.wrapping_add(digit(*byte)?.wrapping_mul(weight))))
}

/// The number that the digits of `text` write, modulo `divisor`.
pub(super) fn remainder(text: &[u8], divisor: u32) -> Option<u32> {
    text.iter().try_fold(0u32, |rest, byte| rest.wrapping_mul(10).wrapping_add(digit(*byte)?).checked_rem(divisor))
}

/// Every second digit from the right doubled, its digits summed up: a multiple of ten.
pub(super) fn luhn(text: &[u8]) -> bool {
    text.len() > 1
        && std::str::from_utf8(text).is_ok_and(|text| text.bytes().all(|byte| byte.is_ascii_digit()) && luhn::valid(text))
}

/// The first four moved to the end, letters as 10 to 35: the number modulo 97 is 1.
pub(super) fn mod97(text: &[u8]) -> bool {
    let Some((head, tail)) = text.split_at_checked(4) else { return false };
    let rest = tail.iter().chain(head).try_fold(0u32, |rest, byte| {
        let value = char::from(*byte).to_digit(36).filter(|_| !byte.is_ascii_lowercase())?;
        let shift = if value < 10 { 10 } else { 100 };
        rest.wrapping_mul(shift).wrapping_add(value).checked_rem(97)
    });
    !tail.is_empty() && rest == Some(1)
}

fn aba(text: &[u8]) -> bool {
    text.len() == 9 && weighted(text, &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_some_and(|sum| sum.is_multiple_of(10) && sum > 0)
}

/// Weights from the right: the check digit counts 1, the others 2 and up.
pub(super) fn mod11(text: &[u8]) -> bool {
    weighted_from_right(text, 1).is_some_and(|sum| sum.is_multiple_of(11))
}

fn mod11_bsn(text: &[u8]) -> bool {
    // -1 is 10, modulo 11.
    weighted_from_right(text, 10).is_some_and(|sum| sum.is_multiple_of(11))
}

fn weighted_from_right(text: &[u8], last: u32) -> Option<u32> {
    let weights = std::iter::once(last).chain(2u32..);
    let sum = text.iter().rev().zip(weights);
    let sum = sum.map(|(byte, weight)| digit(*byte).map(|digit| digit.wrapping_mul(weight))).sum::<Option<u32>>()?;
    (text.len() > 1 && sum > 0).then_some(sum)
}

/// Each digit added and doubled, modulo 11; with the check character (X is 10) the rest is 1.
pub(super) fn mod11_2(text: &[u8]) -> bool {
    let Some((check, digits)) = text.split_last() else { return false };
    let rest = digits.iter().try_fold(0u32, |rest, byte| rest.wrapping_add(digit(*byte)?).wrapping_mul(2).checked_rem(11));
    let check = if matches!(check, b'X' | b'x') { Some(10) } else { digit(*check) };
    !digits.is_empty() && rest.zip(check).is_some_and(|(rest, check)| rest.wrapping_add(check).checked_rem(11) == Some(1))
}

fn mod11_10(text: &[u8]) -> bool {
    let Some((check, digits)) = text.split_last() else { return false };
    let product = digits.iter().try_fold(10u32, |product, byte| {
        let sum = product.wrapping_add(digit(*byte)?).checked_rem(10)?;
        (if sum == 0 { 10u32 } else { sum }).wrapping_mul(2).checked_rem(11)
    });
    let sum = product.zip(digit(*check)).map(|(product, check)| product.wrapping_add(check));
    !digits.is_empty() && sum.is_some_and(|sum| sum.checked_rem(10) == Some(1))
}

/// From the right, weights 1 and 3 in turn: a multiple of ten.
fn ean(text: &[u8]) -> bool {
    let weights = [1u32, 3].into_iter().cycle();
    let sum = text.iter().rev().zip(weights).map(|(byte, weight)| digit(*byte).map(|digit| digit.wrapping_mul(weight)));
    text.len() > 1 && sum.sum::<Option<u32>>().is_some_and(|sum| sum.is_multiple_of(10))
}

/// The dihedral group of order ten, permuted by place.
pub(super) fn verhoeff(text: &[u8]) -> bool {
    const PERMUTATION: [[u8; 10]; 8] = [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        [1, 5, 7, 6, 2, 8, 3, 0, 9, 4],
        [5, 8, 0, 3, 7, 9, 6, 1, 4, 2],
        [8, 9, 1, 6, 0, 4, 3, 5, 2, 7],
        [9, 4, 5, 3, 1, 2, 6, 8, 7, 0],
        [4, 2, 8, 6, 5, 7, 3, 9, 0, 1],
        [2, 7, 9, 3, 8, 0, 6, 4, 1, 5],
        [7, 0, 4, 6, 9, 1, 3, 2, 5, 8],
    ];
    let check = text.iter().rev().zip(PERMUTATION.iter().cycle()).try_fold(0u32, |check, (byte, row)| {
        let moved = row.get(usize::try_from(digit(*byte)?).ok()?).copied()?;
        Some(compose(check, u32::from(moved)))
    });
    text.len() > 1 && check == Some(0)
}

/// The product of two elements of the dihedral group of order ten: 0 to 4 turn, 5 to 9 turn and flip.
fn compose(a: u32, b: u32) -> u32 {
    let (turn, flips) = (a.wrapping_rem(5), a >= 5);
    let other = b.wrapping_rem(5);
    let turned = if flips { turn.wrapping_add(5).wrapping_sub(other) } else { turn.wrapping_add(other) }.wrapping_rem(5);
    if flips != (b >= 5) { turned.wrapping_add(5) } else { turned }
}

#[cfg(test)]
#[allow(clippy::string_slice)]
mod tests {
    use super::*;

    /// A published value of each, all check characters of which but one are wrong.
    const VALUES: [(&str, &str); 12] = [
        ("luhn", "4111111111111111"),
        ("luhn", "79927398713"),
        ("mod97", "GB29NWBK60161331926819"),
        ("mod97", "DE89370400440532013000"),
        ("aba", "011000015"),
        ("aba", "111000025"),
        ("verhoeff", "2363"),
        ("mod11", "9434765919"),
        ("mod11_2", "11010519491231002X"),
        ("mod11_10", "86095742719"),
        ("mod11_bsn", "111222333"),
        ("ean", "7569217076985"),
    ];

    #[test]
    fn published_values_are_consistent_and_no_other_last_digit_is() {
        for (name, value) in VALUES {
            let Checksum { valid, .. } = Checksum::from_name(name).unwrap();
            assert!(valid(value.as_bytes()), "{name} {value}");
            if name == "mod97" {
                assert!(!valid(value.replacen(&value[2..4], "00", 1).as_bytes()), "{name} {value}");
                continue;
            }
            let wrong = ('0'..='9').filter(|last| valid(format!("{}{last}", &value[..value.len() - 1]).as_bytes()));
            assert_eq!(wrong.collect::<String>(), value[value.len() - 1..].replace('X', ""), "{name} {value}");
        }
    }

    #[test]
    fn what_is_no_number_is_not_consistent() {
        for Checksum { name, valid, .. } in CHECKSUMS {
            for text in ["", "1", "-", "12a-", "GB29nwbk60161331926819", "٤٢"] {
                assert!(!valid(text.as_bytes()) || name == "mod97", "{name} {text}");
            }
        }
        assert!(!mod97(b"GB29nwbk60161331926819"));
    }
}
