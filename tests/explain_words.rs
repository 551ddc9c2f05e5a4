//! `bodyguard explain POLICY`: what it says in words is what the policy does. The words for each shipped policy stand in
//! tests/explained; `UPDATE=1 cargo test --test explain_words` rewrites them.
#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice)]

use std::path::{Path, PathBuf};
use std::process::Command;

use bodyguard::policy::{PassReason, Policy, RequestHead, Resolution};
use proptest::prelude::*;
use serde_json::{Value, json};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What the tool says about a policy.
fn words(file: &Path) -> String {
    let done = Command::new(env!("CARGO_BIN_EXE_bodyguard")).arg("explain").arg(file).output().unwrap();
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

fn words_of(name: &str, text: &str) -> String {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("explain-words-{name}.yaml"));
    std::fs::write(&file, text).unwrap();
    words(&file)
}

#[test]
fn the_words_for_every_shipped_policy_are_these() {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(Path::new(ROOT).join("policies")).unwrap().map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
    assert!(files.len() >= 12);
    for file in files {
        let kept = Path::new(ROOT).join("tests/explained").join(file.with_extension("txt").file_name().unwrap());
        let said = words(&file);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&kept, &said).unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(&kept).unwrap_or_default(),
            said,
            "{}: UPDATE=1 cargo test --test explain_words",
            kept.display()
        );
        for line in said.lines() {
            let whole = line.trim_start().starts_with(|first: char| first.is_ascii_digit()) || line.starts_with("    ");
            assert!(whole || line.chars().count() <= 120, "{line}");
        }
    }
}

#[test]
fn every_mode_threshold_mask_and_exception_has_its_words() {
    let said = words_of(
        "everything",
        r#"
metadata: {name: everything}
spec:
  allow_on_headers_stop_iteration: true
  max_inflight_body_bytes: 1000000
  exclude: [/healthz]
  detectors:
    part: {regex: "PN [0-9]{6}", except: ["PN 000000"], require: ["[1-9]"], validate: luhn, mask: {hash: {key: "sixteen bytes or more"}}}
    mark: {words: [top secret], ignore_case: true, near: {words: [file]}, mask: same_length}
    pins: {json_keys: [pin], values: false, paths: ["$.users[*]"]}
    rows: {large_array: {min_items: 7}}
    email: {in: values, except_paths: [support], except_regex: ["@a\\.com$"], mask: {keep_first: 3}}
  domains:
  - hosts: [a.com]
    policy: {inspect_response_body: true, max_response_body_bytes: 3072, checks: {body: {dlp: {redact: [email]}}}}
    routes:
    - match: {path_prefix: /shadow}
      policy: {mode: shadow, fail_mode: fail_open, checks: {body: {dlp: {block: [rows], redact: [email], redact_in_observe_modes: false}}}}
    - match: {path_exact: /off}
      policy: {mode: "off"}
    - match: {methods: [post], headers: {X-Tenant: acme}}
      policy:
        response_body_mode: streamed
        request_body_mode: buffered
        inspect_request_body: true
        upgrades: deny
        ranges: allow
        block_response: {status: 451, body: "no"}
        checks:
          body:
            dlp:
              direction: both
              block: [part, rows, email, mark]
              redact: [part, email, pins]
              min_findings: {email: 20, part: 2}
              except_test_values: true
              mask: {pins: same_length}
    - match: {path_regex: "^/x[0-9]+$", content_type: "text/*", headers: [{name: A, present: false}, {name: b, contains: "1"}, {name: c}]}
      policy: {checks: {body: {dlp: {direction: request, redact: [email]}, detect_sensitive_data: true}}}
    - match: {}
      policy: {inspect_response_body: false}
    - match: {methods: [PUT]}
"#,
    );
    for part in [
        "Policy \"everything\", hash ",
        "Warning: $.spec.",
        "Paths that are never read, whatever the host: /healthz.",
        "Headers are held until a body is judged",
        "at most 1000000 bytes of bodies",
        "  part (its own)\n    what matches PN [0-9]{6}\n    only with a match of [1-9] in it\n    only with check digits that are right by luhn\n    but not \"PN 000000\"\n",
        "  mark (its own)\n    one of the words \"top secret\", in any case\n    only within 50 bytes of \"file\"\n",
        "  pins (its own)\n    the JSON keys \"pin\"\n    in JSON only at $.users[*]\n",
        "  rows (its own)\n    a JSON array of 7 items and more\n",
        "  email (built in)\n    in JSON only in values\n    in JSON not at support\n    but not with a match of @a\\.com$ in it\n",
        "Hosts: a.com\n  1. path is /off  ($.spec.domains[0].routes[1])\n     Mode off: passes unread, both ways.\n",
        "  2. path matches the regex ^/x[0-9]+$; content type is text/*; header a is not there; header b contains \"1\"; header c is there  ($",
        "Blocked with a finding of any kind of group:core, stripe_key too (code body.sensitive_data:<kind>): 403; streams are cut",
        "  3. path is /shadow or below it  ($.spec.domains[0].routes[0])\n     Mode shadow: nothing is blocked; what would be is recorded",
        "Recorded as would_block with a finding of rows (code body.dlp_block:<kind>): it passes.",
        "Recorded (would_redact), not masked: email.",
        "By fail_open, a body that cannot be decoded passes unread, counted.",
        "A longer body passes unread, recorded as would_block.",
        "  4. method is POST; header x-tenant is \"acme\"  ($.spec.domains[0].routes[2])",
        "Bodies are read whole, up to 1 MiB.\n",
        "Bodies are read as they flow, without a cap; gRPC messages up to 3 KiB.",
        "Blocked with 20 findings and more of email, or 2 findings and more of part, or one of mark or rows (code",
        "451; the upstream sees nothing of it.",
        "it is cut before the finding.",
        "email in place, \"AB12-CD34-EF56\" as \"AB1*-****-****\"",
        "part as [REDACTED:part:<16 hexadecimal digits>], the same for the same value",
        "pins in place, \"AB12-CD34-EF56\" as \"****-****-****\"",
        "Values that are published for tests and documentation are no findings.",
        "The reply to what is blocked: application/json, a body of its own, 2 bytes.",
        "Upgrades (WebSocket) and CONNECT are blocked (code body.upgrade_denied): 403.",
        "  5. every request  ($.spec.domains[0].routes[4])",
        "Bodies are not read: inspect_response_body is false in the route.",
        "  6. method is PUT  ($.spec.domains[0].routes[5]) - never reached: a route before takes every request",
        "\nWhere nothing matches, messages pass unread: other hosts.\n",
    ] {
        let unwrapped = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        // Long lines are wrapped; where lines end matters where the part says so.
        let found = if part.contains('\n') { said.contains(part) } else { unwrapped(&said).contains(unwrapped(part).as_str()) };
        assert!(found, "no {part:?} in\n{said}");
    }
    assert!(!said.contains("sixteen bytes"), "the key of a hash is never shown");
}

