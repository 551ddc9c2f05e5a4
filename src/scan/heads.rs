//! What values begin with: the literals by which the prefilter notices them.
//!
//! A head is the beginning of a value up to the end of its *fingerprint*, three bytes that are rare in text, in base64 and in
//! numbers. Where a beginning holds several, the rarest was taken; `--B` is rarer than `---`.

use crate::detect::Kind;

use super::block::Fingerprints;

/// Something that only the beginning of a value, or its `@`, looks like. It is noticed at its last byte, by its last three.
#[derive(Debug)]
pub(super) struct Head {
    /// The bytes.
    pub(super) text: &'static [u8],
    /// What they begin.
    pub(super) of: Of,
    /// The bucket (one bit) of its fingerprint. Those that share one are as one to the block loop.
    bucket: u8,
    /// The bytes as a number, the last lowest, and ones where that has them.
    word: u64,
    mask: u64,
}

/// What a [`Head`] is the beginning of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Of {
    /// A value of this kind.
    Value(Kind),
    /// The at sign of an e-mail address, escaped.
    At,
}

const fn head(text: &'static [u8], kind: Kind, bucket: u8) -> Head {
    new_head(text, Of::Value(kind), bucket)
}

const fn at(text: &'static [u8], bucket: u8) -> Head {
    new_head(text, Of::At, bucket)
}

const fn new_head(text: &'static [u8], of: Of, bucket: u8) -> Head {
    let (mut word, mut mask) = (0u64, 0u64);
    let mut rest = text;
    while let [byte, tail @ ..] = rest {
        word = word << 8 | *byte as u64;
        mask = mask << 8 | 0xff;
        rest = tail;
    }
    Head { text, of, bucket, word, mask }
}

/// The heads that `known` ends with.
pub(super) fn heads_ending(known: &[u8]) -> impl Iterator<Item = &'static Head> {
    // No head is longer than eight bytes.
    let word = match known.last_chunk() {
        Some(eight) => u64::from_be_bytes(*eight),
        None => known.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    };
    let last = word as u8;
    let mut left = BY_LAST.get(usize::from(last)).copied().unwrap_or(0);
    std::iter::from_fn(move || {
        let index = left.trailing_zeros() as usize;
        left &= left.checked_sub(1)?;
        HEADS.get(index)
    })
    .filter(move |head| word & head.mask == head.word)
}

/// For each byte the heads that end with it, one bit each.
static BY_LAST: [u32; 128] = by_last();

const fn by_last() -> [u32; 128] {
    let mut table = [0; 128];
    let mut heads: &[Head] = &HEADS;
    let mut bit = 1u32;
    while let [head, rest @ ..] = heads {
        let mut byte = 0u8;
        let mut cells: &mut [u32] = &mut table;
        while let [cell, tail @ ..] = cells {
            if matches!(head.text, [.., last] if *last == byte) {
                *cell |= bit;
            }
            byte = byte.wrapping_add(1);
            cells = tail;
        }
        bit = bit.wrapping_shl(1);
        heads = rest;
    }
    table
}

/// All heads. Buckets are shared where the cross products of their nibbles stay rare in text, base64 and numbers.
pub(super) static HEADS: [Head; 30] = [
    head(b"eyJ", Kind::JWT, 1),
    head(b"eyA", Kind::JWT, 1),
    head(b"AKI", Kind::AWS_ACCESS_KEY, 2),
    head(b"ASI", Kind::AWS_ACCESS_KEY, 2),
    head(b"ABI", Kind::AWS_ACCESS_KEY, 2),
    head(b"ACC", Kind::AWS_ACCESS_KEY, 2),
    at(b"\\u0", 2),
    head(b"-----B", Kind::PRIVATE_KEY, 4),
    head(b"xox", Kind::SLACK_TOKEN, 8),
    head(b"xap", Kind::SLACK_TOKEN, 8),
    head(b"AIz", Kind::GOOGLE_API_KEY, 8),
    head(b"ghp_", Kind::GITHUB_TOKEN, 16),
    head(b"gho_", Kind::GITHUB_TOKEN, 16),
    head(b"ghu_", Kind::GITHUB_TOKEN, 16),
    head(b"ghs_", Kind::GITHUB_TOKEN, 16),
    head(b"ghr_", Kind::GITHUB_TOKEN, 16),
    head(b"github_p", Kind::GITHUB_TOKEN, 32),
    head(b"sk_l", Kind::STRIPE_KEY, 32),
    head(b"sk_t", Kind::STRIPE_KEY, 32),
    head(b"rk_l", Kind::STRIPE_KEY, 32),
    head(b"rk_t", Kind::STRIPE_KEY, 32),
    head(b"ewo", Kind::JWT, 64),
    head(b"ew0", Kind::JWT, 64),
    head(b"ewk", Kind::JWT, 64),
    at(b"%40", 128),
    at(b"&#6", 128),
    at(b"&#x", 128),
    at(b"&#X", 128),
    at(b"&#0", 128),
    at(b"&co", 128),
];

/// The fingerprints of each kind that has heads, made when compiling: a scanner only joins those it needs.
pub(super) static PRINTS: [(Of, Fingerprints); 8] = [
    prints_of(Of::Value(Kind::JWT)),
    prints_of(Of::Value(Kind::AWS_ACCESS_KEY)),
    prints_of(Of::Value(Kind::PRIVATE_KEY)),
    prints_of(Of::Value(Kind::GOOGLE_API_KEY)),
    prints_of(Of::Value(Kind::SLACK_TOKEN)),
    prints_of(Of::Value(Kind::GITHUB_TOKEN)),
    prints_of(Of::Value(Kind::STRIPE_KEY)),
    prints_of(Of::At),
];

const fn prints_of(of: Of) -> (Of, Fingerprints) {
    let mut prints = Fingerprints::NONE;
    let mut heads: &[Head] = &HEADS;
    while let [head, rest @ ..] = heads {
        let wanted = match (head.of, of) {
            (Of::Value(a), Of::Value(b)) => a.index() == b.index(),
            (Of::At, Of::At) => true,
            _ => false,
        };
        if let ([.., a, b, c], true) = (head.text, wanted) {
            prints.allow(head.bucket, [*a, *b, *c]);
        }
        heads = rest;
    }
    (of, prints)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_head_has_its_fingerprint_and_the_length_that_a_word_holds() {
        for head in &HEADS {
            assert!((3..=8).contains(&head.text.len()));
            assert!(PRINTS.iter().any(|(of, _)| *of == head.of), "{:?}", head.of);
            assert_eq!(heads_ending(head.text).filter(|found| found.text == head.text).count(), 1);
        }
    }
}
