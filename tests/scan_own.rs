//! A policy's own kinds: the scanner finds what a regex search finds, in every cut, whatever the regex and the body.
//!
//! Cases come from a counter, so that a failure names the case that shows it.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::string_slice,
    clippy::indexing_slicing
)]

mod reference;

use std::sync::Arc;

use bodyguard::detect::checksum::Checksum;
use bodyguard::detect::{Conditions, Detector, Detectors, Kind, Near, Pattern, Setting};
use bodyguard::scan::{Finding, Program, Programs};
use reference::cuts::{Random, cuts, scan_cut};
use reference::own::Own;

/// A regex over a few letters, at most so deep.
fn regex(random: &mut Random, depth: usize) -> String {
    let atom =
        ["a", "b", "1", "-", "ab", "[ab]", "[^a]", "[0-9]", ".", r"\b", r"\w", r"\s", "é", "^", "$", "(?i:B)", "secret", r"\B"];
    if depth == 0 {
        return random.pick(&atom).into();
    }
    let next = |random: &mut Random| regex(random, depth - 1);
    match random.below(9) {
        0 => format!("(?:{}|{})", next(random), next(random)),
        1 => format!("(?:{}|{}|{})", next(random), next(random), next(random)),
        2..=4 => format!("{}{}", next(random), next(random)),
        5 => {
            let (least, more) = (random.below(4), random.below(6));
            format!("(?:{}){{{least},{}}}{}", next(random), least + more, random.pick(&["", "", "?"]))
        }
        6 => format!("(?:{}){}", next(random), random.pick(&["*", "+", "?", "*?", "+?", "??"])),
        _ => random.pick(&atom).into(),
    }
}

fn body(random: &mut Random) -> Vec<u8> {
    let pieces = [
        "a",
        "a",
        "aaaa",
        "b",
        "ab",
        "1",
        "11",
        "-",
        " ",
        "\n",
        "\"",
        "é",
        "secret",
        "B",
        "acct",
        "_",
        "\\n",
        "\\u0061",
        "%62",
        "&#49;",
        "\u{20ac}",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "abababababababababababababababababababab",
    ];
    let mut body = Vec::new();
    for _ in 0..random.below(60) {
        if random.below(60) == 0 {
            body.push(random.below(256) as u8);
        }
        body.extend_from_slice(random.pick(&pieces).as_bytes());
    }
    body
}

/// Two detectors of random regexes, one with conditions: the scanner against the reference, whole and cut.
fn check(case: u64) -> usize {
    let mut seen = 0;
    let mut random = Random(case);
    let depth = 1 + random.below(4);
    let regexes = [regex(&mut random, depth), regex(&mut random, depth)];
    let near = [&["acct", "b"][..], &["secret", "a b"]][random.below(2)];
    let within = 1 + random.below(12);
    let mut detectors = Detectors::default();
    let mut kinds: Vec<(Kind, usize)> = Vec::new();
    for (index, regex) in regexes.iter().enumerate() {
        let Ok(mut detector) = Detector::of_regex(&format!("own_{index}"), regex) else { continue };
        if index == 1 {
            detector.setting.conditions = Conditions {
                except: [b"ab".to_vec(), b"aa".to_vec()].into(),
                except_regex: vec![Pattern::new("^b.*b$").unwrap()],
                require: if random.below(2) == 0 { vec![] } else { vec![Pattern::new("[ab]").unwrap()] },
                validate: None,
                near: (random.below(2) == 0).then(|| Near::of_policy(near.iter().copied(), within)),
            };
        }
        kinds.push((detectors.add(detector).unwrap(), index));
    }
    let detectors = Arc::new(detectors);
    let program = Programs::new(Arc::clone(&detectors)).of(kinds.iter().map(|(kind, _)| *kind).collect());
    for _ in 0..4 {
        let body = body(&mut random);
        let mut expected: Vec<Finding> = Vec::new();
        for (kind, index) in &kinds {
            let detector = detectors.get(*kind).unwrap();
            let near = detector.setting.conditions.near.is_some().then_some((near, within));
            expected.extend(Own { kind: *kind, regex: &regexes[*index], near, detector }.scan(&body));
        }
        expected.sort_unstable();
        seen += expected.len();
        let expected = Ok(expected);
        let found = scan_cut(&program, &body, &[]);
        assert_eq!(found, expected, "case {case}: {regexes:?} near {near:?} {within} in {}", body.escape_ascii());
        let cuts = cuts(&mut random, body.len());
        let found = scan_cut(&program, &body, &cuts);
        assert_eq!(found, expected, "case {case}: {regexes:?} near {near:?} {within} in {} cut at {cuts:?}", body.escape_ascii());
    }
    seen
}

#[test]
fn own_kinds_are_what_a_regex_search_finds_in_every_cut() {
    let seen: usize = (0..6_000).map(check).sum();
    assert!(seen > 100_000, "only {seen} findings: the cases test nothing");
}

/// A program of one own kind.
fn program_of(regex: &str) -> (Arc<Program>, Arc<Detectors>, Kind) {
    let mut detectors = Detectors::default();
    let kind = detectors.add(Detector::of_regex("own", regex).unwrap()).unwrap();
    let detectors = Arc::new(detectors);
    (Programs::new(Arc::clone(&detectors)).of([kind].into_iter().collect()), detectors, kind)
}

