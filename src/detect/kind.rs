//! What a kind is made of, and the set type over kinds. The rows stand in the table.

use std::ops::Range;

use super::hash::HashKey;
use super::near::Near;
use super::table::{CORE, KINDS};

/// A sort of sensitive data: a built-in one, which is an index into [`KINDS`], or one that a policy owns.
///
/// A policy's own kinds are numbered from [`Kind::FIRST_OWN`] on, in the order of their definitions; the number means nothing without
/// the policy's [`Detectors`](super::Detectors), which know its name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Kind(u8);

/// How a finding of a kind is masked when a policy redacts it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Mask {
    /// `[REDACTED:<kind>]` in place of the whole value.
    Label,
    /// Every digit but the last `n` becomes `*`; everything else stays.
    KeepLastDigits(u8),
    /// Every letter and digit becomes `*`; everything else stays.
    SameLength,
    /// As `SameLength`, but the last `n` letters and digits stay, and never more than half of them.
    KeepLast(u8),
    /// As `SameLength`, but the first `n` letters and digits stay, and never more than half of them.
    KeepFirst(u8),
    /// `[REDACTED:<kind>:<hash>]`, where the same value has the same hash.
    Hash(HashKey),
}

/// A match of a kind's pattern, with what stands around it, for the kind's own judgement.
#[derive(Clone, Copy)]
pub struct Candidate<'a> {
    /// Up to [`KindSpec::look_behind`] bytes directly before the match; fewer only at the start of the body.
    pub before: &'a [u8],
    /// The match.
    pub value: &'a [u8],
    /// Up to [`KindSpec::look_ahead`] bytes directly behind the match; fewer only at the end of the body, or behind a line end or a
    /// double quote, past which no validator may look.
    pub after: &'a [u8],
}

/// Most bytes that a validator may read before a match, but for kinds that need a word near.
pub const LOOK_BEHIND: usize = 64;
/// Most bytes that a validator may read behind a match, but for kinds that need a word near.
pub const LOOK_AHEAD: usize = 16;
/// Bytes from the start on that `may_start` may read.
pub const START_BYTES: usize = 6;

/// What every match of a pattern shows, so that a scanner knows where to look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Anchor {
    /// A match begins with one of these, of three bytes and more. The rarest three of the first are what is looked for.
    Prefix(&'static [&'static str]),
    /// A match holds one of these (three bytes and more, any letter case is spelled out), at most this many bytes behind its
    /// start. Every position so far before one is asked whether a match may start there.
    Inner(&'static [&'static str], usize),
    /// A match begins with a digit behind none, and with at least this many bytes (2 to 31) that are digits or single other bytes
    /// between them. `accept` refuses a match with a digit right behind it, so that a number's form alone tells whose it can be.
    Digits(usize),
    /// The same behind one of these numbers of bytes that are no digits: letters, a plus, a parenthesis. Largest first, no two
    /// more than one apart.
    Led(&'static [usize], usize),
}

/// One row of [`KINDS`](super::KINDS).
#[derive(Clone, Copy, Debug)]
pub struct KindSpec {
    /// The name in policies, metrics, labels and events.
    pub name: &'static str,
    /// One line for people, without a full stop.
    pub about: &'static str,
    /// What exactly is a finding: sentences for people, in Markdown.
    pub rules: &'static str,
    /// Where the facts come from.
    pub sources: &'static [&'static str],
    /// How the value is masked.
    pub mask: &'static Mask,
    /// May stand only behind `detect_sensitive_data`, never in a dlp list.
    pub detect_only: bool,
    /// The shape of a value: a byte regex without look-around, matched anchored at a start, its longest match counts.
    pub pattern: &'static str,
    /// Most bytes of a match; the longest that a scanner ever holds for this kind.
    pub max_len: usize,
    /// Where matches can be.
    pub anchor: Anchor,
    /// Can a value start here? Reads [`LOOK_BEHIND`] bytes before and the first [`START_BYTES`] from the start on (both fewer
    /// only at the ends of the body). `false` means that `accept` refuses whatever the pattern matches, so a scanner may ask
    /// this first and save the walk through the pattern; it keeps hostile input linear. Of a kind that begins with a literal it
    /// must refuse a letter, a digit, `_` or `-` right before it always or never, but for escapes.
    pub may_start: fn(before: &[u8], here: &[u8]) -> bool,
    /// Is it one? How far the finding goes, from the start of the match (at most the match's length), or `None`.
    pub accept: fn(&Candidate<'_>) -> Option<usize>,
    /// Words of which one must stand near, for kinds whose values are weak evidence alone.
    pub near: Option<&'static Near>,
    /// Does this value stand for itself, without a word near?
    pub alone: fn(&[u8]) -> bool,
    /// Bytes at the start of the match that only lead to the value: a name, an equals sign. They are no part of the finding.
    pub lead: fn(&[u8]) -> usize,
}

