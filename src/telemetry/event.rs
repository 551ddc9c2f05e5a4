//! The security event: one for every message that is not clean; in the log it is a line of JSON.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::act::{Count, Direction, Judgement};
use crate::detect::{Detectors, named};
use crate::policy::{Mode, Policy};

use super::trace::TraceParent;

/// Most bytes of a request's host, path or id that an event carries.
const MAX_TEXT_BYTES: usize = 256;

/// What one message was found to be. Its JSON has a line to itself in the log, and never a found value.
#[derive(Serialize, Debug)]
pub struct Event {
    /// RFC 3339, UTC.
    time: String,
    pub(super) request_id: String,
    pub(super) policy: String,
    pub(super) policy_hash: String,
    pub(super) mode: &'static str,
    pub(super) direction: &'static str,
    pub(super) verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<String>,
    pub(super) method: String,
    pub(super) host: String,
    /// Without its query.
    pub(super) path: String,
    /// Findings by kind.
    pub(super) findings: BTreeMap<String, u64>,
    /// Findings by `engine:action`.
    pub(super) actions: BTreeMap<String, u64>,
    /// `Warn` for a block, a would-block and what was not inspected; `Info` for a mask.
    #[serde(skip)]
    pub level: log::Level,
    /// Nanoseconds since the epoch.
    #[serde(skip)]
    pub(super) nanoseconds: u64,
    /// The trace that the request is part of.
    #[serde(skip)]
    pub(super) trace: Option<TraceParent>,
}

/// What of a request its events name.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// `x-request-id`.
    pub request_id: &'a [u8],
    /// `:method`.
    pub method: &'a [u8],
    /// `:authority`.
    pub authority: &'a [u8],
    /// `:path`.
    pub path: &'a [u8],
    /// `traceparent`.
    pub traceparent: &'a [u8],
}

impl Event {
    /// The event of one judged message, at `now` nanoseconds after the epoch.
    pub fn new(policy: &Policy, mode: Mode, direction: Direction, judgement: &Judgement, of: Subject<'_>, now: u64) -> Event {
        let (findings, actions) = totals(&policy.detectors, &judgement.counts);
        let path = of.path.split(|byte| matches!(byte, b'?' | b'#')).next().unwrap_or_default();
        Event {
            time: rfc3339(now),
            request_id: text(policy, of.request_id),
            policy: policy.name.clone(),
            policy_hash: policy.hash.clone(),
            mode: mode.as_str(),
            direction: direction.as_str(),
            verdict: judgement.verdict.as_str(),
            code: judgement.code.map(|code| code.text(&policy.detectors)),
            method: text(policy, of.method),
            host: text(policy, of.authority),
            path: text(policy, path),
            findings,
            actions,
            level: if judgement.code.is_some() || judgement.uninspected.is_some() { log::Level::Warn } else { log::Level::Info },
            nanoseconds: now,
            trace: TraceParent::parse(of.traceparent, &policy.every_kind),
        }
    }

    /// Bytes that it takes while it waits somewhere, about.
    pub fn cost(&self) -> usize {
        /// An entry of a map, with its share of the nodes.
        const ENTRY_BYTES: usize = 64;
        let texts = [&self.time, &self.request_id, &self.policy, &self.policy_hash, &self.method, &self.host, &self.path];
        let texts: usize = texts.into_iter().map(String::len).fold(0, usize::saturating_add);
        let entries = self.findings.len().saturating_add(self.actions.len()).saturating_mul(ENTRY_BYTES);
        size_of::<Event>().saturating_add(texts).saturating_add(entries)
    }

    /// Its line of JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Findings by kind, and by `engine:action`.
pub fn totals(detectors: &Detectors, counts: &[Count]) -> (BTreeMap<String, u64>, BTreeMap<String, u64>) {
    let mut findings: BTreeMap<String, u64> = BTreeMap::new();
    let mut actions: BTreeMap<String, u64> = BTreeMap::new();
    for count in counts {
        if let Some(kind) = count.kind {
            // Two engines may have seen the same findings.
            let known = findings.entry(detectors.name(kind).to_owned()).or_default();
            *known = count.findings.max(*known);
        }
        let of_action = actions.entry(format!("{}:{}", count.engine, count.action)).or_default();
        *of_action = of_action.saturating_add(count.findings);
    }
    (findings, actions)
}

/// The value of the filter state `wasm.bodyguard.findings` for one message: `response:redact:email=3,ssn=1`, actions separated by `;`.
pub fn filter_state_findings(detectors: &Detectors, direction: Direction, counts: &[Count]) -> String {
    let mut by_action: BTreeMap<_, BTreeMap<&str, u64>> = BTreeMap::new();
    for count in counts {
        let name = count.kind.map_or(count.engine.as_str(), |kind| detectors.name(kind));
        let known = by_action.entry(count.action).or_default().entry(name).or_default();
        *known = count.findings.max(*known);
    }
    let parts = by_action.iter().map(|(action, kinds)| {
        let kinds: Vec<String> = kinds.iter().map(|(kind, findings)| format!("{kind}={findings}")).collect();
        format!("{direction}:{action}:{}", kinds.join(","))
    });
    parts.collect::<Vec<_>>().join(";")
}

/// A piece of a request as an event shows it: bounded, printable, and without anything that is itself a finding.
fn text(policy: &Policy, raw: &[u8]) -> String {
    let cut = raw.get(..MAX_TEXT_BYTES).unwrap_or(raw);
    // A host is an address of its own right.
    let mut findings = policy.every_kind.scan(raw);
    let network = named("group:network").unwrap_or_default();
    findings.retain(|finding| !network.contains(finding.kind));
    let mut shown = Vec::with_capacity(cut.len());
    let mut findings = findings.iter().peekable();
    for (offset, byte) in (0u64..).zip(cut) {
        while findings.next_if(|finding| finding.end <= offset).is_some() {}
        let hidden = findings.peek().is_some_and(|finding| finding.start <= offset);
        shown.push(if hidden { b'*' } else { *byte });
    }
    String::from_utf8_lossy(&shown).into_owned()
}

/// `2026-11-21T20:58:39.120Z`
fn rfc3339(nanoseconds: u64) -> String {
    const NANOSECONDS_PER_MILLISECOND: u64 = 1_000_000;
    let milliseconds = nanoseconds.checked_div(NANOSECONDS_PER_MILLISECOND).unwrap_or_default();
    let since_epoch = std::time::Duration::from_millis(milliseconds);
    match std::time::UNIX_EPOCH.checked_add(since_epoch) {
        Some(time) => humantime::format_rfc3339_millis(time).to_string(),
        None => String::new(),
    }
}
