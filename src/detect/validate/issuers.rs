//! Who issues payment cards: ranges of first digits, and the lengths of the numbers.
//!
//! ISO/IEC 7812-1 gives the shape (at most 19 digits, Luhn at the end); its register of issuers is not public, so the rows come
//! from what the networks publish:
//!
//! - Visa and Mastercard: their merchant rules (Mastercard's 2-series: 222100 to 272099).
//! - American Express, Discover, Diners Club, JCB and UnionPay: Discover's IIN bulletin, which lists all ranges its network takes.
//! - Maestro, Mir, RuPay, Elo, Hipercard, Troy, Verve, Humo, Uzcard, Bancontact, InterPayment, InstaPayment: the networks' pages,
//!   gathered in "Payment card number" (Wikipedia) and in Braintree's `credit-card-type`.
//!
//! Maestro is listed as 50 (16 digits and more), 67 and the ranges known from cards, and not as "50 and 56 to 69": with 12 to 19
//! digits that would be a seventh of all long numbers. UATP (15 digits that begin with 1) is left out, since timestamps look like that.

/// How an issuer groups the digits in print.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Print {
    /// 4-4-4-4, and 1 to 3 more.
    Fours,
    /// 4-6-5.
    FourSixFive,
    /// 4-6-4 where there are 14 digits, else fours.
    FourSixFour,
}

/// One range of a network.
pub(super) struct Issuer {
    /// The network, for people.
    #[cfg_attr(not(test), expect(dead_code, reason = "documents the row; tests read it"))]
    pub(super) network: &'static str,
    /// First and last of its first six digits.
    range: (u32, u32),
    /// Lengths of its numbers, in digits.
    lengths: &'static [usize],
    /// How they are grouped.
    pub(super) print: Print,
}

const fn row(network: &'static str, first: u32, last: u32, lengths: &'static [usize]) -> Issuer {
    Issuer { network, range: (first, last), lengths, print: Print::Fours }
}

const SIXTEEN: &[usize] = &[16];
const LONG: &[usize] = &[16, 17, 18, 19];
const MAESTRO: &[usize] = &[13, 14, 15, 16, 17, 18, 19];

#[rustfmt::skip]
static ISSUERS: [Issuer; 33] = [
    row("Visa",             400_000, 499_999, &[13, 16, 19]),
    row("Mastercard",       222_100, 272_099, SIXTEEN),
    row("Mastercard",       510_000, 559_999, SIXTEEN),
    Issuer { network: "American Express", range: (340_000, 349_999), lengths: &[15], print: Print::FourSixFive },
    Issuer { network: "American Express", range: (370_000, 379_999), lengths: &[15], print: Print::FourSixFive },
    Issuer { network: "Diners Club", range: (300_000, 305_999), lengths: &[14, 16, 17, 18, 19], print: Print::FourSixFour },
    Issuer { network: "Diners Club", range: (309_500, 309_599), lengths: &[14, 16, 17, 18, 19], print: Print::FourSixFour },
    Issuer { network: "Diners Club", range: (360_000, 369_999), lengths: &[14, 16, 17, 18, 19], print: Print::FourSixFour },
    Issuer { network: "Diners Club", range: (380_000, 399_999), lengths: &[14, 16, 17, 18, 19], print: Print::FourSixFour },
    row("Discover",         601_100, 601_199, LONG),
    row("Discover",         644_000, 659_999, LONG),
    row("JCB",              352_800, 358_999, LONG),
    row("UnionPay",         620_000, 629_999, LONG),
    row("UnionPay",         810_000, 817_199, LONG),
    row("Maestro",          501_800, 501_899, MAESTRO),
    row("Maestro",          502_000, 502_099, MAESTRO),
    row("Maestro",          503_800, 503_899, MAESTRO),
    row("Maestro",          561_200, 561_299, MAESTRO),
    row("Maestro",          589_300, 589_399, MAESTRO),
    row("Maestro",          630_400, 630_499, MAESTRO),
    // Also Bancontact (6703).
    row("Maestro",          670_000, 679_999, MAESTRO),
    // Also Dankort (5019), Elo (504175, 5066 to 5067, 509), Verve (5060 to 5061, 5078 to 5079) and RuPay (508).
    row("Maestro",          500_000, 509_999, LONG),
    row("Mir",              220_000, 220_499, LONG),
    row("Borica",           220_500, 220_599, SIXTEEN),
    row("RuPay",            600_000, 601_099, SIXTEEN),
    row("RuPay",            601_200, 609_999, SIXTEEN),
    row("RuPay",            817_200, 829_999, SIXTEEN),
    row("InterPayment, Elo", 636_000, 636_999, LONG),
    row("InstaPayment, Hipercard", 637_000, 639_999, SIXTEEN),
    row("Troy",             979_200, 979_299, SIXTEEN),
    row("Humo",             986_000, 986_099, SIXTEEN),
    row("Uzcard",           860_000, 860_099, SIXTEEN),
    row("Uzcard",           561_468, 561_468, SIXTEEN),
];

/// The network that numbers of this beginning (six digits) and this length belong to.
pub(super) fn issuer(first_six: u32, length: usize) -> Option<&'static Issuer> {
    let mut rows = BY_TWO.get(first_six as usize / 10_000).copied()?;
    while rows != 0 {
        let row = ISSUERS.get(rows.trailing_zeros() as usize)?;
        if (row.range.0..=row.range.1).contains(&first_six) && row.lengths.contains(&length) {
            return Some(row);
        }
        rows &= rows.wrapping_sub(1);
    }
    None
}

/// For each two first digits the rows that have numbers with them, a bit each.
static BY_TWO: [u64; 100] = {
    let mut table = [0; 100];
    let mut rows: &[Issuer] = &ISSUERS;
    let mut bit = 1;
    while let [row, rest @ ..] = rows {
        let mut cells: &mut [u64] = &mut table;
        let mut two = 0;
        while let [cell, tail @ ..] = cells {
            if row.range.0 / 10_000 <= two && two <= row.range.1 / 10_000 {
                *cell |= bit;
            }
            two = two.wrapping_add(1);
            cells = tail;
        }
        bit <<= 1;
        rows = rest;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_network_that_their_beginning_and_length_say() {
        let rows: [(u32, usize, Option<&str>); 16] = [
            (411_111, 16, Some("Visa")),
            (411_111, 13, Some("Visa")),
            (411_111, 15, None),
            (222_099, 16, None),
            (222_100, 16, Some("Mastercard")),
            (272_099, 16, Some("Mastercard")),
            (272_100, 16, None),
            (560_000, 16, None),
            (378_282, 15, Some("American Express")),
            (378_282, 16, None),
            (622_126, 19, Some("UnionPay")),
            (601_100, 16, Some("Discover")),
            (220_138, 16, Some("Mir")),
            (500_055, 16, Some("Maestro")),
            (508_500, 15, None),
            (890_112, 19, None),
        ];
        for (first, length, network) in rows {
            assert_eq!(issuer(first, length).map(|row| row.network), network, "{first} {length}");
        }
    }
}
