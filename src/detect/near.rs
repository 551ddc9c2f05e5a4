//! Words near a value, for values that are weak evidence alone: nine digits are a routing number only where something says so.
//!
//! Rows of the table have them, and policies ask for them. It refuses to know what the value is, and who asks.

use super::validate::boundary::left;

/// Most words of one `near` of a policy.
pub const MAX_NEAR_WORDS: usize = 100;
/// Most bytes of one word.
pub const MAX_WORD_BYTES: usize = 64;
/// Most bytes between a word and the value, in a policy.
pub const MAX_NEAR_BYTES: usize = 256;

/// Most bytes of a row's word in a text.
const ROW_WORD_MAX: usize = 40;
/// Most bytes behind a value that are looked at for a row, whatever `within` says: a stream waits for them.
const ROW_AHEAD_MAX: usize = 48;

/// Bytes before a word that tell whether it begins there: an escape, or a terminal colour.
pub(crate) const WORD_EDGE: usize = 32;

/// Words, and how near one of them must stand.
///
/// Any of them is enough, in any case of ASCII letters, where no letter stands beside it. A space in a word stands for any or none of
/// ` `, `_`, `-`, `.`, `/` and `'`, and for the hump of camel case: `routing number` is found in `routing_number`, `RoutingNumber` and
/// `ROUTING NUMBER`.
#[derive(Clone, Debug)]
pub struct Near {
    words: Words,
    /// The letters that words begin with, one bit each; a byte counts as what it is modulo 64.
    first: u64,
    within: usize,
}

#[derive(Clone, Debug)]
enum Words {
    /// A row's, in lower case.
    Row(&'static [&'static str]),
    /// A policy's, in lower case.
    Policy(Vec<String>),
}

impl Near {
    /// One of a row's words, in lower case, with at most so many bytes between it and the value. Behind a value only what stands
    /// on its line and before a double quote counts.
    pub(super) const fn of_row(words: &'static [&'static str], within: usize) -> Near {
        let (mut first, mut rest) = (0, words);
        while let [word, others @ ..] = rest {
            first |= first_bit(word.as_bytes());
            rest = others;
        }
        Near { words: Words::Row(words), first, within }
    }

    /// One of a policy's words, with at most so many bytes between it and the value.
    pub fn of_policy<'a>(words: impl Iterator<Item = &'a str>, within: usize) -> Near {
        let words: Vec<String> = words.map(str::to_ascii_lowercase).collect();
        let first = words.iter().fold(0, |first, word| first | first_bit(word.as_bytes()));
        Near { words: Words::Policy(words), first, within }
    }

    /// The words.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        (0..).map_while(|at: usize| match &self.words {
            Words::Row(words) => words.get(at).copied(),
            Words::Policy(words) => words.get(at).map(String::as_str),
        })
    }

    /// Most bytes between the end of a word and the start of the value, and between the end of the value and the start of a word.
    pub fn within(&self) -> usize {
        self.within
    }

    /// Most bytes before a value that are looked at.
    pub fn look_behind(&self) -> usize {
        self.reach().saturating_add(WORD_EDGE)
    }

    /// Most bytes behind a value that are looked at.
    pub fn look_ahead(&self) -> usize {
        // One more, to see that a word ends.
        let reach = self.reach().saturating_add(1);
        if self.is_row() { reach.min(ROW_AHEAD_MAX) } else { reach }
    }

    /// Most bytes from the value to the far end of a word.
    fn reach(&self) -> usize {
        self.within.saturating_add(if self.is_row() { ROW_WORD_MAX } else { MAX_WORD_BYTES })
    }

    fn is_row(&self) -> bool {
        matches!(self.words, Words::Row(_))
    }

    /// Does one of the words stand near a value with this before and behind it? What is given may be longer than what is looked at.
    pub fn holds(&self, before: &[u8], after: &[u8]) -> bool {
        self.holds_at(before, after, |text| 0..text.len())
    }

    /// The same for who knows all places of a text at which a word can begin, with the two bytes that follow.
    pub fn holds_at<'a, Places: Iterator<Item = usize>>(
        &self,
        before: &'a [u8],
        after: &'a [u8],
        places: impl Fn(&'a [u8]) -> Places,
    ) -> bool {
        let before = before.get(before.len().saturating_sub(self.look_behind())..).unwrap_or(before);
        let after = after.get(..self.look_ahead()).unwrap_or(after);
        let ends = |byte: &u8| self.is_row() && matches!(byte, b'\n' | b'"');
        let after = after.split(ends).next().unwrap_or_default();
        self.any(before, places(before), |_, end| before.len().saturating_sub(end) <= self.within)
            || self.any(after, places(after), |start, _| start <= self.within)
    }

    /// Does a word stand in `text`, at one of the places, whose start and end `counts`?
    fn any(&self, text: &[u8], mut places: impl Iterator<Item = usize>, counts: impl Fn(usize, usize) -> bool) -> bool {
        places.any(|start| {
            let (before, here) = text.split_at_checked(start).unwrap_or((text, &[]));
            self.first & first_bit(here) != 0
                && starts_word(before, here)
                && self
                    .words()
                    .filter_map(|word| length(word.as_bytes(), here))
                    .any(|length| counts(start, start.saturating_add(length)))
        })
    }
}

