//! One message's inspection while it flows: raw chunks in, what may leave out.
//!
//! A byte leaves as soon as it can no longer be part of a finding. What is held is bounded by the longest finding, not by the body.
//! The bytes that leave are those that [`super::Inspector::rewrite`] would make of the whole body, however it is cut.

use std::sync::Arc;

use super::finder::Finder;
use super::flight::{Flowing, InFlight};
use super::judge::{self, Tally};
use super::{Count, Direction, Failure, Judgement, Uninspected, mask};
use crate::body::{Coding, Decoder, JsonTracker, MediaType, Position, begins_like_json};
use crate::detect::KindSet;
use crate::policy::{BodyRule, Mode, Rule};
use crate::scan::Finding;

/// Most bytes that one chunk of an encoded body may decode to. A stream has no length that could be capped; but what one chunk makes
/// is written in one piece, and a bomb must not fill the VM's memory.
pub const MAX_DECODED_CHUNK_BYTES: u64 = 32 * 1024 * 1024;

/// Inspects one body in flight. See the module.
#[derive(Debug)]
pub struct Streamer {
    rule: Arc<Rule>,
    body_rule: BodyRule,
    direction: Direction,
    coding: Coding,
    /// `None` only while it is at work.
    decoder: Option<Decoder>,
    finder: Finder,
    /// Kinds whose masks keep the length.
    same_length: KindSet,
    /// Walks what has left, where a masked number must become a string.
    json: Option<JsonTracker>,
    /// Whether it is JSON is not known yet: it has no media type, and so far nothing but space.
    untyped: bool,
    /// Found, and not yet left: sorted by start.
    findings: Vec<Finding>,
    /// Plain bytes that have not left.
    held: Vec<u8>,
    /// Offset of the first of them.
    left: u64,
    plain_bytes: u64,
    tally: Tally,
    /// Why the body counts as unread, though its bytes were scanned; until it was told.
    unread: Option<Uninspected>,
}

impl Streamer {
    pub(super) fn new(
        rule: Arc<Rule>,
        body_rule: BodyRule,
        direction: Direction,
        coding: Coding,
        media_type: &MediaType,
    ) -> Streamer {
        let json = JsonTracker::of(media_type).filter(|_| judge::redacts(&rule, &body_rule));
        Streamer {
            same_length: mask::same_length(&body_rule, media_type),
            decoder: Some(Decoder::new(coding, MAX_DECODED_CHUNK_BYTES)),
            finder: Finder::new(&body_rule, media_type),
            json,
            untyped: media_type.essence().is_empty() && judge::redacts(&rule, &body_rule),
            findings: Vec::new(),
            held: Vec::new(),
            left: 0,
            plain_bytes: 0,
            tally: Tally::default(),
            unread: None,
            rule,
            body_rule,
            direction,
            coding,
        }
    }

    /// Has a part of the body counted as unread.
    pub(super) fn count_unread(&mut self, reason: Uninspected) {
        self.unread = Some(reason);
    }

    /// A body without a media type that begins like JSON is taken for it.
    fn look_for_json(&mut self, chunk: &[u8]) {
        if let Some(json) = begins_like_json(chunk) {
            self.untyped = false;
            self.json = json.then(JsonTracker::new);
        }
    }

    fn feed_plain(&mut self, chunk: &[u8]) -> Flowing {
        if self.untyped {
            self.look_for_json(chunk);
        }
        let decided = self.finder.feed(chunk, &mut self.findings);
        self.plain_bytes = self.plain_bytes.saturating_add(chunk.len() as u64);
        if self.held.is_empty() && self.findings.is_empty() {
            let len = self.step_over(chunk, decided);
            let Some((leaving, behind)) = chunk.split_at_checked(len).filter(|(_, behind)| !behind.is_empty()) else {
                return Flowing::AsItCame;
            };
            self.held.extend_from_slice(behind);
            return Flowing::Instead(leaving.to_vec());
        }
        self.held.extend_from_slice(chunk);
        self.let_go(decided)
    }

    /// Lets go of what of `bytes`, the next ones, lies before `decided`, where nothing was found; returns how many they are.
    fn step_over(&mut self, bytes: &[u8], decided: u64) -> usize {
        let upto = usize::try_from(decided.saturating_sub(self.left)).unwrap_or(usize::MAX).min(bytes.len());
        let len = self.json.as_mut().map_or(upto, |json| json.feed_upto(bytes, upto));
        self.left = self.left.saturating_add(len as u64);
        len
    }

    fn let_go(&mut self, decided: u64) -> Flowing {
        if self.findings.is_empty() {
            let mut leaving = std::mem::take(&mut self.held);
            let len = self.step_over(&leaving, decided);
            self.held = leaving.split_off(len);
            return Flowing::Instead(leaving);
        }
        self.findings.sort_unstable();
        let mut upto = self.whole_clusters(decided);
        if let Some(json) = &self.json {
            loop {
                let cut = json.safe_cut(&self.held, self.in_held(upto));
                let whole = self.whole_clusters(self.left.saturating_add(cut as u64));
                if whole >= upto {
                    break;
                }
                upto = whole;
            }
        }
        self.emit(upto)
    }

    fn let_go_all(&mut self) -> Flowing {
        self.findings.sort_unstable();
        self.emit(self.left.saturating_add(self.held.len() as u64))
    }

