//! What a scanner looks for, made once for a policy and shared by all its bodies.
//!
//! A [`Program`] names only what its kinds need: their literals in the prefilter, their automata, their ways to a start. A kind
//! that it does not name costs nothing, neither when it is made nor for a body. No regex is built for it; what is made are some
//! tables of stage one.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use crate::detect::{Candidate, Conditions, Detector as OwnDetector, Detectors, Kind, KindSet, KindSpec, LOOK_BEHIND};

use super::own::Notice;
use super::prefilter::Prefilter;
use super::starts::Starts;
use super::tables::{self, Table};
use super::word_starts::WordStarts;
use super::{Finding, Scanner};

/// What a [`Scanner`] looks for. Its lanes have numbers, in the order of their kinds.
pub struct Program {
    kinds: KindSet,
    except_test_values: bool,
    detectors: Vec<Detector>,
    look_behind: usize,
    pub(super) starts: Starts,
    pub(super) prefilter: Prefilter,
    /// What the policy says about kinds.
    pub(super) policy: Arc<Detectors>,
    /// The policy's own kinds that it looks for, by the number of their lane.
    pub(super) own: Vec<Kind>,
    pub(super) notice: Notice,
}

/// What one lane looks for: a shape, which an automaton knows, and who judges it. Where it may start, [`Starts`] knows.
#[derive(Debug)]
pub(super) struct Detector {
    /// As what it is reported.
    pub(super) kind: Kind,
    /// The kind's row.
    pub(super) spec: &'static KindSpec,
    /// The automaton of its pattern.
    pub(super) table: &'static Table,
    /// Where words may begin that must stand near its values.
    words: Option<WordStarts>,
    /// Are values that are published for tests no findings?
    pub(super) except_test_values: bool,
    /// What the policy says about kinds.
    pub(super) policy: Arc<Detectors>,
}

impl Detector {
    /// Do its starts have ways of their own, whatever its anchor says?
    pub(super) fn has_own_start(&self) -> bool {
        [Kind::EMAIL, Kind::CREDIT_CARD, Kind::SSN].contains(&self.kind)
    }

    /// What of a match is a finding.
    #[inline]
    pub(super) fn judge(&self, candidate: &Candidate<'_>) -> Option<Range<usize>> {
        self.spec.judge_where(candidate, |near| match &self.words {
            Some(words) => words.hold(near, candidate.before, candidate.after),
            None => near.holds(candidate.before, candidate.after),
        })
    }
}

impl Program {
    /// Looks for these built-in kinds and for nothing else.
    pub fn new(kinds: KindSet) -> Program {
        Program::of_policy(kinds, false, &Arc::default())
    }

    /// Looks for `kinds`, of which `policy` says this, and for nothing else; not for values that are published for tests, if that is
    /// wanted.
    pub fn of_policy(kinds: KindSet, except_test_values: bool, policy: &Arc<Detectors>) -> Program {
        let detector = |kind: Kind| {
            Some(Detector {
                kind,
                spec: kind.spec(),
                table: tables::table(kind)?,
                words: kind.spec().near.map(WordStarts::new),
                except_test_values,
                policy: Arc::clone(policy),
            })
        };
        let detectors: Vec<Detector> = kinds.iter().filter_map(detector).collect();
        let own: Vec<Kind> =
            kinds.iter().filter(|kind| policy.get(*kind).is_some_and(|own| !own.automaton.is_nothing())).collect();
        let notice = Notice::new(own.iter().filter_map(|kind| policy.get(*kind)));
        let (starts, prefilter) = Starts::new(&detectors, &notice);
        let reaches = kinds.iter().filter_map(|kind| policy.conditions(kind)).map(Conditions::reach);
        let look_behind =
            detectors.iter().map(|detector| detector.spec.look_behind()).chain(reaches).fold(LOOK_BEHIND, usize::max);
        let policy = Arc::clone(policy);
        Program { kinds, except_test_values, detectors, look_behind, starts, prefilter, policy, own, notice }
    }

