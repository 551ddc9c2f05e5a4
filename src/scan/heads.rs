//! What values begin with: the literals by which the prefilter notices them.
//!
//! A head is the beginning of a value up to the end of its *fingerprint*, three bytes that are rare in text, in base64 and in
//! numbers. [`Heads`] chooses it from each literal, and the buckets that fingerprints share, for the literals of one program: the
//! fewer there are, the less is noticed in vain.

use crate::detect::{ByteSet, common};

use super::block::{BUCKETS, Fingerprints};
use super::sieve::{PLACES, Sieve};
use super::walk::Walk;
use crate::sort;

/// Bytes of a fingerprint; no literal may be shorter.
pub(super) const PRINT: usize = 3;
/// Lists of heads, by a hash of their fingerprint.
const SLOTS: usize = 256;

/// What only the beginning of a value, or its middle, looks like. It is noticed at its last byte, by its last three.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    /// The bytes.
    pub(super) text: &'static [u8],
    /// Whose values.
    pub(super) lane: usize,
    /// Where in them.
    pub(super) place: Place,
    /// A walk from the beginning of the text that has come to its end.
    pub(super) walk: Walk,
}

/// Where in a value a [`Head`] stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// At its beginning.
    Start,
    /// At most so many bytes behind its beginning.
    Within(usize),
    /// It is the escaped at sign of an e-mail address.
    At,
}

/// A head, and its last eight bytes as a number with ones where it has any: the last byte is the highest.
#[derive(Debug)]
struct Noticed {
    word: u64,
    mask: u64,
    head: Head,
}

impl Noticed {
    fn new(head: Head) -> Noticed {
        let mask = u64::MAX.checked_shl(64u32.saturating_sub(8u32.saturating_mul(u32::try_from(head.text.len()).unwrap_or(8))));
        Noticed { word: last_word(head.text), mask: mask.unwrap_or(0), head }
    }
}

/// The heads of a program.
#[derive(Debug)]
pub(super) struct Heads {
    /// Sorted by slot.
    heads: Vec<Noticed>,
    /// Where each slot's heads begin and end.
    slots: Box<[[u16; 2]; SLOTS]>,
    /// First bytes of heads, a bit each.
    firsts: [u64; 4],
    longest: usize,
}

impl Heads {
    /// Those of `literals`, of which each is only what [`notice`] leaves; adds their fingerprints to `buckets`.
    pub(super) fn new(literals: impl Iterator<Item = Head>, buckets: &mut Buckets) -> Heads {
        let heads: Vec<Noticed> = literals.map(Noticed::new).collect();
        let (mut firsts, mut longest) = ([0u64; 4], 0);
        // In the order of the literals: those of a kind are alike, and neighbours share a group of the sieve.
        for Noticed { head, .. } in &heads {
            let at = |back: usize| head.text.iter().nth_back(back).map_or(ByteSet::ALL, |byte| ByteSet::of(*byte));
            buckets.add([at(3), at(2), at(1), at(0)]);
            if let Some(set) = head.text.first().and_then(|first| firsts.get_mut(usize::from(first >> 6))) {
                *set |= head.text.first().map_or(0, |first| 1u64.wrapping_shl(u32::from(*first)));
            }
            longest = longest.max(head.text.len());
        }
        let heads = sort::sorted_by(heads, |a: &Noticed, b| slot(a.word).cmp(&slot(b.word)));
        let mut slots = Box::new([[0; 2]; SLOTS]);
        for (at, slot_bounds) in slots.iter_mut().enumerate() {
            let bound = |at| u16::try_from(heads.partition_point(|known| slot(known.word) < at)).unwrap_or(u16::MAX);
            *slot_bounds = [bound(at), bound(at.saturating_add(1))];
        }
        Heads { heads, slots, firsts, longest }
    }

    /// The heads that `known` ends with.
    #[inline]
    pub(super) fn ending<'a>(&'a self, known: &'a [u8]) -> impl Iterator<Item = &'a Head> {
        let word = last_word(known);
        let [from, to] = self.slots.get(slot(word)).copied().unwrap_or_default();
        let here = self.heads.get(usize::from(from)..usize::from(to)).unwrap_or_default();
        let ends =
            move |own: &&Noticed| word & own.mask == own.word && (own.head.text.len() <= 8 || known.ends_with(own.head.text));
        here.iter().filter(ends).map(|own| &own.head)
    }

    /// How many bytes at the end of `bytes` may become a head, and how many before those its value may begin.
    pub(super) fn partial(&self, bytes: &[u8]) -> usize {
        let from = bytes.len().saturating_sub(self.longest.saturating_sub(1));
        let mut most = 0;
        for (back, first) in (1..).zip(bytes.get(from..).unwrap_or_default().iter().rev()) {
            let any = self.firsts.get(usize::from(first >> 6)).is_some_and(|set| set.wrapping_shr(u32::from(*first)) & 1 != 0);
            if any {
                let end = bytes.get(bytes.len().saturating_sub(back)..).unwrap_or_default();
                let begun =
                    self.heads.iter().map(|own| &own.head).filter(|head| head.text.len() > back && head.text.starts_with(end));
                let lead = |head: &Head| match head.place {
                    Place::Start => Some(0),
                    Place::Within(within) => Some(within),
                    Place::At => None,
                };
                most = begun.filter_map(lead).map(|lead| lead.saturating_add(back)).max().unwrap_or(0).max(most);
            }
        }
        most
    }
}

