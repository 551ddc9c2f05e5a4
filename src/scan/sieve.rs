//! The closer look at what the block loop marks: is it a fingerprint (a print, for short), or do only its nibbles look
//! like one?
//!
//! The block loop knows fingerprints by their nibbles, in eight buckets at most. Where many share a bucket it marks most blocks,
//! and to leave the loop for each would cost more than the loop. So each mark is first held against the bytes themselves, four of
//! them: each print is in a group, for each byte and each of the four places a word says which groups have it there, and what all
//! four words share is there. It may still let pass too much (a group has more than one print where there are many), and never too
//! little.

use crate::detect::ByteSet;

/// Groups of prints, one bit each.
const GROUPS: usize = 64;
/// Bytes that are looked at.
pub(super) const PLACES: usize = 4;

/// Prints by their bytes.
#[derive(Clone, Debug)]
pub(super) struct Sieve {
    /// For each place and each byte the groups that have it there.
    places: Box<[[u64; 256]; PLACES]>,
    /// Prints of a group.
    share: usize,
}

impl Sieve {
    /// Of prints with one of these bytes at each place. Where they are more than groups, neighbours share one.
    pub(super) fn of(prints: &[[ByteSet; PLACES]]) -> Sieve {
        let mut places = Box::new([[0u64; 256]; PLACES]);
        let share = prints.len().div_ceil(GROUPS).max(1);
        for (group, prints) in (0..).zip(prints.chunks(share)) {
            let group = 1u64.wrapping_shl(group);
            for print in prints {
                for (cells, set) in places.iter_mut().zip(print) {
                    for (byte, cell) in (0..=u8::MAX).zip(cells) {
                        *cell |= if set.contains(byte) { group } else { 0 };
                    }
                }
            }
        }
        Sieve { places, share }
    }

    /// Those of the prints that share this group.
    #[inline(always)]
    pub(super) fn sharing<'a, T>(&self, group: usize, prints: &'a [T]) -> &'a [T] {
        let from = group.wrapping_mul(self.share);
        prints.get(from..prints.len().min(from.wrapping_add(self.share))).unwrap_or_default()
    }

    /// The groups that have these bytes.
    #[inline(always)]
    pub(super) fn groups(&self, print: [u8; PLACES]) -> u64 {
        let [a, b, c, d] = &*self.places;
        let at = |place: &[u64; 256], byte: u8| place.get(usize::from(byte)).copied().unwrap_or(0);
        let [first, second, third, last] = print;
        at(a, first) & at(b, second) & at(c, third) & at(d, last)
    }

    /// Those of the marks of the block at `base` that are prints; and every at sign, where `at`.
    #[inline]
    pub(super) fn pass(&self, bytes: &[u8], base: usize, marks: u64, at: bool) -> u64 {
        let (mut left, mut passed) = (marks, 0);
        while left != 0 {
            let lowest = left & left.wrapping_neg();
            let print = before(bytes, base.wrapping_add(left.trailing_zeros() as usize));
            let [.., last] = print;
            passed |= if self.groups(print) != 0 || at && last == b'@' { lowest } else { 0 };
            left ^= lowest;
        }
        passed
    }
}

/// The bytes up to `end` and with it; zeros where there are none.
#[inline(always)]
pub(super) fn before(bytes: &[u8], end: usize) -> [u8; PLACES] {
    match bytes.get(..=end).and_then(<[u8]>::last_chunk) {
        Some(print) => *print,
        None => [3, 2, 1, 0].map(|back| end.checked_sub(back).and_then(|at| bytes.get(at)).copied().unwrap_or(0)),
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_a_print_and_every_print_passes() {
        let any = ByteSet::ALL;
        let set = |byte| ByteSet::of(byte);
        let prints = [[any, set(b'e'), set(b'y'), set(b'J')], [set(b's'), set(b':'), set(b'/'), set(b'/')]];
        let sieve = Sieve::of(&prints);
        let text = b"eyJ https:// ftp:// eyj a@b EYJ eyeyJs://@".repeat(3);
        for base in [0, 1, 40] {
            let naive = |at: bool| -> u64 {
                let ends = |end: usize| {
                    let known = &text[..=end];
                    known.ends_with(b"eyJ") || known.ends_with(b"s://") || at && known.ends_with(b"@")
                };
                (0..64).filter(|bit| ends(base + bit)).map(|bit| 1u64 << bit).sum()
            };
            assert_eq!(
                (sieve.pass(&text, base, u64::MAX, false), sieve.pass(&text, base, u64::MAX, true)),
                (naive(false), naive(true))
            );
            assert_eq!(sieve.pass(&text, base, 0, true), 0);
        }
    }

    #[test]
    fn more_prints_than_groups_still_all_pass() {
        let prints: Vec<[u8; PLACES]> = (0..200u8).map(|at| [at, at.wrapping_mul(7), at ^ 90, at.wrapping_add(3)]).collect();
        let sieve = Sieve::of(&prints.iter().map(|print| print.map(ByteSet::of)).collect::<Vec<_>>());
        for (at, print) in prints.iter().enumerate() {
            let groups = sieve.groups(*print);
            assert!((0..GROUPS).any(|group| groups & 1 << group != 0 && sieve.sharing(group, &prints).contains(print)), "{at}");
        }
    }
}
