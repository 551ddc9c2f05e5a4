//! Masks: what stands in the place of a finding.
//!
//! A label where there is room for it, the same length where there is not, or where the policy or the body wants it: what counts
//! its bytes (protobuf, msgpack, archives) stays readable only so. A JSON document stays one: a bare number that is masked
//! becomes a string, and of a finding that reaches over strings and other tokens each is masked by itself.

use crate::body::{JsonTracker, MediaType, Position};
use crate::detect::{Detectors, KindSet, Mask};
use crate::policy::{BodyRule, Rule};
use crate::scan::{Finding, as_it_reads, escape_at};

/// Stands in place of every hidden character.
const STAR: u8 = b'*';

/// How the kinds of a rule are masked.
#[derive(Clone, Copy, Debug)]
pub struct Masks<'a> {
    /// What the policy says about kinds.
    pub detectors: &'a Detectors,
    /// Kinds whose masks keep the length.
    pub same_length: KindSet,
}

impl<'a> Masks<'a> {
    /// The masks of a rule, in a body where these kinds keep their length.
    pub(super) fn of(rule: &'a Rule, same_length: KindSet) -> Masks<'a> {
        Masks { detectors: &rule.detectors, same_length }
    }

    /// The same, all in place.
    pub(super) fn in_place(self) -> Masks<'a> {
        Masks { same_length: KindSet::EVERY, ..self }
    }
}

/// `body` with `findings` (sorted, disjoint, within the body) masked; `None` where that takes more than `max_len` bytes.
///
/// `json`: where in it strings are, if it is JSON. Kinds of `same_length` are masked in place. Labels are used for the others where
/// the result fits `max_len`, else every value is masked in place, and the length stays what it was.
pub fn rewrite(
    body: &[u8],
    findings: &[Finding],
    masks: Masks<'_>,
    json: Option<JsonTracker>,
    max_len: Option<usize>,
) -> Option<Vec<u8>> {
    let pieces = json.map_or_else(|| findings.to_vec(), |json| pieces(json, body, findings));
    let ranges = ranges(&pieces);
    let positions = json.map_or_else(|| vec![Position::Text; ranges.len()], |json| json.positions(body, &ranges));
    let labelled = splice(body, &pieces, &positions, masks)?;
    match max_len {
        Some(max_len) if labelled.len() > max_len => {
            splice(body, &pieces, &positions, masks.in_place()).filter(|masked| masked.len() <= max_len)
        }
        _ => Some(labelled),
    }
}

/// What is masked of `findings` in a JSON text, of which `bytes` is what comes next. A regex of a policy may match over quotes and
/// braces, or a part of an escape; those stay.
pub(super) fn pieces(json: JsonTracker, bytes: &[u8], findings: &[Finding]) -> Vec<Finding> {
    if findings.iter().all(|finding| finding.kind.own_number().is_none()) {
        return findings.to_vec();
    }
    let mut pieces = Vec::with_capacity(findings.len());
    let parts = json.parts(bytes, &ranges(findings));
    let mut parts = parts.iter().peekable();
    for (index, finding) in findings.iter().enumerate() {
        if finding.kind.own_number().is_none() {
            pieces.push(*finding);
        }
        while let Some((_, start, end)) = parts.next_if(|(of, ..)| *of == index) {
            if finding.kind.own_number().is_some() {
                pieces.push(Finding { start: *start as u64, end: *end as u64, kind: finding.kind });
            }
        }
    }
    pieces
}

/// Where findings start and end in the body.
pub(super) fn ranges(findings: &[Finding]) -> Vec<(usize, usize)> {
    findings.iter().map(|finding| (to_usize(finding.start), to_usize(finding.end))).collect()
}

/// The kinds whose masks keep the length in a body of this type: what the rule says, and all of them in what is not text.
pub(super) fn same_length(body_rule: &BodyRule, media_type: &MediaType) -> KindSet {
    let binary = !media_type.is_text_like() && !media_type.essence().is_empty();
    if binary { KindSet::EVERY } else { body_rule.same_length }
}

/// How a finding is masked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// The kind's own mask.
    Label,
    /// The same number of bytes, letters and digits hidden.
    InPlace,
}