#[test]
fn a_kind_with_two_thresholds_is_said_once() {
    for map in ["email: 2, 'group:contact': 3", "'group:contact': 3, email: 2"] {
        let dlp = format!("{{direction: request, block: [email, phone], min_findings: {{{map}}}}}");
        let policy = format!("{{inspect_request_body: true, checks: {{body: {{dlp: {dlp}}}}}}}");
        let said = words_of("thresholds", &format!("{{domains: [{{hosts: ['*'], policy: {policy}}}]}}"));
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("Blocked with 2 findings and more of email, or 3 findings and more of phone (code"), "{said}");
    }
}

#[test]
fn what_no_route_takes_is_said() {
    let said = words_of("open", "{domains: [{hosts: [a.com, b.com], routes: [{match: {path_exact: /a}}]}, {host: '*.c.com'}]}");
    let last = said.lines().last().unwrap();
    assert_eq!(
        last,
        "Where nothing matches, messages pass unread: requests to a.com and b.com that no route of $.domains[0] takes; other hosts."
    );
    let said = words_of("none", "{}");
    assert!(said.contains("Warning: $.domains: no domain") && said.ends_with("pass unread: other hosts.\n"), "{said}");
}

#[test]
fn a_request_beside_the_policy_is_explained_as_ever() {
    let file = Path::new(ROOT).join("policies/pci-dss.yaml");
    let file = file.to_str().unwrap();
    let explain = |args: &[&str]| {
        let done = Command::new(env!("CARGO_BIN_EXE_bodyguard")).arg("explain").args(args).output().unwrap();
        (done.status.code(), String::from_utf8(done.stdout).unwrap())
    };
    let by_flag = explain(&["--policy", file, "--host", "a.com"]);
    assert!(by_flag.1.contains("What happens to a request:"));
    assert_eq!(explain(&[file, "--host", "a.com"]), by_flag);
    assert!(explain(&["--policy", file]).1.contains("What happens to a request:"));
    assert_eq!(explain(&[]).0, Some(2));
    assert_eq!(explain(&[file, "--policy", file]).0, Some(2));
    assert_eq!(explain(&["/no/such"]).0, Some(2));
}

