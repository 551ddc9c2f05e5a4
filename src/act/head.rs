//! The head of a message: its header values, and the query of its path, judged and masked.
//!
//! All values of a message are scanned as one text, `name: value` and a NUL for each header, so that words beside a value count as
//! they do in a body, and one scanner serves all. This module refuses to know where heads come from.

use std::ops::Range;

use super::spans::{self, Span};
use super::{Code, Direction, Judgement, Part, judge, mask};
use crate::detect::KindSet;
use crate::policy::{BodyRule, HeadRule, Rule};
use crate::scan::Finding;

/// Headers whose value is a URL, or has one: a mask must be legal there.
const URL_HEADERS: [&str; 4] = ["content-location", "link", "location", "referer"];
/// A header whose parameters may be bare tokens: no label is one, so masks keep the length.
const TOKENS_HEADER: &str = "content-type";
/// Most bytes that masks add to a head; past it they keep the length. Envoy, servers and clients refuse heads that are too long.
const MAX_GROWTH_BYTES: usize = 4096;

/// What is to be changed in a head.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct HeadEdits {
    /// For each header that changes, all of its values, in their order.
    pub headers: Vec<(String, Vec<Vec<u8>>)>,
    /// The path, where its query changes.
    pub path: Option<Vec<u8>>,
}

impl HeadEdits {
    /// Does nothing change?
    pub fn is_empty(&self) -> bool {
        self.headers.is_empty() && self.path.is_none()
    }

    /// Bytes that the head becomes longer.
    fn growth(&self, headers: &[(&[u8], &[u8])]) -> usize {
        let len_of =
            |name: &[u8]| -> usize { headers.iter().filter(|(other, _)| *other == name).map(|(_, value)| value.len()).sum() };
        let before: usize = self.headers.iter().map(|(name, _)| len_of(name.as_bytes())).sum();
        let after: usize = self.headers.iter().flat_map(|(_, values)| values).map(Vec::len).sum();
        let path = self.path.as_ref().map_or(0, |path| path.len().saturating_sub(len_of(b":path")));
        after.saturating_sub(before).saturating_add(path)
    }
}

/// Judges the head of a message; `None` where nothing is looked for in it. `headers` are all of them, names in lower case.
///
/// A head that is blocked is masked too, all of it: access logs show it.
pub fn inspect_head(rule: &Rule, direction: Direction, headers: &[(&[u8], &[u8])]) -> Option<(Judgement, HeadEdits)> {
    let (header_rule, query_rule) = match direction {
        Direction::Request => (&rule.heads.request_headers, &rule.heads.query),
        Direction::Response => (&rule.heads.response_headers, &None),
    };
    let of_headers = header_rule.as_ref().map(|head_rule| {
        let (text, spans) = text_of(head_rule, direction, headers);
        let findings = spans::scan(&head_rule.lists.program, &text, &spans);
        (judge(rule, head_rule, Part::Headers, &findings), head_rule, text, spans, findings)
    });
    let of_query = query_rule.as_ref().map(|head_rule| {
        let path = headers.iter().find(|(name, _)| *name == b":path").map(|(_, path)| *path).unwrap_or_default();
        let (before, query) =
            path.split_at(path.iter().position(|byte| *byte == b'?').map_or(path.len(), |at| at.saturating_add(1)));
        let findings = spans::scan(&head_rule.lists.program, query, &spans::parameters(head_rule, query));
        (judge(rule, head_rule, Part::Query, &findings), head_rule, before, query, findings)
    });
    let judgements = || of_headers.iter().map(|part| &part.0).chain(of_query.iter().map(|part| &part.0));
    let blocked = judgements().any(|judgement| judgement.verdict.blocks());
    let edits_of = |in_place: bool| {
        let mut edits = HeadEdits::default();
        let to_mask = |head_rule| to_mask(head_rule, blocked, in_place);
        if let Some((judgement, head_rule, text, spans, findings)) = &of_headers
            && (judgement.rewrite || blocked)
        {
            edits.headers = masked_headers(rule, &to_mask(head_rule), text, spans, headers, findings);
        }
        if let Some((judgement, head_rule, before, query, findings)) = &of_query
            && (judgement.rewrite || blocked)
            && !findings.is_empty()
        {
            let query = masked(rule, &to_mask(head_rule), query, 0..query.len(), findings, true);
            edits.path = query.map(|query| [*before, &query].concat());
        }
        edits
    };
    let mut edits = edits_of(false);
    if edits.growth(headers) > MAX_GROWTH_BYTES {
        edits = edits_of(true);
    }
    let settled = |judgement: &Judgement| {
        let judgement = judgement.clone();
        if blocked && !judgement.verdict.blocks() { judgement.detected() } else { judgement }
    };
    let judgement = judgements().map(settled).reduce(Judgement::joined)?;
    // To the body nothing has been done yet.
    Some((Judgement { rewrite: false, ..judgement }, edits))
}

