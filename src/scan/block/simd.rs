//! The masks with simd128, 16 bytes at a time.
#![allow(unsafe_code)]

use core::arch::wasm32::{
    i8x16_add, i8x16_bitmask, i8x16_gt, i8x16_shuffle, i8x16_splat, i8x16_swizzle, u8x16_eq, u8x16_ne, u8x16_shr, u8x16_splat,
    v128, v128_and, v128_any_true, v128_load, v128_or,
};

use super::{BLOCK, CONTEXT, Fingerprints, Window};

/// Bytes of a vector.
const LANES: usize = 16;

/// The vector that starts `AT` bytes into the block of `window`.
#[inline(always)]
fn load<const AT: usize>(window: &Window) -> v128 {
    const { assert!(AT + LANES <= BLOCK) };
    // SAFETY: the assertion above holds the 16 bytes within the array, and wasm loads need no alignment.
    unsafe { v128_load(window.as_ptr().wrapping_add(CONTEXT + AT).cast()) }
}

/// A table of 16 bytes as a vector.
#[inline(always)]
fn table(bytes: &[u8; LANES]) -> v128 {
    // SAFETY: the array is 16 bytes long, and wasm loads need no alignment.
    unsafe { v128_load(bytes.as_ptr().cast()) }
}

/// The last vector's lookups for the first two places: a fingerprint may reach over from it into the next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Carry {
    first: v128,
    second: v128,
}

/// A vector of bytes, split for lookups.
struct Nibbles {
    low: v128,
    high: v128,
}

impl Nibbles {
    #[inline(always)]
    fn of(bytes: v128) -> Nibbles {
        Nibbles { low: v128_and(bytes, u8x16_splat(15)), high: u8x16_shr(bytes, 4) }
    }

    /// The set of buckets of each byte at one place.
    #[inline(always)]
    fn buckets(&self, prints: &Fingerprints, place: usize) -> v128 {
        let row = |rows: &[[u8; LANES]; 3]| {
            let [first, second, third] = rows;
            table(if place == 0 {
                first
            } else if place == 1 {
                second
            } else {
                third
            })
        };
        let (low, high) = (row(&prints.low), row(&prints.high));
        v128_and(i8x16_swizzle(low, self.low), i8x16_swizzle(high, self.high))
    }
}

impl Carry {
    /// What is carried into the block of `window`.
    pub(crate) fn new(table: &Fingerprints, window: &Window) -> Carry {
        let [before, last, ..] = *window;
        let bytes = core::arch::wasm32::u8x16(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, before, last);
        let nibbles = Nibbles::of(bytes);
        Carry { first: nibbles.buckets(table, 0), second: nibbles.buckets(table, 1) }
    }
}

/// For each byte of a block the buckets whose fingerprints end there.
#[derive(Clone, Copy)]
pub(crate) struct Sets([v128; 4]);

impl Sets {
    /// Looks up a block; `AT` also counts every `@`.
    #[inline(always)]
    pub(crate) fn of<const AT: bool>(table: &Fingerprints, window: &Window, carry: &mut Carry) -> Sets {
        let mut sets = |bytes: v128| {
            let nibbles = Nibbles::of(bytes);
            let (first, second, third) = (nibbles.buckets(table, 0), nibbles.buckets(table, 1), nibbles.buckets(table, 2));
            let before = i8x16_shuffle::<14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29>(carry.first, first);
            let last = i8x16_shuffle::<15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30>(carry.second, second);
            *carry = Carry { first, second };
            let shared = v128_and(v128_and(before, last), third);
            if AT { v128_or(shared, u8x16_eq(bytes, u8x16_splat(b'@'))) } else { shared }
        };
        Sets([sets(load::<0>(window)), sets(load::<16>(window)), sets(load::<32>(window)), sets(load::<48>(window))])
    }

    /// Is there any?
    #[inline(always)]
    pub(crate) fn any(&self) -> bool {
        let [a, b, c, d] = self.0;
        v128_any_true(v128_or(v128_or(a, b), v128_or(c, d)))
    }

    /// Where there is one.
    #[inline(always)]
    pub(crate) fn mask(&self) -> u64 {
        let [a, b, c, d] = self.0.map(|sets| u64::from(i8x16_bitmask(u8x16_ne(sets, u8x16_splat(0)))));
        a | b << 16 | c << 32 | d << 48
    }
}

/// Which bytes are decimal digits.
#[inline(always)]
pub(crate) fn digits(window: &Window) -> u64 {
    macro_rules! mask {
        ($at:literal) => {{
            // Moved to the top of the signed range, so that one comparison is enough: '9' becomes 127, '0' 118.
            let moved = i8x16_add(load::<$at>(window), i8x16_splat(127 - b'9' as i8));
            u64::from(i8x16_bitmask(i8x16_gt(moved, i8x16_splat(117)))) << $at
        }};
    }
    mask!(0) | mask!(16) | mask!(32) | mask!(48)
}
