//! What a kind is made of, and the set type over kinds. The rows stand in the table.

use std::ops::Range;

use super::near::Near;
use super::table::{CORE, KINDS};

/// A sort of sensitive data: an index into [`KINDS`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Kind(u8);

/// How a finding of a kind is masked when a policy redacts it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mask {
    /// `[REDACTED:<kind>]` in place of the whole value.
    Label,
    /// Every digit but the last `n` becomes `*`; everything else stays.
    KeepLastDigits(u8),
    /// Every letter and digit but the last `n` becomes `*`; everything else stays.
    KeepLast(u8),
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
    /// between them.
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
    pub mask: Mask,
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
    pub near: Option<Near>,
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
        mask: Mask::Label,
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
        let end = (self.accept)(candidate)?;
        let value = candidate.value.get(..end)?;
        let known = self.near.is_none_or(|near| (self.alone)(value) || near.holds(candidate.before, candidate.after));
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

    /// All kinds, in the order of [`KINDS`].
    pub fn all() -> impl Iterator<Item = Kind> {
        (0u8..).take(KINDS.len()).map(Kind)
    }

    /// The kind of that name, if there is one.
    pub fn from_name(name: &str) -> Option<Kind> {
        Kind::all().find(|kind| kind.name() == name)
    }

    /// Its row of the table.
    pub fn spec(self) -> &'static KindSpec {
        // A Kind is only made from an index of the table.
        KINDS.get(usize::from(self.0)).unwrap_or(&KINDS[0])
    }

    /// Its name in policies, metrics, labels and events.
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// Its number: the index of its row.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A set of kinds.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct KindSet(u128);

impl KindSet {
    /// No kind.
    pub const EMPTY: KindSet = KindSet(0);

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
        self.0 & KindSet::bit(kind) != 0
    }

    /// Adds `kind`; says whether it was new.
    pub fn insert(&mut self, kind: Kind) -> bool {
        let before = self.0;
        self.0 |= KindSet::bit(kind);
        before != self.0
    }

    /// The kinds in either set.
    #[must_use]
    pub fn union(self, other: KindSet) -> KindSet {
        KindSet(self.0 | other.0)
    }

    /// Is every kind of `other` in the set?
    pub fn covers(self, other: KindSet) -> bool {
        other.0 & !self.0 == 0
    }

    /// Is the set empty?
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Its kinds, in the order of [`KINDS`].
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        Kind::all().filter(move |kind| self.contains(*kind))
    }

    fn bit(kind: Kind) -> u128 {
        1u128.checked_shl(u32::from(kind.0)).unwrap_or(0)
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
}
