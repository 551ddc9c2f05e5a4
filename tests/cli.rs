//! The command line tool, run as its users run it.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

const CARD: &str = "4111111111111111";
const EMAIL: &str = "jane.roe@example.com";
const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
const STRIPE: &str = concat!("sk_", "live_", "4eC39HqLyjWDarjtT1zdp7dc");
const VALUES: [&str; 4] = [CARD, EMAIL, KEY, STRIPE];

/// Blocks keys, masks cards and addresses, both ways, on all paths but `/open`; `/watch` only watches.
const POLICY: &str = r#"
metadata: {name: of-the-test}
spec:
  exclude: ["/healthz"]
  domains:
  - hosts: ["api.example.com", "localhost"]
    policy:
      inspect_request_body: true
      inspect_response_body: true
      max_response_body_bytes: 1000
      skip_content_types: ["image/*"]
      checks: {body: {dlp: {direction: both, block: [aws_access_key], redact: [credit_card, email]}}}
    routes:
    - match: {path_prefix: /watch}
      policy: {mode: shadow}
    - match: {path_prefix: /open}
      policy: {mode: "off", inspect_request_body: false, inspect_response_body: false}
    - match: {path_prefix: /typed, content_type: ["application/json"]}
      policy: {mode: detect}
    - match: {}
"#;

struct Ran {
    code: i32,
    out: Vec<u8>,
    err: String,
}

impl Ran {
    fn out(&self) -> String {
        String::from_utf8(self.out.clone()).unwrap()
    }

    /// The verdict that `redact` tells.
    fn verdict(&self) -> Value {
        serde_json::from_str(self.err.trim_end()).unwrap_or_else(|error| panic!("{error}: {}", self.err))
    }

    fn shows_no_value(&self) {
        let shown = String::from_utf8_lossy(&self.out).into_owned() + &self.err;
        for value in VALUES {
            assert!(!shown.contains(value), "a found value is shown");
        }
    }
}

fn run_with_input(args: &[&str], input: &[u8]) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_bodyguard"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A tool that does not read its input closes it early; that is its right.
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(&input);
    });
    let done = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Ran { code: done.status.code().unwrap(), out: done.stdout, err: String::from_utf8(done.stderr).unwrap() }
}

fn run(args: &[&str]) -> Ran {
    run_with_input(args, b"")
}

