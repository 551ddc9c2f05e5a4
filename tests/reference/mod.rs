//! The naive scanner: the walk that `bodyguard::detect` defines, done word by word.
//!
//! One regex a kind, tried at every position of the whole body, then the kind's validator. It knows no prefilter, no chunks and
//! no `may_start`, and it is slow on hostile bodies. It decodes a whole body and scans it a second time. What is faster must give the same findings.
#![allow(dead_code, reason = "each test binary uses its part")]

pub(crate) mod corpus;
pub(crate) mod cuts;
pub(crate) mod own;
pub(crate) mod view;

use std::sync::{Arc, LazyLock, Mutex};

use bodyguard::detect::{Candidate, KINDS, Kind, KindSet};
use bodyguard::scan::{Finding, Program, Programs};
use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input, MatchKind, nfa::thompson};

static PATTERNS: LazyLock<Vec<dense::DFA<Vec<u32>>>> = LazyLock::new(|| KINDS.iter().map(|spec| compile(spec.pattern)).collect());

/// What the scanner needs for `kinds`; equal sets share one.
pub(crate) fn program(kinds: KindSet) -> Arc<Program> {
    static PROGRAMS: LazyLock<Mutex<Programs>> = LazyLock::new(Mutex::default);
    PROGRAMS.lock().expect("nobody panics with it").of(kinds)
}

/// All findings of `kinds` in `body`, as it is written and as it reads, sorted by start.
pub(crate) fn scan(kinds: KindSet, body: &[u8]) -> Vec<Finding> {
    let view = view::View::of(body);
    let mut findings: Vec<Finding> = Vec::new();
    for kind in kinds.iter() {
        let mut both = scan_kind(kind, body);
        both.extend(scan_kind(kind, &view.decoded).into_iter().filter_map(|finding| view.written(finding)));
        both.sort_unstable();
        // Those that overlap become one.
        for finding in both {
            match findings.last_mut() {
                Some(before) if before.kind == kind && finding.start < before.end => before.end = before.end.max(finding.end),
                _ => findings.push(finding),
            }
        }
    }
    findings.sort_unstable();
    findings
}

fn scan_kind(kind: Kind, body: &[u8]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut start = 0;
    while start < body.len() {
        let judged = longest(kind, body, start).and_then(|end| kind.spec().judge(&candidate(kind, body, start, end)));
        match judged {
            Some(range) => {
                findings.push(Finding { start: (start + range.start) as u64, end: (start + range.end) as u64, kind });
                start += range.end;
            }
            None => start += 1,
        }
    }
    findings
}

/// The end of the longest match of a kind's pattern that begins at `start`.
pub(crate) fn longest(kind: Kind, body: &[u8], start: usize) -> Option<usize> {
    let end = body.len().min(start + kind.spec().max_len);
    let input = Input::new(&body[start..end]).anchored(Anchored::Yes);
    let found = PATTERNS[kind.index()].try_search_fwd(&input).expect("a search without quit bytes cannot fail");
    found.map(|half| start + half.offset())
}

/// Bytes that the automaton of a kind reads from `start` on, until nothing more can match.
pub(crate) fn walked(kind: Kind, body: &[u8], start: usize) -> usize {
    let automaton = &PATTERNS[kind.index()];
    let end = body.len().min(start + kind.spec().max_len);
    let mut state = automaton.start_state_forward(&Input::new(&body[start..end]).anchored(Anchored::Yes)).unwrap();
    for (count, byte) in body[start..end].iter().enumerate() {
        state = automaton.next_state(state, *byte);
        if automaton.is_dead_state(state) {
            return count + 1;
        }
    }
    end - start
}

/// A match of a kind with its neighbours.
pub(crate) fn candidate(kind: Kind, body: &[u8], start: usize, end: usize) -> Candidate<'_> {
    Candidate {
        before: &body[start.saturating_sub(kind.spec().look_behind())..start],
        value: &body[start..end],
        after: &body[end..body.len().min(end + kind.spec().look_ahead())],
    }
}

/// An anchored automaton that reports the longest match.
fn compile(pattern: &str) -> dense::DFA<Vec<u32>> {
    dense::Builder::new()
        .configure(dense::Config::new().start_kind(StartKind::Anchored).match_kind(MatchKind::All))
        .syntax(syntax::Config::new().unicode(false).utf8(false))
        .thompson(thompson::Config::new().utf8(false))
        .build(pattern)
        .expect("the patterns of the table compile")
}

/// How the scanner's findings differ from these, if they do: in one piece, and cut.
pub(crate) fn differs(kinds: KindSet, body: &[u8], cuts: &[usize]) -> Option<String> {
    let (program, expected) = (program(kinds), scan(kinds, body));
    let whole = program.scan(body);
    if whole != expected {
        return Some(format!("in one piece: {whole:?}\nreference:    {expected:?}"));
    }
    match cuts::scan_cut(&program, body, cuts) {
        Ok(found) if found == expected => None,
        Ok(found) => Some(format!("cut at {cuts:?}: {found:?}\nreference: {expected:?}")),
        Err(why) => Some(format!("cut at {cuts:?}: {why}")),
    }
}

/// Fails with the smallest body that still differs.
pub(crate) fn check(kinds: KindSet, body: &[u8], cuts: &[usize], case: &str) {
    if differs(kinds, body, cuts).is_none() {
        return;
    }
    let (body, cuts) = cuts::shrink(body, cuts, |body, cuts| differs(kinds, body, cuts).is_some());
    let names: Vec<&str> = kinds.iter().map(Kind::name).collect();
    let why = differs(kinds, &body, &cuts).unwrap();
    panic!("case {case}, kinds {names:?}\nbody {:?}\n{why}", body.escape_ascii().to_string());
}

/// Bytes of the automaton of a kind.
pub(crate) fn automaton_bytes(kind: Kind) -> usize {
    PATTERNS[kind.index()].memory_usage()
}
