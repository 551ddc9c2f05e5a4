//! PEM private keys: is there key material in the block, and where does a block without END end?

use super::pem_text::{self, Unit};
use crate::detect::Candidate;

/// Fewest letters of base64 in a line that counts as key material; words of prose are shorter.
const LINE_MIN: usize = 16;
/// Fewest letters of base64 of a key: 24 bytes, less than the secret of any algorithm in use.
const KEY_MIN: usize = 32;
/// Most letters in a line of a PEM file (RFC 7468: 64, RFC 2045: 76); behind a longer first line there is no last short one.
const LINE_MAX: usize = 76;
/// How far into a match blank lines are counted, in bytes.
const FRONT: usize = 4096;
/// Most blank lines before the first line of key material: armor headers end with one.
const BLANK_LINES: usize = 1;
/// `-----BEGIN`
const BEGIN: usize = 10;
/// `-----`
const DASHES: &[u8] = b"-----";

/// Anywhere: the dashes are boundary enough.
pub(crate) fn may_start(_before: &[u8], _here: &[u8]) -> bool {
    true
}

/// May what begins like this still become a key? Past two blank lines without a line of key material it is talk about one. A stream
/// need not hold all that follows.
pub(crate) fn may_go_on(value: &[u8]) -> bool {
    let front = value.get(..FRONT).unwrap_or(value);
    let line_ends = front.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at);
    let blank = |at: &usize| matches!(front.get(..*at), Some([.., b'\n'] | [.., b'\n', b'\r']));
    let Some(end) = line_ends.filter(blank).nth(BLANK_LINES) else { return true };
    let text = front.get(BEGIN..end).unwrap_or_default();
    let header = find_dashes(text).and_then(|dashes| dashes.checked_add(DASHES.len()));
    header.and_then(|header| text.get(header..)).is_none_or(|text| Material::of(text).letters > 0)
}

/// The block to its END, or to the end of its material where there is no END.
pub(crate) fn accept(candidate: &Candidate<'_>) -> Option<usize> {
    let value = candidate.value;
    if !may_go_on(value) {
        return None;
    }
    let header = find_dashes(value.get(BEGIN..)?)?.checked_add(BEGIN)?.checked_add(DASHES.len())?;
    let body = value.get(header..)?;
    let (text, whole) = match find_dashes(body) {
        Some(end) => (body.get(..end)?, true),
        None => (body, false),
    };
    let material = Material::of(text);
    if material.letters < KEY_MIN {
        None
    } else if whole {
        Some(value.len())
    } else {
        header.checked_add(material.end)
    }
}

fn find_dashes(text: &[u8]) -> Option<usize> {
    text.windows(DASHES.len()).position(|window| matches!(window, [b'-', b'-', b'-', b'-', b'-']))
}

/// What a body holds.
struct Material {
    /// Letters of base64 in lines that count.
    letters: usize,
    /// Where the material ends if nothing says so: behind the first line that is too short to count, for it may be the last.
    end: usize,
}

impl Material {
    /// Lines count that have enough letters and begin behind a break: the IV of `DEK-Info: AES-256-CBC,0123...` does not.
    fn of(text: &[u8]) -> Material {
        let mut material = Material { letters: 0, end: 0 };
        let mut open = true;
        let mut first_line = 0usize;
        let mut rest = text;
        let mut line_may_start = true;
        while let Some((unit, length)) = pem_text::first(rest) {
            if !matches!(unit, Unit::Letter(_)) {
                open &= unit == Unit::Break || first_line == 0;
                line_may_start = unit == Unit::Break;
                rest = rest.get(length..).unwrap_or_default();
                continue;
            }
            let line = Line::of(rest);
            rest = rest.get(line.bytes..).unwrap_or_default();
            let counts = line_may_start && line.letters >= LINE_MIN && !line.placeholder;
            line_may_start = false;
            if counts {
                material.letters = material.letters.saturating_add(line.letters);
            }
            if open && (counts || (1..=LINE_MAX).contains(&first_line)) {
                material.end = text.len().saturating_sub(rest.len());
            }
            if first_line == 0 && counts {
                first_line = line.letters;
            }
            open &= counts || first_line == 0;
        }
        material
    }
}

/// Letters of base64 in a row.
struct Line {
    bytes: usize,
    letters: usize,
    /// Nothing but `x`.
    placeholder: bool,
}

impl Line {
    fn of(text: &[u8]) -> Line {
        let mut line = Line { bytes: 0, letters: 0, placeholder: true };
        while let Some((Unit::Letter(letter), length)) = pem_text::first(text.get(line.bytes..).unwrap_or_default()) {
            line.bytes = line.bytes.saturating_add(length);
            line.letters = line.letters.saturating_add(1);
            line.placeholder &= matches!(letter, b'x' | b'X');
        }
        line
    }
}
