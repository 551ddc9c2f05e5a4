//! The masks with simd128, 16 bytes at a time.
//!
//! Written for V8 on x86-64, where a shift of bytes is five instructions (one of 16-bit lanes is one), a shuffle of neighbours is
//! one, and a swizzle three. A relaxed one is one; it differs only for indexes of 16 and more, so all that it is given are nibbles.
#![allow(unsafe_code)]

use core::arch::wasm32::{
    i8x16_bitmask, i8x16_relaxed_swizzle, i8x16_shuffle, i8x16_swizzle, u8x16, u8x16_eq, u8x16_splat, u16x8_shr, u64x2,
    u64x2_shl, u64x2_shr, v128, v128_and, v128_andnot, v128_any_true, v128_load, v128_or, v128_xor,
};

use super::{BLOCK, Block, ByteSet, Fingerprints, Place, contains};

/// Bytes of a vector.
const LANES: usize = 16;

/// The vector that starts `AT` bytes into a block.
#[inline(always)]
fn load<const AT: usize>(block: &Block) -> v128 {
    const { assert!(AT + LANES <= BLOCK) };
    // SAFETY: the assertion above holds the 16 bytes within the array, and wasm loads need no alignment.
    unsafe { v128_load(block.as_ptr().wrapping_add(AT).cast()) }
}

/// A table of 16 bytes as a vector.
#[inline(always)]
fn vector(bytes: &[u8; LANES]) -> v128 {
    // SAFETY: the array is 16 bytes long, and wasm loads need no alignment.
    unsafe { v128_load(bytes.as_ptr().cast()) }
}

/// A vector of bytes, split for lookups.
struct Nibbles {
    low: v128,
    high: v128,
}

impl Nibbles {
    #[inline(always)]
    fn of(bytes: v128) -> Nibbles {
        let fifteen = u8x16_splat(15);
        Nibbles { low: v128_and(bytes, fifteen), high: v128_and(u16x8_shr(bytes, 4), fifteen) }
    }

    /// The set of buckets of each byte at one place.
    #[inline(always)]
    fn buckets(&self, place: &Place) -> v128 {
        v128_and(i8x16_relaxed_swizzle(vector(&place.low), self.low), i8x16_relaxed_swizzle(vector(&place.high), self.high))
    }

    /// The same at the middle place.
    #[inline(always)]
    fn middle(&self, table: &Fingerprints) -> v128 {
        i8x16_relaxed_swizzle(vector(&table.middle), self.low)
    }
}

/// The last vector's lookups for the first two places: a fingerprint may reach over from it into the next. And its block's digits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Carry {
    first: v128,
    middle: v128,
    digits: u64,
}

impl Carry {
    /// What is carried into a block that `before` stands before, and `digits`.
    pub(crate) fn new(table: &Fingerprints, before: [u8; 2], digits: u64) -> Carry {
        let [a, b] = before;
        let nibbles = Nibbles::of(u8x16(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, a, b));
        Carry { first: nibbles.buckets(&table.first), middle: nibbles.middle(table), digits }
    }

    /// The digits of the block before.
    pub(crate) fn digits(&self) -> u64 {
        self.digits
    }
}

/// For each byte of a block the buckets whose fingerprints end there; and the digits.
#[derive(Clone, Copy)]
pub(crate) struct Sets {
    prints: [v128; 4],
    /// What is not zero if there may be a number.
    numbers: v128,
    digits: u64,
}

impl Sets {
    /// Looks up a block; `DIGITS`: digits are wanted, which the table must mark; `AT`: every `@` is noticed besides.
    #[inline(always)]
    pub(crate) fn of<const DIGITS: bool, const AT: bool>(table: &Fingerprints, block: &Block, carry: &mut Carry) -> Sets {
        let mut found = 0;
        let mut sets = |bytes: v128, at: u32| {
            let nibbles = Nibbles::of(bytes);
            let (first, middle, last) = (nibbles.buckets(&table.first), nibbles.middle(table), nibbles.buckets(&table.last));
            let two_back = i8x16_shuffle::<14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29>(carry.first, first);
            let one_back = i8x16_shuffle::<15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30>(carry.middle, middle);
            *carry = Carry { first, middle, ..*carry };
            if DIGITS {
                found |= u64::from(i8x16_bitmask(last)) << at;
            }
            // Digits have no bucket at the other places.
            let shared = v128_and(v128_and(two_back, one_back), last);
            if AT { v128_or(shared, u8x16_eq(bytes, u8x16_splat(b'@'))) } else { shared }
        };
        let prints =
            [sets(load::<0>(block), 0), sets(load::<16>(block), 16), sets(load::<32>(block), 32), sets(load::<48>(block), 48)];
        let numbers = if DIGITS { may_be_numbers(carry.digits, found) } else { u8x16_splat(0) };
        carry.digits = found;
        Sets { prints, numbers, digits: found }
    }

    /// Is there any, or may there be a number?
    #[inline(always)]
    pub(crate) fn any(&self) -> bool {
        let [a, b, c, d] = self.prints;
        v128_any_true(v128_or(v128_or(v128_or(a, b), v128_or(c, d)), self.numbers))
    }

    /// May there be a number?
    #[inline(always)]
    pub(crate) fn any_number(&self) -> bool {
        v128_any_true(self.numbers)
    }

    /// Where a fingerprint ends.
    #[inline(always)]
    pub(crate) fn mask(&self) -> u64 {
        let [a, b, c, d] = self.prints.map(|sets| u64::from(i8x16_bitmask(u8x16_eq(sets, u8x16_splat(0)))));
        !(a | b << 16 | c << 32 | d << 48)
    }

