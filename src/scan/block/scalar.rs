//! The masks without vector instructions: the twin that runs where simd128 is not.

use super::{CONTEXT, Fingerprints, Window};

/// Nothing: a window has all that a byte by byte reading needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Carry;

impl Carry {
    /// What is carried into the block of `window`.
    pub(crate) fn new(_: &Fingerprints, _: &Window) -> Carry {
        Carry
    }
}

/// Where in a block fingerprints end.
#[derive(Clone, Copy)]
pub(crate) struct Sets(u64);

impl Sets {
    /// Looks up a block; `AT` also counts every `@`.
    pub(crate) fn of<const AT: bool>(table: &Fingerprints, window: &Window, _: &mut Carry) -> Sets {
        let (seconds, thirds) = (window.iter().skip(1), window.iter().skip(CONTEXT));
        Sets(window.iter().zip(seconds).zip(thirds).fold(0, |mask, ((&first, &second), &third)| {
            let shared = table.buckets(0, first) & table.buckets(1, second) & table.buckets(2, third);
            mask >> 1 | u64::from(shared != 0 || AT && third == b'@') << 63
        }))
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
pub(crate) fn digits(window: &Window) -> u64 {
    window.iter().skip(CONTEXT).fold(0, |mask, byte| mask >> 1 | u64::from(byte.is_ascii_digit()) << 63)
}
