//! The engines: each takes a body and gives the number of findings.

use std::hint::black_box;

use bodyguard::detect::{Candidate, KINDS, Kind, KindSet, LOOK_AHEAD, LOOK_BEHIND};
use bodyguard::scan::{Finding, Programs, Scanner};
use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};
use regex_automata::meta;
use regex_automata::util::syntax;

/// Their names, in the order of their numbers.
pub const ENGINES: [&str; 6] = [
    "memcpy",
    "bodyguard",
    "bodyguard in 16 KB chunks",
    "bodyguard, secrets only",
    "RegexSet + find_iter",
    "one lazy DFA (meta)",
];

/// What they keep between runs.
#[derive(Default)]
pub struct Engines {
    copy: Vec<u8>,
    findings: Vec<Finding>,
    programs: Programs,
    naive: Option<Naive>,
    meta: Option<meta::Regex>,
}

/// The kinds that a policy of secrets alone has.
fn secrets() -> KindSet {
    [
        Kind::PRIVATE_KEY,
        Kind::AWS_ACCESS_KEY,
        Kind::GOOGLE_API_KEY,
        Kind::SLACK_TOKEN,
        Kind::GITHUB_TOKEN,
        Kind::STRIPE_KEY,
        Kind::JWT,
    ]
    .into_iter()
    .collect()
}

impl Engines {
    pub fn run(&mut self, engine: usize, body: &[u8]) -> usize {
        match ENGINES[engine] {
            "memcpy" => {
                self.copy.clear();
                self.copy.extend_from_slice(black_box(body));
                black_box(&self.copy);
                0
            }
            "bodyguard" => self.scan(KindSet::all(), body, body.len().max(1)),
            "bodyguard in 16 KB chunks" => self.scan(KindSet::all(), body, 16 * 1024),
            "bodyguard, secrets only" => self.scan(secrets(), body, body.len().max(1)),
            "RegexSet + find_iter" => self.naive.get_or_insert_with(Naive::new).run(body),
            _ => {
                let meta = self.meta.get_or_insert_with(|| {
                    let patterns: Vec<&str> = KINDS.iter().map(|spec| spec.pattern).collect();
                    meta::Builder::new()
                        .configure(meta::Config::new().hybrid_cache_capacity(64 << 20))
                        .syntax(syntax::Config::new().unicode(false).utf8(false))
                        .build_many(&patterns)
                        .expect("patterns build")
                });
                meta.find_iter(body)
                    .filter(|found| accepted(found.pattern().as_usize(), body, found.start(), found.end()))
                    .count()
            }
        }
    }

    fn scan(&mut self, kinds: KindSet, body: &[u8], chunk: usize) -> usize {
        self.findings.clear();
        // A policy makes it when it loads.
        let program = self.programs.of(kinds);
        let mut scanner = Scanner::new(&program);
        for chunk in body.chunks(chunk) {
            scanner.feed(chunk, &mut self.findings);
        }
        scanner.finish(&mut self.findings);
        self.findings.len()
    }
}

/// What a match's validator says.
fn accepted(kind: usize, body: &[u8], start: usize, end: usize) -> bool {
    let before = &body[start.saturating_sub(LOOK_BEHIND)..start];
    let after = &body[end..(end + LOOK_AHEAD).min(body.len())];
    (KINDS[kind].accept)(&Candidate { before, value: &body[start..end], after }).is_some()
}

/// What most filters do: a set of regexes says which match, and each that does is run on its own.
struct Naive {
    set: RegexSet,
    regexes: Vec<Regex>,
}

impl Naive {
    fn new() -> Naive {
        let patterns = KINDS.iter().map(|spec| spec.pattern);
        Naive {
            set: RegexSetBuilder::new(patterns.clone()).unicode(false).size_limit(256 << 20).build().expect("patterns build"),
            regexes: patterns
                .map(|pattern| RegexBuilder::new(pattern).unicode(false).size_limit(256 << 20).build().expect("a pattern builds"))
                .collect(),
        }
    }

    fn run(&self, body: &[u8]) -> usize {
        let mut count = 0;
        for kind in self.set.matches(body) {
            let mut at = 0;
            while let Some(found) = self.regexes[kind].find_at(body, at) {
                let ok = accepted(kind, body, found.start(), found.end());
                count += usize::from(ok);
                at = if ok { found.end() } else { found.start() + 1 };
            }
        }
        count
    }
}
