//! The forms in which a document comes, and the documents that come with the project.

#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use bodyguard::detect::{Kind, KindSet};
use bodyguard::policy::{
    BlockResponse, BodyMode, BodyRule, FailMode, MinFindings, Mode, PassReason, Policy, Problem, RequestHead, Resolution, Rule,
};
use bodyguard::scan::Programs;
use proptest::prelude::*;
use std::sync::Arc;

const FULL: &str = include_str!("../policies/full-example.yaml");

fn kinds(names: &[&str]) -> KindSet {
    names.iter().map(|name| Kind::from_name(name).unwrap()).collect()
}

fn load(text: &str) -> Policy {
    Policy::from_yaml_or_json(text).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn resolve(policy: &Policy, authority: &str, method: &str, path: &str) -> Resolution {
    policy.resolve(&RequestHead {
        authority: authority.as_bytes(),
        path: path.as_bytes(),
        method: method.as_bytes(),
        headers: &[],
        ..RequestHead::default()
    })
}

#[track_caller]
fn rule(policy: &Policy, authority: &str, method: &str, path: &str) -> Arc<Rule> {
    match resolve(policy, authority, method, path) {
        Resolution::Rule(rule) => rule,
        Resolution::Pass(reason) => panic!("{authority} {method} {path}: {reason}"),
    }
}

#[track_caller]
fn passes(policy: &Policy, authority: &str, method: &str, path: &str) -> PassReason {
    match resolve(policy, authority, method, path) {
        Resolution::Rule(rule) => panic!("{authority} {method} {path}: {}", rule.source),
        Resolution::Pass(reason) => reason,
    }
}

fn root_error(bytes: &[u8]) -> String {
    match Policy::from_plugin_configuration(bytes) {
        Err(problems) => match problems.as_slice() {
            [Problem { path, message }] if path == "$" => message.clone(),
            other => panic!("{other:?}"),
        },
        Ok(_) => panic!("loaded"),
    }
}

// --- forms ---

/// What Envoy makes of a JSON value that stands in a Struct: struct.proto, every number a double.
mod wire {
    use serde_json::Value;

    pub(super) fn of(value: &Value) -> Vec<u8> {
        let Value::Object(fields) = value else { panic!("not an object") };
        let mut out = Vec::new();
        for (key, value) in fields {
            let mut entry = Vec::new();
            bytes(1, key.as_bytes(), &mut entry);
            bytes(2, &of_value(value), &mut entry);
            bytes(1, &entry, &mut out);
        }
        out
    }

    fn of_value(value: &Value) -> Vec<u8> {
        let mut out = Vec::new();
        match value {
            Value::Null => out.extend([1 << 3, 0]),
            Value::Number(number) => {
                out.push(2 << 3 | 1);
                out.extend(number.as_f64().unwrap().to_le_bytes());
            }
            Value::String(text) => bytes(3, text.as_bytes(), &mut out),
            Value::Bool(flag) => out.extend([4 << 3, u8::from(*flag)]),
            Value::Object(_) => bytes(5, &of(value), &mut out),
            Value::Array(items) => {
                let mut list = Vec::new();
                for item in items {
                    bytes(1, &of_value(item), &mut list);
                }
                bytes(6, &list, &mut out);
            }
        }
        out
    }

    fn bytes(number: u8, value: &[u8], out: &mut Vec<u8>) {
        out.push(number << 3 | 2);
        let mut length = value.len();
        while length > 127 {
            out.push((length & 127) as u8 | 128);
            length >>= 7;
        }
        out.push(length as u8);
        out.extend_from_slice(value);
    }
}

#[test]
fn the_full_example_is_the_same_policy_in_every_form() {
    let json: serde_json::Value = serde_saphyr::from_str(FULL).unwrap();
    let yaml = load(FULL);
    let text = Policy::from_plugin_configuration(json.to_string().as_bytes()).unwrap();
    let protobuf = Policy::from_plugin_configuration(&wire::of(&json)).unwrap();
    for policy in [&yaml, &text, &protobuf] {
        assert_eq!(policy.name, "api-dlp");
        assert_eq!(policy.warnings, []);
        assert_eq!(policy.hash, yaml.hash);
        assert!(!policy.allow_on_headers_stop_iteration);
        assert_eq!(policy.max_inflight_body_bytes, 134_217_728);
        let rule = rule(policy, "anything:8080", "GET", "/x");
        assert_eq!(rule.source, "$.spec.domains[0].routes[0]");
        assert_eq!((rule.mode, rule.fail_mode), (Mode::Block, FailMode::Close));
        let expected = BodyRule {
            max_bytes: 1_048_576,
            body_mode: BodyMode::Auto,
            block: kinds(&["private_key", "aws_access_key", "google_api_key", "slack_token", "github_token"]),
            redact: kinds(&["credit_card", "ssn", "email", "jwt"]),
            sensitive_data: true,
            program: Programs::default().of(KindSet::core()),
            json: None,
            redact_in_observe_modes: true,
            same_length: KindSet::EMPTY,
            min_findings: MinFindings::default(),
        };
        assert_eq!(rule.request.as_ref(), Some(&expected));
        assert_eq!(rule.response.as_ref(), Some(&expected));
        assert_eq!(rule.skip_content_types.len(), 4);
        let reply = BlockResponse { status: Some(403), content_type: Some("application/json".into()), body: Some("...".into()) };
        assert_eq!(rule.block_response, Some(reply));
        assert_eq!(passes(policy, "h", "GET", "/healthz?full=1"), PassReason::Excluded);
        assert_eq!(policy.rules().count(), 1);
    }
}

#[test]
fn the_spec_alone_is_a_policy_without_a_name() {
    let json: serde_json::Value = serde_saphyr::from_str(FULL).unwrap();
    let spec = json.get("spec").unwrap();
    for policy in [
        Policy::from_plugin_configuration(format!(" \r\n\t{spec}\n").as_bytes()).unwrap(),
        Policy::from_plugin_configuration(&wire::of(spec)).unwrap(),
    ] {
        assert_eq!(policy.name, Policy::UNNAMED);
        assert_eq!(rule(&policy, "h", "GET", "/").source, "$.domains[0].routes[0]");
    }
}

#[test]
fn a_hash_names_the_document_and_not_its_spelling() {
    let hash = |text: &str| Policy::from_plugin_configuration(text.as_bytes()).unwrap().hash;
    let first = hash(r#"{"domains":[{"hosts":["a"]}],"max_inflight_body_bytes":1048576}"#);
    assert_eq!(first, hash(r#"{ "max_inflight_body_bytes": 1048576.0, "domains": [{"hosts": ["\u0061"]}] }"#));
    assert_ne!(first, hash(r#"{"domains":[{"hosts":["b"]}],"max_inflight_body_bytes":1048576}"#));
    // printf '%s' '{"domains":[{"hosts":["a"]}],"max_inflight_body_bytes":1048576}' | sha256sum | cut -c1-12
    assert_eq!(first, "8ac95602c3c5");
}

#[test]
fn a_missing_or_foreign_configuration_says_what_to_configure() {
    let how = "set the plugin's configuration (Istio: pluginConfig) to a policy: a JSON object with `domains`, or a whole SecurityPolicy resource";
    for nothing in [&b""[..], b"  \n"] {
        assert_eq!(root_error(nothing), format!("no policy configured: {how}"));
    }
    for foreign in ["spec: {}", "[]", "\"x\"", "null"] {
        let expected = format!(
            "found neither a JSON object nor a google.protobuf.Struct, but {} bytes of something else; {how}",
            foreign.len()
        );
        assert_eq!(root_error(foreign.as_bytes()), expected);
    }
    assert_eq!(root_error(b"\x0a\xff"), format!("not a google.protobuf.Struct: ends in the middle of a field; {how}"));
    assert!(
        root_error(b"{\"domains\": [}").starts_with("not json: expected value at line 1 column"),
        "{}",
        root_error(b"{\"domains\": [}")
    );
    assert!(root_error(b"{} x").starts_with("not json: trailing characters"));
    assert_eq!(root_error(&vec![b' '; 1_048_577]), "found 1048577 bytes, allowed: at most 1048576");
}

#[test]
fn a_struct_that_looks_like_json_at_first_is_read_as_one() {
    // A first entry of 123 bytes starts with a line feed and a brace.
    for length in 0..200usize {
        let json = serde_json::json!({"exclude": [format!("/{}", "x".repeat(length))]});
        assert!(Policy::from_plugin_configuration(&wire::of(&json)).is_ok(), "{length}");
    }
    assert!(Policy::from_plugin_configuration(b"\n{\"domains\": []}").is_ok());
}

#[test]
fn depth_is_bounded_in_every_form() {
    let deep = |levels: usize| ["{\"a\":".repeat(levels), "1".into(), "}".repeat(levels)].concat();
    let json = root_error(deep(33).as_bytes());
    assert!(json.starts_with("not json: nested deeper than 32 levels"), "{json}");
    assert!(root_error(deep(100_000).as_bytes()).starts_with("not json: nested deeper than 32 levels"));
    let value: serde_json::Value = serde_json::from_str(&deep(40)).unwrap();
    assert!(root_error(&wire::of(&value)).starts_with("not a google.protobuf.Struct: nested deeper than 32 levels"));
    let unknown = Policy::from_plugin_configuration(deep(32).as_bytes()).unwrap_err();
    assert!(unknown.iter().any(|problem| problem.message.starts_with("unknown field")));
}

#[test]
fn damaged_struct_bytes_never_load_as_something_else_and_never_panic() {
    let json: serde_json::Value = serde_saphyr::from_str(FULL).unwrap();
    let bytes = wire::of(&json);
    for end in 0..bytes.len() {
        assert!(Policy::from_plugin_configuration(&bytes[..end]).is_err(), "{end}");
    }
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << bit;
            let _ = Policy::from_plugin_configuration(&damaged);
        }
    }
}

#[test]
fn a_key_given_twice_is_an_error() {
    let problems = Policy::from_plugin_configuration(br#"{"domains": [{"hosts": ["a"], "hosts": ["b"]}]}"#).unwrap_err();
    assert_eq!(problems, [Problem { path: "$.domains[0].hosts".into(), message: "found twice, allowed: once".into() }]);
    assert!(Policy::from_yaml_or_json("defaults: {mode: off, mode: block}").is_err());
}

#[test]
fn off_survives_readers_that_take_it_for_false() {
    // Kubernetes reads YAML 1.1, where a bare off is false.
    for mode in ["off", "\"off\"", "false"] {
        let policy = load(&format!("{{defaults: {{mode: {mode}}}, domains: [{{hosts: ['*']}}]}}"));
        assert_eq!(passes(&policy, "h", "GET", "/"), PassReason::ModeOff, "{mode}");
    }
}

#[test]
fn null_is_as_if_the_field_were_not_there() {
    let policy = load("{exclude: null, defaults: null, domains: [{host: a, policy: null, routes: null}]}");
    assert_eq!(policy.warnings, []);
    assert_eq!(rule(&policy, "a", "GET", "/").source, "$.domains[0]");
}

/// Documents of a policy's words, most of them wrong.
fn documents() -> impl Strategy<Value = serde_json::Value> {
    let words = [
        "domains",
        "hosts",
        "host",
        "routes",
        "match",
        "policy",
        "defaults",
        "mode",
        "checks",
        "body",
        "dlp",
        "block",
        "redact",
        "inspect_request_body",
        "max_request_body_bytes",
        "path_prefix",
        "methods",
        "headers",
        "content_type",
        "spec",
        "metadata",
        "name",
        "engines",
        "timeout",
        "exclude",
        "block_response",
        "status",
        "odd name",
    ];
    let word = prop::sample::select(words.to_vec());
    let values = ["*", "off", "block", "email", "jwt", "/", "/a", "GET", "a.com", "", "x\ny", "\u{1F512}"];
    let leaf = prop_oneof![
        prop::sample::select(values.to_vec()).prop_map(serde_json::Value::from),
        any::<bool>().prop_map(serde_json::Value::from),
        prop::sample::select(vec![0.0, 1.0, 403.0, -1.0, 0.5, 1e18]).prop_map(serde_json::Value::from),
        Just(serde_json::Value::Null),
    ];
    leaf.prop_recursive(6, 48, 6, move |inner| {
        prop_oneof![
            3 => prop::collection::btree_map(word.clone().prop_map(str::to_owned), inner.clone(), 0..5)
                .prop_map(|fields| fields.into_iter().collect::<serde_json::Map<_, _>>().into()),
            1 => prop::collection::vec(inner, 0..3).prop_map(serde_json::Value::from),
        ]
    })
    .prop_filter("an object", serde_json::Value::is_object)
}

/// The name of a policy that loads, with its hash and warnings, or its errors.
fn outcome(loaded: Result<Policy, Vec<Problem>>) -> (String, Vec<Problem>) {
    match loaded {
        Ok(policy) => (policy.hash, policy.warnings),
        Err(problems) => (String::new(), problems),
    }
}

proptest! {
    #[test]
    fn json_and_struct_of_a_document_have_one_outcome(document in documents()) {
        let text = document.to_string();
        let json = outcome(Policy::from_plugin_configuration(text.as_bytes()));
        prop_assert!(!json.0.is_empty() || !json.1.is_empty(), "an error without a word: {text}");
        prop_assert!(json.1.iter().all(|problem| problem.path.starts_with('$') && !problem.to_string().contains('\n')));
        // The Struct of an empty object is no bytes at all.
        if document != serde_json::json!({}) {
            prop_assert_eq!(&json, &outcome(Policy::from_plugin_configuration(&wire::of(&document))), "{}", text);
        }
        prop_assert_eq!(json, outcome(Policy::from_yaml_or_json(&text)));
    }
}

// --- documents that come with the project; what they do to messages: tests/shipped_policies.rs ---

fn shipped(name: &str) -> Policy {
    load(&std::fs::read_to_string(format!("{}/policies/{name}.yaml", env!("CARGO_MANIFEST_DIR"))).unwrap())
}

#[test]
fn observe_only_looks_for_everything_and_changes_nothing() {
    let rule = rule(&shipped("observe-only"), "any", "POST", "/");
    assert_eq!((rule.mode, rule.fail_mode), (Mode::Detect, FailMode::Open));
    for side in [&rule.request, &rule.response] {
        let side = side.as_ref().unwrap();
        assert_eq!(side.kinds(), KindSet::core());
        assert!(!side.redact_in_observe_modes);
    }
}

#[test]
fn pii_redact_blocks_no_kind_and_shows_people_their_own_address() {
    let policy = shipped("pii-redact");
    assert!(policy.rules().flat_map(|rule| &rule.response).all(|side| side.block.is_empty() && !side.sensitive_data));
    assert!(rule(&policy, "any", "GET", "/users").response.as_ref().unwrap().redact.contains(Kind::EMAIL));
    assert!(!rule(&policy, "any", "GET", "/me").response.as_ref().unwrap().redact.contains(Kind::EMAIL));
}

// --- the schema ---

#[test]
fn the_schema_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/policies/schema.json");
    let made = bodyguard::policy::json_schema();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &made).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == made, "policies/schema.json is stale: run the tests with UPDATE=1");
}
