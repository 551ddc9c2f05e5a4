//! Stage one: which blocks of a body hold anything that could be a finding, and where.
//!
//! A [`Prefilter`] is made for a set of kinds and looks only for what those need: fingerprints where a kind starts with a
//! literal or holds an `@`, runs of digits where a kind is made of digits. It proposes, and may propose too much; what it
//! leaves out is never looked at again, so it must never leave out a finding.

use crate::detect::{Kind, KindSet};

use super::block::{self, BLOCK, Block, Carry, Fingerprints, Sets};
use super::shapes::{Runs, Shapes};

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
static PRINTS: [(Of, Fingerprints); 8] = [
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

/// What the block loop computes, chosen once for a set of kinds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Work {
    Nothing,
    /// Fingerprints.
    Prints,
    /// Fingerprints and `@`.
    At,
    Digits,
    PrintsDigits,
    AtDigits,
}

/// Stage one for a set of kinds.
#[derive(Clone, Debug)]
pub(super) struct Prefilter {
    table: Fingerprints,
    work: Work,
    /// All ones where card numbers are wanted.
    cards: u64,
    /// All ones where social security numbers are wanted.
    ssns: u64,
}

/// How far stage one has come in one slice of a body.
#[derive(Debug)]
pub(super) struct Cursor {
    at: usize,
    carry: Carry,
    runs: Runs,
}

/// A block in which something was noticed. Bit `i` of a mask stands for the byte at `base + i`.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Marks {
    /// Where the block starts in the slice.
    pub(super) base: usize,
    /// Where fingerprints end.
    pub(super) prints: u64,
    /// Where digits take a shape.
    pub(super) shapes: Shapes,
}

impl Prefilter {
    /// Looks for the kinds of `kinds`, and for nothing else.
    pub(super) fn new(kinds: KindSet) -> Prefilter {
        let mut table = Fingerprints::NONE;
        let mut prints = false;
        for (of, print) in &PRINTS {
            let wanted = match of {
                Of::Value(kind) => kinds.contains(*kind),
                Of::At => kinds.contains(Kind::EMAIL),
            };
            if wanted {
                prints = true;
                table.add(print);
            }
        }
        let mask = |kind| if kinds.contains(kind) { u64::MAX } else { 0 };
        let (cards, ssns) = (mask(Kind::CREDIT_CARD), mask(Kind::SSN));
        let work = match (prints, kinds.contains(Kind::EMAIL), cards | ssns != 0) {
            (false, _, false) => Work::Nothing,
            (false, _, true) => Work::Digits,
            (true, false, false) => Work::Prints,
            (true, false, true) => Work::PrintsDigits,
            (true, true, false) => Work::At,
            (true, true, true) => Work::AtDigits,
        };
        Prefilter { table, work, cards, ssns }
    }

    /// Starts at `from` in `bytes`; what stands before it is only context.
    pub(super) fn start(&self, bytes: &[u8], from: usize) -> Cursor {
        let before = bytes.get(..from).unwrap_or(bytes);
        let last = match before {
            [.., a, b] => [*a, *b],
            [b] => [0, *b],
            [] => [0, 0],
        };
        Cursor { at: from, carry: Carry::new(&self.table, last), runs: Runs::carried(before) }
    }

    /// The next block in which something was noticed, or `None` at the end of `bytes`.
    pub(super) fn next(&self, bytes: &[u8], cursor: &mut Cursor) -> Option<Marks> {
        match self.work {
            Work::Nothing => None,
            Work::Prints => self.walk::<true, false, false>(bytes, cursor),
            Work::At => self.walk::<true, true, false>(bytes, cursor),
            Work::Digits => self.walk::<false, false, true>(bytes, cursor),
            Work::PrintsDigits => self.walk::<true, false, true>(bytes, cursor),
            Work::AtDigits => self.walk::<true, true, true>(bytes, cursor),
        }
    }

    #[inline(always)]
    fn walk<const PRINTS: bool, const AT: bool, const DIGITS: bool>(&self, bytes: &[u8], cursor: &mut Cursor) -> Option<Marks> {
        let rest = bytes.get(cursor.at..).unwrap_or_default();
        let (blocks, edge) = rest.as_chunks();
        let (mut carry, mut runs) = (cursor.carry, cursor.runs);
        for (index, block) in blocks.iter().enumerate() {
            let before = runs;
            let sets = Sets::of::<AT>(&self.table, block, &mut carry);
            let shaped = DIGITS && runs.step(block::digits(block));
            if PRINTS && sets.any() || shaped {
                let base = cursor.at.wrapping_add(index.wrapping_mul(BLOCK));
                *cursor = Cursor { at: base.wrapping_add(BLOCK), carry, runs };
                return Some(self.marks(base, if PRINTS { sets.mask() } else { 0 }, runs.shapes(&before)));
            }
        }
        if edge.is_empty() {
            return None;
        }
        let mut block: Block = [0; BLOCK];
        for (to, from) in block.iter_mut().zip(edge) {
            *to = *from;
        }
        let before = runs;
        let sets = Sets::of::<AT>(&self.table, &block, &mut carry);
        let _ = DIGITS && runs.step(block::digits(&block));
        let base = bytes.len().saturating_sub(edge.len());
        *cursor = Cursor { at: bytes.len(), carry, runs };
        let inside = !u64::MAX.checked_shl(u32::try_from(edge.len()).unwrap_or(0)).unwrap_or(0);
        Some(self.marks(base, if PRINTS { sets.mask() & inside } else { 0 }, runs.shapes(&before)))
    }

    /// What was noticed in a block, as far as it is wanted.
    fn marks(&self, base: usize, prints: u64, shapes: Shapes) -> Marks {
        let Shapes { bare, grouped, ssn } = shapes;
        Marks { base, prints, shapes: Shapes { bare: bare & self.cards, grouped: grouped & self.cards, ssn: ssn & self.ssns } }
    }
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