impl KindSpec {
    /// What a row need not say.
    pub(super) const ROW: KindSpec = KindSpec {
        name: "",
        about: "",
        rules: "",
        sources: &[],
        mask: &Mask::Label,
        detect_only: false,
        pattern: "",
        max_len: 0,
        anchor: Anchor::Digits(1),
        may_start: |_, _| true,
        accept: |candidate| Some(candidate.value.len()),
        near: None,
        alone: |_| false,
        lead: |_| 0,
    };

    /// What of a match is a finding, as a range in the match; `None` where it is none. This is the last word.
    pub fn judge(&self, candidate: &Candidate<'_>) -> Option<Range<usize>> {
        self.judge_where(candidate, |near| near.holds(candidate.before, candidate.after))
    }

    /// The same for who looks for the words that must stand near in a way of its own.
    pub fn judge_where(&self, candidate: &Candidate<'_>, holds: impl FnOnce(&Near) -> bool) -> Option<Range<usize>> {
        let end = (self.accept)(candidate)?;
        let value = candidate.value.get(..end)?;
        let known = self.near.is_none_or(|near| (self.alone)(value) || holds(near));
        let start = (self.lead)(value);
        (known && start < end).then_some(start..end)
    }

    /// Most bytes that are read before a match to judge it.
    pub fn look_behind(&self) -> usize {
        self.near.map_or(LOOK_BEHIND, |near| near.look_behind().max(LOOK_BEHIND))
    }

    /// Most bytes that are read behind a match to judge it.
    pub fn look_ahead(&self) -> usize {
        self.near.map_or(LOOK_AHEAD, |near| near.look_ahead().max(LOOK_AHEAD))
    }
}

impl Kind {
    /// `credit_card`
    pub const CREDIT_CARD: Kind = Kind(0);
    /// `ssn`
    pub const SSN: Kind = Kind(1);
    /// `email`
    pub const EMAIL: Kind = Kind(2);
    /// `jwt`
    pub const JWT: Kind = Kind(3);
    /// `aws_access_key`
    pub const AWS_ACCESS_KEY: Kind = Kind(4);
    /// `private_key`
    pub const PRIVATE_KEY: Kind = Kind(5);
    /// `google_api_key`
    pub const GOOGLE_API_KEY: Kind = Kind(6);
    /// `slack_token`
    pub const SLACK_TOKEN: Kind = Kind(7);
    /// `github_token`
    pub const GITHUB_TOKEN: Kind = Kind(8);
    /// `stripe_key`
    pub const STRIPE_KEY: Kind = Kind(9);

    /// The number of a policy's first own kind.
    pub const FIRST_OWN: usize = 128;

    /// A policy's own kind of that number, counted from 0; `None` where there are more than a policy may have.
    pub fn own(number: usize) -> Option<Kind> {
        u8::try_from(number.checked_add(Kind::FIRST_OWN)?).ok().map(Kind)
    }

    /// The number among its policy's own kinds, counted from 0; `None` for a built-in kind.
    pub fn own_number(self) -> Option<usize> {
        self.index().checked_sub(Kind::FIRST_OWN)
    }

    /// All built-in kinds, in the order of [`KINDS`].
    pub fn all() -> impl Iterator<Item = Kind> {
        (0u8..).take(KINDS.len()).map(Kind)
    }

    /// The built-in kind of that name, if there is one.
    pub fn from_name(name: &str) -> Option<Kind> {
        Kind::all().find(|kind| kind.name() == name)
    }

