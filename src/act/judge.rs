//! Findings and a rule to a judgement: the whole of the policy's logic, in one pure function of two inputs.

use super::{Action, Code, Direction, Engine, Failure, Uninspected, Verdict};
use crate::detect::{Kind, KindSet};
use crate::policy::{BodyRule, FailMode, MinFindings, Mode, Rule};
use crate::scan::Finding;

/// So many findings of one kind, and what was done about them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Count {
    /// Who speaks.
    pub engine: Engine,
    /// `None` for [`Engine::BodySize`] and [`Engine::BodyDecode`].
    pub kind: Option<Kind>,
    /// What was done.
    pub action: Action,
    /// How many; never 0.
    pub findings: u64,
}

/// What is to be done with a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Judgement {
    /// What becomes of the message.
    pub verdict: Verdict,
    /// Why it is, or would be, blocked.
    pub code: Option<Code>,
    /// HTTP status of the block reply.
    pub status: u16,
    /// Whether the body must be rewritten before it is forwarded.
    pub rewrite: bool,
    /// Whether it passes without having been inspected whole, and why.
    pub uninspected: Option<Uninspected>,
    /// Every finding, counted, by engine, kind and action.
    pub counts: Vec<Count>,
}

/// Findings of the kinds of `block` so far, each kind once.
pub(super) type Seen = Vec<(Kind, u64)>;

/// What has been judged of a body that flows, piece by piece.
#[derive(Clone, Default, Debug)]
pub(super) struct Tally {
    /// What counts towards the threshold of a block.
    pub(super) seen: Seen,
    verdict: Option<Verdict>,
    code: Option<Code>,
    rewrite: bool,
    counts: Vec<Count>,
    fresh: Vec<Count>,
}

impl Tally {
    /// Adds the judgement of the next piece.
    pub(super) fn add(&mut self, piece: Judgement) {
        self.verdict = self.verdict.max(Some(piece.verdict));
        self.code = self.code.or(piece.code);
        self.rewrite |= piece.rewrite;
        for new in piece.counts {
            add_count(&mut self.counts, new);
            add_count(&mut self.fresh, new);
        }
    }

    /// Ends a body that flowed with a failure: it is cut, whatever the mode, for what came before has left as it was decided. Only
    /// what is merely watched goes on.
    pub(super) fn fail(&mut self, rule: &Rule, body_rule: &BodyRule, direction: Direction, failure: Failure) -> Judgement {
        let judgement = of_failure(rule, body_rule, direction, failure, &[]);
        let watched = rule.mode != Mode::Block && !redacts(rule, body_rule);
        let judgement = if judgement.verdict.blocks() || watched { judgement } else { judgement.lost(direction) };
        let (code, status, uninspected) = (judgement.code, judgement.status, judgement.uninspected);
        self.add(judgement);
        Judgement { code, status, uninspected, ..self.judgement() }
    }

    /// What was counted since this was last asked.
    pub(super) fn take_fresh(&mut self) -> Vec<Count> {
        std::mem::take(&mut self.fresh)
    }

    /// The judgement of all pieces.
    pub(super) fn judgement(&self) -> Judgement {
        Judgement {
            verdict: self.verdict.unwrap_or(Verdict::Clean),
            code: self.code,
            status: STATUS_BLOCKED,
            rewrite: self.rewrite,
            uninspected: None,
            counts: self.counts.clone(),
        }
    }
}

impl Judgement {
    /// The same judgement of a body that was to be rewritten and cannot be: in mode `block` it is blocked, in the others it passes as
    /// it is, and says so.
    #[must_use]
    pub fn unmasked(self, mode: Mode, direction: Direction) -> Judgement {
        if mode == Mode::Block {
            return self.lost(direction);
        }
        let mut judgement = self.without_redactions(Action::WouldRedact);
        judgement.verdict = Verdict::WouldBlock;
        judgement.code = judgement.code.or(Some(Code::Truncated));
        judgement
    }

    /// The same judgement of a body that cannot be forwarded, whatever the mode.
    #[must_use]
    pub fn lost(self, direction: Direction) -> Judgement {
        if self.verdict.blocks() {
            return self;
        }
        let mut judgement = self.without_redactions(Action::Detect);
        count(&mut judgement.counts, Engine::BodySize, None, Action::Block);
        Judgement {
            verdict: Verdict::Blocked,
            code: Some(Code::Truncated),
            status: Failure::TooLarge.status(direction),
            uninspected: None,
            ..judgement
        }
    }

    /// The judgement of a message whose parts were judged one after the other. `rewrite` is that of the later one.
    #[must_use]
    pub fn joined(self, later: Judgement) -> Judgement {
        let (code, status) = if later.verdict.blocks() && !self.verdict.blocks() {
            (later.code.or(self.code), later.status)
        } else {
            (self.code.or(later.code), self.status)
        };
        let mut counts = self.counts;
        later.counts.into_iter().for_each(|new| add_count(&mut counts, new));
        Judgement {
            verdict: self.verdict.max(later.verdict),
            code,
            status,
            rewrite: later.rewrite,
            uninspected: later.uninspected.or(self.uninspected),
            counts,
        }
    }