    /// Looks for every kind; made once in the life of a VM.
    pub fn all() -> &'static Arc<Program> {
        static ALL: LazyLock<Arc<Program>> = LazyLock::new(|| Arc::new(Program::new(KindSet::all())));
        &ALL
    }

    /// Are values that are published for tests and documentation no findings?
    pub fn excepts_test_values(&self) -> bool {
        self.except_test_values
    }

    /// The kinds it looks for.
    pub fn kinds(&self) -> KindSet {
        self.kinds
    }

    /// All findings in a whole body, sorted by start.
    pub fn scan(self: &Arc<Program>, body: &[u8]) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut scanner = Scanner::new(self);
        scanner.feed(body, &mut findings);
        scanner.finish(&mut findings);
        findings
    }

    /// The definitions of its own kinds, by the number of their lane.
    pub(super) fn own_detectors(&self) -> impl Iterator<Item = &OwnDetector> {
        self.own.iter().filter_map(|kind| self.policy.get(*kind))
    }

    /// The definition of one of its own kinds.
    pub(super) fn own_detector(&self, number: usize) -> Option<&OwnDetector> {
        self.policy.get(*self.own.get(number)?)
    }

    /// Bytes before a value that are held to judge it: the most that any of its kinds looks at, or of what the policy says of one.
    pub(super) fn look_behind(&self) -> usize {
        self.look_behind
    }

    /// What its lanes look for, by their number.
    pub(super) fn detectors(&self) -> &[Detector] {
        &self.detectors
    }
}

/// Its tables say nothing to people.
impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Program").field(&self.kinds).finish()
    }
}

/// Two of a policy that look for the same find the same.
impl PartialEq for Program {
    fn eq(&self, other: &Program) -> bool {
        self.kinds == other.kinds
            && self.except_test_values == other.except_test_values
            && (Arc::ptr_eq(&self.policy, &other.policy) || self.policy.is_empty() && other.policy.is_empty())
    }
}

impl Eq for Program {}

/// The programs of a policy: rules that look for the same share one.
#[derive(Debug, Default)]
pub struct Programs {
    detectors: Arc<Detectors>,
    known: Vec<Arc<Program>>,
}

impl Programs {
    /// The programs of a policy that says this about kinds.
    pub fn new(detectors: Arc<Detectors>) -> Programs {
        Programs { detectors, known: Vec::new() }
    }

    /// What the policy says about kinds.
    pub fn detectors(&self) -> &Arc<Detectors> {
        &self.detectors
    }

    /// The one for `kinds`.
    pub fn of(&mut self, kinds: KindSet) -> Arc<Program> {
        self.excepting(kinds, false)
    }

    /// The one for `kinds`; values that are published for tests are no findings of it, if that is wanted.
    pub fn excepting(&mut self, kinds: KindSet, except_test_values: bool) -> Arc<Program> {
        let same = |program: &&Arc<Program>| program.kinds == kinds && program.except_test_values == except_test_values;
        if let Some(known) = self.known.iter().find(same) {
            return Arc::clone(known);
        }
        let program = match kinds == KindSet::all() && !except_test_values && self.detectors.is_empty() {
            true => Arc::clone(Program::all()),
            false => Arc::new(Program::of_policy(kinds, except_test_values, &self.detectors)),
        };
        self.known.push(Arc::clone(&program));
        program
    }
}

#[cfg(test)]
mod tests {
    use super::super::{heads::PRINT, shapes::SPAN_MAX};
    use super::*;
    use crate::detect::Anchor;

    #[test]
    fn stage_one_can_notice_every_anchor() {
        for kind in Kind::all() {
            let noticed = match kind.spec().anchor {
                _ if kind == Kind::EMAIL => true,
                Anchor::Prefix(texts) | Anchor::Inner(texts, _) => texts.iter().all(|text| text.len() >= PRINT),
                Anchor::Digits(least) | Anchor::Led(_, least) => (2..=SPAN_MAX).contains(&least),
            };
            assert!(noticed, "{}", kind.name());
        }
    }

    #[test]
    fn every_kind_has_a_lane_of_its_own_and_equal_sets_share_a_program() {
        let program = Program::new(KindSet::all());
        assert!(program.detectors.iter().map(|detector| detector.kind).eq(Kind::all()));
        let mut programs = Programs::default();
        let (a, b) = (programs.of(KindSet::all()), programs.of(KindSet::all()));
        assert!(Arc::ptr_eq(&a, &b) && programs.of(KindSet::EMPTY).detectors.is_empty());
    }
}
