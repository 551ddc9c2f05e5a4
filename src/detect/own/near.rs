//! Words that must stand near a value.
//!
//! A word counts in any letter case (of ASCII) where no letter and no digit stands beside it, so `account` is found in
//! `"account_number":` and not in `accountant`; and where all of it stands within so many bytes before or behind the value.

use super::super::pattern::Pattern;

/// Most words of one `near`.
pub const MAX_NEAR_WORDS: usize = 100;
/// Most bytes of one word.
pub const MAX_WORD_BYTES: usize = 64;
/// Most bytes between the far end of a word and the value.
pub const MAX_NEAR_BYTES: usize = 256;

/// Words, and how near one of them must be.
#[derive(Debug)]
pub struct OwnNear {
    words: Pattern,
    within: usize,
}

impl OwnNear {
    /// One of `words` within so many bytes.
    ///
    /// # Errors
    /// The words take too much room.
    pub fn new<'a>(words: impl Iterator<Item = &'a str>, within: usize) -> Result<OwnNear, String> {
        let words: Vec<String> = words.map(super::literal).collect();
        let pattern = format!("(?i)(?:^|[^a-z0-9])(?:{})(?:$|[^a-z0-9])", words.join("|"));
        Ok(OwnNear { words: Pattern::bounded(&pattern)?, within })
    }

    /// Bytes to know before a value, and behind it: one more than counts, to see what stands beside a word.
    pub fn reach(&self) -> usize {
        self.within.saturating_add(1)
    }

    /// Does one of the words stand near a value with these bytes before and behind it?
    pub fn holds(&self, before: &[u8], after: &[u8]) -> bool {
        let alphanumeric = |byte: &u8| byte.is_ascii_alphanumeric();
        // A word that begins or ends beyond the bound is too far away, and what is left of it is no word.
        let from = before.len().saturating_sub(self.within);
        let (beyond, mut before) = before.split_at_checked(from).unwrap_or_default();
        if beyond.last().is_some_and(alphanumeric) {
            let cut = before.iter().take_while(|byte| alphanumeric(byte)).count();
            before = before.get(cut..).unwrap_or_default();
        }
        let (mut after, beyond) = after.split_at_checked(self.within).unwrap_or((after, &[]));
        if beyond.first().is_some_and(alphanumeric) {
            let cut = after.iter().rev().take_while(|byte| alphanumeric(byte)).count();
            after = after.get(..after.len().saturating_sub(cut)).unwrap_or_default();
        }
        self.words.is_match(before) || self.words.is_match(after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_counts_whole_and_within_its_distance() {
        let near = OwnNear::new(["acct", "iban no"].into_iter(), 8).unwrap();
        for (before, after, holds) in [
            ("acct ", "", true),
            ("ACCT: ", "", true),
            ("my_acct_", "", true),
            ("acct    ", "", true),
            (" acct    ", "", true),
            (" acct     ", "", false),
            ("xacct    ", "", false),
            ("accts ", "", false),
            ("8acct ", "", false),
            ("iban no ", "", true),
            ("iban nope", "", false),
            ("", " acct", true),
            ("", "    acct", true),
            ("", "    acct.", true),
            ("", "    accts", false),
            ("", "     acct", false),
            ("", "acct", true),
            ("", "", false),
        ] {
            assert_eq!(near.holds(before.as_bytes(), after.as_bytes()), holds, "{before:?} {after:?}");
        }
    }
}