    /// Which bytes are digits; none where they were not wanted.
    #[inline(always)]
    pub(crate) fn digits(&self) -> u64 {
        self.digits
    }
}

/// Not zero where thirteen digits end, or what all other shapes have: `d?dd-dddd`, where `?` is a digit or not. Two windows are looked
/// at, each of half a block and what stands before it.
#[inline(always)]
fn may_be_numbers(before: u64, digits: u64) -> v128 {
    let one = u64x2(digits << 32 | before >> 32, digits);
    let two = v128_and(one, u64x2_shl(one, 1));
    let four = v128_and(two, u64x2_shl(two, 2));
    let eight = v128_and(four, u64x2_shl(four, 4));
    let bare = v128_and(eight, u64x2_shl(eight, 5));
    let separated = v128_and(v128_andnot(four, u64x2_shl(one, 4)), v128_and(u64x2_shl(two, 5), u64x2_shl(one, 8)));
    u64x2_shr(v128_or(bare, separated), 32)
}

/// A set of bytes as vectors.
struct Members {
    low: v128,
    high: v128,
}

impl Members {
    #[inline(always)]
    fn new(set: &ByteSet) -> Members {
        let halves: &[[u8; LANES]; 2] = set.as_chunks().0.try_into().unwrap_or(&[[0; LANES]; 2]);
        let [low, high] = halves;
        Members { low: vector(low), high: vector(high) }
    }

    /// Which bytes of a vector are not of the set.
    #[inline(always)]
    fn outside(&self, bytes: v128) -> u32 {
        let bits = u8x16(1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128);
        // A lookup gives nothing for an index of 16 and more.
        let near = v128_and(bytes, u8x16_splat(0x8f));
        let rows = v128_or(i8x16_swizzle(self.low, near), i8x16_swizzle(self.high, v128_xor(near, u8x16_splat(0x80))));
        let bit = i8x16_swizzle(bits, v128_and(u16x8_shr(bytes, 4), u8x16_splat(15)));
        u32::from(i8x16_bitmask(u8x16_eq(v128_and(rows, bit), u8x16_splat(0))))
    }
}

/// How many bytes at the beginning of `bytes` are of `set`.
#[inline]
pub(crate) fn span(set: &ByteSet, bytes: &[u8]) -> usize {
    let members = Members::new(set);
    let (chunks, edge) = bytes.as_chunks::<LANES>();
    let mut at = 0usize;
    for chunk in chunks {
        let outside = members.outside(vector(chunk));
        if outside != 0 {
            return at.wrapping_add(outside.trailing_zeros() as usize);
        }
        at = at.wrapping_add(LANES);
    }
    at.wrapping_add(edge.iter().position(|byte| !contains(set, *byte)).unwrap_or(edge.len()))
}

/// Which bytes are of `set`.
#[inline]
pub(crate) fn of(set: &ByteSet, block: &Block) -> u64 {
    let members = Members::new(set);
    let outside = |bytes| u64::from(members.outside(bytes));
    let (a, b, c, d) =
        (outside(load::<0>(block)), outside(load::<16>(block)), outside(load::<32>(block)), outside(load::<48>(block)));
    !(a | b << 16 | c << 32 | d << 48)
}

/// Which bytes are of `set`, in half a block.
#[inline]
pub(crate) fn of_half(set: &ByteSet, half: &[u8; 32]) -> u32 {
    let members = Members::new(set);
    let [a, b]: &[[u8; LANES]; 2] = half.as_chunks().0.try_into().unwrap_or(&[[0; LANES]; 2]);
    !(members.outside(vector(a)) | members.outside(vector(b)) << 16)
}

/// Which bytes are `wanted`.
#[inline]
pub(crate) fn equal(block: &Block, wanted: u8) -> u64 {
    let mask = |bytes: v128| u64::from(i8x16_bitmask(u8x16_eq(bytes, u8x16_splat(wanted))));
    mask(load::<0>(block)) | mask(load::<16>(block)) << 16 | mask(load::<32>(block)) << 32 | mask(load::<48>(block)) << 48
}

/// Which bytes are `wanted`, in half a block.
#[inline]
pub(crate) fn equal_half(half: &[u8; 32], wanted: u8) -> u32 {
    let [a, b]: &[[u8; LANES]; 2] = half.as_chunks().0.try_into().unwrap_or(&[[0; LANES]; 2]);
    let mask = |bytes: &[u8; LANES]| u32::from(i8x16_bitmask(u8x16_eq(vector(bytes), u8x16_splat(wanted))));
    mask(a) | mask(b) << 16
}

/// Which bytes of a vector begin escapes.
#[inline(always)]
fn begin_escapes(bytes: v128) -> v128 {
    let is = |byte| u8x16_eq(bytes, u8x16_splat(byte));
    v128_or(v128_or(is(b'\\'), is(b'%')), is(b'&'))
}

/// Does any byte of two blocks begin escapes?
#[inline(always)]
pub(crate) fn may_escape(a: &Block, b: &Block) -> bool {
    let half = |block| {
        let near = v128_or(begin_escapes(load::<0>(block)), begin_escapes(load::<16>(block)));
        v128_or(near, v128_or(begin_escapes(load::<32>(block)), begin_escapes(load::<48>(block))))
    };
    v128_any_true(v128_or(half(a), half(b)))
}

/// Which bytes begin escapes: `\`, `%` and `&`.
#[inline(always)]
pub(crate) fn escapes(block: &Block) -> u64 {
    let mask = |bytes: v128| u64::from(i8x16_bitmask(begin_escapes(bytes)));
    mask(load::<0>(block)) | mask(load::<16>(block)) << 16 | mask(load::<32>(block)) << 32 | mask(load::<48>(block)) << 48
}