/// The last eight bytes, the last one the highest; zeros where there are none.
#[inline(always)]
fn last_word(bytes: &[u8]) -> u64 {
    match bytes.last_chunk() {
        Some(eight) => u64::from_le_bytes(*eight),
        None => bytes
            .iter()
            .rev()
            .zip(1u32..)
            .fold(0, |word, (byte, back)| word | u64::from(*byte).wrapping_shl(64u32.saturating_sub(back.saturating_mul(8)))),
    }
}

/// The list that heads with the fingerprint at the end of `word` are in.
#[inline(always)]
fn slot(word: u64) -> usize {
    // Multiplied, so that each of the three bytes moves the highest ones.
    let print = ((word >> 40) as u32).wrapping_mul(0x9e37_79b1);
    (print >> 24) as usize
}

/// How common each byte is, in 4096ths.
static COMMON: [u32; 256] = {
    let mut table = [0; 256];
    let mut rest: &mut [u32] = &mut table;
    let mut byte = 0u8;
    while let [cell, tail @ ..] = rest {
        *cell = common(byte);
        byte = byte.wrapping_add(1);
        rest = tail;
    }
    table
};

/// The beginning of `literal` that ends with its rarest fingerprint.
pub(super) fn notice(literal: &'static [u8]) -> &'static [u8] {
    let chance = |print: &[u8]| match *print {
        // Runs of one byte, as lines are drawn with, are no rarer than the byte.
        [a, b, c] => {
            let again = |byte, before| if byte == before { 2048 } else { u64::from(common(byte)) };
            u64::from(common(a)).saturating_mul(again(b, a)).saturating_mul(again(c, b))
        }
        _ => u64::MAX,
    };
    let rarest = literal.windows(PRINT).enumerate().min_by_key(|(_, print)| chance(print));
    rarest.and_then(|(at, _)| literal.get(..at.saturating_add(PRINT))).unwrap_or(literal)
}

/// The nibbles of a bucket's fingerprints: what it lets through is their cross product.
#[derive(Clone, Copy, Default)]
struct Bucket {
    first: Nibbles,
    /// Only low ones are looked at.
    middle: u16,
    last: Nibbles,
}

#[derive(Clone, Copy, Default)]
struct Nibbles {
    low: u16,
    high: u16,
}

impl Nibbles {
    fn of(bytes: &[u8]) -> Nibbles {
        let with = |all: Nibbles, byte: &u8| Nibbles { low: all.low | bit(byte & 15), high: all.high | bit(byte >> 4) };
        bytes.iter().fold(Nibbles::default(), with)
    }

    fn or(self, other: Nibbles) -> Nibbles {
        Nibbles { low: self.low | other.low, high: self.high | other.high }
    }

    fn chance(self) -> u64 {
        let rows = set_bits(self.high);
        rows.map(|high| row_chance(high, self.low)).sum()
    }
}

impl Bucket {
    fn or(self, other: Bucket) -> Bucket {
        Bucket { first: self.first.or(other.first), middle: self.middle | other.middle, last: self.last.or(other.last) }
    }

    /// How often three bytes fall into it, in parts of a large number.
    fn chance(self) -> u64 {
        let middle: u64 = (0..16).map(|high| row_chance(high, self.middle)).sum();
        self.first.chance().saturating_mul(middle).saturating_mul(self.last.chance())
    }
}

fn bit(nibble: u8) -> u16 {
    1u16.wrapping_shl(u32::from(nibble))
}

fn set_bits(mut set: u16) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lowest = set.trailing_zeros();
        set &= set.checked_sub(1)?;
        usize::try_from(lowest).ok()
    })
}

/// How common the bytes with this high nibble and one of these low ones are.
fn row_chance(high: usize, lows: u16) -> u64 {
    let at = |low: usize| COMMON.get(high.wrapping_mul(16).wrapping_add(low)).copied().unwrap_or(0);
    set_bits(lows).map(|low| u64::from(at(low))).sum()
}

/// Fingerprints, the buckets that they are put in, and what looks closer.
#[derive(Default)]
pub(super) struct Buckets {
    members: Vec<Member>,
    sifted: Vec<[ByteSet; PLACES]>,
}

/// Fingerprints with one of these bytes at each place.
struct Member {
    bytes: [Vec<u8>; PRINT],
    nibbles: Bucket,
    /// The number of its bucket.
    bucket: Option<usize>,
}

