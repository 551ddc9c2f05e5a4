//! One message through a policy, as the filter does it.

use std::sync::Arc;

use bodyguard::act::{
    Direction, Flowing, HeadEdits, InFlight, Judgement, MessageHead, Plan, Verdict, block_reply, inspect_head, plan,
};
use bodyguard::policy::{Policy, RequestHead, Resolution, Rule};
use bodyguard::telemetry;
use serde_json::{Value, json};

use crate::complain;

/// A message, as far as it matters.
pub(crate) struct Message<'a> {
    pub(crate) direction: Direction,
    pub(crate) content_type: Option<&'a str>,
    pub(crate) content_encoding: Option<&'a str>,
    /// Headers of a response, names in lower case; those of a request stand in its [`RequestHead`].
    pub(crate) headers: &'a [(&'a [u8], &'a [u8])],
    /// Its body, as it came.
    pub(crate) raw: &'a [u8],
}

/// What became of a message.
pub(crate) enum Outcome {
    /// It passes without having been looked at, and why.
    Unread(String),
    /// It has no body, and nothing is looked for in one, and why: a head that was read is all of it.
    Bodiless(String),
    /// It was judged; the body to forward, unless it is blocked or stays as it is; what changes in its head.
    Judged(Arc<Rule>, Judgement, Option<Vec<u8>>, HeadEdits),
}

impl Message<'_> {
    /// Puts it through the policy, as part of the exchange that `request` begins.
    pub(crate) fn through(&self, policy: &Policy, request: &RequestHead<'_>) -> Outcome {
        match policy.resolve(request) {
            Resolution::Pass(reason) => Outcome::Unread(reason.to_string()),
            Resolution::Rule(rule) => {
                let path = [(&b":path"[..], request.path)];
                let head: Vec<(&[u8], &[u8])> = match self.direction {
                    Direction::Request => path.iter().chain(request.headers).copied().collect(),
                    Direction::Response => self.headers.to_vec(),
                };
                match inspect_head(&rule, self.direction, &head) {
                    None => self.under(rule),
                    Some((head, edits)) if head.verdict.blocks() => Outcome::Judged(rule, head, None, edits),
                    Some((head, edits)) => self.under(Arc::clone(&rule)).behind(rule, head, edits),
                }
            }
        }
    }

    fn under(&self, rule: Arc<Rule>) -> Outcome {
        let head = MessageHead {
            content_type: self.content_type.map(str::as_bytes),
            content_encoding: self.content_encoding.map(str::as_bytes),
            content_length: Some(self.raw.len() as u64),
            ..MessageHead::default()
        };
        match plan(&rule, self.direction, &head) {
            Plan::Pass(None) => {
                let reason = format!("{} inspects nothing in such a {}", rule.source, self.direction);
                if self.raw.is_empty() { Outcome::Bodiless(reason) } else { Outcome::Unread(reason) }
            }
            Plan::Pass(Some(reason)) => Outcome::Unread(format!("uninspected: {reason}")),
            Plan::Judged(judgement) => Outcome::Judged(rule, judgement, None, HeadEdits::default()),
            Plan::Stream(streamer) => stream_through(streamer, rule, self.raw),
            Plan::Inspect(mut inspector) => {
                // A failure is kept by the inspector, and judged.
                let _ = inspector.feed(self.raw);
                let judgement = inspector.finish();
                if !judgement.rewrite {
                    return Outcome::Judged(rule, judgement, None, HeadEdits::default());
                }
                match inspector.rewrite(self.raw, None) {
                    Some(body) => Outcome::Judged(rule, judgement, Some(body), HeadEdits::default()),
                    None => {
                        complain("the body cannot be rewritten");
                        let judgement = judgement.unmasked(rule.mode, self.direction);
                        Outcome::Judged(rule, judgement, None, HeadEdits::default())
                    }
                }
            }
        }
    }
}

/// A body that is judged as it flows, all of it at once.
fn stream_through(mut streamer: Box<dyn InFlight>, rule: Arc<Rule>, raw: &[u8]) -> Outcome {
    let (head, tail, judgement) = match streamer.feed(raw) {
        Ok(Flowing::Cut) => (Flowing::Cut, Flowing::Cut, streamer.judgement()),
        Ok(head) => {
            let (tail, judgement) = streamer.finish();
            (head, tail, judgement)
        }
        Err(failure) => (Flowing::Cut, Flowing::Cut, streamer.fail(failure)),
    };
    let mut left = match head {
        Flowing::AsItCame => raw.to_vec(),
        Flowing::Instead(bytes) => bytes,
        Flowing::Cut => Vec::new(),
    };
    if let Flowing::Instead(bytes) = tail {
        left.extend_from_slice(&bytes);
    }
    let passed_unread = streamer.take_uninspected().first().copied();
    let uninspected = judgement.uninspected.or(passed_unread);
    Outcome::Judged(rule, Judgement { uninspected, ..judgement }, Some(left), HeadEdits::default())
}

