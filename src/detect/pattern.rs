//! The regexes of a policy that are searched anywhere in a short text, a path or a value: linear in it, bounded in memory.
//!
//! A pattern matches where it is found, as Go's `regexp.MatchString` does: `^` and `$` anchor it. It works on bytes; classes such
//! as `\d` and `\w`, and ignoring case, mean ASCII. A lazy DFA with a bounded cache runs it.
//! This module refuses to know what is matched.

use std::sync::Mutex;

use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_automata::util::syntax;
use regex_automata::{Input, MatchKind};

/// Longest regex, in bytes as written.
pub const MAX_REGEX_BYTES: usize = 2048;
/// Most bytes that a regex may compile to.
pub const MAX_REGEX_COMPILED_BYTES: usize = 262_144;
/// Bytes that a regex may fill with what it learns from what it reads; then it forgets and learns again.
const CACHE_BYTES: usize = 262_144;

/// A compiled regex.
pub struct Pattern {
    text: String,
    dfa: DFA,
    // Searching fills a cache. A worker's VM has one thread, so this lock is never waited for.
    cache: Mutex<Cache>,
}

impl Pattern {
    /// Compiles a regex.
    ///
    /// # Errors
    /// What is wrong with it, on one line.
    pub fn new(text: &str) -> Result<Pattern, String> {
        if text.len() > MAX_REGEX_BYTES {
            return Err(format!("longer than {MAX_REGEX_BYTES} bytes"));
        }
        let syntax = syntax::Config::new().unicode(false).utf8(false);
        let hir = syntax::parse_with(text, &syntax).map_err(|error| reason(&error.to_string()))?;
        let thompson = thompson::Config::new()
            .utf8(false)
            .nfa_size_limit(Some(MAX_REGEX_COMPILED_BYTES))
            .which_captures(WhichCaptures::None);
        let nfa =
            thompson::Compiler::new().configure(thompson).build_from_hir(&hir).map_err(|error| match error.size_limit() {
                Some(limit) => format!("compiles to more than {limit} bytes"),
                None => reason(&error.to_string()),
            })?;
        let config = DFA::config().match_kind(MatchKind::All).cache_capacity(CACHE_BYTES).skip_cache_capacity_check(true);
        let dfa = DFA::builder().configure(config).build_from_nfa(nfa).map_err(|error| reason(&error.to_string()))?;
        let cache = Mutex::new(dfa.create_cache());
        Ok(Pattern { text: text.into(), dfa, cache })
    }

    /// Is it found in `text`?
    pub fn is_match(&self, text: &[u8]) -> bool {
        let input = Input::new(text).earliest(true);
        let found = match self.cache.try_lock() {
            Ok(mut cache) => self.dfa.try_search_fwd(&mut cache, &input),
            Err(_) => self.dfa.try_search_fwd(&mut self.dfa.create_cache(), &input),
        };
        // It cannot fail: nothing is set that makes a lazy DFA quit or give up.
        matches!(found, Ok(Some(_)))
    }
}

impl std::fmt::Debug for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pattern({:?})", self.text)
    }
}

/// The last line of a syntax error; the lines before it draw the pattern.
pub(super) fn reason(message: &str) -> String {
    let line = message.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    line.strip_prefix("error: ").unwrap_or(line).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_found_anywhere_unless_anchored() {
        for (pattern, text, found) in [
            ("^/v[0-9]+/users$", "/v2/users", true),
            ("^/v[0-9]+/users$", "/v2/users/1", false),
            ("users", "/v2/users/1", true),
            (r"\.json$", "/x.json", true),
            (r"\.json$", "/xjson", false),
            ("(?i)^/API", "/api", true),
            (r"^/\w+$", "/a_1", true),
            (r"\bapi\b", "/x/api/y", true),
            (r"\bapi\b", "/x/apis/y", false),
            ("", "/", true),
            ("a|^$", "", true),
            ("é", "/é", true),
            ("^/.$", "/\u{e9}", false),
        ] {
            assert_eq!(Pattern::new(pattern).unwrap().is_match(text.as_bytes()), found, "{pattern} {text}");
        }
        assert!(Pattern::new("^/.$").unwrap().is_match(b"/\xff"));
    }

    #[test]
    fn what_cannot_be_bounded_is_refused_with_its_limit() {
        for (pattern, expected) in [
            ("(", "unclosed group"),
            ("(?=a)", "look-around, including look-ahead and look-behind, is not supported"),
            (r"(a)\1", "backreferences are not supported"),
            ("(?:[a-z]{1000}){1000}", "compiles to more than 262144 bytes"),
            (r"\p{Greek}", "Unicode not allowed here"),
        ] {
            assert_eq!(Pattern::new(pattern).unwrap_err(), expected, "{pattern}");
        }
        assert_eq!(Pattern::new(&"a".repeat(MAX_REGEX_BYTES + 1)).unwrap_err(), "longer than 2048 bytes");
    }
}
