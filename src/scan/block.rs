//! 64 bytes in, 64-bit masks out: the only code that looks at every byte of a body.
//!
//! A mask has one bit for each byte of the block, the lowest for the first. Three masks are made:
//! - [`Sets`]: bytes that end a *fingerprint*, three bytes that hardly anything but the beginning of a token has (`eyJ`, `--B`). A
//!   byte has three lookups, one for each place in a fingerprint; each gives a set of at most eight buckets, and a fingerprint is
//!   where the three sets share a bucket. The lookups are split by nibble so that a 16-byte shuffle can do them: a bucket holds the
//!   cross product of its low and its high nibbles, a little more than what was asked for, and who reads the mask compares again.
//!   The middle byte is looked up by its low nibble alone: that doubles the false alarms, which are few, and saves a tenth of the
//!   work. One bucket may be that of a byte that is noticed wherever it stands, such as `@`: all bytes are in it at the other
//!   places.
//! - digits, `0` to `9`: where they are wanted, a bucket of the last place alone, so that they cost nothing but to be collected.
//! - [`escapes`]: bytes that are `\`, `%` or `&`; [`may_escape`] asks whether there is one.
//!
//! There are two makers with one behaviour: `simd` for wasm with simd128, `scalar` for everything else. A test holds them
//! against each other where both exist. This module refuses to know kinds: what the fingerprints are is told to it.

#[cfg_attr(all(target_arch = "wasm32", target_feature = "simd128"), allow(dead_code))]
mod scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd;

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
pub(super) use scalar::{Carry, Sets, equal, equal_half, escapes, may_escape, of, of_half, span};
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(super) use simd::{Carry, Sets, equal, equal_half, escapes, may_escape, of, of_half, span};

/// Bytes of a block: one mask's bits.
pub(super) const BLOCK: usize = 64;
/// What masks are made of.
pub(super) type Block = [u8; BLOCK];

/// A block that begins with `bytes`, behind which are zeros.
pub(super) fn padded(bytes: &[u8]) -> Block {
    let mut block: Block = [0; BLOCK];
    for (to, from) in block.iter_mut().zip(bytes) {
        *to = *from;
    }
    block
}

/// A set of bytes. The byte with the low nibble `l` and the high nibble `h` is bit `h % 8` of byte `l + h / 8 * 16`.
pub(super) type ByteSet = [u8; 32];

/// Is `byte` one of `set`?
#[inline(always)]
pub(super) fn contains(set: &ByteSet, byte: u8) -> bool {
    let row = set.get(usize::from(byte & 15 | byte >> 3 & 16)).copied().unwrap_or(0);
    row.wrapping_shr(u32::from(byte >> 4 & 7)) & 1 != 0
}

/// The set of `bytes`, with all ASCII letters and digits or without.
pub(super) const fn byte_set(bytes: &[u8], alphanumeric: bool) -> ByteSet {
    let mut set: ByteSet = [0; 32];
    let mut byte = 0u8;
    while byte < 128 {
        let mut wanted = alphanumeric && byte.is_ascii_alphanumeric();
        let mut rest = bytes;
        while let [one, tail @ ..] = rest {
            wanted |= *one == byte;
            rest = tail;
        }
        let mut cells: &mut [u8] = &mut set;
        let mut row = 0;
        while let [cell, tail @ ..] = cells {
            if row == byte & 15 && wanted {
                *cell |= 1 << (byte >> 4);
            }
            row = row.wrapping_add(1);
            cells = tail;
        }
        byte = byte.wrapping_add(1);
    }
    set
}

/// Buckets of fingerprints, where none is taken for something else.
pub(super) const BUCKETS: usize = 8;
/// The bucket of a byte that is noticed wherever it stands, where there is one.
const ALONE: u8 = 0x40;
/// The bucket of digits, at the last place only, where they are wanted.
const DIGITS: u8 = 0x80;

/// Sets of buckets by nibble, for the three places of a fingerprint.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fingerprints {
    first: Place,
    /// Only the low nibble of the middle byte is looked up.
    middle: [u8; 16],
    last: Place,
}

/// One place's sets of buckets.
#[derive(Clone, Copy, Debug)]
struct Place {
    low: [u8; 16],
    high: [u8; 16],
}

impl Place {
    const NONE: Place = Place { low: [0; 16], high: [0; 16] };

    const fn allow(&mut self, bucket: u8, byte: u8) {
        allow(&mut self.low, bucket, byte & 15);
        allow(&mut self.high, bucket, byte >> 4);
    }

    fn buckets(&self, byte: u8) -> u8 {
        look_up(&self.low, byte & 15) & look_up(&self.high, byte >> 4)
    }
}

const fn allow(table: &mut [u8; 16], bucket: u8, nibble: u8) {
    // A loop, for there is no indexing without a panic in a const function.
    let mut rest: &mut [u8] = table;
    let mut at = 0;
    while let [set, tail @ ..] = rest {
        if at == nibble {
            *set |= bucket;
        }
        at = at.wrapping_add(1);
        rest = tail;
    }
}

fn look_up(table: &[u8; 16], nibble: u8) -> u8 {
    table.get(usize::from(nibble)).copied().unwrap_or(0)
}

impl Fingerprints {
    /// No fingerprint: matches nothing.
    pub(super) const NONE: Fingerprints = Fingerprints { first: Place::NONE, middle: [0; 16], last: Place::NONE };

    /// Marks digits, which takes the last bucket.
    pub(super) const fn mark_digits(&mut self) {
        let mut digit = b'0';
        while digit <= b'9' {
            self.last.allow(DIGITS, digit);
            digit = digit.wrapping_add(1);
        }
    }

