//! Which rule a request gets: hosts, routes, inheritance.

#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use bodyguard::detect::{Kind, KindSet};
use bodyguard::policy::{
    BlockResponse, BodyMode, BodyRule, FailMode, MinFindings, Mode, PassReason, Policy, RequestHead, Resolution,
};
use bodyguard::scan::Programs;
use proptest::prelude::*;

type Headers<'a> = &'a [(&'a str, &'a str)];

/// Where a request ends up: the JSON path of its rule, or why it passes.
fn place(policy: &Policy, authority: &str, method: &str, path: &str, headers: Headers<'_>) -> String {
    let headers: Vec<(&[u8], &[u8])> = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    let head = RequestHead {
        authority: authority.as_bytes(),
        path: path.as_bytes(),
        method: method.as_bytes(),
        headers: &headers,
        ..RequestHead::default()
    };
    let place = match policy.resolve(&head) {
        Resolution::Rule(rule) => {
            assert_ne!(rule.mode, Mode::Off);
            rule.source.clone()
        }
        Resolution::Pass(reason) => format!("{reason:?}"),
    };
    // What is explained is what is done.
    let explanation = policy.explain(&head);
    match &explanation.resolution {
        Resolution::Rule(rule) => assert_eq!(rule.source, place),
        Resolution::Pass(reason) => assert_eq!(format!("{reason:?}"), place),
    }
    if place.starts_with('$') {
        let last = explanation.tried.last().unwrap();
        assert_eq!((&last.source, &last.missed), (&place, &None));
    }
    place
}

fn load(text: &str) -> Policy {
    Policy::from_yaml_or_json(text).unwrap_or_else(|problems| panic!("{problems:?}"))
}

#[test]
fn the_most_specific_host_has_the_request() {
    let policy = load(
        "
exclude: [/healthz]
domains:
- hosts: ['*']
- hosts: ['*.example.com', example.com]
- hosts: ['*.internal.example.com']
- hosts: [a.internal.example.com, '[2001:db8::1]', '127.0.0.1']
",
    );
    for (authority, domain) in [
        ("example.com", 1),
        ("EXAMPLE.com.:443", 1),
        ("user@example.com", 1),
        ("x.example.com", 1),
        ("x.y.example.com", 1),
        ("internal.example.com", 1),
        ("b.internal.example.com", 2),
        ("a.internal.example.com:8443", 3),
        ("c.a.internal.example.com", 2),
        ("[2001:DB8::1]:443", 3),
        ("127.0.0.1:10000", 3),
        ("badexample.com", 0),
        ("", 0),
    ] {
        assert_eq!(place(&policy, authority, "GET", "/", &[]), format!("$.domains[{domain}]"), "{authority}");
    }
    assert_eq!(place(&policy, "example.com", "GET", "/healthz", &[]), "Excluded");
    let policy = load("domains: [{host: a.com}]");
    assert_eq!(place(&policy, "b.com", "GET", "/", &[]), "NoDomain");
    assert_eq!(place(&policy, "x.a.com", "GET", "/", &[]), "NoDomain");
}

#[test]
fn exclusions_are_exact_and_normalized() {
    let policy = load("{exclude: [/healthz, '/a%20b', /x/../metrics], domains: [{hosts: ['*']}]}");
    for path in ["/healthz", "/healthz?x=/y", "/%68ealthz", "//healthz", "/a%20b", "/a b", "/metrics"] {
        assert_eq!(place(&policy, "h", "GET", path, &[]), "Excluded", "{path}");
    }
    for path in ["/healthz/", "/healthz/x", "/Healthz", "/x/metrics", "/healthz/../api", "/%2568ealthz"] {
        assert_eq!(place(&policy, "h", "GET", path, &[]), "$.domains[0]", "{path}");
    }
}