    /// The same judgement of what is not masked, because the message is blocked for another part of it.
    #[must_use]
    pub(super) fn detected(self) -> Judgement {
        self.without_redactions(Action::Detect)
    }

    fn without_redactions(mut self, instead: Action) -> Judgement {
        self.rewrite = false;
        for count in self.counts.iter_mut().filter(|count| count.action == Action::Redact) {
            count.action = instead;
        }
        self
    }
}

/// HTTP status of a block reply for a finding.
const STATUS_BLOCKED: u16 = 403;

/// Does the rule mask anything in messages that it forwards?
pub(super) fn redacts(rule: &Rule, body_rule: &BodyRule) -> bool {
    !body_rule.redact.is_empty() && (rule.mode == Mode::Block || body_rule.redact_in_observe_modes)
}

/// The kinds that block, now that so many findings of the kinds of `block` are known: those with fewer than the policy wants do not.
/// Adds those of `findings` to `seen`.
fn blocking(body_rule: &BodyRule, findings: &[Finding], seen: &mut Seen) -> KindSet {
    if body_rule.min_findings == MinFindings::default() {
        return body_rule.block;
    }
    for finding in leftmost_longest(findings, body_rule.block) {
        match seen.iter_mut().find(|(kind, _)| *kind == finding.kind) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => seen.push((finding.kind, 1)),
        }
    }
    let all = seen.iter().map(|(_, count)| *count).fold(0, u64::saturating_add);
    let enough = |(kind, count): &&(Kind, u64)| match &body_rule.min_findings {
        MinFindings::OfAll(least) => all >= *least,
        of_kinds @ MinFindings::ByKind(_) => *count >= of_kinds.of(*kind),
    };
    seen.iter().filter(enough).map(|(kind, _)| *kind).collect()
}

/// Judges a body that was inspected whole, or the next piece of one of which so much was `seen`. `findings` are sorted.
pub(super) fn of_findings(rule: &Rule, body_rule: &BodyRule, findings: &[Finding], seen: &mut Seen) -> Judgement {
    let block = blocking(body_rule, findings, seen);
    let dlp = resolve_overlaps(rule.mode, body_rule, block, findings);
    let first_block = dlp.iter().find(|finding| block.contains(finding.kind));
    let hook = if body_rule.sensitive_data { KindSet::core() } else { KindSet::EMPTY };
    let first_sensitive = findings.iter().find(|finding| hook.contains(finding.kind));
    let code = match (first_block, first_sensitive) {
        (Some(finding), _) => Some(Code::DlpBlock(finding.kind)),
        (None, Some(finding)) => Some(Code::SensitiveData(finding.kind)),
        (None, None) => None,
    };
    let blocked = code.is_some() && rule.mode == Mode::Block;
    let rewrite = !blocked && redacts(rule, body_rule) && dlp.iter().any(|finding| body_rule.redact.contains(finding.kind));

    let on_block = if rule.mode == Mode::Block { Action::Block } else { Action::WouldBlock };
    let on_redact = match (blocked, rewrite) {
        (true, _) => Action::Detect,
        (false, true) => Action::Redact,
        (false, false) => Action::WouldRedact,
    };
    let mut counts = Vec::new();
    for finding in &dlp {
        let action = match (block.contains(finding.kind), body_rule.redact.contains(finding.kind)) {
            (true, _) => on_block,
            (false, true) => on_redact,
            // Too few of them to block.
            (false, false) => Action::Detect,
        };
        count(&mut counts, Engine::Dlp, Some(finding.kind), action);
    }
    for finding in findings.iter().filter(|finding| hook.contains(finding.kind)) {
        count(&mut counts, Engine::SensitiveData, Some(finding.kind), on_block);
    }
    let verdict = match (code.is_some(), blocked, rewrite) {
        (true, true, _) => Verdict::Blocked,
        (true, false, _) => Verdict::WouldBlock,
        (false, _, true) => Verdict::Redacted,
        (false, _, false) => Verdict::Clean,
    };
    Judgement { verdict, code, status: STATUS_BLOCKED, rewrite, uninspected: None, counts }
}

