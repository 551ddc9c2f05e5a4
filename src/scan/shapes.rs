//! Runs of digits as they stand in card numbers and social security numbers, found in masks by shift-and.
//!
//! A shape is noticed at the byte that completes it, so that nothing behind the block is needed; what stands before the block
//! is carried over from the one before. Separators are any byte that is no digit: who reads the masks looks closer.

use super::block::BLOCK;

/// Digits of the shortest bare card number.
pub(super) const BARE: usize = 13;
/// Bytes of `dddd-dddd`, with which every grouped card number starts.
pub(super) const GROUPED: usize = 9;
/// Bytes of `ddd-dd-dddd`.
pub(super) const SSN: usize = 11;

/// Masks of a block: where runs of 1, 2, 4 and 8 digits end.
#[derive(Clone, Copy, Default, Debug)]
struct Runs {
    one: u64,
    two: u64,
    four: u64,
    eight: u64,
}

/// Where shapes end in a block.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Shapes {
    /// The thirteenth digit of a run of at least thirteen, counted from the start of the run.
    pub(super) bare: u64,
    /// The last byte of `dddd-dddd`.
    pub(super) grouped: u64,
    /// The last byte of `ddd-dd-dddd`.
    pub(super) ssn: u64,
    /// See [`Spans`].
    pub(super) spans: u64,
}

/// The bits of `mask` moved `by` bytes on (1 to 63), with those that come over from the block before.
#[inline(always)]
fn behind(mask: u64, before: u64, by: u32) -> u64 {
    mask.wrapping_shl(by) | before.wrapping_shr(64u32.wrapping_sub(by))
}

/// The digits of the block that ends with `before`.
pub(super) fn digits_before(before: &[u8]) -> u64 {
    before.iter().rev().take(BLOCK).enumerate().fold(0u64, |mask, (back, byte)| {
        mask | (u64::from(byte.is_ascii_digit()) << 63u32.saturating_sub(u32::try_from(back).unwrap_or(63)))
    })
}

impl Runs {
    /// Those of a block with the digits `one`, behind the block whose runs `before` are.
    fn of(one: u64, before: &Runs) -> Runs {
        let two = one & behind(one, before.one, 1);
        let four = two & behind(two, before.two, 2);
        let eight = four & behind(four, before.four, 4);
        Runs { one, two, four, eight }
    }
}

impl Shapes {
    /// The shapes that end in the block with the digits `one`, which stands behind the block with the digits `before`.
    pub(super) fn of(one: u64, before: u64) -> Shapes {
        let before = Runs::of(before, &Runs::default());
        let runs = Runs::of(one, &before);
        let one = |by| behind(runs.one, before.one, by);
        let two = |by| behind(runs.two, before.two, by);
        let four = runs.four & !one(4);
        Shapes {
            bare: runs.eight & behind(runs.eight, before.eight, 5) & !one(13),
            grouped: four & behind(runs.four, before.four, 5),
            ssn: four & two(5) & !one(7) & two(8) & one(10),
            spans: 0,
        }
    }

    /// Not zero where there are any.
    pub(super) fn any(&self) -> u64 {
        self.bare | self.grouped | self.ssn | self.spans
    }
}

/// Digits with single other bytes between: where a stretch of `N` of them is complete that begins with a digit behind none.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Spans {
    /// The last block's digits, and where stretches of 1, 2, 4, 8 and 16 end in it.
    one: u64,
    joined: [u64; 5],
}

/// Longest stretch that [`Spans`] can tell.
pub(super) const SPAN_MAX: usize = 31;

impl Spans {
    /// What is carried into a block that stands behind the digits `one`.
    pub(super) fn carried(one: u64) -> Spans {
        let mut spans = Spans::default();
        let _ = spans.step(one, 2);
        spans
    }

    /// Takes the next block's digits; where stretches of `len` bytes are complete, 2 to [`SPAN_MAX`].
    #[inline(always)]
    pub(super) fn step(&mut self, one: u64, len: u32) -> u64 {
        let before = *self;
        let mut joined = one | behind(one, before.one, 1);
        let (mut by, mut complete) = (1u32, 0);
        for (known, past) in self.joined.iter_mut().zip(before.joined) {
            *known = joined;
            // The longest power of two that is not longer than the stretch, twice.
            if by <= len && len < by.wrapping_mul(2) {
                let rest = len.wrapping_sub(by);
                complete = if rest == 0 { joined } else { joined & behind(joined, past, rest) };
            }
            joined &= behind(joined, past, by);
            by = by.wrapping_mul(2);
        }
        self.one = one;
        complete & behind(one, before.one, len.wrapping_sub(1)) & !behind(one, before.one, len)
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    use super::*;

    fn digit(bytes: &[u8], at: Option<usize>) -> bool {
        at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit)
    }

    fn naive(bytes: &[u8], end: usize, shape: &str) -> bool {
        (shape.len() <= end + 1)
            && shape.bytes().rev().enumerate().all(|(back, want)| digit(bytes, Some(end - back)) == (want == b'd'))
    }

    #[test]
    fn shapes_are_those_of_a_naive_reading_across_block_borders() {
        let mut seed = 88_172_645_463_325_252u64;
        for _ in 0..300 {
            let bytes: Vec<u8> = (0..BLOCK * 4)
                .map(|_| {
                    seed ^= seed << 13;
                    seed ^= seed >> 7;
                    seed ^= seed << 17;
                    if seed % 11 < 9 { b'7' } else { b'-' }
                })
                .collect();
            let from = (seed % 60) as usize;
            let mut before = digits_before(&bytes[..from]);
            let len = 2 + seed as usize % (SPAN_MAX - 1);
            let mut spans = Spans::carried(digits_before(&bytes[..from]));
            for base in (from..bytes.len() - BLOCK).step_by(BLOCK) {
                let ones = (0..BLOCK).filter(|i| digit(&bytes, Some(base + i))).map(|i| 1u64 << i).sum();
                let shapes = Shapes::of(ones, before);
                before = ones;
                let complete = spans.step(ones, len as u32);
                for i in 0..BLOCK {
                    let end = base + i;
                    assert_eq!(
                        shapes.bare >> i & 1 == 1,
                        naive(&bytes, end, "ddddddddddddd") && !digit(&bytes, end.checked_sub(13)),
                        "bare at {end}"
                    );
                    let begins = end.checked_sub(len - 1).filter(|start| {
                        let joined = |at: usize| digit(&bytes, Some(at)) || digit(&bytes, at.checked_sub(1));
                        digit(&bytes, Some(*start)) && !digit(&bytes, start.checked_sub(1)) && (*start..=end).all(joined)
                    });
                    assert_eq!(complete >> i & 1 == 1, begins.is_some(), "{len} at {end}");
                    assert_eq!(shapes.grouped >> i & 1 == 1, naive(&bytes, end, "dddd-dddd"), "grouped at {end}");
                    assert_eq!(shapes.ssn >> i & 1 == 1, naive(&bytes, end, "ddd-dd-dddd"), "ssn at {end}");
                }
            }
        }
    }
}