#[test]
fn the_most_specific_route_has_the_request() {
    let policy = load(
        "
domains:
- hosts: ['*']
  routes:
  - match: {methods: [DELETE]}                                  # 0
  - match: {path_prefix: /}                                     # 1
  - match: {path_prefix: /api}                                  # 2
  - match: {path_prefix: /api/v2/}                              # 3
  - match: {path_regex: '^/api/v[0-9]+/users$'}                 # 4
  - match: {path_exact: /api/v1/users}                          # 5
  - match: {path_exact: /api/v1/users, methods: [post]}         # 6
  - match: {path_prefix: /only, methods: [PUT]}                 # 7
  - match: {path_regex: export}                                 # 8
  - match: {path_regex: '^/api/export$'}                        # 9
",
    );
    for (method, path, route) in [
        ("GET", "/", 1),
        ("GET", "/apix", 1),
        ("GET", "/api", 2),
        ("GET", "/api/", 2),
        ("GET", "/api/v1", 2),
        ("GET", "/x/%2e%2e/api", 2),
        ("GET", "/x/..%2Fapi/y", 2),
        ("GET", "http://other.host/api/y?z", 2),
        ("GET", "/api/v2", 3),
        ("GET", "/api/v2/x", 3),
        ("GET", "/api/v2x", 2),
        ("GET", "/api/v2/users", 4),
        ("GET", "/api/v2/users/", 3),
        ("GET", "/api/v1/users", 5),
        // Equal in path, so the first one that matches; 6 is never reached.
        ("POST", "/api/v1/users", 5),
        // The most specific one asks for another method, so the next one is tried.
        ("GET", "/only/x", 1),
        ("PUT", "/only/x", 7),
        // Any path stands behind every prefix.
        ("DELETE", "/api", 2),
        ("GET", "/api/export", 8),
        ("OPTIONS", "*", 1),
        ("CONNECT", "", 1),
    ] {
        assert_eq!(place(&policy, "h", method, path, &[]), format!("$.domains[0].routes[{route}]"), "{method} {path}");
    }
}