/// A file of that name and content, in a folder of its own.
fn file(test: &str, name: &str, content: &[u8]) -> String {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_string()
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn gunzip(coded: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    flate2::read::MultiGzDecoder::new(coded).read_to_end(&mut plain).unwrap();
    plain
}

#[test]
fn help_names_every_subcommand_and_each_has_examples_and_exit_codes() {
    let help = run(&["--help"]);
    assert_eq!(help.code, 0);
    for command in ["scan", "check", "redact", "explain"] {
        assert!(help.out().contains(&format!("  {command} ")), "{command} is missing");
        let own = run(&[command, "--help"]);
        assert_eq!(own.code, 0);
        assert!(own.out().contains("Example") && own.out().contains("Exit codes:"), "{command}: {}", own.out());
    }
    assert!(help.out().contains("README.md"));
    let scan_help = run(&["scan", "--help"]).out();
    for kind in bodyguard::detect::Kind::all() {
        assert!(scan_help.contains(kind.name()), "{} is missing", kind.name());
    }
    assert_eq!(run(&["--version"]).out(), format!("bodyguard {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn arguments_that_make_no_sense_are_errors() {
    for args in [&[][..], &["sacn"], &["scan"], &["scan", "--what", "x"], &["check"], &["redact", "x"], &["explain"]] {
        assert_eq!(run(args).code, 2, "{args:?}");
    }
    for kinds in ["emial", "", "email,,ssn", "email,emial"] {
        let ran = run(&["scan", "--kinds", kinds, "-"]);
        assert_eq!(ran.code, 2, "{kinds:?}");
        assert!(ran.err.contains("unknown kind") && ran.err.contains("credit_card") && ran.err.contains("stripe_key"));
    }
}

#[test]
fn scan_tells_file_kind_and_place() {
    let text = format!("a {EMAIL}, a {CARD} and {KEY}\n");
    let path = file("scan", "body.txt", text.as_bytes());
    let at = |value: &str| (text.find(value).unwrap() as u64, (text.find(value).unwrap() + value.len()) as u64);
    let expected = [("email", at(EMAIL)), ("credit_card", at(CARD)), ("aws_access_key", at(KEY))];

    let ran = run(&["scan", &path]);
    ran.shows_no_value();
    let lines: Vec<String> = expected.iter().map(|(kind, (start, end))| format!("{path}:{start}-{end} {kind}\n")).collect();
    assert_eq!((ran.code, ran.out(), ran.err.as_str()), (1, lines.concat(), ""));

    let ran = run(&["scan", "--json", &path]);
    ran.shows_no_value();
    let found: Vec<Value> = ran.out().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let objects: Vec<Value> = expected
        .iter()
        .map(|(kind, (start, end))| serde_json::json!({"file": path, "kind": kind, "start": start, "end": end}))
        .collect();
    assert_eq!((ran.code, found), (1, objects));
}

#[test]
fn scan_looks_only_for_the_kinds_it_is_told() {
    let text = format!("{EMAIL} {CARD} {KEY} {STRIPE}");
    for (kinds, count) in
        [("all", 4), ("email", 1), ("email,credit_card", 2), ("stripe_key", 1), ("jwt", 0), ("ssn, email", 1), ("ssn,all", 4)]
    {
        let ran = run_with_input(&["scan", "--kinds", kinds, "-"], text.as_bytes());
        assert_eq!((ran.out().lines().count(), ran.code), (count, i32::from(count > 0)), "{kinds}");
    }
}

#[test]
fn scan_finds_the_same_across_its_read_buffer() {
    // Two findings a line; the lines are as long as a prime, so that the edges of any buffer fall everywhere in them.
    let line = format!("{EMAIL} {KEY} {}\n", "x".repeat(1009 - EMAIL.len() - KEY.len() - 3));
    assert_eq!(line.len(), 1009);
    let ran = run_with_input(&["scan", "--json", "-"], line.repeat(1000).as_bytes());
    let starts: Vec<u64> =
        ran.out().lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["start"].as_u64().unwrap()).collect();
    let expected: Vec<u64> = (0..1000).flat_map(|at| [at * 1009, at * 1009 + EMAIL.len() as u64 + 1]).collect();
    assert!(starts == expected);
}

#[test]
fn scan_says_which_file_it_cannot_read_and_scans_the_others() {
    let path = file("scan-errors", "body.txt", EMAIL.as_bytes());
    let ran = run(&["scan", "/no/such/file", &path]);
    ran.shows_no_value();
    assert_eq!((ran.code, ran.out().lines().count()), (2, 1));
    assert!(ran.err.starts_with("bodyguard: /no/such/file: ") && ran.err.lines().count() == 1, "{}", ran.err);
    assert_eq!(run_with_input(&["scan", "-"], b"nothing here").code, 0);
}

#[test]
fn check_passes_right_policies_in_yaml_and_json() {
    let yaml = file("check", "right.yaml", POLICY.as_bytes());
    let json = file(
        "check",
        "right.json",
        br#"{"domains":[{"hosts":["*"],"policy":{"inspect_response_body":true,"max_response_body_bytes":10,
            "checks":{"body":{"dlp":{"redact":["email"]}}}}}]}"#,
    );
    let ran = run(&["check", &yaml, &json]);
    assert_eq!((ran.code, ran.out().lines().count()), (0, 2), "{}", ran.err);
    assert!(ran.out().contains("\"of-the-test\"") && ran.out().contains("ok"));
    let shipped = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/policies")).unwrap();
    for policy in shipped.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|end| end == "yaml")) {
        let ran = run(&["check", policy.to_str().unwrap()]);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    }
    // Legal, and easily overlooked.
    let open = "domains: [{hosts: [a.com], routes: [{match: {path_prefix: /a}}]}]";
    let ran = run_with_input(&["check", "-"], open.as_bytes());
    let note = "note: standard input: requests to a.com that no route of $.domains[0] takes pass unread; a route with match: {} takes them\n";
    assert_eq!((ran.code, ran.err.as_str()), (0, note));
}