/// `body` with `findings`, each at its position, masked; `None` where one is not within the body.
pub(super) fn splice(body: &[u8], findings: &[Finding], positions: &[Position], masks: Masks<'_>) -> Option<Vec<u8>> {
    let style_of = |finding: &Finding| if masks.same_length.contains(finding.kind) { Style::InPlace } else { Style::Label };
    let mut out = Vec::with_capacity(body.len());
    let mut copied = 0usize;
    let mut todo = findings.iter().zip(positions).peekable();
    while let Some((finding, position)) = todo.next() {
        // A token that a finding before this one reaches into is no number any more.
        let token = bare_value(body, *position).filter(|(token_start, _)| *token_start >= copied);
        let Some((token_start, token_end)) = token else {
            let in_string = *position == Position::InString;
            copied = mask_finding(&mut out, body, copied, (finding, in_string), (masks.detectors, style_of(finding)))?;
            continue;
        };
        // The whole token goes between quotes; in place, the quotes take the room of two hidden characters.
        out.extend_from_slice(body.get(copied..token_start)?);
        out.push(b'"');
        let opened = out.len();
        let style = style_of(finding);
        copied = mask_finding(&mut out, body, token_start, (finding, false), (masks.detectors, style))?;
        while let Some((finding, _)) = todo.next_if(|(finding, _)| to_usize(finding.start) < token_end) {
            copied = mask_finding(&mut out, body, copied, (finding, false), (masks.detectors, style_of(finding)))?;
        }
        // The last finding may reach beyond the token.
        out.extend_from_slice(body.get(copied..token_end).unwrap_or_default());
        copied = copied.max(token_end);
        if style == Style::InPlace {
            out.drain(opened..opened.saturating_add(2).min(out.len()));
        }
        out.push(b'"');
    }
    out.extend_from_slice(body.get(copied..)?);
    Some(out)
}

/// The bounds of the bare JSON value at `position`; what is bare and no value (that anyone reads) is no JSON either, and is masked
/// as text.
fn bare_value(body: &[u8], position: Position) -> Option<(usize, usize)> {
    let Position::Bare { start, end } = position else { return None };
    body.get(start..end).filter(|token| JsonTracker::is_value(token)).map(|_| (start, end))
}

/// Copies the body from `copied` to the finding, masks it, and returns its end. `in_string`: it stands within a string of JSON.
fn mask_finding(
    out: &mut Vec<u8>,
    body: &[u8],
    copied: usize,
    (finding, in_string): (&Finding, bool),
    (detectors, style): (&Detectors, Style),
) -> Option<usize> {
    let (start, end) = (to_usize(finding.start), to_usize(finding.end));
    out.extend_from_slice(body.get(copied..start)?);
    let value = body.get(start..end)?;
    match (detectors.mask(finding.kind), style) {
        (Mask::Label, Style::Label) => out.extend_from_slice(format!("[REDACTED:{}]", detectors.name(finding.kind)).as_bytes()),
        (Mask::Hash(key), Style::Label) => {
            let decoded = if in_string { json_decoded(value) } else { None };
            let hash = key.hash(as_it_reads(decoded.as_deref().map_or(value, str::as_bytes)));
            out.extend_from_slice(format!("[REDACTED:{}:{hash}]", detectors.name(finding.kind)).as_bytes());
        }
        (Mask::SameLength | Mask::Label | Mask::Hash(_), _) => {
            hide(out, value, Style::InPlace, |unit| unit.is_alphanumeric(), 0..0)
        }
        (Mask::KeepLastDigits(keep), style) => {
            let digits = units(value).filter(Unit::is_digit).count();
            hide(out, value, style, |unit| unit.is_digit(), digits.saturating_sub(usize::from(*keep))..digits);
        }
        (Mask::KeepLast(keep), style) => {
            let count = units(value).filter(Unit::is_alphanumeric).count();
            hide(out, value, style, |unit| unit.is_alphanumeric(), count.saturating_sub(kept(*keep, count))..count);
        }
        (Mask::KeepFirst(keep), style) => {
            let count = units(value).filter(Unit::is_alphanumeric).count();
            hide(out, value, style, |unit| unit.is_alphanumeric(), 0..kept(*keep, count));
        }
    }
    Some(end)
}

/// How many of `count` letters and digits stay: never more than half.
fn kept(keep: u8, count: usize) -> usize {
    usize::from(keep).min(count / 2)
}

