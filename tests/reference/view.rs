//! A body with its escapes decoded, and where each character stood.

use bodyguard::scan::Finding;

/// What a body reads like.
pub(crate) struct View {
    pub(crate) decoded: Vec<u8>,
    /// For each decoded byte where it starts and ends in the body.
    ranges: Vec<(usize, usize)>,
}

/// Most bytes of an escape.
const LONGEST: usize = 10;

impl View {
    pub(crate) fn of(body: &[u8]) -> View {
        let mut view = View { decoded: Vec::new(), ranges: Vec::new() };
        let mut at = 0;
        while at < body.len() {
            let behind_backslash = body[at] == b'\\' && at > 0 && body[at - 1] == b'\\';
            let longest = LONGEST.min(body.len() - at);
            let escape = (1..=longest).find_map(|len| Some((len, meaning(&body[at..at + len])?)));
            let (len, byte) = escape.filter(|_| !behind_backslash).unwrap_or((1, body[at]));
            view.decoded.push(byte);
            view.ranges.push((at, at + len));
            at += len;
        }
        view
    }

    /// A finding of the view in offsets of the body, if it holds an escape.
    pub(crate) fn written(&self, finding: Finding) -> Option<Finding> {
        let ranges = &self.ranges[finding.start as usize..finding.end as usize];
        let (start, end) = (ranges[0].0, ranges[ranges.len() - 1].1);
        (end - start > ranges.len()).then_some(Finding { start: start as u64, end: end as u64, kind: finding.kind })
    }
}

/// What all of `text` is an escape of.
fn meaning(text: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(text).ok()?;
    let number = |digits: &str, radix| {
        let digits = (!digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix))).then_some(digits)?;
        u32::from_str_radix(digits, radix).ok()
    };
    let unescaped = text.trim_start_matches('\\');
    let code = if let Some(hex) = text.strip_prefix('%') {
        number(hex, 16).filter(|code| hex.len() == 2 && *code < 0x80)?
    } else if (1..=4).contains(&(text.len() - unescaped.len())) {
        number(unescaped.strip_prefix('u').filter(|hex| hex.len() == 4)?, 16)?
    } else {
        let entity = text.strip_prefix('&')?.strip_suffix(';')?;
        match (entity.strip_prefix("#x").or(entity.strip_prefix("#X")), entity.strip_prefix('#')) {
            (Some(hex), _) => number(hex, 16)?,
            (None, Some(digits)) => number(digits, 10)?,
            _ => ["nbsp\u{a0}", "plus+", "apos'", "commat@", "period.", "lowbar_"]
                .iter()
                .find_map(|name| name.strip_prefix(entity).and_then(|rest| rest.chars().next()).filter(|_| entity.len() > 3))
                .filter(|meant| !meant.is_alphabetic())?
                .into(),
        }
    };
    let taken = |byte: u8| (byte == b' ' || byte.is_ascii_graphic()) && !b"\"\\%{}[]".contains(&byte);
    if code == 0xa0 { Some(b' ') } else { u8::try_from(code).ok().filter(|byte| taken(*byte)) }
}