impl Outcome {
    /// The outcome of a message whose head was judged before this became of its body.
    fn behind(self, rule: Arc<Rule>, head: Judgement, edits: HeadEdits) -> Outcome {
        match self {
            Outcome::Unread(reason) if head.verdict == Verdict::Clean => Outcome::Unread(reason),
            Outcome::Unread(_) | Outcome::Bodiless(_) => Outcome::Judged(rule, head, None, edits),
            Outcome::Judged(_, judgement, body, _) => Outcome::Judged(rule, head.joined(judgement), body, edits),
        }
    }

    /// What the filter changes in the head of the message; `None`: nothing, or the message is blocked.
    pub(crate) fn edits(&self) -> Option<&HeadEdits> {
        match self {
            Outcome::Judged(_, judgement, _, edits) if !judgement.verdict.blocks() && !edits.is_empty() => Some(edits),
            _ => None,
        }
    }

    /// The verdict as JSON, for people and scripts.
    pub(crate) fn verdict(&self, policy: &Policy, direction: Direction) -> Value {
        match self {
            Outcome::Unread(reason) | Outcome::Bodiless(reason) => unread(policy, direction, reason),
            Outcome::Judged(rule, judgement, ..) => self.with_edits(judged(policy, direction, rule, judgement)),
        }
    }

    /// The verdict with the changed path and headers in it.
    fn with_edits(&self, mut verdict: Value) -> Value {
        if let (Some(edits), Some(parts)) = (self.edits(), verdict.as_object_mut()) {
            if let Some(path) = &edits.path {
                parts.insert("path".into(), String::from_utf8_lossy(path).into());
            }
            let joined = |values: &Vec<Vec<u8>>| String::from_utf8_lossy(&values.join(&b", "[..])).into_owned();
            let headers: serde_json::Map<String, Value> =
                edits.headers.iter().map(|(name, values)| (name.clone(), joined(values).into())).collect();
            if !headers.is_empty() {
                parts.insert("headers".into(), headers.into());
            }
        }
        verdict
    }

    /// The body that the filter forwards of one that came as `raw`; `None`: the message is blocked.
    pub(crate) fn forwarded<'a>(&'a self, raw: &'a [u8]) -> Option<&'a [u8]> {
        match self {
            Outcome::Unread(_) | Outcome::Bodiless(_) => Some(raw),
            Outcome::Judged(_, judgement, ..) if judgement.verdict.blocks() => None,
            Outcome::Judged(_, _, rewritten, _) => Some(rewritten.as_deref().unwrap_or(raw)),
        }
    }
}

fn unread(policy: &Policy, direction: Direction, reason: &str) -> Value {
    json!({
        "verdict": Verdict::Clean.as_str(),
        "inspected": false,
        "reason": reason,
        "direction": direction.as_str(),
        "policy": policy.name,
        "policy_hash": policy.hash,
    })
}

fn judged(policy: &Policy, direction: Direction, rule: &Rule, judgement: &Judgement) -> Value {
    let (findings, actions) = telemetry::totals(&policy.detectors, &judgement.counts);
    let mut verdict = json!({
        "verdict": judgement.verdict.as_str(),
        "inspected": judgement.uninspected.is_none(),
        "direction": direction.as_str(),
        "mode": rule.mode.as_str(),
        "route": rule.source,
        "findings": findings,
        "actions": actions,
        "policy": policy.name,
        "policy_hash": policy.hash,
    });
    if let Some(parts) = verdict.as_object_mut() {
        if let Some(code) = judgement.code {
            parts.insert("code".into(), code.text(&policy.detectors).into());
        }
        if let Some(reason) = judgement.uninspected {
            parts.insert("reason".into(), format!("uninspected: {reason}").into());
        }
        if judgement.verdict.blocks() {
            let reply = block_reply(rule, &policy.name, direction, judgement);
            parts.insert("reply".into(), json!({"status": reply.status, "body": reply.body}));
        }
    }
    verdict
}