/// Every character that `hides` holds of becomes `*`, but those of them that are in `stay`, counted from 0; what separates them
/// stays, escapes among it. A character that is written as an escape counts as one; in place it is hidden in its length.
fn hide(out: &mut Vec<u8>, value: &[u8], style: Style, hides: fn(&Unit<'_>) -> bool, stay: std::ops::Range<usize>) {
    let mut seen = 0usize;
    for unit in units(value) {
        let counts = hides(&unit);
        if counts && !stay.contains(&seen) {
            let stars = if style == Style::InPlace { unit.raw.len() } else { 1 };
            out.resize(out.len().saturating_add(stars), STAR);
        } else {
            out.extend_from_slice(unit.raw);
        }
        seen = seen.saturating_add(usize::from(counts));
    }
}

/// What stands within a string of JSON, decoded; `None` where nothing is escaped, or where it decodes to no text.
fn json_decoded(value: &[u8]) -> Option<String> {
    let quoted = value.contains(&b'\\').then(|| [b"\"", value, b"\""].concat())?;
    serde_json::from_slice(&quoted).ok()
}

/// One character of a value as it is written in the body: itself, or an escape of JSON, of a URL, or of HTML.
struct Unit<'a> {
    raw: &'a [u8],
    decoded: u32,
}

impl Unit<'_> {
    fn is_alphanumeric(&self) -> bool {
        char::from_u32(self.decoded).is_none_or(char::is_alphanumeric)
    }

    fn is_digit(&self) -> bool {
        (u32::from(b'0')..=u32::from(b'9')).contains(&self.decoded)
    }
}

fn units(value: &[u8]) -> impl Iterator<Item = Unit<'_>> {
    let mut rest = value;
    std::iter::from_fn(move || {
        let (len, decoded) = match escape_at(rest) {
            Some((len, byte)) => (len, u32::from(byte)),
            None => unit(rest)?,
        };
        let (raw, behind) = rest.split_at_checked(len)?;
        rest = behind;
        Some(Unit { raw, decoded })
    })
}

/// What is written at the start of `rest` where that is no escape of a character of a value: its bytes, and what they stand for.
fn unit(rest: &[u8]) -> Option<(usize, u32)> {
    Some(match rest {
        [b'%', hex @ ..] => match number(hex.get(..2), 16) {
            Some(byte) => (3, byte),
            None => (1, u32::from(b'%')),
        },
        [b'\\', b'u', hex @ ..] => match number(hex.get(..4), 16) {
            Some(unit) => (6, unit),
            None => (1, u32::from(b'\\')),
        },
        [b'\\', _, ..] => (2, u32::from(b'\\')),
        [b'&', b'#', entity @ ..] => html_number(entity),
        [byte, ..] if *byte >= 0x80 => character(rest),
        [byte, ..] => (1, u32::from(*byte)),
        [] => return None,
    })
}

/// The character of UTF-8 at the start of `rest`; a byte that begins none stands for a letter, so that it is hidden.
fn character(rest: &[u8]) -> (usize, u32) {
    let known = rest.get(..4).unwrap_or(rest);
    let valid = match std::str::from_utf8(known) {
        Ok(text) => text,
        Err(error) => known.get(..error.valid_up_to()).and_then(|valid| std::str::from_utf8(valid).ok()).unwrap_or_default(),
    };
    valid.chars().next().map_or((1, u32::from(b'a')), |character| (character.len_utf8(), u32::from(character)))
}

/// `#52;` or `#x34;` behind an ampersand: the length with the ampersand, and the code point.
fn html_number(entity: &[u8]) -> (usize, u32) {
    /// Longest number that an entity has; `&#x10FFFF;` with a few leading zeros.
    const MAX_LEN: usize = 10;
    let plain = (1, u32::from(b'&'));
    let Some(semicolon) = entity.iter().take(MAX_LEN).position(|byte| *byte == b';') else { return plain };
    let (digits, radix) = match entity.get(..semicolon) {
        Some([b'x' | b'X', hex @ ..]) => (Some(hex), 16),
        other => (other, 10),
    };
    match number(digits, radix) {
        // `&`, `#`, what is before the semicolon, and the semicolon.
        Some(code_point) => (semicolon.saturating_add(3), code_point),
        None => plain,
    }
}

fn number(digits: Option<&[u8]>, radix: u32) -> Option<u32> {
    let digits = digits.filter(|digits| digits.iter().all(|digit| char::from(*digit).is_digit(radix)))?;
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()
}

fn to_usize(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}