#[test]
fn long_walks_that_cross_each_other_find_the_same() {
    let regexes = [
        "a+b",
        "(?:ab)+c",
        "(?:a|b)+c",
        "a[ab]*c|b[ab]{40,60}-",
        "(?:ab|a)+1",
        "[ab]+c|b+-",
        "a{1,200}b",
        "a+b|a{90}",
        "[^c]+c1|a",
        "a.*?b1",
        "a[ab1]*c|b[ab]*-",
        "(?:aab|b)+(?:c|1)",
    ];
    for case in 0..600u64 {
        let mut random = Random(case | 1 << 40);
        let regex = regexes[random.below(regexes.len())];
        let (program, detectors, kind) = program_of(regex);
        let mut body = Vec::new();
        for _ in 0..random.below(12) {
            let piece = random.pick(&["a", "ab", "b", "aab", "ba"]).repeat(1 + random.below(120));
            body.extend_from_slice(piece.as_bytes());
            body.extend_from_slice(random.pick(&["", "", "c", "1", "-", "b1"]).as_bytes());
        }
        let expected = Own { kind, regex, near: None, detector: detectors.get(kind).unwrap() }.scan(&body);
        let expected = Ok(expected);
        for cuts in [vec![], cuts(&mut random, body.len())] {
            assert_eq!(scan_cut(&program, &body, &cuts), expected, "case {case}: {regex} in {} at {cuts:?}", body.escape_ascii());
        }
    }
}

/// What leads to a value, and what stands between it and a word near it, is no part of the value that conditions judge.
#[test]
fn conditions_judge_a_value_without_what_leads_to_it_and_beside_a_kinds_own_words() {
    let (bearer, bank) = (Kind::from_name("bearer_token").unwrap(), Kind::from_name("us_bank_routing").unwrap());
    let mut detectors = Detectors::default();
    let of = |conditions| Setting { conditions, mask: None };
    detectors.set(
        bearer,
        of(Conditions { except: [b"abcdefghijklmnopqrstuvwxyz0123456789".to_vec()].into(), ..Conditions::default() }),
    );
    detectors.set(bank, of(Conditions { near: Some(Near::of_policy(["wire"].into_iter(), 200)), ..Conditions::default() }));
    let account = detectors.add(Detector::of_regex("account", "acct[0-9]{6}").unwrap()).unwrap();
    let mut programs = Programs::new(Arc::new(detectors));
    let kinds = [Kind::CREDIT_CARD, bearer, bank, account].into_iter().collect();
    let far = "-".repeat(120);
    for (body, wanted, excepted) in [
        ("Authorization: Bearer abcdefghijklmnopqrstuvwxyz0123456789".to_owned(), &[][..], &[][..]),
        (
            "Authorization: Bearer zbcdefghijklmnopqrstuvwxyz0123456788".to_owned(),
            &["zbcdefghijklmnopqrstuvwxyz0123456788"],
            &["zbcdefghijklmnopqrstuvwxyz0123456788"],
        ),
        ("routing number 322271627".to_owned(), &[], &[]),
        (format!("routing number 322271627 {far} wire"), &["322271627"], &["322271627"]),
        (format!("wire {far} routing number 322271627"), &["322271627"], &["322271627"]),
        (format!("wire {far} 322271627"), &[], &[]),
        ("4111111111111111 acct123456".to_owned(), &["4111111111111111", "acct123456"], &["acct123456"]),
    ] {
        for (except, wanted) in [(false, wanted), (true, excepted)] {
            let program = programs.excepting(kinds, except);
            for step in [1, 7, body.len()] {
                let cuts: Vec<usize> = (0..body.len()).step_by(step).collect();
                let found = scan_cut(&program, body.as_bytes(), &cuts).unwrap();
                let found: Vec<_> = found.iter().map(|one| &body[one.start as usize..one.end as usize]).collect();
                assert_eq!(found, wanted, "{body} by {step}");
            }
        }
    }
}

#[test]
fn conditions_are_those_of_the_policy_for_built_in_kinds_too() {
    let mut detectors = Detectors::default();
    let of = |conditions| Setting { conditions, mask: None };
    detectors.set(
        Kind::EMAIL,
        of(Conditions { except_regex: vec![Pattern::new(r"@example\.com$").unwrap()], ..Conditions::default() }),
    );
    detectors.set(Kind::SSN, of(Conditions { near: Some(Near::of_policy(["ssn"].into_iter(), 30)), ..Conditions::default() }));
    let mut account = Detector::of_regex("account", "[0-9]{10}").unwrap();
    account.setting.conditions.validate = Checksum::from_name("luhn");
    let account = detectors.add(account).unwrap();
    let words = Detector::of_words("words", ["top secret", "secret"].into_iter(), true).unwrap();
    let words = detectors.add(words).unwrap();
    let kinds = [Kind::EMAIL, Kind::SSN, account, words].into_iter().collect();
    let program = Programs::new(Arc::new(detectors)).of(kinds);
    for (body, wanted) in [
        ("ada@example.com bob@example.org", &[(Kind::EMAIL, "bob@example.org")][..]),
        (r"ada@ex\u0061mple.com", &[]),
        ("078-05-1120", &[]),
        ("the ssn is 078-05-1120", &[(Kind::SSN, "078-05-1120")]),
        (r#"{"v":"078-05-1120","of":"SSN"}"#, &[(Kind::SSN, "078-05-1120")]),
        ("the ssn is                              078-05-1120", &[]),
        ("1234567897 1234567890", &[(account, "1234567897")]),
        ("TOP SECRET, secrets, my_secret, Secret.", &[(words, "TOP SECRET"), (words, "Secret")]),
        (r#"{"a":"x\nsecret"}"#, &[(words, "secret")]),
    ] {
        for step in [1, 7, body.len()] {
            let cuts: Vec<usize> = (0..body.len()).step_by(step).collect();
            let found = scan_cut(&program, body.as_bytes(), &cuts).unwrap();
            let found: Vec<_> = found.iter().map(|one| (one.kind, &body[one.start as usize..one.end as usize])).collect();
            assert_eq!(found, wanted, "{body}");
        }
    }
}
