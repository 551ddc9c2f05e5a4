//! Stage one: which blocks of a body hold anything that could be a finding, and where.
//!
//! A [`Prefilter`] is made for a set of kinds and looks only for what those need: fingerprints where a kind starts with a
//! literal or holds an `@`, runs of digits where a kind is made of digits. It proposes, and may propose too much; what it
//! leaves out is never looked at again, so it must never leave out a finding.

use crate::detect::{Kind, KindSet};

use super::block::{self, BLOCK, CONTEXT, Carry, Fingerprints, Sets, Window};
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
    Head { text, of: Of::Value(kind), bucket }
}

const fn at(text: &'static [u8], bucket: u8) -> Head {
    Head { text, of: Of::At, bucket }
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

impl Marks {
    fn any(&self) -> bool {
        self.prints | self.shapes.bare | self.shapes.grouped | self.shapes.ssn != 0
    }
}

impl Prefilter {
    /// Looks for the kinds of `kinds`, and for nothing else.
    pub(super) fn new(kinds: KindSet) -> Prefilter {
        let mut table = Fingerprints::NONE;
        let mut prints = false;
        for head in &HEADS {
            let wanted = match head.of {
                Of::Value(kind) => kinds.contains(kind),
                Of::At => kinds.contains(Kind::EMAIL),
            };
            if wanted {
                prints = true;
                for (place, byte) in head.text.iter().rev().take(3).rev().enumerate() {
                    table.allow(head.bucket, place, *byte);
                }
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
        let window = window(before, &[]);
        Cursor { at: from, carry: Carry::new(&self.table, &window), runs: Runs::carried(before) }
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
        loop {
            let (mut at, mut carry, mut runs) = (cursor.at, cursor.carry, cursor.runs);
            // Near the start of the slice the context is missing, which the subtraction turns into an index beyond the end.
            while let Some(window) = bytes.get(at.wrapping_sub(CONTEXT)..).and_then(|rest| rest.first_chunk()) {
                let marks = self.marks::<PRINTS, AT, DIGITS>(window, at, &mut carry, &mut runs);
                at = at.wrapping_add(BLOCK);
                if marks.any() {
                    *cursor = Cursor { at, carry, runs };
                    return Some(marks);
                }
            }
            *cursor = Cursor { at, carry, runs };
            let marks = self.edge::<PRINTS, AT, DIGITS>(bytes, cursor)?;
            if marks.any() {
                return Some(marks);
            }
        }
    }

    /// The marks of one block.
    #[inline(always)]
    fn marks<const PRINTS: bool, const AT: bool, const DIGITS: bool>(
        &self,
        window: &Window,
        base: usize,
        carry: &mut Carry,
        runs: &mut Runs,
    ) -> Marks {
        let mut marks = Marks { base, ..Marks::default() };
        if PRINTS {
            let sets = Sets::of::<AT>(&self.table, window, carry);
            if sets.any() {
                marks.prints = sets.mask();
            }
        }
        if DIGITS {
            let shapes = runs.step(block::digits(window));
            marks.shapes =
                Shapes { bare: shapes.bare & self.cards, grouped: shapes.grouped & self.cards, ssn: shapes.ssn & self.ssns };
        }
        marks
    }

    /// The marks of a block that lacks its context or its end: the same, from a copy with zeros for what is missing.
    #[cold]
    #[inline(never)]
    fn edge<const PRINTS: bool, const AT: bool, const DIGITS: bool>(&self, bytes: &[u8], cursor: &mut Cursor) -> Option<Marks> {
        let at = cursor.at;
        let block = bytes.get(at..).filter(|rest| !rest.is_empty())?;
        let block = block.get(..BLOCK).unwrap_or(block);
        let window = window(bytes.get(..at).unwrap_or_default(), block);
        cursor.at = at.saturating_add(block.len());
        let mut marks = self.marks::<PRINTS, AT, DIGITS>(&window, at, &mut cursor.carry, &mut cursor.runs);
        let inside = u64::MAX.checked_shr(u32::try_from(BLOCK.saturating_sub(block.len())).unwrap_or(0)).unwrap_or(0);
        marks.prints &= inside;
        Some(marks)
    }
}

/// A copy of a block and its context, with zeros for what is missing.
fn window(context: &[u8], block: &[u8]) -> Window {
    let mut window: Window = [0; CONTEXT + BLOCK];
    for (to, from) in window.iter_mut().skip(CONTEXT).zip(block) {
        *to = *from;
    }
    for (to, from) in window.iter_mut().take(CONTEXT).rev().zip(context.iter().rev()) {
        *to = *from;
    }
    window
}
