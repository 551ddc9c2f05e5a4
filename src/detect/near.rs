//! Words near a value, for values that are weak evidence alone: nine digits are a routing number only where something says so.
//!
//! It refuses to know what the value is, and who asks.

/// A word must stand this near, in bytes between it and the value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Near {
    /// Any of these is enough. Lower case; a space in a word stands for any or none of ` `, `_`, `-`, `.`, `/` and `'`, and for
    /// the hump of camel case: `routing number` is found in `routing_number`, `RoutingNumber` and `ROUTING NUMBER`.
    pub words: &'static [&'static str],
    /// Most bytes between the end of a word and the start of the value, and between the end of the value and the start of a word.
    pub within: usize,
}

/// Most bytes of a word in a text.
const WORD_MAX: usize = 40;
/// Most bytes behind a value that are looked at, whatever `within` says: a stream waits for them.
const AHEAD_MAX: usize = 48;

impl Near {
    /// Most bytes before a value that are looked at.
    pub fn look_behind(&self) -> usize {
        // One more, to see that a word begins.
        self.within.saturating_add(WORD_MAX).saturating_add(1)
    }

    /// Most bytes behind a value that are looked at.
    pub fn look_ahead(&self) -> usize {
        self.within.saturating_add(WORD_MAX).min(AHEAD_MAX)
    }

    /// Does one of the words stand near a value with this before and behind it? Behind it nothing past a line end or a double
    /// quote counts; what is given may be longer.
    pub fn holds(&self, before: &[u8], after: &[u8]) -> bool {
        let before = before.get(before.len().saturating_sub(self.look_behind())..).unwrap_or(before);
        let after = after.get(..self.look_ahead()).unwrap_or(after);
        let line = after.iter().position(|byte| matches!(byte, b'\n' | b'"')).unwrap_or(after.len());
        let after = after.get(..line).unwrap_or(after);
        self.any(before, |_, end| before.len().saturating_sub(end) <= self.within)
            || self.any(after, |start, _| start <= self.within)
    }

    /// Does a word stand in `text` whose start and end `counts`?
    fn any(&self, text: &[u8], counts: impl Fn(usize, usize) -> bool) -> bool {
        (0..text.len()).any(|start| {
            let (before, here) = text.split_at_checked(start).unwrap_or((text, &[]));
            let first = here.first().map(u8::to_ascii_lowercase);
            // Cut off at its front it may be the end of another word.
            let whole = start > 0 || text.len() < self.look_behind();
            whole
                && starts_word(before, here)
                && self.words.iter().any(|word| {
                    word.as_bytes().first().copied() == first
                        && length(word.as_bytes(), here).is_some_and(|length| counts(start, start.saturating_add(length)))
                })
        })
    }
}

/// No letter stands before it, or it is the hump of camel case.
fn starts_word(before: &[u8], here: &[u8]) -> bool {
    match (before.last(), here.first()) {
        (Some(last), Some(first)) => !is_letter(*last) || last.is_ascii_lowercase() && first.is_ascii_uppercase(),
        _ => true,
    }
}

/// The bytes that `text` begins with and that are `word`, and end as one.
fn length(word: &[u8], text: &[u8]) -> Option<usize> {
    let mut at = 0usize;
    for letter in word {
        let found = text.get(at).copied();
        if *letter == b' ' {
            if found.is_some_and(|byte| b" _-./'".contains(&byte)) {
                at = at.saturating_add(1);
            }
        } else if found.is_some_and(|byte| byte.to_ascii_lowercase() == *letter) {
            at = at.saturating_add(1);
        } else {
            return None;
        }
    }
    let last = at.checked_sub(1).and_then(|last| text.get(last)).copied()?;
    let ends = match text.get(at) {
        Some(next) if is_letter(*next) && last < 0x80 => last.is_ascii_lowercase() && next.is_ascii_uppercase(),
        _ => true,
    };
    ends.then_some(at)
}

/// A letter of ASCII; what is written in other scripts has no word boundaries that a byte could show.
fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEAR: Near = Near { words: &["routing number", "aba", "マイナンバー"], within: 8 };

    #[test]
    fn a_word_counts_however_it_is_joined_and_only_as_a_word() {
        let rows: [(&str, &str, bool); 21] = [
            ("routing number: ", "", true),
            ("\"routing_number\":\"", "\"", true),
            ("\"routingNumber\": ", ",", true),
            ("ROUTING-NUMBER=", "", true),
            ("routingnumber ", "", true),
            ("bankRoutingNumber ", "", true),
            ("bank_aba_", "", true),
            ("ABA ", "", true),
            ("aba", "", true),
            ("my aba1: ", "", true),
            ("abas ", "", false),
            ("alababa ", "", false),
            ("cab aba", "t", true),
            ("routing ", "", false),
            ("aba  12345678", "", false),
            ("aba  1234 ", "", true),
            ("", " (aba)", true),
            ("", " 1234567 aba", false),
            ("", " 12345 aba", true),
            ("", "\" aba", false),
            ("マイナンバーは", "", true),
        ];
        for (before, after, wanted) in rows {
            assert_eq!(NEAR.holds(before.as_bytes(), after.as_bytes()), wanted, "{before:?} {after:?}");
        }
    }

    #[test]
    fn more_context_than_is_looked_at_changes_nothing() {
        for word in ["aba ", "xaba ", "routing number "] {
            for gap in 0..80 {
                let long = format!("{}{word}{}", "x".repeat(100), ".".repeat(gap));
                let short = &long.as_bytes()[long.len() - NEAR.look_behind()..];
                assert_eq!(NEAR.holds(long.as_bytes(), b""), NEAR.holds(short, b""), "{word} {gap}");
            }
        }
    }
}