/// What is masked in a head: what the policy says, or everything where it goes nowhere but into the access log.
fn to_mask(head_rule: &HeadRule, blocked: bool, in_place: bool) -> BodyRule {
    let mut lists = head_rule.lists.clone();
    if in_place {
        lists.same_length = KindSet::EVERY;
    }
    if blocked { BodyRule { redact: lists.block.union(lists.redact), block: KindSet::EMPTY, ..lists } } else { lists }
}

fn judge(rule: &Rule, head_rule: &HeadRule, part: Part, findings: &[Finding]) -> Judgement {
    let mut judgement = judge::of_findings(rule, &head_rule.lists, findings, &mut judge::Seen::new());
    if let Some(Code::DlpBlock(kind)) = judgement.code {
        judgement.code = Some(Code::HeadBlock(part, kind));
    }
    judgement
}

fn text_of(head_rule: &HeadRule, direction: Direction, headers: &[(&[u8], &[u8])]) -> (Vec<u8>, Vec<Span>) {
    let (mut text, mut spans) = (Vec::new(), Vec::new());
    for (header, (name, value)) in headers.iter().enumerate() {
        let Ok(readable) = std::str::from_utf8(name) else { continue };
        if head_rule.names.has_header(readable, direction == Direction::Response) {
            let named_from = text.len();
            text.extend_from_slice(name);
            text.extend_from_slice(b": ");
            let start = text.len();
            text.extend_from_slice(value);
            spans.push(Span { named_from, range: start..text.len(), header });
            text.push(0);
        }
    }
    (text, spans)
}

fn masked_headers(
    rule: &Rule,
    lists: &BodyRule,
    text: &[u8],
    spans: &[Span],
    headers: &[(&[u8], &[u8])],
    findings: &[Finding],
) -> Vec<(String, Vec<Vec<u8>>)> {
    let value_of = |header: usize| -> Option<Vec<u8>> {
        let (name, value) = headers.get(header)?;
        let Some(span) = spans.iter().find(|span| span.header == header) else { return Some(value.to_vec()) };
        let url = URL_HEADERS.iter().any(|url| url.as_bytes() == *name);
        let in_place = (*name == TOKENS_HEADER.as_bytes()).then(|| BodyRule { same_length: KindSet::EVERY, ..lists.clone() });
        masked(rule, in_place.as_ref().unwrap_or(lists), text, span.range.clone(), findings, url)
    };
    let mut changed: Vec<(String, Vec<Vec<u8>>)> = Vec::new();
    for span in spans {
        let touched = |finding: &Finding| span.range.contains(&to_usize(finding.start));
        let Some((name, _)) = headers.get(span.header).filter(|_| findings.iter().any(touched)) else { continue };
        let readable = String::from_utf8_lossy(name).into_owned();
        if changed.iter().all(|(known, _)| *known != readable) {
            let same = headers.iter().enumerate().filter(|(_, (other, _))| other == name);
            changed.push((readable, same.filter_map(|(header, _)| value_of(header)).collect()));
        }
    }
    changed
}

/// `range` of `text` with what is to be masked in it masked; in a URL, so that it stays one.
fn masked(rule: &Rule, lists: &BodyRule, text: &[u8], range: Range<usize>, findings: &[Finding], url: bool) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut copied = range.start;
    for finding in judge::redactions(rule.mode, lists, findings) {
        let (start, end) = (to_usize(finding.start), to_usize(finding.end));
        if start < copied || end > range.end {
            continue;
        }
        out.extend_from_slice(text.get(copied..start)?);
        let value = text.get(start..end)?;
        let whole = Finding { start: 0, end: value.len() as u64, kind: finding.kind };
        let mask = mask::rewrite(value, &[whole], mask::Masks::of(rule, lists.same_length), None, None)?;
        if url {
            encode(&mut out, &mask)
        } else {
            out.extend_from_slice(&mask)
        }
        copied = end;
    }
    out.extend_from_slice(text.get(copied..range.end)?);
    Some(out)
}

/// What a query may hold stands as it is (RFC 3986, 3.4; a `%` belongs to an escape that was kept), the rest percent-encoded.
fn encode(out: &mut Vec<u8>, mask: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in mask {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%".contains(byte) {
            out.push(*byte);
        } else {
            let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or_default();
            out.extend([b'%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

fn to_usize(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}
