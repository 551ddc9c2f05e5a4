//! `bodyguard test`: users' own cases against their policy.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

const POLICY: &str = "
metadata: {name: of-the-test}
spec:
  domains:
  - hosts: [api.example.com]
    policy:
      inspect_request_body: true
      inspect_response_body: true
      max_response_body_bytes: 1000
      checks: {body: {dlp: {direction: both, block: [aws_access_key], redact: [email]}}}
";

/// A folder of its own for each test.
fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-test-{name}"));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("policy.yaml"), POLICY).unwrap();
    for (file, text) in files {
        fs::write(folder.join(file), text).unwrap();
    }
    folder
}

/// Exit code, standard output, standard error.
fn run(folder: &PathBuf, cases: &[&str]) -> (i32, String, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_bodyguard"))
        .current_dir(folder)
        .args(["test", "policy.yaml"])
        .args(cases)
        .output()
        .unwrap();
    (done.status.code().unwrap(), String::from_utf8(done.stdout).unwrap(), String::from_utf8(done.stderr).unwrap())
}

#[test]
fn cases_that_are_as_expected_pass() {
    let cases = r#"
cases:
- name: an address is masked
  request: {host: api.example.com, path: /v1}
  content_type: application/json
  body: '{"mail":"ada@example.com"}'
  expect:
    verdict: redacted
    inspected: true
    findings: {email: 1}
    output: '{"mail":"[REDACTED:email]"}'
    route: $.spec.domains[0]
- name: a key in a request is blocked
  request: {host: api.example.com, method: POST, headers: {X-Tenant: acme}}
  direction: request
  body_file: key.txt
  expect: {verdict: blocked, code: "body.dlp_block:aws_access_key", status: 403}
- name: another host passes unread
  body: ada@example.com
  expect: {verdict: clean, inspected: false, findings: {}, output_file: same.txt}
"#;
    let folder =
        folder("pass", &[("cases.yaml", cases), ("key.txt", "key AKIAIOSFODNN7EXAMPLE."), ("same.txt", "ada@example.com")]);
    let (code, out, err) = run(&folder, &["cases.yaml"]);
    let wanted =
        "ok    an address is masked\nok    a key in a request is blocked\nok    another host passes unread\n3 cases, 0 failed\n";
    assert_eq!((code, out.as_str(), err.as_str()), (0, wanted, ""));
}

#[test]
fn a_case_says_who_sends_its_request_and_where_it_goes() {
    let policy = "
domains:
- host: localhost
  policy: {inspect_request_body: true, checks: {body: {dlp: {direction: request, block: [ssn]}}}}
  routes:
  - match: {source_principals: [td/ns/a/sa/x], destination_ports: [8443], clusters: ['outbound|443||*']}
  - {}
";
    let cases = "
cases:
- name: all of it
  request: {source_principal: td/ns/a/sa/x, destination_port: 8443, cluster: outbound|443||a.com}
  direction: request
  body: x
  expect: {route: '$.domains[0].routes[0]'}
- name: nobody, from nowhere
  direction: request
  body: x
  expect: {route: '$.domains[0].routes[1]'}
";
    let (code, out, err) = run(&folder("ends", &[("policy.yaml", policy), ("cases.yaml", cases)]), &["cases.yaml"]);
    assert_eq!((code, out.as_str(), err.as_str()), (0, "ok    all of it\nok    nobody, from nowhere\n2 cases, 0 failed\n", ""));
}

#[test]
fn a_case_that_fails_says_what_is_different() {
    let cases = r#"
cases:
- name: everything is wrong
  request: {host: api.example.com}
  body: "first\nto ada@example.com\nlast\n"
  expect:
    verdict: blocked
    code: body.dlp_block:email
    status: 403
    inspected: false
    findings: {email: 2}
    output: "first\nto \nlast\n"
- name: nothing is forwarded
  request: {host: api.example.com}
  body: AKIAIOSFODNN7EXAMPLE
  expect: {output: ""}
- name: fine
  expect: {verdict: clean}
"#;
    let (code, out, _) = run(&folder("fail", &[("cases.yaml", cases)]), &["cases.yaml"]);
    let wanted = r#"FAIL  everything is wrong
      verdict   expected "blocked", got "redacted"
      code      expected "body.dlp_block:email", got null
      status    expected 403, got null
      inspected expected false, got true
      findings  expected {"email":2}, got {"email":1}
      output    - expected, + got
        - to \n
        + to [REDACTED:email]\n
FAIL  nothing is forwarded
      output    expected a body, got none: the message is blocked
ok    fine
3 cases, 2 failed
"#;
    assert_eq!((code, out.as_str()), (1, wanted));
}

