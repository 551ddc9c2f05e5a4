//! The scanner finds what the naive reference finds: on the corpora, on generated bodies, on mutated positives, in every cut.
//!
//! Cases come from a counter, so that a failure names the case that shows it; the body in the message is cut down first.
#![allow(clippy::arithmetic_side_effects, clippy::panic, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod reference;

use bodyguard::detect::{Kind, KindSet};
use bodyguard::scan::{Scanner, hold_back};
use reference::cuts::{Random, cuts, scan_cut};
use reference::{check, corpus};

/// Most bytes of an escape that stands for one.
const ESCAPE_MAX: usize = 10;

/// All kinds, or one of some hundred sets: a program is made for each.
fn kinds(random: &mut Random) -> KindSet {
    let mut random = Random(random.below(300) as u64);
    match random.below(3) {
        0 => KindSet::all(),
        1 => Kind::all().filter(|_| random.below(2) == 0).collect(),
        _ => Kind::all().filter(|_| random.below(5) == 0).collect(),
    }
}

/// Pieces of values and of what stands beside them: bodies made of these are near misses throughout.
const PIECES: &[&str] = &[
    "eyJ",
    "eyJhbGciOiJIUzI1NiJ9",
    "eyAiYWxnIjoibm9uZSJ9",
    "ewogICJhbGciOiJub25lIn0",
    "ew0K",
    ".",
    "..",
    "e30",
    "AKIA",
    "ASIA",
    "ABIA",
    "ACCA",
    "AKI",
    "ABCDEFGHIJKLMNOP",
    "234567",
    "-----BEGIN ",
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN+RSA+PRIVATE+KEY-----",
    "-----END PRIVATE KEY-----",
    "-----",
    "-",
    "--",
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7",
    "\n",
    "\r\n",
    "\\n",
    "\\\\n",
    "\\r\\n",
    "%0A",
    "\\/",
    "AIza",
    "SyA1234567890abcdefghijklmnopqrstuv",
    "SyA1234567890abcdefghijklmnopqrstuvw",
    "xox",
    "xoxb-",
    "xoxp-",
    "xoxe.xoxp-1-",
    "xapp-1-",
    "123456789012-",
    "ghp_",
    "ghs_",
    "github_pat_",
    "gh",
    "abcdefghijklmnopqrstuvwxyz0123456789",
    "11ABCDEFG0123456789abc",
    "sk_live_",
    "rk_test_",
    "sk_",
    "abcdefghijklmnopqrstuvwx",
    "@",
    "@@",
    "%40",
    "\\u0040",
    "\\\\u0040",
    "&#64;",
    "&#x40;",
    "&#0064;",
    "&commat;",
    "\\u0020",
    "%20",
    "%2B",
    "%B",
    "%25B",
    "\\u0041",
    "\\\\u0034",
    "\\u002e",
    "\\u002d",
    "%41",
    "%2D",
    "%2E",
    "&#x2e;",
    "&#0064;",
    "&#32;",
    "&nbsp;",
    "&lowbar;",
    "&period;",
    "%",
    "\\",
    "&",
    "&#",
    "john",
    "doe+tag",
    "o'neil",
    "example.com",
    "x.co.uk",
    "mail.example.org",
    "18.2.0",
    "2x.png",
    "https://user:",
    "git",
    "4111111111111111",
    "4111 1111 1111 1111",
    "4111-1111-",
    "4111+1111+1111+1111",
    "3782 822463 10005",
    "378282246310005",
    "6304000000000000",
    "routing ",
    "\"aba\":",
    "phone ",
    "+1 415 555 0123",
    "(415) 555-0123",
    "415-555-",
    "111000025",
    "GB29 NWBK 6016 1331 9268 19",
    "GB29NWBK60161331926819",
    "AB123456C",
    "AB 12 34 56 C",
    "X1234567L",
    "S1234567D",
    "RSSMRA85T10A562S",
    "ABCPE1234F",
    "131052-308T",
    "2a00:1450:4001::5",
    "81.2.69.142",
    "dob 1980-01-31",
    "1/31/1980",
    "11010519491231002X",
    "111.444.777-35",
    "https://bob:s3cr3t@",
    "Bearer ",
    "SecretAccessKey\":\"",
    "AccountKey=",
    "$2b$12$",
    "sk-ant-api03-",
    "4",
    "41",
    "4111",
    "1111111111111",
    "123-45-6789",
    "123-45-",
    "666-12-",
    "0",
    " ",
    "\"",
    ":",
    "\u{1b}[0m",
    "ü",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
];

fn generated(random: &mut Random) -> Vec<u8> {
    let mut body = Vec::new();
    for _ in 0..1 + random.below(12) {
        match random.below(12) {
            0 => (0..random.below(20)).for_each(|_| body.push((random.next() >> 20) as u8)),
            1 => (0..random.below(30)).for_each(|_| body.push(b"0123456789 -"[random.below(12)])),
            2 => (0..random.below(90)).for_each(|_| body.push(b"aZ9_-+.%'@"[random.below(10)])),
            _ => body.extend_from_slice(random.pick(PIECES).as_bytes()),
        }
    }
    body
}