    /// The farthest offset up to `decided` that no finding crosses: overlaps before it are all known, and can be settled.
    fn whole_clusters(&self, decided: u64) -> u64 {
        let crossed = |upto: u64, finding: &Finding| if finding.end > upto { upto.min(finding.start) } else { upto };
        self.findings.iter().rev().fold(decided, crossed)
    }

    /// Judges what lies before `upto`, and lets it go, masked.
    fn emit(&mut self, upto: u64) -> Flowing {
        let count = self.findings.partition_point(|finding| finding.start < upto);
        let settled: Vec<Finding> = self.findings.drain(..count).collect();
        if !settled.is_empty() {
            let judgement = judge::of_findings(&self.rule, &self.body_rule, &settled, &mut self.tally.seen);
            let blocked = judgement.verdict.blocks();
            self.tally.add(judgement);
            if blocked && self.rule.mode == Mode::Block {
                self.held = Vec::new();
                return Flowing::Cut;
            }
        }
        let len = self.in_held(upto);
        let behind = self.held.split_off(len);
        let leaving = std::mem::replace(&mut self.held, behind);
        let redactions = if judge::redacts(&self.rule, &self.body_rule) {
            judge::redactions(self.rule.mode, &self.body_rule, &settled)
        } else {
            Vec::new()
        };
        let masked = if redactions.is_empty() { Some(None) } else { self.masked(&leaving, redactions).map(Some) };
        let Some(masked) = masked else {
            // Never seen; but what should be masked and is not must not leave.
            self.tally.fail(&self.rule, &self.body_rule, self.direction, Failure::TooLarge);
            return Flowing::Cut;
        };
        if let Some(json) = &mut self.json {
            json.feed(&leaving);
        }
        self.left = self.left.saturating_add(leaving.len() as u64);
        Flowing::Instead(masked.unwrap_or(leaving))
    }

    fn masked(&self, leaving: &[u8], mut masked: Vec<Finding>) -> Option<Vec<u8>> {
        for finding in &mut masked {
            finding.start = finding.start.saturating_sub(self.left);
            finding.end = finding.end.saturating_sub(self.left);
        }
        let positions = match &self.json {
            Some(json) => {
                masked = mask::pieces(*json, leaving, &masked);
                json.positions(leaving, &mask::ranges(&masked))
            }
            None => vec![Position::Text; masked.len()],
        };
        mask::splice(leaving, &masked, &positions, mask::Masks::of(&self.rule, self.same_length))
    }

    fn in_held(&self, offset: u64) -> usize {
        usize::try_from(offset.saturating_sub(self.left)).unwrap_or(usize::MAX).min(self.held.len())
    }
}

impl InFlight for Streamer {
    fn feed(&mut self, chunk: &[u8]) -> Result<Flowing, Failure> {
        if self.coding == Coding::Identity {
            return Ok(self.feed_plain(chunk));
        }
        let Some(mut decoder) = self.decoder.take() else { return Err(Failure::Corrupt) };
        decoder.raise_cap(self.plain_bytes.saturating_add(MAX_DECODED_CHUNK_BYTES));
        let mut out = Vec::new();
        let mut cut = false;
        let decoded = decoder.feed(chunk, &mut |plain| {
            if cut {
                return;
            }
            match self.feed_plain(plain) {
                Flowing::AsItCame => out.extend_from_slice(plain),
                Flowing::Instead(bytes) => out.extend(bytes),
                Flowing::Cut => cut = true,
            }
        });
        self.decoder = Some(decoder);
        decoded.map_err(Failure::from)?;
        Ok(if cut { Flowing::Cut } else { Flowing::Instead(out) })
    }

    fn finish(&mut self) -> (Flowing, Judgement) {
        if let Some(Err(error)) = self.decoder.as_mut().map(Decoder::finish)
            && self.plain_bytes > 0
        {
            return (Flowing::Cut, self.fail(error.into()));
        }
        self.finder.finish(&mut self.findings);
        let last = self.let_go_all();
        (last, self.judgement())
    }

    fn fail(&mut self, failure: Failure) -> Judgement {
        self.tally.fail(&self.rule, &self.body_rule, self.direction, failure)
    }

    fn judgement(&self) -> Judgement {
        self.tally.judgement()
    }

    fn take_counts(&mut self) -> Vec<Count> {
        self.tally.take_fresh()
    }

    fn take_uninspected(&mut self) -> Vec<Uninspected> {
        self.unread.take().into_iter().collect()
    }

    fn may_rewrite(&self) -> bool {
        judge::redacts(&self.rule, &self.body_rule) || self.coding != Coding::Identity
    }

    fn may_resize(&self) -> bool {
        self.may_rewrite() && (self.decodes() || !self.same_length.covers(self.body_rule.redact))
    }

    fn decodes(&self) -> bool {
        self.coding != Coding::Identity
    }

    fn held_bytes(&self) -> usize {
        self.held.len()
    }

    fn window_bytes(&self) -> usize {
        self.decoder.as_ref().map_or(0, Decoder::window_bytes)
    }

    fn plain_bytes(&self) -> u64 {
        self.plain_bytes
    }

    fn rule(&self) -> &Arc<Rule> {
        &self.rule
    }
}