#[test]
fn heads_are_judged_too() {
    let policy = "
spec:
  domains:
  - hosts: [api.example.com]
    policy:
      checks:
        headers: {dlp: {block: [aws_access_key], redact: [email]}}
        query: {dlp: {redact: [email]}}
";
    let cases = r#"
cases:
- name: a query and a header are masked, and the body is left alone
  request: {host: api.example.com, path: "/v1?to=ada@example.com", headers: {X-Note: to ada@example.com, x-other: fine}}
  direction: request
  body: ada@example.com
  expect:
    verdict: redacted
    findings: {email: 2}
    path: /v1?to=%5BREDACTED:email%5D
    headers: {x-note: "to [REDACTED:email]", X-Other: fine, x-absent: ""}
    output: ada@example.com
- name: a key in a header of a response blocks
  request: {host: api.example.com}
  headers: {X-Debug: AKIAIOSFODNN7EXAMPLE}
  expect: {verdict: blocked, code: "headers.dlp_block:aws_access_key", status: 403}
- name: this one is wrong
  request: {host: api.example.com, path: "/v1?to=ada@example.com", headers: {x-note: to ada@example.com}}
  direction: request
  expect: {path: "/v1?to=ada@example.com", headers: {x-note: hello}}
"#;
    let folder = folder("heads", &[("cases.yaml", cases)]);
    fs::write(folder.join("policy.yaml"), policy).unwrap();
    let (code, out, _) = run(&folder, &["cases.yaml"]);
    let wanted = r#"ok    a query and a header are masked, and the body is left alone
ok    a key in a header of a response blocks
FAIL  this one is wrong
      path      expected "/v1?to=ada@example.com", got "/v1?to=%5BREDACTED:email%5D"
      header    expected "x-note: hello", got "x-note: to [REDACTED:email]"
3 cases, 1 failed
"#;
    assert_eq!((code, out.as_str()), (1, wanted));
}

#[test]
fn cases_that_cannot_be_read_are_an_error() {
    for (name, cases, said) in [
        ("unknown", "cases: [{name: x, expected: {}}]", "expected"),
        ("misspelt", "cases: [{name: x, expect: {verdikt: clean}}]", "verdikt"),
        (
            "both",
            "cases: [{name: x, body: a, body_file: b, expect: {}}]",
            "\"x\": found body and body_file, allowed: one of them",
        ),
        ("absent", "cases: [{name: x, body_file: no-such-file, expect: {}}]", "no-such-file"),
        ("syntax", "cases: [", "cases.yaml"),
    ] {
        let (code, _, err) = run(&folder(name, &[("cases.yaml", cases)]), &["cases.yaml"]);
        assert_eq!(code, 2, "{name}: {err}");
        assert!(err.contains(said), "{name}: {err}");
    }
    let (code, _, err) = run(&folder("none", &[]), &["no-cases.yaml"]);
    assert!(code == 2 && err.contains("no-cases.yaml"), "{err}");
}

#[test]
fn a_file_without_cases_fails() {
    let folder = folder("no-cases", &[("cases.yaml", "cases: []\n")]);
    let (code, _, said) = run(&folder, &["cases.yaml"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("cases.yaml: found no case, allowed: at least one"), "{said}");
}

#[test]
fn a_clean_query_was_inspected() {
    let folder = folder(
        "query",
        &[(
            "cases.yaml",
            "cases:\n\
             - name: a query\n  direction: request\n  request: {path: '/?q=shoes'}\n  expect: {verdict: clean, inspected: true}\n\
             - name: a body that nobody reads\n  direction: request\n  body: a\n  expect: {verdict: clean, inspected: false}\n\
             - name: nothing is asked\n  expect: {verdict: clean, inspected: false}\n",
        )],
    );
    let policy = "{domains: [{hosts: ['*'], policy: {checks: {query: {dlp: {redact: [email]}}}}}]}";
    fs::write(folder.join("policy.yaml"), policy).unwrap();
    let (code, said, error) = run(&folder, &["cases.yaml"]);
    assert_eq!(code, 0, "{said}{error}");
}
