//! gRPC and Connect in flight: message by message.
//!
//! A message leaves when it is whole and judged; a receiver could do nothing with a part of it. Its strings are looked at one by one,
//! and masked without changing a length, so that every prefix, of the frame and within the message, stays true.

use std::ops::Range;
use std::sync::Arc;

use super::flight::{Flowing, InFlight};
use super::judge::{self, Tally};
use super::{Count, Direction, Failure, Judgement, Uninspected, mask};
use crate::body::grpc::{PREFIX_BYTES, Prefix};
use crate::body::{Position, protobuf};
use crate::detect::KindSet;
use crate::policy::{BodyRule, Mode, Rule};
use crate::scan::Finding;

/// Inspects one direction of a gRPC call. Holds at most one message, of at most the rule's `max_bytes`.
#[derive(Debug)]
pub struct Frames {
    rule: Arc<Rule>,
    body_rule: BodyRule,
    direction: Direction,
    /// The start of a frame that is not whole yet.
    held: Vec<u8>,
    /// Bytes of the frame that `held` begins, as far as they are known.
    wanted: usize,
    /// Bytes of a frame that passes unread and are still to come.
    passing: usize,
    tally: Tally,
    plain_bytes: u64,
    uninspected: Vec<Uninspected>,
}

impl Frames {
    pub(super) fn new(rule: Arc<Rule>, body_rule: BodyRule, direction: Direction) -> Frames {
        Frames {
            rule,
            body_rule,
            direction,
            held: Vec::new(),
            wanted: PREFIX_BYTES,
            passing: 0,
            tally: Tally::default(),
            plain_bytes: 0,
            uninspected: Vec::new(),
        }
    }

    /// Judges a whole message and masks it; `None` where it is blocked.
    fn message(&mut self, message: &[u8]) -> Option<Vec<u8>> {
        self.judge(message, &protobuf::texts(message))
    }

    /// As [`Frames::message`], for bytes that are no message: what calls itself compressed, or part of a frame, may be plain text all
    /// the same, and a receiver that is no gRPC server reads it as such.
    fn bytes(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        self.judge(bytes, std::slice::from_ref(&(0..bytes.len())))
    }

    fn judge(&mut self, message: &[u8], texts: &[Range<usize>]) -> Option<Vec<u8>> {
        self.plain_bytes = self.plain_bytes.saturating_add(message.len() as u64);
        let mut findings = Vec::new();
        for text in texts {
            let at = text.start as u64;
            let found = self.body_rule.program.scan(message.get(text.clone()).unwrap_or_default());
            let moved = |offset: u64| offset.saturating_add(at);
            findings.extend(found.into_iter().map(|one| Finding {
                start: moved(one.start),
                end: moved(one.end),
                kind: one.kind,
            }));
        }
        if findings.is_empty() {
            return Some(message.to_vec());
        }
        let judgement = judge::of_findings(&self.rule, &self.body_rule, &findings, &mut self.tally.seen);
        let (blocked, rewrite) = (judgement.verdict.blocks(), judgement.rewrite);
        self.tally.add(judgement);
        if blocked {
            return None;
        }
        let masked = judge::redactions(self.rule.mode, &self.body_rule, &findings);
        let positions = vec![Position::Text; masked.len()];
        let written =
            rewrite.then(|| mask::splice(message, &masked, &positions, mask::Masks::of(&self.rule, KindSet::EVERY))).flatten();
        Some(written.unwrap_or_else(|| message.to_vec()))
    }
}

impl InFlight for Frames {
    fn feed(&mut self, chunk: &[u8]) -> Result<Flowing, Failure> {
        self.held.extend_from_slice(chunk);
        // Until the frame is whole nothing is copied, however small its pieces are.
        if self.passing == 0 && self.held.len() < self.wanted {
            return Ok(Flowing::Instead(Vec::new()));
        }
        let held = std::mem::take(&mut self.held);
        let mut out = Vec::with_capacity(held.len());
        let mut rest = held.as_slice();
        loop {
            if let Some((unread, behind)) = rest.split_at_checked(self.passing.min(rest.len())) {
                out.extend_from_slice(unread);
                self.passing = self.passing.saturating_sub(unread.len());
                rest = behind;
            }
            self.wanted = PREFIX_BYTES;
            let Some(prefix) = Prefix::read(rest) else { break };
            if prefix.len as u64 > self.body_rule.max_bytes {
                if self.rule.mode == Mode::Block {
                    return Err(Failure::TooLarge);
                }
                self.uninspected.push(Uninspected::TooLarge);
                self.passing = prefix.frame_bytes();
                continue;
            }
            self.wanted = prefix.frame_bytes();
            let Some((frame, behind)) = rest.split_at_checked(self.wanted) else { break };
            let (head, message) = frame.split_at_checked(PREFIX_BYTES).unwrap_or_default();
            let judged = if prefix.compressed {
                self.uninspected.push(Uninspected::ContentEncoding);
                self.bytes(message)
            } else {
                self.message(message)
            };
            let Some(message) = judged else { return Ok(Flowing::Cut) };
            out.extend_from_slice(head);
            out.extend_from_slice(&message);
            rest = behind;
        }
        self.held = rest.to_vec();
        Ok(Flowing::Instead(out))
    }

    /// A frame that is not whole is none; its start leaves, judged, for the receiver to refuse.
    fn finish(&mut self) -> (Flowing, Judgement) {
        let held = std::mem::take(&mut self.held);
        let last = self.bytes(&held).map_or(Flowing::Cut, Flowing::Instead);
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
        std::mem::take(&mut self.uninspected)
    }

    fn may_rewrite(&self) -> bool {
        judge::redacts(&self.rule, &self.body_rule)
    }

    fn may_resize(&self) -> bool {
        false
    }

    fn decodes(&self) -> bool {
        false
    }

    fn plain_bytes(&self) -> u64 {
        self.plain_bytes
    }

    fn held_bytes(&self) -> usize {
        self.held.len()
    }

    /// A call never ends within a message.
    fn may_end_held(&self) -> bool {
        false
    }

    fn rule(&self) -> &Arc<Rule> {
        &self.rule
    }
}
