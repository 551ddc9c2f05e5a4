//! Groups of kinds, and published test values, as a policy names them.
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use bodyguard::detect::{KindSet, TEST_VALUES, named};
use bodyguard::policy::{BodyRule, Policy, RequestHead, Resolution};
use bodyguard::scan::Programs;

fn response(dlp: &str) -> BodyRule {
    let text = format!(
        "domains: [{{hosts: ['*'], routes: [{{match: {{}}, policy: {{inspect_response_body: true, max_response_body_bytes: 1000, \
         checks: {{body: {{dlp: {{{dlp}}}}}}}}}}}]}}]"
    );
    let policy = Policy::from_yaml_or_json(&text).unwrap_or_else(|problems| panic!("{problems:?}"));
    let head = RequestHead { authority: b"h", path: b"/", method: b"GET", headers: &[], ..RequestHead::default() };
    match policy.resolve(&head) {
        Resolution::Rule(rule) => rule.response.clone().expect("responses are inspected"),
        _ => panic!("no rule"),
    }
}

#[test]
fn a_group_stands_for_its_kinds_but_those_that_are_detect_only() {
    let rule = response("block: ['group:secrets'], redact: ['group:network', iban]");
    let secrets = named("group:secrets").unwrap();
    assert!(rule.block.iter().all(|kind| secrets.contains(kind) && !kind.spec().detect_only));
    assert_eq!(rule.block.iter().count() + 1, secrets.iter().count());
    let redact: Vec<&str> = rule.redact.iter().map(|kind| kind.name()).collect();
    assert_eq!(redact, ["iban", "ipv4", "ipv6"]);
    assert_eq!(rule.kinds(), rule.block.union(rule.redact));
}

#[test]
fn a_mask_can_be_told_for_a_group() {
    let rule = response("redact: ['group:network', iban], mask: {'group:network': same_length}");
    assert_eq!(rule.same_length, named("group:network").unwrap());
}

#[test]
fn published_test_values_are_found_unless_the_policy_excepts_them() {
    let body = "card 4111111111111111, 4485275742308327; mail bob@example.com, bob@corp.de; DE89370400440532013000";
    let count = |dlp: &str| response(dlp).program.scan(body.as_bytes()).len();
    assert_eq!(count("redact: [credit_card, email, iban]"), 5);
    assert_eq!(count("redact: [credit_card, email, iban], except_test_values: false"), 5);
    assert_eq!(count("redact: [credit_card, email, iban], except_test_values: true"), 2);
}

#[test]
fn the_hook_beside_a_check_excepts_the_same_in_both_directions_and_only_there() {
    let text = |checks: &str| {
        format!(
            "domains: [{{hosts: ['*'], policy: {{inspect_request_body: true, inspect_response_body: true, max_response_body_bytes: 1000, \
             checks: {{body: {{detect_sensitive_data: true{checks}}}}}}}}}]"
        )
    };
    let found = |checks: &str| {
        let policy = Policy::from_yaml_or_json(&text(checks)).unwrap();
        let Resolution::Rule(rule) = policy.resolve(&RequestHead { authority: b"h", path: b"/", ..RequestHead::default() })
        else {
            panic!("no rule")
        };
        let found = |side: &Option<BodyRule>| side.as_ref().unwrap().program.scan(b"4111111111111111, 4485275742308327").len();
        (found(&rule.request), found(&rule.response))
    };
    assert_eq!(found(""), (2, 2));
    assert_eq!(found(", dlp: {direction: response, redact: [email]}"), (2, 2));
    for direction in ["request", "response", "both"] {
        let dlp = format!(", dlp: {{direction: {direction}, redact: [email], except_test_values: true}}");
        assert_eq!(found(&dlp), (1, 1), "{direction}");
    }
}

#[test]
fn what_is_excepted_is_excepted_in_every_cut() {
    let body = r#"{"a":"4111 1111 1111 1111","b":"4485275742308327","c":"bob@example.com","d":"bob\u0040corp.de"}"#;
    let program = Programs::default().excepting(KindSet::all(), true);
    let wanted = program.scan(body.as_bytes());
    assert_eq!(wanted.len(), 2);
    for cut in 0..body.len() {
        let (mut scanner, mut found) = (bodyguard::scan::Scanner::new(&program), Vec::new());
        scanner.feed(&body.as_bytes()[..cut], &mut found);
        scanner.feed(&body.as_bytes()[cut..], &mut found);
        scanner.finish(&mut found);
        assert_eq!(found, wanted, "cut at {cut}");
    }
}

#[test]
fn every_published_value_of_cards_and_accounts_is_one_that_would_be_found() {
    let (all, mut missed) = (Programs::default().of(KindSet::all()), Vec::new());
    for row in
        TEST_VALUES.iter().filter(|row| ["credit_card", "iban", "us_npi", "br_cpf", "nl_bsn", "in_aadhaar"].contains(&row.kind))
    {
        let word = named(row.kind).unwrap().iter().next().unwrap().spec().near.map_or("", |near| near.words().next().unwrap());
        for value in row.values.iter().filter(|value| !value.ends_with('*')) {
            let body = format!("{word}: {value}");
            let found = all.scan(body.as_bytes()).into_iter().any(|finding| finding.kind.name() == row.kind);
            if !found {
                missed.push(format!("{} {value}", row.kind));
            }
        }
    }
    assert!(missed.is_empty(), "{missed:?}");
}