/// A body from a corpus with a few bytes changed, moved away from the start of a block.
fn mutated(random: &mut Random, bodies: &[Vec<u8>]) -> Vec<u8> {
    let mut body: Vec<u8> = std::iter::repeat_n(b' ', random.below(70)).collect();
    for _ in 0..1 + random.below(2) {
        body.extend_from_slice(&bodies[random.below(bodies.len())]);
    }
    for _ in 0..random.below(4) {
        let at = random.below(body.len());
        match random.below(4) {
            0 if !body.is_empty() => {
                body.remove(at);
            }
            1 if !body.is_empty() => body[at] = (random.next() >> 20) as u8,
            2 => {
                let piece = random.pick(PIECES).as_bytes();
                body.splice(at..at, piece.iter().copied());
            }
            _ => {
                let to = at + random.below(body.len() - at + 1);
                let copy = body[at..to].to_vec();
                body.splice(at..at, copy);
            }
        }
    }
    body
}

fn corpus_bodies(longest: usize) -> Vec<Vec<u8>> {
    Kind::all().flat_map(corpus::rows).map(|row| row.body).filter(|body| body.len() <= longest).collect()
}

#[test]
fn every_corpus_row_in_every_single_cut() {
    for body in corpus_bodies(usize::MAX) {
        check(KindSet::all(), &body, &[], "corpus");
        // The reference is asked once a body: what one piece gives, all cuts must give.
        let program = reference::program(KindSet::all());
        let whole = Ok(program.scan(&body));
        let step = 1 + body.len() / 300;
        for cut in (0..=body.len()).step_by(step) {
            if scan_cut(&program, &body, &[cut]) != whole {
                check(KindSet::all(), &body, &[cut], "corpus in two pieces");
            }
        }
        if body.len() < 2000 {
            let bytes: Vec<usize> = (0..body.len()).collect();
            check(KindSet::all(), &body, &bytes, "corpus byte by byte");
        }
    }
}

#[test]
fn bodies_made_of_pieces_in_any_cut() {
    for case in 0..70_000 {
        let mut random = Random(case);
        let (body, kinds) = (generated(&mut random), kinds(&mut random));
        let cuts = cuts(&mut random, body.len());
        check(kinds, &body, &cuts, &format!("pieces {case}"));
    }
}

#[test]
fn corpus_rows_with_bytes_changed_in_any_cut() {
    let bodies = corpus_bodies(600);
    for case in 0..40_000 {
        let mut random = Random(case | 1 << 40);
        let (body, kinds) = (mutated(&mut random, &bodies), kinds(&mut random));
        let cuts = cuts(&mut random, body.len());
        check(kinds, &body, &cuts, &format!("mutated {case}"));
    }
}

#[test]
fn a_local_part_with_more_glue_in_it_than_a_validator_looks_back() {
    for glue in 60..70 {
        let body = format!("ABCD{}EFGHIJK@LMNOP.org, ", "+".repeat(glue));
        for cut in [body.len(), glue, glue + 4, glue + 20] {
            check(KindSet::all(), body.as_bytes(), &[cut.min(body.len())], "glue");
        }
    }
}

#[test]
fn what_is_held_is_bounded_by_the_longest_value() {
    // Nothing that is clean is held back: the decided offset follows the end of what was fed.
    let mut scanner = Scanner::new(&reference::program(KindSet::all()));
    let mut findings = Vec::new();
    let text = b"{\"id\": 17, \"name\": \"nothing to see\"}\n";
    for fed in 1..100u64 {
        assert_eq!(scanner.feed(text, &mut findings), fed * text.len() as u64);
    }
    // What could be a value is held for at most its longest length and what its validator looks ahead.
    for kind in Kind::all() {
        // A byte of a value may be written as an escape.
        let longest = (hold_back(kind) * ESCAPE_MAX) as u64;
        for case in 0..if longest > 10_000 { 20 } else { 200 } {
            let mut random = Random(case | 2 << 40);
            let piece = random.pick(PIECES).as_bytes();
            let mut scanner = Scanner::new(&reference::program([kind].into_iter().collect()));
            let mut fed = 0;
            while fed < 3 * longest {
                let chunk = if random.below(3) == 0 { random.pick(PIECES).as_bytes() } else { piece };
                fed += chunk.len() as u64;
                let decided = scanner.feed(chunk, &mut findings);
                assert!(
                    scanner.held() <= 4 * (hold_back(kind) + kind.spec().look_behind()),
                    "{}: {} held",
                    kind.name(),
                    scanner.held()
                );
                assert!(
                    fed - decided <= longest,
                    "{}: {} held of {:?}",
                    kind.name(),
                    fed - decided,
                    piece.escape_ascii().to_string()
                );
            }
        }
    }
}
