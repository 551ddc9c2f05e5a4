//! The masks without vector instructions: the twin that runs where simd128 is not.

use super::{BLOCK, Block, ByteSet, Fingerprints, contains};

/// The two bytes before a block, over which a fingerprint may reach, and the digits of the block before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Carry {
    before: [u8; 2],
    digits: u64,
}

impl Carry {
    /// What is carried into a block that `before` stands before, and `digits`.
    pub(crate) fn new(_: &Fingerprints, before: [u8; 2], digits: u64) -> Carry {
        Carry { before, digits }
    }

    /// The digits of the block before.
    pub(crate) fn digits(&self) -> u64 {
        self.digits
    }
}

/// Where in a block fingerprints end; and the digits.
#[derive(Clone, Copy)]
pub(crate) struct Sets {
    mask: u64,
    numbers: bool,
    digits: u64,
}

impl Sets {
    /// Looks up a block; `DIGITS`: digits are wanted, which the table must mark; `AT`: every `@` is noticed besides.
    pub(crate) fn of<const DIGITS: bool, const AT: bool>(table: &Fingerprints, block: &Block, carry: &mut Carry) -> Sets {
        let [mut first, mut middle] = carry.before;
        let mut mask = 0u64;
        for &last in block {
            let noticed = table.buckets([first, middle, last]) != 0 || AT && last == b'@';
            mask = mask >> 1 | u64::from(noticed) << BLOCK.saturating_sub(1);
            (first, middle) = (middle, last);
        }
        let digits = if DIGITS { digits(block) } else { 0 };
        let numbers = may_be_numbers(carry.digits, digits);
        *carry = Carry { before: [first, middle], digits };
        Sets { mask, numbers, digits }
    }

    /// Is there any, or may there be a number?
    pub(crate) fn any(&self) -> bool {
        self.mask != 0 || self.numbers
    }

    /// May there be a number?
    pub(crate) fn any_number(&self) -> bool {
        self.numbers
    }

    /// Where a fingerprint ends.
    pub(crate) fn mask(&self) -> u64 {
        self.mask
    }

    /// Which bytes are digits; none where they were not wanted.
    pub(crate) fn digits(&self) -> u64 {
        self.digits
    }
}

/// Do thirteen digits end, or what all other shapes have: `d?dd-dddd`, where `?` is a digit or not? Two windows are looked at, each
/// of half a block and what stands before it.
fn may_be_numbers(before: u64, digits: u64) -> bool {
    [digits << 32 | before >> 32, digits].iter().any(|&one| {
        let two = one & one << 1;
        let four = two & two << 2;
        let eight = four & four << 4;
        let separated = four & !(one << 4) & two << 5 & one << 8;
        (eight & eight << 5 | separated) >> 32 != 0
    })
}

/// Which bytes are decimal digits.
fn digits(block: &Block) -> u64 {
    block.iter().fold(0, |mask, byte| mask >> 1 | u64::from(byte.is_ascii_digit()) << BLOCK.saturating_sub(1))
}

/// How many bytes at the beginning of `bytes` are of `set`.
pub(crate) fn span(set: &ByteSet, bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| !contains(set, *byte)).unwrap_or(bytes.len())
}

/// Which bytes are of `set`.
pub(crate) fn of(set: &ByteSet, block: &Block) -> u64 {
    block.iter().rev().fold(0, |mask, byte| mask << 1 | u64::from(contains(set, *byte)))
}

/// Which bytes are of `set`, in half a block.
pub(crate) fn of_half(set: &ByteSet, half: &[u8; 32]) -> u32 {
    half.iter().rev().fold(0, |mask, byte| mask << 1 | u32::from(contains(set, *byte)))
}

/// Which bytes are `wanted`.
pub(crate) fn equal(block: &Block, wanted: u8) -> u64 {
    block.iter().rev().fold(0, |mask, byte| mask << 1 | u64::from(*byte == wanted))
}

/// Which bytes are `wanted`, in half a block.
pub(crate) fn equal_half(half: &[u8; 32], wanted: u8) -> u32 {
    half.iter().rev().fold(0, |mask, byte| mask << 1 | u32::from(*byte == wanted))
}

/// Does any byte of two blocks begin escapes?
pub(crate) fn may_escape(a: &Block, b: &Block) -> bool {
    // Without a branch in it, so that it becomes vector instructions where there are any.
    let begins = |byte: u8| (byte == b'\\') | (byte == b'%') | (byte == b'&');
    a.iter().zip(b).fold(false, |found, (a, b)| found | begins(*a) | begins(*b))
}

/// Which bytes begin escapes: `\`, `%` and `&`.
pub(crate) fn escapes(block: &Block) -> u64 {
    let begins = |byte: &u8| matches!(byte, b'\\' | b'%' | b'&');
    block.iter().fold(0, |mask, byte| mask >> 1 | u64::from(begins(byte)) << BLOCK.saturating_sub(1))
}
