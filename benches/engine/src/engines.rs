//! The engines: each takes a body and gives the number of findings.

use std::hint::black_box;
use std::sync::{Arc, LazyLock};

use bodyguard::detect::{Candidate, Detector, Detectors, KINDS, Kind, KindSet, LOOK_AHEAD, LOOK_BEHIND, named};
use bodyguard::scan::{Finding, Program, Programs, Scanner};
use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};
use regex_automata::meta;
use regex_automata::util::syntax;

/// Their names, in the order of their numbers.
pub const ENGINES: [&str; 11] = [
    "memcpy",
    "bodyguard",
    "bodyguard in 16 KB chunks",
    "bodyguard, secrets only",
    "RegexSet + find_iter",
    "one lazy DFA (meta)",
    "bodyguard, 50 own kinds",
    "bodyguard, all kinds",
    "bodyguard, all and 50 own",
    "bodyguard, group:pii-us",
    "bodyguard, group:secrets",
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
            "bodyguard" => self.scan(KindSet::core(), body, body.len().max(1)),
            "bodyguard in 16 KB chunks" => self.scan(KindSet::core(), body, 16 * 1024),
            "bodyguard, secrets only" => self.scan(secrets(), body, body.len().max(1)),
            "bodyguard, 50 own kinds" => self.scan_with(&OWN, body, body.len().max(1)),
            "bodyguard, all kinds" => self.scan_with(Program::all(), body, body.len().max(1)),
            "bodyguard, all and 50 own" => self.scan_with(&ALL_AND_OWN, body, body.len().max(1)),
            name if name.contains("group:") => {
                let group = name.split(' ').next_back().and_then(named).expect("a group");
                self.scan(group, body, body.len().max(1))
            }
            "RegexSet + find_iter" => self.naive.get_or_insert_with(Naive::new).run(body),
            _ => {
                let meta = self.meta.get_or_insert_with(|| {
                    let patterns: Vec<&str> = KindSet::core().iter().map(|kind| kind.spec().pattern).collect();
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
        // A policy makes it when it loads.
        let program = self.programs.of(kinds);
        self.scan_with(&program, body, chunk)
    }

    fn scan_with(&mut self, program: &Arc<Program>, body: &[u8], chunk: usize) -> usize {
        self.findings.clear();
        let mut scanner = Scanner::new(program);
        for chunk in body.chunks(chunk) {
            scanner.feed(chunk, &mut self.findings);
        }
        scanner.finish(&mut self.findings);
        self.findings.len()
    }
}

/// The ten kinds of the core and fifty of a policy's own.
static OWN: LazyLock<Arc<Program>> = LazyLock::new(|| with_own(KindSet::core()));
/// All built-in kinds and the fifty.
static ALL_AND_OWN: LazyLock<Arc<Program>> = LazyLock::new(|| with_own(KindSet::all()));

/// These kinds and fifty of a policy's own, such as people write: numbers with a prefix, keys of a service, words, host names.
fn with_own(kinds: KindSet) -> Arc<Program> {
    let prefixes =
        ["MRN", "ACC", "POL", "CLM", "EMP", "STU", "INV", "ORD", "TKT", "CASE", "PROJ", "ASSET", "BADGE", "LOAN", "WIRE"];
    let services = ["acme", "globex", "initech", "umbrella", "stark", "wayne", "tyrell", "cyberdyne", "hooli", "pied"];
    let words = ["password_hash", "social_security_number", "top_secret", "internal_only", "attorney_client"];
    let mut all: Vec<Detector> = Vec::new();
    for prefix in prefixes {
        all.push(Detector::of_regex("own", &format!("{prefix}-[0-9]{{6,10}}")).expect("a regex compiles"));
    }
    for service in services {
        all.push(Detector::of_regex("own", &format!("{service}_(?:live|test)_[A-Za-z0-9]{{24}}")).expect("a regex compiles"));
        all.push(Detector::of_regex("own", &format!(r"\b{service}-vault-[0-9]{{4,8}}\b")).expect("a regex compiles"));
    }
    for word in words {
        all.push(Detector::of_words("own", [word].into_iter(), true).expect("a word compiles"));
    }
    for length in 10..20 {
        all.push(Detector::of_regex("own", &format!("KEY{length}[A-F0-9]{{{length}}}")).expect("a regex compiles"));
    }
    assert_eq!(all.len(), 50);
    let mut detectors = Detectors::default();
    let own: Vec<Kind> = all.into_iter().filter_map(|detector| detectors.add(detector)).collect();
    Programs::new(Arc::new(detectors)).of(kinds.iter().chain(own).collect())
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
        let patterns: Vec<&str> = KindSet::core().iter().map(|kind| kind.spec().pattern).collect();
        Naive {
            set: RegexSetBuilder::new(&patterns).unicode(false).size_limit(256 << 20).build().expect("patterns build"),
            regexes: patterns
                .iter()
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
