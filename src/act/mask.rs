//! Masks: what stands in the place of a finding.
//!
//! A label where there is room for it, the same length where there is not, or where the policy or the body wants it: what counts
//! its bytes (protobuf, msgpack, archives) stays readable only so. A JSON document stays one: a bare number that is masked
//! becomes a string.

use crate::body::{JsonTracker, MediaType, Position, quote_ranges};
use crate::detect::{KindSet, Mask};
use crate::policy::BodyRule;
use crate::scan::{Finding, escape_at};

/// Stands in place of every hidden character.
const STAR: u8 = b'*';

/// `body` with `findings` (sorted, disjoint, within the body) masked; `None` where that takes more than `max_len` bytes.
///
/// Kinds of `same_length` are masked in place. Labels are used for the others where the result fits `max_len`, else every value is
/// masked in place, and the length stays what it was.
pub fn rewrite(body: &[u8], findings: &[Finding], same_length: KindSet, json: bool, max_len: Option<usize>) -> Option<Vec<u8>> {
    let ranges = ranges(findings);
    let positions = if json { quote_ranges(body, &ranges) } else { vec![Position::InString; ranges.len()] };
    let labelled = splice(body, findings, &positions, same_length)?;
    match max_len {
        Some(max_len) if labelled.len() > max_len => {
            splice(body, findings, &positions, KindSet::all()).filter(|masked| masked.len() <= max_len)
        }
        _ => Some(labelled),
    }
}

/// Where findings start and end in the body.
pub(super) fn ranges(findings: &[Finding]) -> Vec<(usize, usize)> {
    findings.iter().map(|finding| (to_usize(finding.start), to_usize(finding.end))).collect()
}

/// The kinds whose masks keep the length in a body of this type: what the rule says, and all of them in what is not text.
pub(super) fn same_length(body_rule: &BodyRule, media_type: &MediaType) -> KindSet {
    let binary = !media_type.is_text_like() && !media_type.essence().is_empty();
    if binary { KindSet::all() } else { body_rule.same_length }
}

/// How a finding is masked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// The kind's own mask.
    Label,
    /// The same number of bytes, letters and digits hidden.
    InPlace,
}

/// `body` with `findings`, each at its position, masked, those of `same_length` in place; `None` where one is not within the body.
pub(super) fn splice(body: &[u8], findings: &[Finding], positions: &[Position], same_length: KindSet) -> Option<Vec<u8>> {
    let style_of = |finding: &Finding| if same_length.contains(finding.kind) { Style::InPlace } else { Style::Label };
    let mut out = Vec::with_capacity(body.len());
    let mut copied = 0usize;
    let mut todo = findings.iter().zip(positions).peekable();
    while let Some((finding, position)) = todo.next() {
        // A token that a finding before this one reaches into is no number any more.
        let token = number_token(body, *position).filter(|(token_start, _)| *token_start >= copied);
        let Some((token_start, token_end)) = token else {
            copied = mask_finding(&mut out, body, copied, finding, style_of(finding))?;
            continue;
        };
        // The whole token goes between quotes; in place, the quotes take the room of two hidden characters.
        out.extend_from_slice(body.get(copied..token_start)?);
        out.push(b'"');
        let opened = out.len();
        let style = style_of(finding);
        copied = mask_finding(&mut out, body, token_start, finding, style)?;
        while let Some((finding, _)) = todo.next_if(|(finding, _)| to_usize(finding.start) < token_end) {
            copied = mask_finding(&mut out, body, copied, finding, style_of(finding))?;
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

/// The bounds of the bare JSON number at `position`; what is bare and no number (that anyone reads) is no JSON either, and is masked
/// as text.
fn number_token(body: &[u8], position: Position) -> Option<(usize, usize)> {
    let Position::Bare { start, end } = position else { return None };
    body.get(start..end).filter(|token| JsonTracker::is_number(token)).map(|_| (start, end))
}

/// Copies the body from `copied` to the finding, masks it, and returns its end.
fn mask_finding(out: &mut Vec<u8>, body: &[u8], copied: usize, finding: &Finding, style: Style) -> Option<usize> {
    let (start, end) = (to_usize(finding.start), to_usize(finding.end));
    out.extend_from_slice(body.get(copied..start)?);
    mask_value(out, finding, body.get(start..end)?, style);
    Some(end)
}

fn mask_value(out: &mut Vec<u8>, finding: &Finding, value: &[u8], style: Style) {
    match (finding.kind.spec().mask, style) {
        (Mask::Label, Style::Label) => {
            out.extend_from_slice(b"[REDACTED:");
            out.extend_from_slice(finding.kind.name().as_bytes());
            out.push(b']');
        }
        (Mask::Label, Style::InPlace) => hide_in_place(out, value),
        (Mask::KeepLastDigits(keep), style) => keep_last(out, value, usize::from(keep), style, |unit| unit.is_digit()),
        (Mask::KeepLast(keep), style) => keep_last(out, value, usize::from(keep), style, |unit| unit.is_alphanumeric()),
    }
}

/// Every letter and digit becomes `*`; what separates them stays, escapes among it, and so does the length.
fn hide_in_place(out: &mut Vec<u8>, value: &[u8]) {
    for unit in units(value) {
        if unit.is_alphanumeric() {
            out.resize(out.len().saturating_add(unit.raw.len()), STAR);
        } else {
            out.extend_from_slice(unit.raw);
        }
    }
}

/// Every character of the value that `counts` but the last `keep` becomes `*`, separators stay. One that is written as an escape
/// counts as one.
fn keep_last(out: &mut Vec<u8>, value: &[u8], keep: usize, style: Style, counts: fn(&Unit<'_>) -> bool) {
    let all = units(value).filter(counts).count();
    let mut hidden = all.saturating_sub(keep);
    for unit in units(value) {
        if counts(&unit) && hidden > 0 {
            hidden = hidden.saturating_sub(1);
            let stars = if style == Style::InPlace { unit.raw.len() } else { 1 };
            out.resize(out.len().saturating_add(stars), STAR);
        } else {
            out.extend_from_slice(unit.raw);
        }
    }
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
        [byte, ..] => (1, u32::from(*byte)),
        [] => return None,
    })
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