/// The bit of the byte that a word begins with.
const fn first_bit(word: &[u8]) -> u64 {
    match word {
        [first, ..] => 1u64.wrapping_shl(first.to_ascii_lowercase() as u32),
        [] => 0,
    }
}

/// No letter stands before it, or it is the hump of camel case. The letter that ends an escape is none.
#[inline(never)]
pub(super) fn starts_word(before: &[u8], here: &[u8]) -> bool {
    match (left(before), here.first()) {
        (Some(last), Some(first)) => !is_letter(last) || last.is_ascii_lowercase() && first.is_ascii_uppercase(),
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

    const WORDS: [&str; 3] = ["routing number", "aba", "マイナンバー"];

    fn row() -> Near {
        Near::of_row(&WORDS, 8)
    }

    #[test]
    fn a_word_counts_however_it_is_joined_and_only_as_a_word() {
        let rows: [(&str, &str, bool); 24] = [
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
            (r"line\naba ", "", true),
            ("user%5Baba%5D=", "", true),
            (r"\u0041aba ", "", false),
        ];
        for (before, after, wanted) in rows {
            assert_eq!(row().holds(before.as_bytes(), after.as_bytes()), wanted, "{before:?} {after:?}");
            if !after.starts_with('"') {
                let policy = Near::of_policy(WORDS.into_iter(), 8);
                assert_eq!(policy.holds(before.as_bytes(), after.as_bytes()), wanted, "{before:?} {after:?}");
            }
        }
    }

    #[test]
    fn a_policys_words_may_be_long_and_stand_far_behind_the_value_on_other_lines_too() {
        let long = "X".repeat(MAX_WORD_BYTES);
        let near = Near::of_policy([long.as_str()].into_iter(), MAX_NEAR_BYTES);
        for (gap, wanted) in [(0, true), (MAX_NEAR_BYTES, true), (MAX_NEAR_BYTES + 1, false)] {
            let gap = "\"\n".repeat(gap).split_off(gap);
            let (before, after) = (format!("{long}{gap}"), format!("{gap}{long}"));
            assert_eq!(near.holds(before.as_bytes(), b""), wanted, "{}", gap.len());
            assert_eq!(near.holds(b"", after.as_bytes()), wanted, "{}", gap.len());
            assert!(!near.holds(format!("X{before}").as_bytes(), format!("{after}x").as_bytes()));
        }
    }

    #[test]
    fn more_context_than_is_looked_at_changes_nothing() {
        for word in ["aba ", "xaba ", "routing number "] {
            for gap in 0..80 {
                let long = format!("{}{word}{}", "x".repeat(100), ".".repeat(gap));
                let short = &long.as_bytes()[long.len() - row().look_behind()..];
                assert_eq!(row().holds(long.as_bytes(), b""), row().holds(short, b""), "{word} {gap}");
            }
        }
    }
}
