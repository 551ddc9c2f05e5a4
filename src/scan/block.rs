//! 64 bytes in, 64-bit masks out: the only code that looks at every byte of a body.
//!
//! A mask has one bit for each byte of the block, the lowest for the first. Two masks are made:
//! - [`prints`]: bytes that end a *fingerprint*, three bytes that only the beginning of a token has (`eyJ`, `-?B`, `@`). A byte
//!   has three lookups, one for each place in a fingerprint; each gives a set of eight buckets, and a fingerprint is where the
//!   three sets share a bucket. The lookups are split by nibble so that a 16-byte shuffle can do them: a bucket holds the cross
//!   product of its low and its high nibbles, a little more than what was asked for, and who reads the mask compares again.
//! - [`digits`]: bytes that are `0` to `9`.
//!
//! There are two makers with one behaviour: `simd` for wasm with simd128, `scalar` for everything else. A test holds them
//! against each other where both exist. This module refuses to know kinds: what the fingerprints are is told to it.

#[cfg_attr(all(target_arch = "wasm32", target_feature = "simd128"), allow(dead_code))]
mod scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd;

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
pub(super) use scalar::{Carry, Sets, digits};
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(super) use simd::{Carry, Sets, digits};

/// Bytes of a block: one mask's bits.
pub(super) const BLOCK: usize = 64;
/// Bytes before a block that its masks depend on: a fingerprint ends at most this far behind where it starts.
pub(super) const CONTEXT: usize = 2;
/// A block with its context in front.
pub(super) type Window = [u8; CONTEXT + BLOCK];

/// Sets of buckets by nibble, for each of the three places of a fingerprint.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fingerprints {
    /// By the low nibble of a byte.
    low: [[u8; 16]; 3],
    /// By its high nibble.
    high: [[u8; 16]; 3],
}

impl Fingerprints {
    /// No fingerprint: matches nothing.
    pub(super) const NONE: Fingerprints = Fingerprints { low: [[0; 16]; 3], high: [[0; 16]; 3] };

    /// Lets `byte` stand at `place` (0, 1, 2) in the fingerprints of `bucket` (one bit).
    pub(super) fn allow(&mut self, bucket: u8, place: usize, byte: u8) {
        if let (Some(low), Some(high)) = (self.low.get_mut(place), self.high.get_mut(place)) {
            if let Some(set) = low.get_mut(usize::from(byte & 15)) {
                *set |= bucket;
            }
            if let Some(set) = high.get_mut(usize::from(byte >> 4)) {
                *set |= bucket;
            }
        }
    }

    /// The buckets that allow `byte` at `place`.
    fn buckets(&self, place: usize, byte: u8) -> u8 {
        let by = |table: &[[u8; 16]; 3], nibble: u8| {
            table.get(place).and_then(|row| row.get(usize::from(nibble))).copied().unwrap_or(0)
        };
        by(&self.low, byte & 15) & by(&self.high, byte >> 4)
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    use super::*;

    fn naive_prints(prints: &Fingerprints, window: &Window) -> u64 {
        (0..BLOCK).filter(|&i| (0..3).fold(255, |sets, p| sets & prints.buckets(p, window[i + p])) != 0).map(|i| 1u64 << i).sum()
    }

    fn windows() -> impl Iterator<Item = (Fingerprints, Window)> {
        // A small generator of its own, so that the test runs in the module's environment as well.
        let mut seed = 0x9e37_79b9_7f4a_7c15u64;
        let mut random = move || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed
        };
        (0..4000).map(move |round| {
            let mut prints = Fingerprints::NONE;
            for _ in 0..random() % 12 {
                let bucket = 1 << (random() % 8);
                for place in 0..3 {
                    prints.allow(bucket, place, (random() >> 9) as u8);
                }
            }
            let mut window = [0u8; CONTEXT + BLOCK];
            for byte in &mut window {
                *byte = match round % 4 {
                    0 => (random() >> 11) as u8,
                    1 => b"0123456789:/@ -"[(random() % 15) as usize],
                    2 => b'0' + (random() % 12) as u8,
                    _ => (random() >> 11) as u8 & 0x7f,
                };
            }
            (prints, window)
        })
    }

    #[test]
    fn masks_are_what_a_byte_by_byte_reading_gives() {
        for (table, window) in windows() {
            let expected = naive_prints(&table, &window);
            let ats: u64 = (0..BLOCK).filter(|&i| window[CONTEXT + i] == b'@').map(|i| 1u64 << i).sum();
            let mut carry = Carry::new(&table, &window);
            let sets = Sets::of::<false>(&table, &window, &mut carry);
            assert_eq!((sets.any(), sets.mask()), (expected != 0, expected));
            let mut carry = Carry::new(&table, &window);
            assert_eq!(Sets::of::<true>(&table, &window, &mut carry).mask(), expected | ats);
            let expected: u64 = (0..BLOCK).filter(|&i| window[CONTEXT + i].is_ascii_digit()).map(|i| 1u64 << i).sum();
            assert_eq!(digits(&window), expected);
        }
    }

    #[test]
    fn fingerprints_reach_over_from_one_block_into_the_next() {
        for (table, window) in windows() {
            // The window once more, as the second of two blocks whose border may stand within a fingerprint.
            let mut bytes = [7u8; CONTEXT + BLOCK * 2];
            bytes[BLOCK..].copy_from_slice(&window);
            let first = bytes.first_chunk().unwrap();
            let mut carry = Carry::new(&table, first);
            let _ = Sets::of::<false>(&table, first, &mut carry);
            assert_eq!(Sets::of::<false>(&table, &window, &mut carry).mask(), naive_prints(&table, &window));
        }
    }
}