#[test]
fn check_tells_every_error_with_its_path_and_every_warning() {
    let wrong =
        r#"{"domains":[{"hosts":["*"],"bogus":1,"policy":{"mode":"blok","checks":{"body":{"dlp":{"block":["emial"]}}}}}]}"#;
    let path = file("check-errors", "wrong.json", wrong.as_bytes());
    let ran = run(&["check", &path]);
    assert_eq!((ran.code, ran.out().as_str()), (1, ""));
    for json_path in ["$.domains[0].bogus", "$.domains[0].policy.mode", "$.domains[0].policy.checks.body.dlp.block[0]"] {
        let line = format!("error: {path}: {json_path}: ");
        assert!(ran.err.lines().any(|said| said.starts_with(&line)), "{json_path} is missing in {}", ran.err);
    }
    // A check on a direction that is not inspected is legal, and likely a mistake.
    let idle = "domains: [{hosts: ['*'], policy: {checks: {body: {dlp: {redact: [email]}}}}}]";
    let ran = run_with_input(&["check", "-"], idle.as_bytes());
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.starts_with("warning: standard input: $."), "{}", ran.err);

    let right = file("check-errors", "right.yaml", POLICY.as_bytes());
    let ran = run(&["check", "/no/such/policy", &right]);
    assert_eq!((ran.code, ran.out().lines().count()), (1, 1));
    assert!(ran.err.starts_with("error: /no/such/policy: "));
    for input in [&b"\xff\xfe"[..], b"a: [", b"", b"{\"domains\": 1}"] {
        let ran = run_with_input(&["check", "-"], input);
        assert_eq!(ran.code, 1, "{input:?}");
        assert!(ran.err.starts_with("error: standard input: "), "{}", ran.err);
    }
}