    /// Its row of the table; that of no kind at all for a policy's own.
    pub fn spec(self) -> &'static KindSpec {
        KINDS.get(usize::from(self.0)).unwrap_or(&OWN)
    }

    /// The name of a built-in kind in policies, metrics, labels and events. A policy's own is called by
    /// [`Detectors::name`](super::Detectors::name); this says `own` of it.
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// Its number: the index of its row.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The row of a kind that has none here.
static OWN: KindSpec = KindSpec {
    name: "own",
    about: "a kind of a policy's own",
    pattern: "[^\\x00-\\xff]",
    anchor: Anchor::Prefix(&[]),
    may_start: |_, _| false,
    accept: |_| None,
    ..KindSpec::ROW
};

/// A set of kinds, built-in ones and a policy's own.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct KindSet([u64; 4]);

impl KindSet {
    /// No kind.
    pub const EMPTY: KindSet = KindSet([0; 4]);
    /// How many kinds there can be.
    pub const SIZE: usize = 256;
    /// Every kind that there can be.
    pub const EVERY: KindSet = KindSet([u64::MAX; 4]);

    /// Every kind of the table.
    pub fn all() -> KindSet {
        Kind::all().collect()
    }

    /// The kinds that the `detect_sensitive_data` hook blocks on: the first ten, whatever else the table holds.
    pub fn core() -> KindSet {
        Kind::all().take(CORE).collect()
    }

    /// Is `kind` in the set?
    pub fn contains(self, kind: Kind) -> bool {
        self.0.get(usize::from(kind.0 >> 6)).is_some_and(|word| word & KindSet::bit(kind) != 0)
    }

    /// Adds `kind`; says whether it was new.
    pub fn insert(&mut self, kind: Kind) -> bool {
        let new = !self.contains(kind);
        if let Some(word) = self.0.get_mut(usize::from(kind.0 >> 6)) {
            *word |= KindSet::bit(kind);
        }
        new
    }

    /// The kinds in either set.
    #[must_use]
    pub fn union(mut self, other: KindSet) -> KindSet {
        self.0.iter_mut().zip(other.0).for_each(|(word, more)| *word |= more);
        self
    }

    /// The kinds of this set that the other has not.
    #[must_use]
    pub fn without(mut self, other: KindSet) -> KindSet {
        self.0.iter_mut().zip(other.0).for_each(|(word, not)| *word &= !not);
        self
    }

    /// Is every kind of `other` in the set?
    pub fn covers(self, other: KindSet) -> bool {
        self.0.iter().zip(other.0).all(|(word, wanted)| wanted & !word == 0)
    }

    /// Is the set empty?
    pub fn is_empty(self) -> bool {
        self == KindSet::EMPTY
    }

    /// Its kinds, in the order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        (0..=u8::MAX).map(Kind).filter(move |kind| self.contains(*kind))
    }

    fn bit(kind: Kind) -> u64 {
        1u64.wrapping_shl(u32::from(kind.0))
    }
}

impl FromIterator<Kind> for KindSet {
    fn from_iter<I: IntoIterator<Item = Kind>>(kinds: I) -> KindSet {
        let mut set = KindSet::EMPTY;
        for kind in kinds {
            set.insert(kind);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_round_trip() {
        for kind in Kind::all() {
            assert_eq!(Kind::from_name(kind.name()), Some(kind));
        }
        assert_eq!(Kind::STRIPE_KEY.name(), "stripe_key");
        assert_eq!(KindSet::all().iter().count(), KINDS.len());
    }

    #[test]
    fn a_policys_own_kinds_have_numbers_of_their_own() {
        assert!(KINDS.len() <= Kind::FIRST_OWN);
        let owned: Vec<Kind> = (0..super::super::MAX_DETECTORS).filter_map(Kind::own).collect();
        assert_eq!(owned.len(), super::super::MAX_DETECTORS);
        for (number, kind) in owned.iter().enumerate() {
            assert_eq!((kind.own_number(), kind.name()), (Some(number), "own"));
            assert!(!KindSet::all().contains(*kind) && KindSet::EVERY.contains(*kind));
        }
        let set: KindSet = owned.iter().copied().chain(Kind::all()).collect();
        assert_eq!(set.iter().count(), owned.len() + KINDS.len());
        assert!(set.covers(KindSet::all()) && !KindSet::all().covers(set));
        assert_eq!(Kind::own(usize::MAX), None);
    }
}
