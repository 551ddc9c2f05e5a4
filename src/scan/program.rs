//! What a scanner looks for, made once for a policy and shared by all its bodies.
//!
//! A [`Program`] names only what its kinds need: their literals in the prefilter, their automata, their ways to a start. A kind
//! that it does not name costs nothing, neither when it is made nor for a body. No regex is built for it; what is made are some
//! tables of stage one.

use std::fmt;
use std::sync::{Arc, LazyLock};

use crate::detect::{Kind, KindSet, KindSpec};

use super::prefilter::Prefilter;
use super::starts::Starts;
use super::tables::{self, Table};
use super::{Finding, Scanner};

/// What a [`Scanner`] looks for. Its lanes have numbers, in the order of their kinds.
pub struct Program {
    kinds: KindSet,
    except_test_values: bool,
    detectors: Vec<Detector>,
    look_behind: usize,
    pub(super) starts: Starts,
    pub(super) prefilter: Prefilter,
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
    /// Are values that are published for tests no findings?
    pub(super) except_test_values: bool,
}

impl Program {
    /// Looks for `kinds` and for nothing else.
    pub fn new(kinds: KindSet) -> Program {
        Program::of(kinds, false)
    }

    fn of(kinds: KindSet, except_test_values: bool) -> Program {
        let detector = |kind: Kind| Some(Detector { kind, spec: kind.spec(), table: tables::table(kind)?, except_test_values });
        let detectors: Vec<Detector> = kinds.iter().filter_map(detector).collect();
        let (starts, prefilter) = Starts::new(&detectors);
        let look_behind = detectors.iter().map(|detector| detector.spec.look_behind()).max().unwrap_or(0);
        Program { kinds, except_test_values, detectors, look_behind, starts, prefilter }
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

    /// Most bytes that any of its kinds looks at before a match.
    pub(super) fn look_behind(&self) -> usize {
        self.look_behind
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

/// Two that look for the same find the same.
impl PartialEq for Program {
    fn eq(&self, other: &Program) -> bool {
        self.kinds == other.kinds && self.except_test_values == other.except_test_values
    }
}

impl Eq for Program {}

/// The programs of a policy: rules that look for the same share one.
#[derive(Debug, Default)]
pub struct Programs(Vec<Arc<Program>>);

impl Programs {
    /// The one for `kinds`.
    pub fn of(&mut self, kinds: KindSet) -> Arc<Program> {
        self.excepting(kinds, false)
    }

    /// The one for `kinds`; values that are published for tests are no findings of it, if that is wanted.
    pub fn excepting(&mut self, kinds: KindSet, except_test_values: bool) -> Arc<Program> {
        let same = |program: &&Arc<Program>| program.kinds == kinds && program.except_test_values == except_test_values;
        if let Some(known) = self.0.iter().find(same) {
            return Arc::clone(known);
        }
        let all = kinds == KindSet::all() && !except_test_values;
        let program = if all { Arc::clone(Program::all()) } else { Arc::new(Program::of(kinds, except_test_values)) };
        self.0.push(Arc::clone(&program));
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
