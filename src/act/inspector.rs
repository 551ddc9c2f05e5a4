//! One message's inspection: raw chunks in, a judgement out.
//!
//! The inspector holds no body. It decodes and scans what it is fed and remembers where the findings are; whoever feeds it
//! keeps the raw bytes, and hands them back when they must be rewritten.

use std::sync::Arc;

use super::finder::Finder;
use super::{Direction, Failure, Judgement, judge, mask};
use crate::body::{Coding, DecodeError, Decoder, JsonTracker, MediaType, begins_like_json};
use crate::detect::KindSet;
use crate::policy::{BodyRule, Rule};
use crate::scan::Finding;

/// Effort of encoding a body that may be as long as it likes: the least.
const FAST: u8 = 1;

/// Inspects one body. See the module.
#[derive(Debug)]
pub struct Inspector {
    rule: Arc<Rule>,
    body_rule: BodyRule,
    direction: Direction,
    coding: Coding,
    json: Option<JsonTracker>,
    /// It has no media type: what begins like JSON is taken for it.
    untyped: bool,
    same_length: KindSet,
    decoder: Decoder,
    finder: Finder,
    findings: Vec<Finding>,
    raw_bytes: u64,
    plain_bytes: u64,
    failure: Option<Failure>,
}

impl Inspector {
    pub(super) fn new(
        rule: Arc<Rule>,
        body_rule: BodyRule,
        direction: Direction,
        coding: Coding,
        media_type: &MediaType,
    ) -> Inspector {
        Inspector {
            json: JsonTracker::of(media_type),
            untyped: media_type.essence().is_empty(),
            same_length: mask::same_length(&body_rule, media_type),
            decoder: Decoder::new(coding, body_rule.max_bytes),
            finder: Finder::new(&body_rule, media_type),
            findings: Vec::new(),
            raw_bytes: 0,
            plain_bytes: 0,
            failure: None,
            rule,
            body_rule,
            direction,
            coding,
        }
    }

    /// Takes the next raw chunk.
    ///
    /// # Errors
    /// The body cannot be inspected whole; what follows of it need not be fed.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<(), Failure> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        // What fits the cap is looked at, so that a finding before it counts the same in every cut.
        let room = usize::try_from(self.body_rule.max_bytes.saturating_sub(self.raw_bytes)).unwrap_or(usize::MAX);
        let (chunk, over) = chunk.split_at_checked(room).unwrap_or((chunk, &[]));
        self.raw_bytes = self.raw_bytes.saturating_add(chunk.len() as u64);
        let Inspector { decoder, finder, findings, plain_bytes, .. } = self;
        let decoded = decoder.feed(chunk, &mut |plain| {
            *plain_bytes = plain_bytes.saturating_add(plain.len() as u64);
            finder.feed(plain, findings);
        });
        match decoded {
            Err(error) => Err(self.fail(error.into())),
            Ok(()) if !over.is_empty() => Err(self.fail(Failure::TooLarge)),
            Ok(()) => Ok(()),
        }
    }

    /// Gives up on a body that its keeper cannot hold; [`Inspector::finish`] judges the failure.
    pub fn fail(&mut self, failure: Failure) -> Failure {
        *self.failure.get_or_insert(failure)
    }

    /// Ends the body and judges it.
    pub fn finish(&mut self) -> Judgement {
        if self.failure.is_none() {
            match self.decoder.finish() {
                Ok(()) => self.finder.finish(&mut self.findings),
                // An empty body has no coding to be corrupt.
                Err(_) if self.raw_bytes == 0 => {}
                Err(error) => self.failure = Some(error.into()),
            }
        }
        self.findings.sort_unstable();
        match self.failure {
            None => judge::of_findings(&self.rule, &self.body_rule, &self.findings, &mut judge::Seen::new()),
            Some(failure) => judge::of_failure(&self.rule, &self.body_rule, self.direction, failure, &self.findings),
        }
    }

    /// The body with every finding of a `redact` kind masked, under the coding it came with.
    ///
    /// `raw` is the whole body as it was fed. `None` where the result cannot be made to fit `max_len` bytes.
    pub fn rewrite(&self, raw: &[u8], max_len: Option<usize>) -> Option<Vec<u8>> {
        let masked = judge::redactions(self.rule.mode, &self.body_rule, &self.findings);
        let mask = |plain: &[u8], max_len| {
            let untyped_json = self.untyped && begins_like_json(plain) == Some(true);
            let json = self.json.or(untyped_json.then(JsonTracker::new));
            mask::rewrite(plain, &masked, mask::Masks::of(&self.rule, self.same_length), json, max_len)
        };
        if self.coding == Coding::Identity {
            return mask(raw, max_len);
        }
        let mut plain = Vec::new();
        let mut decoder = Decoder::new(self.coding, self.body_rule.max_bytes);
        decoder.feed(raw, &mut |piece| plain.extend_from_slice(piece)).ok()?;
        let labelled = mask(&plain, None)?;
        let Some(max_len) = max_len else { return Some(self.coding.encode(&labelled, FAST)) };
        self.coding.encode_within(&labelled, max_len).or_else(|| {
            let in_place = mask(&plain, Some(plain.len()))?;
            self.coding.encode_within(&in_place, max_len)
        })
    }

    /// May the body leave other than it came?
    pub fn may_rewrite(&self) -> bool {
        judge::redacts(&self.rule, &self.body_rule)
    }

    /// May the body leave with another length than it came with?
    pub fn may_resize(&self) -> bool {
        self.may_rewrite() && (self.coding != Coding::Identity || !self.same_length.covers(self.body_rule.redact))
    }

    /// The rule that is applied.
    pub fn rule(&self) -> &Arc<Rule> {
        &self.rule
    }

    /// Bytes decoded and scanned so far.
    pub fn plain_bytes(&self) -> u64 {
        self.plain_bytes
    }
}

impl From<DecodeError> for Failure {
    fn from(error: DecodeError) -> Failure {
        match error {
            DecodeError::Corrupt | DecodeError::TooManyBlocks => Failure::Corrupt,
            DecodeError::OverCap => Failure::TooLarge,
        }
    }
}