// --- the words agree with what is resolved ---

/// A request, all of it from small sets.
#[derive(Clone, Debug)]
struct Request {
    host: &'static str,
    path: &'static str,
    method: &'static str,
    content_type: &'static str,
    tenant: Option<&'static str>,
    principal: &'static str,
    port: u16,
}

const HOSTS: [&str; 7] = ["a.com", "b.a.com", "c.b.a.com", "d.com", "*.a.com", "*.b.a.com", "*"];
const PATHS: [&str; 6] = ["/", "/api", "/api/v1", "/api/v1/x7", "/apix", "/other"];

fn requests() -> impl Strategy<Value = Request> {
    let pick = |from: &'static [&'static str]| prop::sample::select(from.to_vec());
    let parts = (
        pick(&["a.com", "b.a.com", "c.b.a.com", "x.b.a.com", "x.a.com", "d.com", "e.com"]),
        pick(&PATHS),
        pick(&["GET", "POST", "PUT"]),
        pick(&["application/json", "text/plain"]),
        prop::option::of(pick(&["acme", "globex"])),
        pick(&["spiffe://td/ns/a/sa/x", "spiffe://td/ns/a/sa/y"]),
        prop::sample::select(vec![443u16, 8443]),
    );
    parts.prop_map(|(host, path, method, content_type, tenant, principal, port)| Request {
        host,
        path,
        method,
        content_type,
        tenant,
        principal,
        port,
    })
}