#[test]
fn redact_masks_and_keeps_json_valid() {
    let policy = file("redact", "policy.yaml", POLICY.as_bytes());
    let body = format!(r#"{{"to":"{EMAIL}","card":{CARD},"n":1}}"#);
    let ran = run_with_input(
        &["redact", "--policy", &policy, "--host", "api.example.com", "--content-type", "application/json", "-"],
        body.as_bytes(),
    );
    ran.shows_no_value();
    assert_eq!((ran.code, ran.out()), (0, r#"{"to":"[REDACTED:email]","card":"************1111","n":1}"#.to_string()));
    let verdict = ran.verdict();
    assert_eq!((&verdict["verdict"], &verdict["inspected"]), (&"redacted".into(), &true.into()));
    assert_eq!(verdict["findings"], serde_json::json!({"credit_card": 1, "email": 1}));
    assert_eq!(verdict["actions"], serde_json::json!({"dlp:redact": 2}));
    assert_eq!((&verdict["policy"], &verdict["direction"]), (&"of-the-test".into(), &"response".into()));
}

#[test]
fn redact_passes_a_clean_body_byte_for_byte() {
    let policy = file("clean", "policy.yaml", POLICY.as_bytes());
    let body: Vec<u8> = (0..=255).collect();
    let path = file("clean", "body.bin", &body);
    let ran = run(&["redact", "--policy", &policy, &path]);
    assert_eq!((ran.code, &ran.out, &ran.verdict()["verdict"]), (0, &body, &"clean".into()));
    let coded = gzip(b"nothing here");
    let ran = run_with_input(&["redact", "--policy", &policy, "--content-encoding", "gzip", "-"], &coded);
    assert_eq!((ran.code, &ran.out), (0, &coded));
}

#[test]
fn redact_blocks_with_nothing_on_standard_output() {
    let policy = file("block", "policy.yaml", POLICY.as_bytes());
    let body = format!("{EMAIL} {KEY}");
    for direction in ["request", "response"] {
        let ran = run_with_input(&["redact", "--policy", &policy, "--direction", direction, "-"], body.as_bytes());
        ran.shows_no_value();
        assert_eq!((ran.code, ran.out().as_str()), (3, ""));
        let verdict = ran.verdict();
        assert_eq!((&verdict["verdict"], &verdict["code"]), (&"blocked".into(), &"body.dlp_block:aws_access_key".into()));
        assert_eq!((&verdict["reply"]["status"], &verdict["direction"]), (&403.into(), &direction.into()));
    }
    // In shadow mode the same body passes, masked, and is told as a would-block.
    let ran = run_with_input(&["redact", "--policy", &policy, "--path", "/watch/x", "-"], body.as_bytes());
    assert_eq!((ran.code, ran.out()), (0, format!("[REDACTED:email] {KEY}")));
    assert_eq!(ran.verdict()["verdict"], "would_block");
}

#[test]
fn redact_follows_size_encoding_and_type_as_the_filter_does() {
    let policy = file("limits", "policy.yaml", POLICY.as_bytes());
    let masked = gzip(format!("to {EMAIL}").as_bytes());
    let ran = run_with_input(&["redact", "--policy", &policy, "--content-encoding", "gzip", "-"], &masked);
    assert_eq!((ran.code, gunzip(&ran.out)), (0, b"to [REDACTED:email]".to_vec()));

    let bomb = gzip(&[b'x'; 100_000]);
    let email = EMAIL.as_bytes();
    for (args, body, code, verdict, reason) in [
        (&[][..], &[b'x'; 1001][..], 3, "blocked", "body.truncated"),
        (&["--content-encoding", "gzip"], &bomb, 3, "blocked", "body.truncated"),
        (&["--content-encoding", "gzip"], b"no gzip", 3, "failed_closed", "body.undecodable"),
        (&["--content-encoding", "br"], b"what ever", 3, "failed_closed", "body.undecodable"),
        (&["--path", "/watch", "--content-encoding", "br"], b"what ever", 0, "would_block", "body.undecodable"),
        (&["--content-type", "image/png"], email, 0, "clean", ""),
        (&["--path", "/open/x"], email, 0, "clean", ""),
        (&["--path", "/healthz"], email, 0, "clean", ""),
        (&["--host", "other.example.com"], email, 0, "clean", ""),
    ] {
        let ran = run_with_input(&[&["redact", "--policy", &policy], args, &["-"]].concat(), body);
        let told = ran.verdict();
        assert_eq!(
            (ran.code, told["verdict"].as_str(), told["code"].as_str().unwrap_or_default()),
            (code, Some(verdict), reason)
        );
        assert_eq!(ran.out, if code == 0 { body } else { b"" }, "{args:?}");
        if reason.is_empty() {
            assert_eq!(told["inspected"], false, "{args:?}");
            assert!(told["reason"].is_string());
        }
    }
    for args in [
        &["redact", "--policy", "/no/such", "-"][..],
        &["redact", "--policy", &policy, "/no/such"],
        &["redact", "--policy", &policy, "--direction", "up", "-"],
    ] {
        let ran = run(args);
        assert_eq!((ran.code, ran.out().as_str()), (2, ""), "{args:?}");
    }
}

#[test]
fn redact_puts_a_stream_through_as_the_filter_does() {
    let policy = file("stream", "policy.yaml", POLICY.as_bytes());
    let events = format!("data: {EMAIL}\n\ndata: {CARD}\n\n");
    let masked = "data: [REDACTED:email]\n\ndata: ************1111\n\n";
    let args = ["redact", "--policy", &policy, "--content-type", "text/event-stream"];
    let ran = run_with_input(&[&args[..], &["-"]].concat(), events.as_bytes());
    assert_eq!((ran.code, ran.out(), ran.verdict()["verdict"].clone()), (0, masked.to_string(), "redacted".into()));
    let ran = run_with_input(&[&args[..], &["--content-encoding", "gzip", "-"]].concat(), &gzip(events.as_bytes()));
    assert_eq!((ran.code, ran.out()), (0, masked.to_string()));
    let ran = run_with_input(&[&args[..], &["-"]].concat(), format!("{events}data: {KEY}\n\n").as_bytes());
    assert_eq!((ran.code, ran.out().as_str(), ran.verdict()["verdict"].clone()), (3, "", "blocked".into()));
    let ran = run_with_input(&[&args[..], &["--content-encoding", "gzip", "-"]].concat(), b"no gzip");
    assert_eq!((ran.code, ran.out().as_str(), ran.verdict()["code"].clone()), (3, "", "body.undecodable".into()));
}

#[test]
fn explain_tells_route_and_consequences() {
    let policy = file("explain", "policy.yaml", POLICY.as_bytes());
    for (args, parts) in [
        (
            &["--host", "API.example.com:8443", "--path", "/x/../healthz2?q=1"][..],
            &["\"api.example.com\"", "\"/healthz2\"", "routes[3]", "aws_access_key", "1000 bytes", "What happens to a request"][..],
        ),
        (&["--host", "api.example.com", "--path", "/watch"], &["routes[0]", "shadow", "would-block"]),
        (&["--host", "api.example.com", "--path", "/open"], &["routes[1]", "mode is off"]),
        (&["--host", "api.example.com", "--path", "/typed", "--header", "Content-Type: application/json"], &["routes[2]"]),
        (&["--host", "api.example.com", "--path", "/typed", "--content-type", "application/json"], &["routes[2]"]),
        (&["--host", "api.example.com", "--path", "/typed"], &["content type does not match", "routes[3]"]),
        (&["--host", "api.example.com", "--path", "/healthz"], &["exclude"]),
        (&["--host", "other.example.com"], &["no domain"]),
    ] {
        let ran = run(&[&["explain", "--policy", &policy], args].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        for part in parts {
            assert!(ran.out().contains(part), "{args:?}: no {part:?} in\n{}", ran.out());
        }
    }
    let exporting =
        POLICY.replacen("spec:", "spec:\n  events: {otlp: {cluster: otel, headers: {Authorization: Bearer hunter2}}}", 1);
    assert_ne!(exporting, POLICY);
    let exporting = file("explain", "exporting.yaml", exporting.as_bytes());
    let ran = run(&["explain", "--policy", &exporting]);
    assert!(ran.out().contains("otel/v1/logs in Envoy's cluster otel every 1000 ms"), "{}", ran.out());
    assert!(ran.out().contains("authorization (not shown)") && !ran.out().contains("hunter2"), "{}", ran.out());
    let heads = "{checks: {headers: {dlp: {block: [jwt], min_findings: 3, exclude: [x-a]}}, query: {dlp: {redact: [email]}}}}";
    let heads = file("explain", "heads.yaml", format!("{{defaults: {heads}, domains: [{{host: '*'}}]}}").as_bytes());
    let ran = run(&["explain", "--policy", &heads]);
    for part in [
        "request   header values but not of x-a; block jwt (from 3 findings)",
        "request   the query; mask email",
        "with 3 findings of jwt in its headers, it is refused.",
        "a finding of email in its query is masked.",
    ] {
        assert!(ran.out().contains(part), "no {part:?} in\n{}", ran.out());
    }
    assert!(run(&["check", &heads]).out().contains("0 of 1 rules inspect bodies, 1 headers or queries"));
    let routes = "[{match: {source_principals: [td/ns/a/sa/x], destination_ports: [8443], clusters: ['outbound|443||*']}}, {}]";
    let ends = file("explain", "ends.yaml", format!("{{domains: [{{host: '*', routes: {routes}}}]}}").as_bytes());
    let all = ["--source-principal", "td/ns/a/sa/x", "--destination-port", "8443", "--cluster", "outbound|443||a.com"];
    for (args, part) in [
        (&all[..], "route     $.domains[0].routes[0]"),
        (&[&["--source-principal", "spiffe://td/ns/a/sa/x"], &all[2..]].concat(), "route     $.domains[0].routes[0]"),
        (&all[..4], "routes[0] (cluster does not match)"),
        (&all[2..], "routes[0] (source principal does not match)"),
        (&[&all[..2], &all[4..]].concat(), "routes[0] (destination port does not match)"),
    ] {
        let ran = run(&[&["explain", "--policy", &ends], args].concat());
        assert!(ran.out().contains(part), "{args:?}: no {part:?} in\n{}", ran.out());
    }
    assert_eq!(run(&["explain", "--policy", &ends, "--destination-port", "70000"]).code, 2);
    // A value that stands in an argument is echoed by nobody but the path and host that were asked about.
    let ran = run(&["explain", "--policy", &policy, "--header", &format!("authorization: {KEY}")]);
    ran.shows_no_value();
    assert_eq!(run(&["explain", "--policy", "/no/such"]).code, 2);
    assert_eq!(run(&["explain", "--policy", &policy, "--header", "nonsense"]).code, 2);
}

#[test]
fn a_reader_that_has_enough_is_no_error() {
    let text = format!("{EMAIL}\n").repeat(100_000);
    let path = file("pipe", "many.txt", text.as_bytes());
    let mut child = Command::new(env!("CARGO_BIN_EXE_bodyguard"))
        .args(["scan", &path])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 10];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let done = child.wait_with_output().unwrap();
    assert_eq!((done.status.code(), done.stderr), (Some(0), Vec::new()));
}