/// Times that each member is put where it does least harm, now that the others are where they are.
const ROUNDS: usize = 4;
/// Most members for which it is done more than once.
const FEW: usize = 200;

impl Buckets {
    /// Adds what has one of these bytes at each of four places; the last three are the fingerprint. No place may be without a byte.
    pub(super) fn add(&mut self, places: [ByteSet; PLACES]) {
        self.sift(places);
        let [_, first, middle, last] = places;
        self.notice([first, middle, last]);
    }

    /// Adds fingerprints with one of these bytes at each place, which [`Buckets::sift`] must let pass.
    pub(super) fn notice(&mut self, places: [ByteSet; PRINT]) {
        let [first, middle, last] = places.map(|set| set.iter().collect::<Vec<u8>>());
        let nibbles = Bucket { first: Nibbles::of(&first), middle: Nibbles::of(&middle).low, last: Nibbles::of(&last) };
        self.members.push(Member { bytes: [first, middle, last], nibbles, bucket: None });
    }

    /// Lets pass what has one of these bytes at each place.
    pub(super) fn sift(&mut self, places: [ByteSet; PLACES]) {
        let within = |others: &[ByteSet; PLACES]| places.iter().zip(others).all(|(set, other)| set.is_within(other));
        if !self.sifted.iter().any(within) {
            self.sifted.push(places);
        }
    }

    /// The table of all of them, each in one of the first so many buckets, at most [`BUCKETS`], that it makes little worse; and what
    /// looks closer.
    pub(super) fn tables(mut self, buckets: usize) -> (Fingerprints, Sieve) {
        // The most common first: the others fit in beside them.
        let common = |a: &Member, b: &Member| b.nibbles.chance().cmp(&a.nibbles.chance()).then_with(|| a.bytes.cmp(&b.bytes));
        self.members = sort::sorted_by(self.members, common);
        self.members.dedup_by(|a, b| a.bytes == b.bytes);
        let rounds = if self.members.len() > FEW { 1 } else { ROUNDS };
        for _ in 0..rounds {
            for at in 0..self.members.len() {
                let mut all = [Bucket::default(); BUCKETS];
                for (_, other) in self.members.iter().enumerate().filter(|(other, _)| *other != at) {
                    if let Some(bucket) = other.bucket.and_then(|bucket| all.get_mut(bucket)) {
                        *bucket = bucket.or(other.nibbles);
                    }
                }
                let Some(member) = self.members.get_mut(at) else { continue };
                let worse = |bucket: &Bucket| bucket.or(member.nibbles).chance().saturating_sub(bucket.chance());
                member.bucket = (0..buckets).zip(&all).min_by_key(|(_, bucket)| worse(bucket)).map(|(number, _)| number);
            }
        }
        let mut table = Fingerprints::NONE;
        for Member { bytes: [first, middle, last], bucket, .. } in &self.members {
            // A bucket knows each place by itself, so it is enough that each byte comes once.
            let most = first.len().max(middle.len()).max(last.len());
            let all = first.iter().cycle().zip(middle.iter().cycle()).zip(last.iter().cycle()).take(most);
            let bucket = 1u8.wrapping_shl(bucket.and_then(|bucket| u32::try_from(bucket).ok()).unwrap_or(0));
            all.for_each(|((a, b), c)| table.allow(bucket, [*a, *b, *c]));
        }
        (table, Sieve::of(&self.sifted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heads(literals: &[&'static str]) -> Heads {
        let all = literals.iter().enumerate();
        let all = all.map(|(lane, text)| Head { text: notice(text.as_bytes()), lane, place: Place::Start, walk: Walk::at(0) });
        Heads::new(all, &mut Buckets::default())
    }

    #[test]
    fn of_each_literal_the_rarest_three_bytes_are_noticed() {
        for (literal, noticed) in
            [("-----BEGIN", "-----BEG"), ("eyJ", "eyJ"), ("AIza", "AIz"), ("https://hooks.x", "https://hook")]
        {
            let found = notice(literal.as_bytes());
            assert!(literal.starts_with(str::from_utf8(found).unwrap()) && found.len() >= PRINT, "{literal}");
            assert!(literal == "https://hooks.x" || found.len() <= noticed.len(), "{literal}");
        }
    }

    #[test]
    fn a_head_is_found_at_its_end_and_its_beginnings_before_it() {
        let literals = ["ghp_", "gho_", "xox", "sk_live_", "-----BEGIN"];
        let heads = heads(&literals);
        for (lane, literal) in literals.iter().enumerate() {
            let whole = format!("  {literal}").into_bytes();
            let end =
                (1..=whole.len()).filter(|end| heads.ending(&whole[..*end]).any(|head| head.lane == lane)).collect::<Vec<_>>();
            let [end] = end[..] else { panic!("{literal} noticed at {end:?}") };
            for cut in 3..end {
                assert_eq!(heads.partial(&whole[..cut]), cut - 2, "{literal} {cut}");
            }
        }
        assert_eq!(heads.partial(b"nothing here"), 0);
    }
}