fn matches() -> impl Strategy<Value = Value> {
    let path = prop_oneof![
        2 => Just(json!({})),
        2 => prop::sample::select(PATHS.to_vec()).prop_map(|path| json!({"path_exact": path})),
        3 => prop::sample::select(PATHS.to_vec()).prop_map(|path| json!({"path_prefix": path})),
        1 => Just(json!({"path_regex": "x[0-9]+$"})),
    ];
    let header = prop::sample::select(vec![
        json!({"x-tenant": "acme"}),
        json!([{"name": "X-Tenant", "contains": "lob"}]),
        json!([{"name": "x-tenant"}]),
        json!([{"name": "x-tenant", "present": false}]),
    ]);
    let others = (
        prop::option::weighted(0.3, prop::sample::subsequence(vec!["GET", "post"], 1..=2)),
        prop::option::weighted(0.2, prop::sample::select(vec![json!("text/*"), json!(["application/json"])])),
        prop::option::weighted(0.3, header),
        prop::option::weighted(0.2, Just(json!(["td/ns/a/sa/x"]))),
        prop::option::weighted(0.2, Just(json!([8443]))),
    );
    (path, others).prop_map(|(mut path, (methods, content_type, headers, principals, ports))| {
        let fields = path.as_object_mut().unwrap();
        let parts = [
            ("methods", methods.map(|methods| json!(methods))),
            ("content_type", content_type),
            ("headers", headers),
            ("source_principals", principals),
            ("destination_ports", ports),
        ];
        fields.extend(parts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        path
    })
}

/// Up to three domains that share out the hosts; each with routes whose matches differ.
fn policies() -> impl Strategy<Value = Value> {
    let hosts = prop::collection::vec(0usize..4, HOSTS.len());
    let routes = prop::collection::vec(prop::collection::vec(matches(), 0..6), 3);
    (hosts, routes).prop_map(|(owners, routes)| {
        let inspecting =
            json!({"inspect_request_body": true, "checks": {"body": {"dlp": {"direction": "both", "redact": ["email"]}}}});
        let domain = |(index, mut routes): (usize, Vec<Value>)| {
            let hosts: Vec<&str> =
                HOSTS.into_iter().zip(&owners).filter(|(_, owner)| **owner == index).map(|(host, _)| host).collect();
            let mut seen = Vec::new();
            routes.retain(|matches| {
                !seen.contains(matches) && {
                    seen.push(matches.clone());
                    true
                }
            });
            let routes: Vec<Value> = routes.into_iter().map(|matches| json!({"match": matches})).collect();
            (!hosts.is_empty()).then(|| json!({"hosts": hosts, "routes": routes}))
        };
        let domains: Vec<Value> = routes.into_iter().enumerate().filter_map(domain).collect();
        json!({"defaults": inspecting, "domains": domains})
    })
}

fn host_holds(pattern: &str, host: &str) -> bool {
    match pattern {
        "any other host (*)" => true,
        _ => match pattern.strip_prefix('*') {
            Some(suffix) => host.ends_with(suffix),
            None => pattern == host,
        },
    }
}

/// Does a printed predicate hold?
fn holds(predicate: &str, request: &Request) -> bool {
    let tenant = request.tenant;
    if predicate == "every request" {
        return true;
    }
    if let Some(path) = predicate.strip_prefix("path is ").and_then(|rest| rest.strip_suffix(" or below it")) {
        return request.path == path || request.path.starts_with(&format!("{path}/"));
    }
    if let Some(path) = predicate.strip_prefix("path is ") {
        return request.path == path;
    }
    if predicate == "path matches the regex x[0-9]+$" {
        return request.path.ends_with("x7");
    }
    if let Some(methods) = predicate.strip_prefix("method is ") {
        return methods.split(" or ").any(|method| method.eq_ignore_ascii_case(request.method));
    }
    if let Some(types) = predicate.strip_prefix("content type is ") {
        return types == request.content_type || (types == "text/*" && request.content_type.starts_with("text/"));
    }
    match predicate {
        "header x-tenant is \"acme\"" => tenant == Some("acme"),
        "header x-tenant contains \"lob\"" => tenant == Some("globex"),
        "header x-tenant is there" => tenant.is_some(),
        "header x-tenant is not there" => tenant.is_none(),
        "source principal is td/ns/a/sa/x" => request.principal == "spiffe://td/ns/a/sa/x",
        "destination port is 8443" => request.port == 8443,
        other => panic!("a predicate that no reader knows: {other}"),
    }
}

/// The route that a reader of the words would take for the request: of the first section with its host, the first whose predicates hold.
fn read(words: &str, request: &Request) -> Option<String> {
    let mut section = None;
    // Routes of each domain, for "as those of".
    let mut routes: Vec<(String, String)> = Vec::new();
    let mut of_section = Vec::new();
    for line in words.lines() {
        if let Some(hosts) = line.strip_prefix("Hosts: ") {
            if section.is_some() {
                break;
            }
            section = hosts.split(", ").any(|pattern| host_holds(pattern, request.host)).then_some(());
        } else if let Some(domain) = line.trim().strip_prefix("As those of ").and_then(|rest| rest.strip_suffix(" above.")) {
            if section.is_some() {
                let of_domain = |source: &str| source == domain || source.starts_with(&format!("{domain}.routes["));
                of_section = routes.iter().filter(|(_, source)| of_domain(source)).cloned().collect();
            }
        } else if line.starts_with("  ")
            && line.trim_start().starts_with(|first: char| first.is_ascii_digit())
            && line.contains("($")
        {
            let (which, source) = line.split_once(". ").unwrap().1.split_once("  (").unwrap();
            let route = (which.to_owned(), source.split(')').next().unwrap().to_owned());
            if section.is_some() {
                of_section.push(route.clone());
            }
            routes.push(route);
        }
    }
    section?;
    let taken = of_section.into_iter().find(|(which, _)| which.split("; ").all(|predicate| holds(predicate, request)));
    taken.map(|(_, source)| source)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn who_reads_the_words_finds_the_route_that_is_resolved(
        document in policies(),
        requests in prop::collection::vec(requests(), 40),
    ) {
        let text = document.to_string();
        let Ok(policy) = Policy::from_yaml_or_json(&text) else {
            // Matches that differ in spelling only.
            return Err(TestCaseError::reject("identical matches"));
        };
        let said = words_of("random", &text);
        for request in requests {
            let mut headers: Vec<(&[u8], &[u8])> = vec![(b"content-type", request.content_type.as_bytes())];
            headers.extend(request.tenant.map(|tenant| (&b"x-tenant"[..], tenant.as_bytes())));
            let resolved = policy.resolve(&RequestHead {
                authority: request.host.as_bytes(),
                path: request.path.as_bytes(),
                method: request.method.as_bytes(),
                headers: &headers,
                source_principal: Some(request.principal.as_bytes()),
                destination_port: Some(request.port),
                cluster: None,
            });
            let source = match resolved {
                Resolution::Rule(rule) => Some(rule.source.clone()),
                Resolution::Pass(PassReason::NoDomain | PassReason::NoRoute) => None,
                Resolution::Pass(reason) => panic!("{reason}"),
            };
            prop_assert_eq!(read(&said, &request), source, "{:?}\n{}", request, said);
        }
    }
}