#[test]
fn every_predicate_must_hold() {
    let policy = load(
        "
domains:
- hosts: ['*']
  routes:
  - match: {methods: [POST], content_type: [application/json, 'text/*']}
  - match: {content_type: application/xml}
  - match: {headers: [{name: X-Env, exact: prod}, {name: x-trace, contains: bc}]}
  - match: {headers: [{name: x-list, exact: 'a, b'}]}
  - match: {headers: [{name: x-re, regex: '^v[0-9]$'}]}
  - match: {headers: [{name: x-here}, {name: x-gone, present: false}]}
  - match: {headers: {X-Short: yes please}}
",
    );
    let route = |index: usize| format!("$.domains[0].routes[{index}]");
    let none = || "NoRoute".to_owned();
    let table: [(&str, Headers<'_>, String); 17] = [
        ("POST", &[("content-type", "application/json; charset=utf-8")], route(0)),
        ("post", &[("content-type", "TEXT/plain")], route(0)),
        ("GET", &[("content-type", "application/json")], none()),
        ("POST", &[], none()),
        ("POST", &[("content-type", "application/xml")], route(1)),
        ("GET", &[("x-env", "prod"), ("x-trace", "abcd")], route(2)),
        ("GET", &[("x-env", "prod")], none()),
        ("GET", &[("x-env", "PROD"), ("x-trace", "abcd")], none()),
        ("GET", &[("x-list", "a"), ("x-other", "c"), ("x-list", "b")], route(3)),
        ("GET", &[("x-list", "a")], none()),
        ("GET", &[("x-re", "v2")], route(4)),
        ("GET", &[("x-re", "v22")], none()),
        ("GET", &[("x-re", "v2"), ("x-re", "v3")], none()),
        ("GET", &[("x-here", "")], route(5)),
        ("GET", &[("x-here", ""), ("x-gone", "")], none()),
        ("GET", &[("x-short", "yes please")], route(6)),
        ("GET", &[("x-short", "yes")], none()),
    ];
    for (method, headers, expected) in table {
        assert_eq!(place(&policy, "h", method, "/", headers), expected, "{method} {headers:?}");
    }
}

#[test]
fn a_domain_without_routes_is_a_route_and_one_with_routes_is_not() {
    for (text, expected) in [
        ("domains: [{host: h}]", "$.domains[0]"),
        ("domains: [{host: h, routes: []}]", "$.domains[0]"),
        ("domains: [{host: h, routes: [{}]}]", "$.domains[0].routes[0]"),
        ("domains: [{host: h, routes: [{match: {path_exact: /x}}]}]", "NoRoute"),
        ("domains: [{host: h, policy: {mode: off}}]", "ModeOff"),
        ("domains: [{host: h, policy: {mode: off}, routes: [{policy: {mode: shadow}}]}]", "$.domains[0].routes[0]"),
        ("spec: {domains: [{host: h}]}", "$.spec.domains[0]"),
    ] {
        assert_eq!(place(&load(text), "h", "GET", "/", &[]), expected, "{text}");
    }
}

#[test]
fn the_most_specific_value_that_is_set_wins() {
    let policy = load(
        "
defaults:
  mode: detect
  inspect_request_body: true
  max_request_body_bytes: 10
  skip_content_types: [image/*]
  block_response: {status: 451, body: nope}
  checks: {body: {dlp: {direction: both, redact: [email]}, detect_sensitive_data: true}}
domains:
- host: h
  policy:
    fail_mode: fail_open
    inspect_response_body: true
    max_response_body_bytes: 30
    request_body_mode: buffered
  routes:
  - match: {path_exact: /inherits}
  - match: {path_exact: /overrides}
    policy:
      mode: block
      fail_mode: fail_close
      inspect_request_body: false
      max_response_body_bytes: 40
      skip_content_types: []
      block_response: {status: 403}
      checks: {body: {dlp: {block: [jwt]}}}
  - match: {path_exact: /nothing}
    policy: {checks: {body: {}}}
- host: built-in
",
    );
    let rule = |source: &str| policy.rules().find(|rule| rule.source == source).unwrap();
    let email: KindSet = [Kind::EMAIL].into_iter().collect();
    let inherits = rule("$.domains[0].routes[0]");
    assert_eq!((inherits.mode, inherits.fail_mode, inherits.skip_content_types.len()), (Mode::Detect, FailMode::Open, 1));
    assert_eq!(inherits.block_response, Some(BlockResponse { status: Some(451), content_type: None, body: Some("nope".into()) }));
    let request = BodyRule {
        max_bytes: 10,
        body_mode: BodyMode::Buffered,
        block: KindSet::EMPTY,
        redact: email,
        sensitive_data: true,
        program: Programs::default().of(KindSet::core()),
        json: None,
        redact_in_observe_modes: true,
        same_length: KindSet::EMPTY,
        min_findings: MinFindings::default(),
    };
    assert_eq!(inherits.request.as_ref(), Some(&request));
    assert_eq!(inherits.response.as_ref(), Some(&BodyRule { max_bytes: 30, body_mode: BodyMode::Auto, ..request.clone() }));

    let overrides = rule("$.domains[0].routes[1]");
    assert_eq!((overrides.mode, overrides.fail_mode, overrides.skip_content_types.len()), (Mode::Block, FailMode::Close, 0));
    assert_eq!(
        overrides.block_response,
        Some(BlockResponse { status: Some(403), content_type: None, body: Some("nope".into()) })
    );
    assert_eq!(overrides.request, None);
    // checks.body is replaced whole: no redact list and no hook are left of the defaults', and the direction is built in again.
    let jwt: KindSet = [Kind::JWT].into_iter().collect();
    let response = BodyRule {
        max_bytes: 40,
        body_mode: BodyMode::Auto,
        block: jwt,
        redact: KindSet::EMPTY,
        sensitive_data: false,
        program: Programs::default().of(jwt),
        json: None,
        redact_in_observe_modes: true,
        same_length: KindSet::EMPTY,
        min_findings: MinFindings::default(),
    };
    assert_eq!(overrides.response.as_ref(), Some(&response));

    let nothing = rule("$.domains[0].routes[2]");
    assert_eq!((&nothing.request, &nothing.response), (&None, &None));
    // detect_sensitive_data and an inherited flag: the domain without anything of its own inspects requests.
    assert_eq!(rule("$.domains[1]").request.as_ref().unwrap().max_bytes, 10);
    assert_eq!(policy.rules().count(), 4);
}

#[test]
fn built_in_values_are_the_safe_ones() {
    let policy =
        load("domains: [{host: h, policy: {inspect_request_body: true, checks: {body: {detect_sensitive_data: true}}}}]");
    let rule = policy.rules().next().unwrap();
    assert_eq!((rule.mode, rule.fail_mode), (Mode::Block, FailMode::Close));
    assert_eq!((&rule.block_response, rule.skip_content_types.len()), (&None, 0));
    let request = rule.request.as_ref().unwrap();
    assert_eq!((request.max_bytes, request.body_mode, request.kinds()), (1_048_576, BodyMode::Auto, KindSet::core()));
    assert_eq!(rule.response, None);
    assert_eq!(policy.max_inflight_body_bytes, 134_217_728);
    assert!(!policy.allow_on_headers_stop_iteration);
}

#[test]
fn an_explanation_names_what_was_tried_and_what_is_done() {
    let policy = load(
        "
domains:
- hosts: ['*.example.com']
  routes:
  - match: {path_prefix: /api, methods: [GET]}
  - match: {path_prefix: /api, headers: [{name: X-Env}]}
  - match: {path_prefix: /}
    policy:
      mode: shadow
      inspect_response_body: true
      max_response_body_bytes: 1000
      checks: {body: {dlp: {block: [jwt], redact: [email, ssn]}, detect_sensitive_data: true}}
",
    );
    let head = RequestHead {
        authority: b"A.example.com:80",
        path: b"/api//x?y",
        method: b"POST",
        headers: &[],
        ..RequestHead::default()
    };
    let expected = r#"host      "a.example.com"
path      "/api/x"
domain    $.domains[0] by $.domains[0].hosts[0] (*.example.com)
passed by $.domains[0].routes[0] (method does not match)
passed by $.domains[0].routes[1] (header x-env does not match)
route     $.domains[0].routes[2]
mode      shadow (records, blocks nothing)
fail mode fail_close (what cannot be decoded passes)
request   bodies pass unread
response  bodies up to 1000 bytes; block jwt; mask ssn, email; block on any of group:core"#;
    assert_eq!(policy.explain(&head).to_string(), expected);
    let foreign = RequestHead { authority: b"example.org", ..head };
    assert_eq!(
        policy.explain(&foreign).to_string(),
        "host      \"example.org\"\npath      \"/api/x\"\noutcome   passes unread: no domain has the host"
    );
}

proptest! {
    /// However a path below /api is written, its rule is that of /api; and nothing else gets there.
    #[test]
    fn nothing_slips_past_a_prefix(
        before in prop::collection::vec("[a-z]{1,3}", 0..3),
        after in prop::collection::vec("[a-z]{1,3}", 0..3),
        slash in prop_oneof![Just("/"), Just("//"), Just("/./"), Just("%2f"), Just("/%2E/")],
        up in prop_oneof![Just(".."), Just("%2e%2e"), Just(".%2E")],
        api in prop_oneof![Just("api"), Just("%61pi"), Just("ap%69")],
        query in prop_oneof![Just(""), Just("?/../x"), Just("#x")],
    ) {
        let policy = load("domains: [{hosts: ['*'], routes: [{match: {path_prefix: /api}}, {match: {}}]}]");
        let climb = before.iter().map(|name| format!("{name}{slash}{up}{slash}")).collect::<String>();
        let rest = after.iter().map(|name| format!("{slash}{name}")).collect::<String>();
        let path = format!("/{climb}{api}{rest}{query}");
        prop_assert_eq!(place(&policy, "h", "GET", &path, &[]), "$.domains[0].routes[0]", "{}", path);
        let path = format!("/{climb}{api}{slash}{up}{slash}other{rest}{query}");
        prop_assert_eq!(place(&policy, "h", "GET", &path, &[]), "$.domains[0].routes[1]", "{}", path);
    }

    /// Whatever bytes a request is made of, it is resolved, and resolved as it is explained.
    #[test]
    fn any_bytes_are_resolved(authority in any::<Vec<u8>>(), path in any::<Vec<u8>>(), method in any::<Vec<u8>>(), name in any::<Vec<u8>>(), value in any::<Vec<u8>>()) {
        let policy = load("domains: [{hosts: ['*'], routes: [{match: {path_regex: '^/.\\w', headers: [{name: a, regex: b}]}}, {match: {}}]}]");
        let headers = [(&name[..], &value[..])];
        let head = RequestHead { authority: &authority, path: &path, method: &method, headers: &headers, ..RequestHead::default() };
        let explained = policy.explain(&head);
        prop_assert!(matches!((policy.resolve(&head), explained.resolution), (Resolution::Rule(a), Resolution::Rule(b)) if a.source == b.source));
    }

    /// Of the routes that match, the one that wins is the first in the stated order.
    #[test]
    fn the_order_of_routes_is_the_stated_one(
        routes in prop::collection::btree_set((0..3usize, prop::collection::vec(prop_oneof![Just("a"), Just("b")], 0..3)), 1..7),
        shuffle in any::<u64>(),
        path in prop::collection::vec(prop_oneof![Just("a"), Just("b"), Just("ab")], 0..4),
    ) {
        let mut routes: Vec<_> = routes.into_iter().map(|(class, segments)| (class, format!("/{}", segments.join("/")))).collect();
        let half = usize::try_from(shuffle % 7).unwrap_or(0) % routes.len();
        routes.rotate_left(half);
        let path = format!("/{}", path.join("/"));
        let written: Vec<String> = routes.iter().map(|(class, of)| match class {
            0 => format!("{{match: {{path_exact: '{of}'}}}}"),
            1 => format!("{{match: {{path_regex: '^{of}'}}}}"),
            _ => format!("{{match: {{path_prefix: '{of}'}}}}"),
        }).collect();
        let policy = load(&format!("domains: [{{hosts: ['*'], routes: [{}]}}]", written.join(", ")));
        let matches = |(class, of): &&(usize, String)| match class {
            0 => *of == path,
            1 => path.starts_with(of.as_str()),
            _ => *of == "/" || *of == path || path.starts_with(&format!("{of}/")),
        };
        let best = routes.iter().filter(matches).min_by_key(|(class, of)| (*class, if *class == 2 { usize::MAX.saturating_sub(of.len()) } else { 0 }));
        let expected = best.map(|best| {
            let index = routes.iter().position(|route| route == best).unwrap_or_default();
            format!("$.domains[0].routes[{index}]")
        });
        prop_assert_eq!(place(&policy, "h", "GET", &path, &[]), expected.unwrap_or("NoRoute".into()));
    }
}

#[test]
fn a_request_without_a_rule_says_why() {
    for (text, reason) in [
        ("domains: []", PassReason::NoDomain),
        ("{exclude: [/], domains: [{hosts: ['*']}]}", PassReason::Excluded),
        ("domains: [{hosts: ['*'], policy: {mode: off}}]", PassReason::ModeOff),
        ("domains: [{hosts: ['*'], routes: [{match: {path_exact: /x}}]}]", PassReason::NoRoute),
    ] {
        assert_eq!(place(&load(text), "h", "GET", "/", &[]), format!("{reason:?}"), "{text}");
    }
}

/// What kinds a rule looks for is not weighed: docs/policy.md says so.
#[test]
fn of_two_equally_strict_readings_of_an_escaped_slash_the_decoded_one_counts() {
    let policy = load(
        "
domains:
- hosts: ['*']
  policy: {inspect_request_body: true}
  routes:
  - match: {path_prefix: /few}
    policy: {checks: {body: {dlp: {direction: request, block: [ssn]}}}}
  - match: {path_prefix: /many}
    policy: {checks: {body: {dlp: {direction: request, block: [ssn, email, jwt]}}}}
",
    );
    for (path, expected) in [
        ("/few/..%2fmany", "$.domains[0].routes[1]"),
        ("/many/..%2Ffew", "$.domains[0].routes[0]"),
        ("/many%2fx", "$.domains[0].routes[1]"),
    ] {
        assert_eq!(place(&policy, "h", "GET", path, &[]), expected, "{path}");
    }
}

/// Of the readings of an escaped slash, the stricter one counts.
#[test]
fn nobody_opts_out_with_an_escaped_slash() {
    let policy = load(
        "
exclude: [/healthz]
domains:
- hosts: ['*']
  routes:
  - match: {path_prefix: /off}
    policy: {mode: 'off'}
  - match: {path_prefix: /shadow}
    policy: {mode: shadow, inspect_request_body: true, checks: {body: {dlp: {direction: request, block: [email]}}}}
  - match: {path_prefix: /api}
    policy: {inspect_request_body: true, checks: {body: {dlp: {direction: request, block: [email]}}}}
",
    );
    let api = "$.domains[0].routes[2]";
    for (path, expected) in [
        ("/api/..%2foff/x", api),
        ("/api%2f..%2foff", "ModeOff"),
        ("/api/x%2F..%2f..%2Fhealthz", api),
        ("/api/..%2fshadow", api),
        ("/shadow/..%2fapi", api),
        ("/off/..%2fapi", api),
        ("/off%2fapi", "ModeOff"),
        ("/healthz", "Excluded"),
    ] {
        assert_eq!(place(&policy, "h", "GET", path, &[]), expected, "{path}");
    }
}
