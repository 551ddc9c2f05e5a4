//! The masks without vector instructions: the twin that runs where simd128 is not.

use super::{BLOCK, Block, ByteSet, Fingerprints, contains};

/// The two bytes before a block: a fingerprint may reach over from them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Carry([u8; 2]);

impl Carry {
    /// What is carried into a block that `before` stands before.
    pub(crate) fn new(_: &Fingerprints, before: [u8; 2]) -> Carry {
        Carry(before)
    }
}

/// Where in a block fingerprints end.
#[derive(Clone, Copy)]
pub(crate) struct Sets(u64);

impl Sets {
    /// Looks up a block; `AT` also counts every `@`.
    pub(crate) fn of<const AT: bool>(table: &Fingerprints, block: &Block, carry: &mut Carry) -> Sets {
        let [mut first, mut middle] = carry.0;
        let mut mask = 0u64;
        for &last in block {
            let shared = table.buckets([first, middle, last]) != 0 || AT && last == b'@';
            mask = mask >> 1 | u64::from(shared) << BLOCK.saturating_sub(1);
            (first, middle) = (middle, last);
        }
        carry.0 = [first, middle];
        Sets(mask)
    }

    /// Is there any?
    pub(crate) fn any(&self) -> bool {
        self.0 != 0
    }

    /// Where there is one.
    pub(crate) fn mask(&self) -> u64 {
        self.0
    }
}

/// Which bytes are decimal digits.
pub(crate) fn digits(block: &Block) -> u64 {
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
