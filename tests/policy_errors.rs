//! Every error and warning of a policy document, word for word.

#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use bodyguard::detect::{GROUPS, Kind};
use bodyguard::policy::{Policy, Problem};

#[path = "support/schema.rs"]
mod schema;

fn lines(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

/// Every document that a test here makes is shown to the schema too.
#[track_caller]
fn errors(text: &str) -> Vec<String> {
    let errors = match Policy::from_yaml_or_json(text) {
        Ok(_) => Vec::new(),
        Err(problems) => lines(&problems),
    };
    schema::assert_agrees(text, &errors);
    errors
}

fn warnings(text: &str) -> Vec<String> {
    match Policy::from_yaml_or_json(text) {
        Ok(policy) => {
            schema::assert_agrees(text, &[]);
            lines(&policy.warnings)
        }
        Err(problems) => panic!("{text}: {:?}", lines(&problems)),
    }
}

/// A spec with one domain, one route and this policy block there.
fn route(policy: &str) -> String {
    format!("domains: [{{hosts: ['*'], routes: [{{match: {{}}, policy: {{{policy}}}}}]}}]")
}

/// A spec with one domain and a route with this match.
fn matching(predicates: &str) -> String {
    format!("domains: [{{hosts: ['*'], routes: [{{match: {{{predicates}}}}}]}}]")
}

const ROUTE: &str = "$.domains[0].routes[0]";

/// What a dlp list may hold: the kinds but one, and the groups.
fn kinds() -> String {
    let kinds = Kind::all().filter(|kind| *kind != Kind::STRIPE_KEY).map(Kind::name);
    kinds.chain(GROUPS.iter().map(|group| group.name)).collect::<Vec<_>>().join(", ")
}

#[track_caller]
fn assert_errors(text: &str, expected: &[&str]) {
    assert_eq!(errors(text), expected, "{text}");
}

#[track_caller]
fn assert_one(text: &str, place: &str, message: &str) {
    assert_eq!(errors(text), [format!("{ROUTE}{place}: {message}")], "{text}");
}

#[test]
fn an_unknown_field_is_named_with_what_is_allowed_and_what_was_meant() {
    assert_errors(
        "{domain: []}",
        &[
            "$.domain: unknown field, allowed: allow_on_headers_stop_iteration, max_inflight_body_bytes, detectors, exclude, defaults, domains, events; \
           did you mean domains?",
        ],
    );
    assert_errors(
        "{apiVersion: sentinel.elchi.io/v1, spec: {domains: [{hosts: ['*'], rotes: []}]}}",
        &["$.spec.domains[0].rotes: unknown field, allowed: hosts, host, policy, routes; did you mean routes?"],
    );
    assert_errors(
        "{spec: {}, defaults: {}}",
        &["$.defaults: unknown field, allowed: apiVersion, kind, metadata, spec; did you mean spec.defaults?"],
    );
    assert_one(
        &matching("path: /x"),
        ".match.path",
        "unknown field, allowed: path_exact, path_regex, path_prefix, methods, content_type, headers, source_principals, \
         destination_ports, clusters",
    );
    assert_errors(
        "domains: [{hosts: ['*'], routes: [{match: {}, mode: block}]}]",
        &["$.domains[0].routes[0].mode: unknown field, allowed: match, policy; did you mean policy.mode?"],
    );
    assert_errors(
        "{domains: [], \"a b\": 1}",
        &[
            "$[\"a b\"]: unknown field, allowed: allow_on_headers_stop_iteration, max_inflight_body_bytes, detectors, exclude, defaults, domains, events",
        ],
    );
}

#[test]
fn a_wrong_value_is_shown_beside_what_is_allowed() {
    for (block, place, message) in [
        ("mode: blok", ".policy.mode", "found \"blok\", allowed: off, detect, shadow, block"),
        ("mode: true", ".policy.mode", "found true, allowed: off, detect, shadow, block"),
        ("fail_mode: open", ".policy.fail_mode", "found \"open\", allowed: fail_open, fail_close"),
        ("inspect_request_body: 'yes'", ".policy.inspect_request_body", "found \"yes\", allowed: true or false"),
        ("max_request_body_bytes: -1", ".policy.max_request_body_bytes", "found -1, allowed: an integer from 0 to 134217728"),
        ("max_request_body_bytes: 1.5", ".policy.max_request_body_bytes", "found 1.5, allowed: an integer from 0 to 134217728"),
        (
            "max_request_body_bytes: 1Mi",
            ".policy.max_request_body_bytes",
            "found \"1Mi\", allowed: an integer from 0 to 134217728",
        ),
        (
            "max_response_body_bytes: 134217729",
            ".policy.max_response_body_bytes",
            "found 134217729, allowed: an integer from 0 to 134217728",
        ),
        ("request_body_mode: stream", ".policy.request_body_mode", "found \"stream\", allowed: auto, buffered, streamed"),
        ("ranges: deny", ".policy.ranges", "found \"deny\", allowed: strip, allow"),
        ("upgrades: false", ".policy.upgrades", "found false, allowed: allow, deny"),
        (
            "checks: {body: {dlp: {redact: [email], mask: stars}}}",
            ".policy.checks.body.dlp.mask",
            "found a text, allowed: label, same_length, or a map from kinds to them",
        ),
        (
            "checks: {body: {dlp: {redact: [email], mask: [label]}}}",
            ".policy.checks.body.dlp.mask",
            "found a list of 1, allowed: label, same_length, or a map from kinds to them",
        ),
        (
            "checks: {body: {dlp: {redact: [email], mask: {email: stars}}}}",
            ".policy.checks.body.dlp.mask.email",
            "found a text, allowed: label, same_length",
        ),
        (
            "checks: {body: {dlp: {redact: [email], mask: {stripe_key: label}}}}",
            ".policy.checks.body.dlp.mask.stripe_key",
            "found \"stripe_key\", which is detect-only: detect_sensitive_data blocks on it, no dlp list may name it",
        ),
        ("skip_content_types: image/png", ".policy.skip_content_types", "found \"image/png\", allowed: a list"),
        ("block_response: {status: 99}", ".policy.block_response.status", "found 99, allowed: an integer from 200 to 599"),
        (
            "block_response: {content_type: json}",
            ".policy.block_response.content_type",
            "found \"json\", allowed: a media type with a subtype, as in application/json; charset=utf-8, at most 4096 bytes",
        ),
        ("checks: []", ".policy.checks", "found a list of 0, allowed: an object"),
        (
            "checks: {body: {dlp: {redact: [email], direction: in}}}",
            ".policy.checks.body.dlp.direction",
            "found \"in\", allowed: response, request, both",
        ),
    ] {
        assert_one(&route(block), place, message);
    }
    let body = "x".repeat(65_537);
    assert_one(
        &route(&format!("block_response: {{body: {body}}}")),
        ".policy.block_response.body",
        &format!("found \"{}\"..., allowed: a text of at most 65536 bytes: it has 65537 bytes", "x".repeat(60)),
    );
}

#[test]
fn the_kinds_of_a_dlp_list_are_checked() {
    let kinds = kinds();
    for (dlp, place, message) in [
        ("redact: [emial]", ".redact[0]", format!("found \"emial\", allowed: {kinds}; did you mean email?")),
        ("block: [passport]", ".block[0]", format!("found \"passport\", allowed: {kinds}")),
        ("block: [email, 7]", ".block[1]", format!("found 7, allowed: {kinds}")),
        (
            "block: [stripe_key]",
            ".block[0]",
            "found \"stripe_key\", which is detect-only: detect_sensitive_data blocks on it, no dlp list may name it".into(),
        ),
        (
            "block: [jwt, ssn], redact: [email, ssn]",
            ".redact[1]",
            "found \"ssn\", which block names too, allowed: a kind in one of the two lists, or with min_findings of 2 and more"
                .into(),
        ),
        (
            "block: [group:secrets], redact: [email, jwt]",
            ".redact[1]",
            "found \"jwt\", which block names too by group:secrets, allowed: a kind in one of the two lists, or with min_findings of 2 and more".into(),
        ),
        (
            "block: [ssn], redact: ['group:pii-us']",
            ".redact[0]",
            "found \"group:pii-us\", whose ssn block names too, allowed: a kind in one of the two lists, or with min_findings of 2 and more".into(),
        ),
        (
            "block: ['group:financial'], redact: ['group:pii-us']",
            ".redact[0]",
            "found \"group:pii-us\", whose us_bank_routing block names too by group:financial, allowed: a kind in one of the two lists, or with min_findings of 2 and more".into(),
        ),
        ("block: ['group:pii']", ".block[0]", format!("found \"group:pii\", allowed: {kinds}; did you mean group:pii-us?")),
        ("direction: both", "", "found neither block nor redact, allowed: at least one of them, not empty".into()),
        ("block: [], redact: []", "", "found neither block nor redact, allowed: at least one of them, not empty".into()),
    ] {
        assert_one(
            &route(&format!("checks: {{body: {{dlp: {{{dlp}}}}}}}")),
            &format!(".policy.checks.body.dlp{place}"),
            &message,
        );
    }
}

#[test]
fn an_inspected_direction_needs_a_cap() {
    let checks = "checks: {body: {detect_sensitive_data: true}}";
    assert_one(
        &route(&format!("inspect_response_body: true, {checks}")),
        ".policy.inspect_response_body",
        "found true without max_response_body_bytes (built in: 0), allowed: with one from 1 to 134217728, or response_body_mode: streamed",
    );
    assert_one(
        &route(&format!("inspect_request_body: true, max_request_body_bytes: 0, {checks}")),
        ".policy.max_request_body_bytes",
        "found 0 where inspect_request_body is true, allowed: 1 to 134217728",
    );
    // Only when merged: the flag above, the 0 below.
    assert_errors(
        &format!("{{defaults: {{inspect_request_body: true, {checks}}}, {}}}", route("max_request_body_bytes: 0")),
        &[
            "$.domains[0].routes[0].policy.max_request_body_bytes: found 0 where inspect_request_body is true, allowed: 1 to 134217728",
        ],
    );
    // What flows is not buffered, wherever that is said.
    for body_mode in ["", "max_response_body_bytes: 0, "] {
        let text = route(&format!("inspect_response_body: true, {body_mode}response_body_mode: streamed, {checks}"));
        assert_errors(&text, &[]);
        let inner = route(&format!("{body_mode}inspect_response_body: true"));
        assert_errors(&format!("{{defaults: {{response_body_mode: streamed, {checks}}}, {inner}}}"), &[]);
    }
    // Built in is enough for requests.
    assert_errors(&route(&format!("inspect_request_body: true, {checks}")), &[]);
    // A flag in the defaults may find its cap below.
    assert_errors(
        &format!("{{defaults: {{inspect_response_body: true, {checks}}}, {}}}", route("max_response_body_bytes: 1")),
        &[],
    );
}

#[test]
fn mode_off_beside_an_inspect_flag_is_an_error_and_over_an_inherited_one_is_not() {
    for direction in ["request", "response"] {
        assert_one(
            &route(&format!("mode: off, inspect_{direction}_body: true")),
            &format!(".policy.inspect_{direction}_body"),
            "found true beside mode: off, allowed: false (off inspects nothing)",
        );
        assert_errors(&route(&format!("mode: off, inspect_{direction}_body: false")), &[]);
    }
    let inspecting = "inspect_request_body: true, checks: {body: {detect_sensitive_data: true}}";
    let text = format!("{{defaults: {{{inspecting}}}, {}}}", route("mode: off"));
    assert_errors(&text, &[]);
    assert_eq!(warnings(&text), [""; 0]);
    // The other way round it loads, so that one line switches everything off, but says so.
    assert_eq!(
        warnings(&format!("{{defaults: {{mode: off}}, {}}}", route(inspecting))),
        ["$.domains[0].routes[0].policy.inspect_request_body: true has no effect: mode is off, from $.defaults.mode"]
    );
}

#[test]
fn what_a_route_asks_for_is_checked() {
    let regex = "a regex in Rust's regex syntax, on bytes, found anywhere unless ^ and $ anchor it, at most 2048 bytes";
    let path = "a path that starts with /, without a query";
    let principal = "a SPIFFE ID as in cluster.local/ns/default/sa/web, with or without spiffe://, or another URI, at most 4096 bytes; a * \
                     stands for anything, alone, at the start or at the end";
    let cluster = "the name of a cluster of Envoy as in outbound|443||api.example.com, at most 4096 bytes; a * stands for anything, \
                   alone, at the start or at the end";
    let unknown = "unknown field, allowed: path_exact, path_regex, path_prefix, methods, content_type, headers, source_principals, \
                   destination_ports, clusters";
    for (predicates, place, message) in [
        ("path_prefix: api", ".path_prefix", format!("found \"api\", allowed: {path}")),
        ("path_prefix: '/a?b'", ".path_prefix", format!("found \"/a?b\", allowed: {path}")),
        ("path_exact: ''", ".path_exact", format!("found \"\", allowed: {path}, or * (the target of a server-wide OPTIONS)")),
        ("path_regex: '('", ".path_regex", format!("found \"(\", allowed: {regex}: unclosed group")),
        (
            "path_regex: '(?:a{1000}){1000}'",
            ".path_regex",
            format!("found \"(?:a{{1000}}){{1000}}\", allowed: {regex}: compiles to more than 262144 bytes"),
        ),
        ("path_exact: /a, path_prefix: /a", "", "found path_exact and path_prefix, allowed: at most one of path_exact, path_regex, path_prefix".into()),
        (
            "methods: [GET, FETCH]",
            ".methods[1]",
            "found \"FETCH\", allowed: an HTTP method: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE, CONNECT, QUERY, or one of WebDAV".into(),
        ),
        ("methods: GET", ".methods", "found \"GET\", allowed: a list".into()),
        ("headers: [{exact: a}]", ".headers[0]", "found no name, which is needed".into()),
        ("headers: [{name: 'a b'}]", ".headers[0].name", "found \"a b\", allowed: a header name (RFC 9110 token)".into()),
        ("headers: {'x:y': z}", ".headers[\"x:y\"]", "found \"x:y\", allowed: a header name (RFC 9110 token)".into()),
        ("headers: {x: 1}", ".headers.x", "found 1, allowed: a text without control characters, at most 4096 bytes".into()),
        ("headers: [{name: a, exact: b, present: true}]", ".headers[0]", "found exact and present, allowed: at most one of exact, contains, regex, present".into()),
        ("headers: [{name: a, regex: '(?=b)'}]", ".headers[0].regex", format!("found \"(?=b)\", allowed: {regex}: look-around, including look-ahead and look-behind, is not supported")),
        ("source_principals: a/ns/b/sa/c", ".source_principals", "found \"a/ns/b/sa/c\", allowed: a list".into()),
        ("source_principals: ['a/ns/*/sa/c']", ".source_principals[0]", format!("found \"a/ns/*/sa/c\", allowed: {principal}")),
        ("source_principals: ['*', 'spiffe://*/sa/c']", ".source_principals[1]", format!("found \"spiffe://*/sa/c\", allowed: {principal}")),
        ("source_principals: ['*a*']", ".source_principals[0]", format!("found \"*a*\", allowed: {principal}")),
        ("source_principals: ['a b']", ".source_principals[0]", format!("found \"a b\", allowed: {principal}")),
        ("source_principals: ['']", ".source_principals[0]", format!("found \"\", allowed: {principal}")),
        ("source_principals: [1]", ".source_principals[0]", format!("found 1, allowed: {principal}")),
        ("destination_ports: [0]", ".destination_ports[0]", "found 0, allowed: an integer from 1 to 65535".into()),
        ("destination_ports: [443, 65536]", ".destination_ports[1]", "found 65536, allowed: an integer from 1 to 65535".into()),
        ("destination_ports: ['443']", ".destination_ports[0]", "found \"443\", allowed: an integer from 1 to 65535".into()),
        ("clusters: ['outbound|*||a']", ".clusters[0]", format!("found \"outbound|*||a\", allowed: {cluster}")),
        ("clusters: ['']", ".clusters[0]", format!("found \"\", allowed: {cluster}")),
        ("source_principal: [a]", ".source_principal", format!("{unknown}; did you mean source_principals?")),
    ] {
        assert_one(&matching(predicates), &format!(".match{place}"), &message);
    }
    let all = "source_principals: ['*', a/ns/b/sa/c, 'spiffe://a/*', '*/sa/c', 'urn:x'], destination_ports: [1, 65535], \
               clusters: ['outbound|443||*.a.com', 'outbound|*', '*.a.com', '*', a]";
    assert_errors(&matching(all), &[]);
}

#[test]
fn an_empty_list_of_a_match_is_an_error_but_for_methods() {
    for list in ["content_type", "source_principals", "destination_ports", "clusters"] {
        assert_one(
            &matching(&format!("{list}: []")),
            &format!(".match.{list}"),
            "found an empty list, allowed: at least one item, or leave the field out",
        );
    }
    let found = warnings(&matching("methods: []"));
    assert!(
        found.contains(&format!("{ROUTE}.match.methods: has no effect: an empty list is every method; leave it out")),
        "{found:?}"
    );
}

#[test]
fn hosts_are_checked_and_belong_to_one_domain() {
    let allowed = "allowed: a host name, *.suffix or *";
    assert_errors(
        "domains: [{hosts: []}]",
        &["$.domains[0]: found neither hosts nor host, allowed: at least one of them, not empty"],
    );
    assert_errors(
        "domains: [{policy: {}}]",
        &["$.domains[0]: found neither hosts nor host, allowed: at least one of them, not empty"],
    );
    assert_errors(
        "domains: [{hosts: [a.com], host: b.com}]",
        &["$.domains[0]: found hosts and host, allowed: at most one of hosts, host"],
    );
    assert_errors("domains: [{hosts: [a*.com]}]", &[&format!("$.domains[0].hosts[0]: found \"a*.com\", {allowed}")]);
    assert_errors(
        "domains: [{hosts: ['a.com:80']}]",
        &[&format!(
            "$.domains[0].hosts[0]: found \"a.com:80\", {allowed}: a port does not belong here; an IPv6 literal stands in brackets"
        )],
    );
    assert_errors(
        "domains: [{hosts: [a.com, '*.b.com']}, {hosts: ['*.B.com.']}, {host: A.com}]",
        &[
            "$.domains[1].hosts[0]: found *.b.com, which stands at $.domains[0].hosts[1] too, allowed: a host in one domain",
            "$.domains[2].host: found a.com, which stands at $.domains[0].hosts[0] too, allowed: a host in one domain",
        ],
    );
    assert_eq!(
        warnings("domains: [{hosts: [a.com, A.com]}]"),
        ["$.domains[0].hosts[1]: a.com stands at $.domains[0].hosts[0] already"]
    );
}

#[test]
fn two_identical_matches_in_a_domain_are_an_error() {
    for (first, second) in [
        ("{}", "{methods: []}"),
        ("{path_prefix: /api}", "{path_prefix: /api/}"),
        ("{path_exact: /a}", "{path_exact: /x/../%61}"),
        ("{methods: [GET, POST]}", "{methods: [post, get]}"),
        ("{headers: {X-A: b}}", "{headers: [{name: x-a, exact: b}]}"),
        ("{path_regex: ^/a}", "{path_regex: ^/a}"),
        ("{source_principals: [a/b, 'c*']}", "{source_principals: ['spiffe://c*', 'spiffe://a/b', a/b]}"),
        ("{destination_ports: [1, 2]}", "{destination_ports: [2, 1, 1]}"),
        ("{clusters: [a, '*b']}", "{clusters: ['*b', a]}"),
    ] {
        assert_errors(
            &format!("domains: [{{hosts: ['*'], routes: [{{match: {first}}}, {{match: {second}}}]}}]"),
            &["$.domains[0].routes[1].match: identical to that of $.domains[0].routes[0], allowed: one route for a match"],
        );
    }
    for (first, second) in [
        ("{path_exact: /a}", "{path_prefix: /a}"),
        ("{methods: [GET]}", "{}"),
        ("{path_regex: a}", "{path_regex: b}"),
        ("{source_principals: [a]}", "{source_principals: ['a*']}"),
        ("{source_principals: [a]}", "{clusters: [a]}"),
        ("{source_principals: ['*']}", "{source_principals: ['spiffe://*']}"),
        ("{destination_ports: [1]}", "{destination_ports: [2]}"),
        ("{clusters: [a]}", "{}"),
    ] {
        assert_errors(&format!("domains: [{{hosts: ['*'], routes: [{{match: {first}}}, {{match: {second}}}]}}]"), &[]);
    }
    assert_errors("domains: [{hosts: [a], routes: [{match: {}}]}, {hosts: [b], routes: [{match: {}}]}]", &[]);
}

#[test]
fn what_belongs_to_other_engines_is_refused_with_a_hint() {
    let hint = "refused: bodyguard does data-loss prevention only; remove it";
    for (block, place) in [
        ("engines: {jwt: {}}", "engines"),
        ("engines: null", "engines"),
        ("pipeline: {request: []}", "pipeline"),
        ("anomaly_threshold: 5", "anomaly_threshold"),
        ("skip_checks: [json]", "skip_checks"),
        ("checks: {headers: {forbidden: [x]}}", "checks.headers.forbidden"),
        ("checks: {headers: {forbidden: [x], dlp: {block: [jwt]}}}", "checks.headers.forbidden"),
        ("checks: {body: {require_json: true}}", "checks.body.require_json"),
    ] {
        assert_one(&route(block), &format!(".policy.{place}"), hint);
    }
    assert_errors(
        "domains: [{host: a.com, listener_id: l}]",
        &["$.domains[0].listener_id: refused: a plugin configuration belongs to one listener already; remove it"],
    );
}

#[test]
fn what_has_no_meaning_here_is_ignored_with_a_warning() {
    let text = "{metadata: {name: x, labels: {team: a}}, spec: {defaults: {timeout: 50ms, sampling_rate: 0.5, log_level: info, \
                max_header_bytes: 8192}, domains: [{hosts: ['*']}]}}";
    assert_eq!(
        warnings(text),
        [
            "$.metadata.labels: ignored: bodyguard has no use for it",
            "$.spec.defaults.timeout: ignored: bodyguard judges a body when it is there and waits for nothing",
            "$.spec.defaults.sampling_rate: ignored: every message that is not clean makes an event, clean ones make none",
            "$.spec.defaults.log_level: ignored: Envoy's log level of the wasm component decides",
            "$.spec.defaults.max_header_bytes: ignored: bodyguard does not limit headers",
        ]
    );
}

#[test]
fn checks_that_inspect_nothing_are_warned_about() {
    let dlp = "checks: {body: {dlp: {direction: both, redact: [email]}}}";
    for (block, place, warning) in [
        (
            format!("inspect_request_body: true, {dlp}"),
            ".policy.checks.body.dlp",
            "looks for kinds in responses, but inspect_response_body is not true: they are not inspected",
        ),
        (
            "inspect_request_body: true, checks: {body: {dlp: {direction: response, redact: [email]}}}, inspect_response_body: true, max_response_body_bytes: 1".into(),
            ".policy.inspect_request_body",
            "true has no effect for $.domains[0].routes[0]: no check looks for anything in its requests",
        ),
        (
            "checks: {body: {detect_sensitive_data: true}}".into(),
            ".policy.checks.body.detect_sensitive_data",
            "true has no effect: neither inspect_request_body nor inspect_response_body is true",
        ),
    ] {
        assert_eq!(warnings(&route(&block)), [format!("{ROUTE}{place}: {warning}")], "{block}");
    }
    assert_eq!(warnings("{}"), ["$.domains: no domain: nothing is inspected"]);
    assert_eq!(
        warnings(&format!(
            "{{max_inflight_body_bytes: 1000, {}}}",
            route("inspect_request_body: true, checks: {body: {detect_sensitive_data: true}}")
        )),
        [
            "$.max_inflight_body_bytes: 1000 bytes, less than one body of 1048576 bytes that a rule inspects: longer ones never fit"
        ]
    );
}

#[test]
fn the_resource_around_a_spec_is_checked() {
    assert_errors(
        "{apiVersion: v1, kind: Policy, spec: {}}",
        &["$.apiVersion: found \"v1\", allowed: sentinel.elchi.io/v1", "$.kind: found \"Policy\", allowed: SecurityPolicy"],
    );
    assert_errors("{kind: SecurityPolicy}", &["$: found no spec, which is needed"]);
    let name = "1 to 63 of A-Z a-z 0-9 . _ - (it becomes a metric label)";
    for bad in ["''", "'a b'", "ünï", "'a=b;'"] {
        let shown = bad.trim_matches('\'');
        assert_errors(
            &format!("{{metadata: {{name: {bad}}}, spec: {{}}}}"),
            &[&format!("$.metadata.name: found {shown:?}, allowed: {name}")],
        );
    }
    assert_errors(
        "{exclude: [healthz, '/ok', 1]}",
        &[
            "$.exclude[0]: found \"healthz\", allowed: a path that starts with /, without a query",
            "$.exclude[2]: found 1, allowed: a path that starts with /, without a query",
        ],
    );
}

#[test]
fn all_errors_come_at_once_and_in_the_order_of_the_document() {
    let text = "
domains:
- hosts: ['a:1']
  policy: {mode: off, inspect_request_body: true}
  routes:
  - policy: {checks: {body: {dlp: {block: [email], redact: [emall, email]}}}, colour: red}
  - match: {}
exclude: [x]
max_inflight_body_bytes: 0
";
    let places: Vec<String> = errors(text).iter().map(|line| line.split(": ").next().unwrap_or_default().to_owned()).collect();
    assert_eq!(
        places,
        [
            "$.domains[0].hosts[0]",
            "$.domains[0].policy.inspect_request_body",
            "$.domains[0].routes[0].policy.checks.body.dlp.redact[0]",
            "$.domains[0].routes[0].policy.checks.body.dlp.redact[1]",
            "$.domains[0].routes[0].policy.colour",
            "$.domains[0].routes[1].match",
            "$.exclude[0]",
            "$.max_inflight_body_bytes",
        ]
    );
}

#[test]
fn broken_yaml_is_named_with_its_line_and_column() {
    assert_errors("a: [", &["$: not yaml: line 1 column 4: unclosed bracket '['"]);
    assert_errors("a: 1\na: 2", &["$: not yaml: line 2 column 1: duplicate mapping key: a"]);
    assert_errors("a: 1\n---\nb: 2", &["$: not yaml: line 3 column 1: multiple YAML documents detected"]);
    assert_errors("- a", &["$: found a list of 1, allowed: an object"]);
    assert_errors("spec: null", &["$: found no spec, which is needed"]);
}

#[test]
fn every_problem_is_one_lower_case_line() {
    for text in
        ["{\"a\nb\": 1, domains: \"\\u0007\"}", "[1]", "a: [", "domains: [{hosts: [\"a\\nb\"]}]", "!!x", "{a: 1, a: 2}", ""]
    {
        for line in errors(text) {
            assert!(!line.contains('\n') && !line.contains('\u{7}'), "{line:?}");
        }
        assert!(!errors(text).is_empty(), "{text:?}");
    }
}

#[test]
fn where_events_go_is_checked_and_no_secret_is_repeated() {
    let otlp = |fields: &str| format!("{{events: {{otlp: {{{fields}}}}}, domains: []}}");
    let at = |place: &str, message: &str| format!("$.events.otlp{place}: {message}");
    const NAME: &str = "the name of an Envoy cluster, at most 256 bytes without spaces";
    for (fields, place, message) in [
        ("path: /v1/logs", "", "found no cluster, which is needed".to_owned()),
        ("cluster: ''", ".cluster", format!("found \"\", allowed: {NAME}")),
        ("cluster: a b", ".cluster", format!("found \"a b\", allowed: {NAME}")),
        (
            "cluster: a/b",
            ".authority",
            "found none beside cluster \"a/b\", which is no host name, allowed: a host name or address, with or without a port"
                .into(),
        ),
        (
            "cluster: a, path: v1/logs",
            ".path",
            "found \"v1/logs\", allowed: a path that starts with /, at most 256 bytes without spaces".into(),
        ),
        ("cluster: a, timeout: 5", ".timeout", "found 5, allowed: a duration as in 500ms or 5s, from 100ms to 60s".into()),
        (
            "cluster: a, interval: 100ms",
            ".interval",
            "found \"100ms\", allowed: a duration as in 500ms or 5s, from 200ms to 60s".into(),
        ),
        ("cluster: a, max_queue: 0", ".max_queue", "found 0, allowed: an integer from 1 to 10000".into()),
        (
            "cluster: a, headers: {authorization: \"hunter2\\n\"}",
            ".headers.authorization",
            "found what is not shown, allowed: a text without control characters, at most 4096 bytes".into(),
        ),
        (
            "cluster: a, headers: {authorization: [hunter2]}",
            ".headers.authorization",
            "found what is not shown, allowed: a text without control characters, at most 4096 bytes".into(),
        ),
        (
            "cluster: a, headers: {':path': /}",
            ".headers",
            "found a name that is not shown, allowed: a header name (RFC 9110 token)".into(),
        ),
        (
            "cluster: a, headers: {Content-Type: text/plain}",
            ".headers.Content-Type",
            "refused: an export sets content-type itself, or has no use for it".into(),
        ),
        ("cluster: a, headers: {x-key: a, X-Key: b}", ".headers.X-Key", "found twice, allowed: once, in any case".into()),
        (
            "cluster: a, resource_attributes: {service.name: 1}",
            ".resource_attributes[\"service.name\"]",
            "found 1, allowed: a text without control characters, at most 4096 bytes".into(),
        ),
    ] {
        assert_errors(&otlp(fields), &[&at(place, &message)]);
    }
    assert_errors("{events: {}, domains: []}", &["$.events: found no otlp, which is needed"]);
}

#[test]
fn what_stands_where_a_secret_belongs_is_never_repeated() {
    const MASKS: &str = "label, same_length, {keep_last: ...}, {keep_first: ...}, {hash: ...}";
    let unknown = "found a field that is not known, allowed: ";
    let token = "found a name that is not shown, allowed: a header name (RFC 9110 token)";
    let detector = |mask: &str| detectors(&format!("own: {{regex: 'abc', mask: {mask}}}"));
    let dlp = |mask: &str| route(&format!("checks: {{body: {{dlp: {{redact: [email], mask: {mask}}}}}}}"));
    let headers = |headers: &str| format!("{{events: {{otlp: {{cluster: a, headers: {headers}}}}}, domains: []}}");
    for (text, expected) in [
        (detector("SECRET"), format!("$.detectors.own.mask: found a text, allowed: {MASKS}")),
        (detector("733733"), format!("$.detectors.own.mask: found a number, allowed: {MASKS}")),
        (detector("{hash: SECRET}"), "$.detectors.own.mask.hash: found a text, allowed: an object".into()),
        (detector("{hash: 733733}"), "$.detectors.own.mask.hash: found a number, allowed: an object".into()),
        (detector("{hash: {key: SECRETSECRETSECRET, SECRET: 1}}"), format!("$.detectors.own.mask.hash: {unknown}key")),
        (
            detector("{hash: {key: SECRETSECRETSECRET}, SECRET: 1}"),
            format!("$.detectors.own.mask: {unknown}keep_last, keep_first, hash"),
        ),
        (
            detector("{keep_last: SECRET}"),
            "$.detectors.own.mask.keep_last: found a text, allowed: an integer from 1 to 32".into(),
        ),
        (
            dlp("SECRET"),
            format!(
                "{ROUTE}.policy.checks.body.dlp.mask: found a text, allowed: label, same_length, or a map from kinds to them"
            ),
        ),
        (dlp("{email: SECRET}"), format!("{ROUTE}.policy.checks.body.dlp.mask.email: found a text, allowed: label, same_length")),
        (headers("'Bearer SECRET'"), "$.events.otlp.headers: found a text, allowed: an object".into()),
        (headers("{'authorization: Bearer SECRET': x}"), format!("$.events.otlp.headers: {token}")),
        (headers("{'a: SECRET': x, 'A: SECRET': y}"), format!("$.events.otlp.headers: {token}")),
    ] {
        assert_errors(&text, &[&expected]);
    }
    for text in [detector("{hash: {SECRET: 1}}"), dlp("{hash: SECRET}")] {
        let found = errors(&text);
        assert!(!found.is_empty() && found.iter().all(|error| !error.contains("SECRET")), "{found:?}");
    }
}

#[test]
fn where_events_go_has_values_of_its_own_where_nothing_is_said() {
    let policy = Policy::from_yaml_or_json("{events: {otlp: {cluster: 'outbound|4318||otel.obs.svc'}}, domains: []}").unwrap();
    let otlp = policy.otlp.unwrap();
    assert_eq!((otlp.authority.as_str(), otlp.path.as_str()), ("otel.obs.svc:4318", "/v1/logs"));
    assert_eq!((otlp.timeout_milliseconds, otlp.interval_milliseconds, otlp.max_queue), (10_000, 1_000, 2_000));
    assert_eq!(otlp.resource, [("service.name".to_owned(), "bodyguard".to_owned())]);
    let named =
        "{events: {otlp: {cluster: a, resource_attributes: {service.name: edge}, headers: {X-Key: hunter2}}}, domains: []}";
    let policy = Policy::from_yaml_or_json(named).unwrap();
    assert!(!format!("{policy:?}").contains("hunter2"));
    let otlp = policy.otlp.unwrap();
    assert_eq!(otlp.resource, [("service.name".to_owned(), "edge".to_owned())]);
    assert_eq!((otlp.headers[0].0.as_str(), otlp.headers[0].1.reveal()), ("x-key", "hunter2"));
}

#[test]
fn checks_of_headers_and_queries_are_checked_like_those_of_bodies() {
    const NAMES: &str = "a header name (RFC 9110 token) that is no part of the framing, or the beginning of one and a *";
    for (checks, place, message) in [
        ("headers: {}", "headers", "found no dlp, which is needed".to_owned()),
        ("headers: {dlp: {}}", "headers.dlp", "found neither block nor redact, allowed: at least one of them, not empty".into()),
        (
            "headers: {dlp: {redact: [jwt], exclude: [Host]}}",
            "headers.dlp.exclude[0]",
            format!("found \"Host\", allowed: {NAMES}"),
        ),
        (
            "headers: {dlp: {redact: [jwt], include: [':path']}}",
            "headers.dlp.include[0]",
            format!("found \":path\", allowed: {NAMES}"),
        ),
        (
            "headers: {dlp: {redact: [jwt], only: [a], include: [b]}}",
            "headers.dlp",
            "found only and include, allowed: at most one of only, include".into(),
        ),
        (
            "query: {dlp: {redact: [jwt], only: [a], exclude: [b]}}",
            "query.dlp",
            "found only and exclude, allowed: at most one of only, exclude".into(),
        ),
        (
            "query: {dlp: {redact: [jwt], direction: both}}",
            "query.dlp.direction",
            "unknown field, allowed: block, redact, exclude, only, mask, min_findings, redact_in_observe_modes, except_test_values".into(),
        ),
        (
            "headers: {dlp: {block: [jwt], min_findings: 0}}",
            "headers.dlp.min_findings",
            "found 0, allowed: an integer from 1 to 1000000".into(),
        ),
        (
            "query: {dlp: {block: [jwt], min_findings: {jwt: 1000001}}}",
            "query.dlp.min_findings.jwt",
            "found 1000001, allowed: an integer from 1 to 1000000".into(),
        ),
        (
            "query: {dlp: {redact: [jwt], block: [jwt]}}",
            "query.dlp.redact[0]",
            "found \"jwt\", which block names too, allowed: a kind in one of the two lists, or with min_findings of 2 and more"
                .into(),
        ),
    ] {
        let text = route(&format!("checks: {{{checks}}}"));
        assert_one(&text, &format!(".policy.checks.{place}"), &message);
    }
    assert_eq!(warnings(&route("checks: {headers: {dlp: {redact: [jwt]}}, query: {dlp: {block: [jwt]}}}")), [""; 0]);
    let both = "{dlp: {block: [jwt], redact: [jwt], min_findings: {jwt: 2}}}";
    assert_errors(&route(&format!("checks: {{headers: {both}, query: {both}}}")), &[]);
    assert_eq!(
        warnings(&route("checks: {query: {dlp: {block: [jwt], min_findings: {ssn: 2}}}}")),
        [format!("{ROUTE}.policy.checks.query.dlp.min_findings.ssn: has no effect: block does not name ssn")]
    );
}

/// A spec with these detectors, and a route that looks for `own`.
fn detectors(detectors: &str) -> String {
    format!(
        "{{detectors: {{{detectors}}}, {}}}",
        route("inspect_request_body: true, checks: {body: {dlp: {direction: request, block: [own]}}}")
    )
}

#[test]
fn detectors_are_checked_each_with_its_path() {
    for (detector, place, message) in [
        ("own: {}", "", "found no source, allowed: one of regex, words, json_keys, large_array; own is no built-in kind"),
        (
            "own: {regex: 'a', words: [b]}",
            "",
            "found regex and words, allowed: at most one of regex, words, json_keys, large_array",
        ),
        (
            "own: {regex: '(?=a)'}",
            ".regex",
            "cannot be compiled: look-around, including look-ahead and look-behind, is not supported",
        ),
        ("own: {regex: 'a*'}", ".regex", "cannot be compiled: matches the empty text"),
        ("own: {regex: '[ab]*a[ab]{16}'}", ".regex", "cannot be compiled: compiles to more than 262144 bytes"),
        (
            "own: {regex: 'a', ignore_case: true}",
            ".ignore_case",
            "found beside no words, allowed: with words; in a regex write (?i)",
        ),
        (
            "own: {json_keys: [a], validate: luhn}",
            ".validate",
            "found validate beside json_keys or large_array, allowed: in, paths, except_paths, mask",
        ),
        (
            "own: {large_array: {min_items: 5}, validate: luhn}",
            ".validate",
            "found validate beside json_keys or large_array, allowed: in, paths, except_paths, mask",
        ),
        ("own: {json_keys: [a], in: keys}", ".in", "found \"keys\", where none of its findings stands, allowed: values, both"),
        (
            "own: {large_array: {min_items: 5}, in: keys}",
            ".in",
            "found \"keys\", where none of its findings stands, allowed: values, both",
        ),
        (
            "own: {json_keys: [a], values: false, in: values}",
            ".in",
            "found \"values\", where none of its findings stands, allowed: keys, both",
        ),
        ("own: {words: []}", ".words", "found no word, allowed: at least one"),
        ("own: {words: ['a', '']}", ".words[1]", "found \"\", allowed: a text of 1 to 64 bytes without control characters"),
        ("own: {regex: 'abc', near: {within: 9}}", ".near", "found no words, which is needed"),
        ("own: {regex: 'abc', near: {words: [x], within: 257}}", ".near.within", "found 257, allowed: an integer from 1 to 256"),
        (
            "own: {regex: 'abc', mask: stars}",
            ".mask",
            "found a text, allowed: label, same_length, {keep_last: ...}, {keep_first: ...}, {hash: ...}",
        ),
        (
            "own: {regex: 'abc', mask: {keep_last: 1, keep_first: 1}}",
            ".mask",
            "found keep_last and keep_first, allowed: at most one of keep_last, keep_first, hash",
        ),
        (
            "own: {regex: 'abc', mask: {hash: {key: tiny-secret}}}",
            ".mask.hash.key",
            "found what is not shown, allowed: a text of 16 to 64 bytes, best random ones (openssl rand -hex 32)",
        ),
        (
            "own: {regex: 'abc', validate: crc}",
            ".validate",
            "found \"crc\", allowed: luhn, mod97, aba, verhoeff, mod11, mod11_2, mod11_10, mod11_bsn, ean",
        ),
        (
            "own: {regex: 'abc', grade: 1}",
            ".grade",
            "unknown field, allowed: regex, words, ignore_case, json_keys, values, large_array, in, paths, except_paths, except, \
             except_regex, require, near, validate, mask",
        ),
    ] {
        assert_errors(&detectors(detector), &[&format!("$.detectors.own{place}: {message}")]);
    }
    let key = |len| detectors(&format!("own: {{json_keys: [{}]}}", "k".repeat(len)));
    assert_errors(&key(256), &[]);
    let long = format!("$.detectors.own.json_keys[0]: found \"{}\"..., allowed: a text of 1 to 256 bytes", "k".repeat(60));
    assert_errors(&key(257), &[&long]);
    assert_errors(
        &detectors("own: {regex: abc}, email: {regex: abc}"),
        &[
            "$.detectors.email.regex: found regex for the built-in kind email, allowed: except, except_regex, near, mask, in, paths, except_paths",
        ],
    );
    assert_eq!(errors(&detectors("Own: {regex: abc}, own: {regex: abc}")).len(), 1);
    let many: Vec<String> = (0..101)
        .map(|number| format!("own{}: {{regex: abc{number}}}", if number == 0 { String::new() } else { number.to_string() }))
        .collect();
    let found = errors(&detectors(&many.join(", ")));
    assert_eq!(found, ["$.detectors.own100: found more than 100 kinds of the policy's own, allowed: 100"]);
}

#[test]
fn lists_name_the_policys_own_kinds_beside_the_built_in_ones() {
    let found = errors(&detectors("owm: {regex: abc}"));
    assert_eq!(found.len(), 1);
    assert!(found[0].ends_with(", owm; did you mean owm?"), "{found:?}");
    assert_eq!(
        warnings(&detectors("own: {regex: abc}, other: {regex: abd}")),
        ["$.detectors.other: has no effect: no block or redact list of an inspected direction names it"]
    );
    let slow = warnings(&detectors("own: {regex: '[a-z]+@corp'}"));
    assert!(
        slow.len() == 1 && slow[0].starts_with("$.detectors.own: begins with nothing rare: it is tried at about one of "),
        "{slow:?}"
    );
}

#[test]
fn own_kinds_that_may_take_many_steps_together_are_warned_of() {
    let of = |kinds: usize, regex: &str| {
        let many: Vec<String> = (0..kinds).map(|number| format!("own{number}: {{regex: '{regex}N{number}='}}")).collect();
        warnings(&detectors(&format!("own: {{regex: PN-}}, {}", many.join(", "))))
            .into_iter()
            .filter(|warning| warning.starts_with("$.detectors: "))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        of(99, "[a-z]{1,100}"),
        [
            "$.detectors: all kinds together may take up to 10289 steps for a byte of a body made to hurt; with more than 2000 one \
          megabyte takes seconds: bound the repetitions, or have fewer kinds"
        ]
    );
    assert_eq!(of(10, "[a-z]{1,100}"), [""; 0]);
    assert_eq!(of(99, "PN-[0-9]{6}"), [""; 0]);
}

#[test]
fn a_threshold_is_one_number_or_one_a_kind() {
    let dlp = |dlp: &str| route(&format!("inspect_request_body: true, checks: {{body: {{dlp: {{direction: request, {dlp}}}}}}}"));
    let place = "$.domains[0].routes[0].policy.checks.body.dlp.min_findings";
    assert_errors(
        &dlp("block: [email], min_findings: 0"),
        &[&format!("{place}: found 0, allowed: an integer from 1 to 1000000")],
    );
    assert_errors(&dlp("block: [email], redact: [email], min_findings: {email: 5}"), &[]);
    assert_eq!(
        warnings(&dlp("block: [email], min_findings: {ssn: 5}")),
        [format!("{place}.ssn: has no effect: block does not name ssn")]
    );
    // A map has no order: a kind before its groups, and of groups the smaller number.
    let least = |of: &str, map: &str| {
        let text = dlp(&format!("block: ['group:contact', 'group:financial', 'group:pii-us'], min_findings: {{{map}}}"));
        let policy = Policy::from_yaml_or_json(&text).unwrap();
        let least = policy.rules().next().unwrap().request.as_ref().unwrap().min_findings.of(Kind::from_name(of).unwrap());
        (least, policy.rules().next().unwrap().request.as_ref().unwrap().min_findings.clone())
    };
    for (kind, expected, one, other) in [
        ("email", 2, "email: 2", "'group:contact': 3"),
        ("email", 4, "email: 4", "'group:contact': 3"),
        ("phone", 3, "email: 4", "'group:contact': 3"),
        ("us_bank_routing", 5, "'group:financial': 5", "'group:pii-us': 6"),
        ("us_bank_routing", 5, "'group:financial': 6", "'group:pii-us': 5"),
    ] {
        let found = least(kind, &format!("{one}, {other}"));
        assert_eq!((found.0, &found), (expected, &least(kind, &format!("{other}, {one}"))), "{one} {other}");
    }
    // A group is each of its kinds that block names.
    assert_errors(&dlp("block: ['group:secrets'], redact: [jwt, 'group:pii-us'], min_findings: {'group:secrets': 2}"), &[]);
    assert_errors(
        &dlp("block: [email, ssn], redact: ['group:pii-us'], min_findings: {email: 2}"),
        &[
            "$.domains[0].routes[0].policy.checks.body.dlp.redact[0]: found \"group:pii-us\", whose ssn block names too, allowed: a kind in \
           one of the two lists, or with min_findings of 2 and more",
        ],
    );
    assert_eq!(
        warnings(&dlp("block: [email], min_findings: {'group:network': 5}")),
        [format!("{place}[\"group:network\"]: has no effect: block does not name group:network")]
    );
}