    /// Notices `byte`, and no other, wherever it stands, which takes the last bucket but one.
    pub(super) const fn notice_alone(&mut self, byte: u8) {
        let mut nibble = 0;
        while nibble < 16 {
            self.first.allow(ALONE, nibble << 4 | nibble);
            allow(&mut self.middle, ALONE, nibble);
            nibble = nibble.wrapping_add(1);
        }
        self.last.allow(ALONE, byte);
    }

    /// Adds `print` to the fingerprints of `bucket` (one bit of the first [`BUCKETS`]).
    pub(super) const fn allow(&mut self, bucket: u8, print: [u8; 3]) {
        let [first, middle, last] = print;
        self.first.allow(bucket, first);
        allow(&mut self.middle, bucket, middle & 15);
        self.last.allow(bucket, last);
    }

    /// The buckets that `print` is in.
    fn buckets(&self, print: [u8; 3]) -> u8 {
        let [first, middle, last] = print;
        self.first.buckets(first) & look_up(&self.middle, middle & 15) & self.last.buckets(last)
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    use super::*;

    /// Two bytes before a block, and the block.
    type Window = [u8; 2 + BLOCK];

    fn split(window: &Window) -> (&[u8; 2], &Block) {
        (window.first_chunk().unwrap(), window.last_chunk().unwrap())
    }

    fn naive_prints(prints: &Fingerprints, window: &Window) -> u64 {
        let print = |i: usize| [window[i], window[i + 1], window[i + 2]];
        (0..BLOCK).filter(|&i| prints.buckets(print(i)) != 0).map(|i| 1u64 << i).sum()
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
                prints.allow(1 << (random() % 6), [(random() >> 9) as u8, (random() >> 9) as u8, (random() >> 9) as u8]);
            }
            let mut window = [0u8; 2 + BLOCK];
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
            let (before, block) = split(&window);
            let expected = naive_prints(&table, &window);
            let sets = Sets::of::<false, false>(&table, block, &mut Carry::new(&table, *before, 0));
            assert_eq!((sets.any(), sets.mask(), sets.digits()), (expected != 0, expected, 0));
            let mut with_ats = table;
            with_ats.notice_alone(b'@');
            let expected = (0..BLOCK).filter(|&i| block[i] == b'@').map(|i| 1u64 << i).fold(expected, |mask, bit| mask | bit);
            let sets = Sets::of::<false, false>(&with_ats, block, &mut Carry::new(&with_ats, *before, 0));
            assert_eq!((sets.any(), sets.mask()), (expected != 0, expected));
            let expected_digits: u64 = (0..BLOCK).filter(|&i| block[i].is_ascii_digit()).map(|i| 1u64 << i).sum();
            with_ats.mark_digits();
            let sets = Sets::of::<true, false>(&with_ats, block, &mut Carry::new(&with_ats, *before, 0));
            assert_eq!((sets.mask(), sets.digits()), (expected, expected_digits));
            assert!(sets.any() || expected == 0);
            let sets = Sets::of::<true, true>(&with_ats, block, &mut Carry::new(&with_ats, *before, 0));
            assert_eq!((sets.mask(), sets.digits()), (expected, expected_digits));
        }
    }

    #[test]
    fn a_span_ends_at_the_first_byte_that_is_not_of_the_set() {
        for (_, window) in windows() {
            let mut set: ByteSet = [0; 32];
            let (end, all) = (usize::from(window[0]) % 60, &window[2..]);
            for byte in &all[..end] {
                set[usize::from(byte & 15) + usize::from(byte >> 7) * 16] |= 1 << (byte >> 4 & 7);
            }
            let naive = all.iter().take_while(|byte| all[..end].contains(byte)).count();
            assert_eq!(span(&set, all), naive);
            assert_eq!(scalar::span(&set, all), naive);
            assert_eq!(span(&set, &all[..end]), end);
            let block: &Block = window.last_chunk().unwrap();
            let (half, mask) = (block.first_chunk().unwrap(), |wanted: &dyn Fn(u8) -> bool| -> u64 {
                (0..BLOCK).filter(|&i| wanted(block[i])).map(|i| 1u64 << i).sum()
            });
            let (members, equals) = (mask(&|byte| contains(&set, byte)), mask(&|byte| byte == window[9]));
            assert_eq!((of(&set, block), equal(block, window[9])), (members, equals));
            assert_eq!((of_half(&set, half), equal_half(half, window[9])), (members as u32, equals as u32));
        }
    }

    #[test]
    fn fingerprints_reach_over_from_one_block_into_the_next() {
        for (table, window) in windows() {
            let (before, block) = split(&window);
            let mut first = [7u8; BLOCK];
            first[BLOCK - 2..].copy_from_slice(before);
            let mut carry = Carry::new(&table, [0; 2], 0);
            let _ = Sets::of::<false, false>(&table, &first, &mut carry);
            assert_eq!(Sets::of::<false, false>(&table, block, &mut carry).mask(), naive_prints(&table, &window));
        }
    }

    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    #[test]
    fn simd_and_scalar_give_the_same_masks() {
        for (mut table, window) in windows() {
            table.mark_digits();
            let (before, block) = split(&window);
            let near = u64::from_le_bytes(*window.last_chunk().unwrap());
            let simd = simd::Sets::of::<true, true>(&table, block, &mut simd::Carry::new(&table, *before, near));
            let scalar = scalar::Sets::of::<true, true>(&table, block, &mut scalar::Carry::new(&table, *before, near));
            assert_eq!((simd.any(), simd.mask(), simd.digits()), (scalar.any(), scalar.mask(), scalar.digits()));
            assert_eq!(simd::escapes(block), scalar::escapes(block));
            assert_eq!(simd::may_escape(block, block), scalar::may_escape(block, block));
        }
    }
}
