//! The naive search for a policy's own kind: a backtracking-free regex engine that shares nothing with the scanner, tried at every
//! position of the whole body.

use bodyguard::detect::{Detector, Kind, LOOK_BEHIND, byte_before};
use bodyguard::scan::Finding;
use regex_automata::nfa::thompson;
use regex_automata::nfa::thompson::pikevm::PikeVM;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input};

use super::view::View;

/// An own kind, as the reference knows it.
pub(crate) struct Own<'a> {
    pub(crate) kind: Kind,
    pub(crate) regex: &'a str,
    /// The words of `near` and their bound, in lower case.
    pub(crate) near: Option<(&'a [&'a str], usize)>,
    /// Its definition, for the longest match and for what is searched in the value.
    pub(crate) detector: &'a Detector,
}

impl Own<'_> {
    /// All findings in `body`, as it is written and as it reads, sorted by start.
    pub(crate) fn scan(&self, body: &[u8]) -> Vec<Finding> {
        let view = View::of(body);
        let mut both = self.search(body);
        both.extend(self.search(&view.decoded).into_iter().filter_map(|finding| view.written(finding)));
        both.sort_unstable();
        let mut findings: Vec<Finding> = Vec::new();
        for finding in both {
            match findings.last_mut() {
                Some(before) if finding.start < before.end => before.end = before.end.max(finding.end),
                _ => findings.push(finding),
            }
        }
        findings
    }

    fn search(&self, body: &[u8]) -> Vec<Finding> {
        let vm = PikeVM::builder()
            .syntax(syntax::Config::new().unicode(false).utf8(false))
            .thompson(thompson::Config::new().utf8(false))
            .build(self.regex)
            .unwrap();
        let mut cache = vm.create_cache();
        let goes_on = |at: usize| body.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
        let (mut findings, mut at) = (Vec::new(), 0);
        while at < body.len() {
            let before = byte_before(&body[at.saturating_sub(LOOK_BEHIND)..at]);
            let longest = self.detector.automaton.max_len().min(body.len() - at);
            let text: Vec<u8> = before.into_iter().chain(body[at..].iter().copied().take(longest + 1)).collect();
            let from = usize::from(before.is_some());
            let input = Input::new(&text).range(from..from + longest).anchored(Anchored::Yes);
            let found = if goes_on(at) { None } else { vm.find(&mut cache, input) };
            let Some(found) = found else {
                at += 1;
                continue;
            };
            let mut end = at + found.len();
            let widest = end + 3;
            while end < widest && goes_on(end) {
                end += 1;
            }
            if self.holds(body, at, end) {
                findings.push(Finding { start: at as u64, end: end as u64, kind: self.kind });
            }
            at = end;
        }
        findings
    }

    fn holds(&self, body: &[u8], start: usize, end: usize) -> bool {
        let (value, conditions) = (&body[start..end], &self.detector.setting.conditions);
        let near = self.near.is_none_or(|(words, within)| words.iter().any(|word| near(body, start, end, word, within)));
        near && !conditions.except.contains(value)
            && !conditions.except_regex.iter().any(|except| except.is_match(value))
            && conditions.require.iter().all(|require| require.is_match(value))
    }
}

/// Does `word` stand with at most so many bytes between it and the value? A space in it is written in any of these ways.
fn near(body: &[u8], start: usize, end: usize, word: &str, within: usize) -> bool {
    ["", " ", "_", "-", ".", "/", "'"].iter().any(|joint| {
        let word = word.replace(' ', joint);
        // The value itself is no neighbour of a word.
        let before = (0..=start).any(|at| start - at <= within + word.len() && is_word(&body[..start], at, &word));
        before || (end..=body.len().min(end + within)).any(|at| is_word(&body[end..], at - end, &word))
    })
}

/// Does `word` stand there, with no letter beside it but at the humps of camel case?
fn is_word(text: &[u8], at: usize, word: &str) -> bool {
    let (before, here) = text.split_at(at);
    let Some((found, after)) = here.split_at_checked(word.len()) else { return false };
    let joined = |left: Option<u8>, right: Option<&u8>| {
        let letters = left.is_some_and(|byte| byte.is_ascii_alphabetic()) && right.is_some_and(u8::is_ascii_alphabetic);
        letters && !(left.is_some_and(|byte| byte.is_ascii_lowercase()) && right.is_some_and(u8::is_ascii_uppercase))
    };
    found.eq_ignore_ascii_case(word.as_bytes())
        && !joined(byte_before(before), found.first())
        && !joined(found.last().copied(), after.first())
}