/// Judges a body that could not be inspected whole; `findings` are those up to there.
pub(super) fn of_failure(
    rule: &Rule,
    body_rule: &BodyRule,
    direction: Direction,
    failure: Failure,
    findings: &[Finding],
) -> Judgement {
    let fails_open = failure != Failure::TooLarge && rule.fail_mode == FailMode::Open;
    // What was seen of it still counts, and a block match blocks however the body goes on. Nothing of it is masked.
    let seen = of_findings(rule, body_rule, findings, &mut Seen::new());
    if seen.verdict == Verdict::Blocked {
        return seen;
    }
    let (verdict, action, code) = match (rule.mode, fails_open) {
        (Mode::Block, false) if failure == Failure::TooLarge => (Verdict::Blocked, Action::Block, Some(failure.code())),
        (Mode::Block, false) => (Verdict::FailedClosed, Action::Block, Some(failure.code())),
        (_, true) if seen.code.is_none() => (Verdict::FailedOpen, Action::Detect, None),
        (_, true) => (Verdict::WouldBlock, Action::Detect, seen.code),
        (_, false) => (Verdict::WouldBlock, Action::WouldBlock, Some(failure.code())),
    };
    let unmasked = if verdict.blocks() { Action::Detect } else { Action::WouldRedact };
    let mut counts = seen.without_redactions(unmasked).counts;
    count(&mut counts, failure.engine(), None, action);
    let uninspected = (!verdict.blocks()).then(|| failure.uninspected());
    Judgement { verdict, code, status: failure.status(direction), rewrite: false, uninspected, counts }
}

/// Judges a request for a tunnel that the rule denies.
pub(super) fn of_tunnel(rule: &Rule) -> Judgement {
    let blocked = rule.mode == Mode::Block;
    Judgement {
        verdict: if blocked { Verdict::Blocked } else { Verdict::WouldBlock },
        code: Some(Code::UpgradeDenied),
        status: STATUS_BLOCKED,
        rewrite: false,
        uninspected: (!blocked).then_some(Uninspected::Upgrade),
        counts: Vec::new(),
    }
}

/// The ranges that are masked, sorted and disjoint: the findings of redact kinds that no block kind overlaps, each from where the
/// one before it ends. What an overlapped finding has beyond the one that won is masked too: it must not stay readable.
///
/// A kind of `block` of which several are needed hides nothing: the body may be forwarded because there were too few. Nor does any in
/// a mode that blocks nothing: the body is forwarded.
pub(super) fn redactions(mode: Mode, body_rule: &BodyRule, findings: &[Finding]) -> Vec<Finding> {
    let at_once = |kind: &Kind| mode == Mode::Block && body_rule.min_findings.of(*kind) == 1;
    let blocking = leftmost_longest(findings, body_rule.block.iter().filter(at_once).collect());
    let redact: Vec<Finding> = unblocked(findings, body_rule.redact, &blocking).collect();
    // Of those that begin together the longest, by its first kind.
    let longest = |same: &[Finding]| same.iter().rev().max_by_key(|finding| finding.end).copied();
    let mut redact: Vec<Finding> = redact.chunk_by(|a, b| a.start == b.start).filter_map(longest).collect();
    let mut covered = 0;
    redact.retain_mut(|finding| {
        finding.start = finding.start.max(covered);
        covered = covered.max(finding.end);
        finding.start < finding.end
    });
    redact
}

/// Of findings that overlap: a kind of `block` before a redact kind, then the leftmost, then the longest; last those that are too few
/// to block. In a mode that blocks nothing, kinds of `block` and redact kinds do not compete: one is recorded, the other masked.
fn resolve_overlaps(mode: Mode, body_rule: &BodyRule, block: KindSet, findings: &[Finding]) -> Vec<Finding> {
    let mut kept = leftmost_longest(findings, block);
    let hiding: &[Finding] = if mode == Mode::Block { &kept } else { &[] };
    let redact: Vec<Finding> = unblocked(findings, body_rule.redact.without(block), hiding).collect();
    kept.extend(leftmost_longest(&redact, body_rule.redact));
    kept.extend(leftmost_longest(findings, body_rule.block.without(block).without(body_rule.redact)));
    kept.sort_unstable();
    kept
}

/// The findings of `kinds` that none of `blocking` (sorted, disjoint) overlaps.
fn unblocked<'a>(findings: &'a [Finding], kinds: KindSet, blocking: &'a [Finding]) -> impl Iterator<Item = Finding> + 'a {
    findings.iter().copied().filter(move |finding| {
        let behind = blocking.partition_point(|block| block.end <= finding.start);
        kinds.contains(finding.kind) && blocking.get(behind).is_none_or(|block| block.start >= finding.end)
    })
}

fn leftmost_longest(findings: &[Finding], kinds: KindSet) -> Vec<Finding> {
    let mut kept: Vec<Finding> = Vec::new();
    for finding in findings.iter().filter(|finding| kinds.contains(finding.kind)) {
        match kept.last_mut() {
            Some(last) if finding.start < last.end => {
                if finding.start == last.start && finding.end > last.end {
                    *last = *finding;
                }
            }
            _ => kept.push(*finding),
        }
    }
    kept
}

fn count(counts: &mut Vec<Count>, engine: Engine, kind: Option<Kind>, action: Action) {
    add_count(counts, Count { engine, kind, action, findings: 1 });
}

fn add_count(counts: &mut Vec<Count>, new: Count) {
    let same = |old: &&mut Count| (old.engine, old.kind, old.action) == (new.engine, new.kind, new.action);
    match counts.iter_mut().find(same) {
        Some(count) => count.findings = count.findings.saturating_add(new.findings),
        None => counts.push(new),
    }
}
