//! Routes that ask who sends a request and where it goes.

#![allow(clippy::panic, clippy::unwrap_used)]

use bodyguard::policy::{Asks, Policy, RequestHead, Resolution};

fn load(text: &str) -> Policy {
    Policy::from_yaml_or_json(text).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// The index of the route that a request gets, as it is resolved and as it is explained.
fn route(policy: &Policy, head: &RequestHead<'_>) -> Option<String> {
    let source = match policy.resolve(head) {
        Resolution::Rule(rule) => Some(rule.source.clone()),
        Resolution::Pass(_) => None,
    };
    let tried = policy.explain(head).tried;
    assert_eq!(tried.iter().find(|trial| trial.missed.is_none()).map(|trial| trial.source.clone()), source);
    source.map(|source| source.replace("$.domains[0].routes", ""))
}

fn sent_by(principal: &str) -> RequestHead<'_> {
    RequestHead {
        authority: b"h",
        path: b"/",
        method: b"GET",
        source_principal: Some(principal.as_bytes()),
        ..RequestHead::default()
    }
}

/// Is a request of this principal for a route that asks for the other?
fn is(asked: &str, principal: &str) -> bool {
    let policy = load(&format!("domains: [{{host: h, routes: [{{match: {{source_principals: ['{asked}']}}}}]}}]"));
    route(&policy, &sent_by(principal)).is_some()
}

const WEB: &str = "spiffe://cluster.local/ns/shop/sa/web";

#[test]
fn a_principal_is_named_as_istio_names_it_or_by_its_uri() {
    for (asked, principal, holds) in [
        ("cluster.local/ns/shop/sa/web", WEB, true),
        (WEB, WEB, true),
        ("cluster.local/ns/shop/sa/we", WEB, false),
        ("cluster.local/ns/shop/sa/web2", WEB, false),
        ("Cluster.local/ns/shop/sa/web", WEB, false),
        ("cluster.local/ns/shop/*", WEB, true),
        ("spiffe://cluster.local/ns/shop/*", WEB, true),
        ("cluster.local/ns/shop*", "spiffe://cluster.local/ns/shopping/sa/web", true),
        ("cluster.local/ns/shop/*", "spiffe://cluster.local/ns/shopping/sa/web", false),
        ("cluster.local/ns/shop/*", "spiffe://evil/cluster.local/ns/shop/sa/web", false),
        ("*/sa/web", WEB, true),
        ("*/ns/shop/sa/web", "spiffe://other.domain/ns/shop/sa/web", true),
        ("*/sa/web", "spiffe://cluster.local/ns/shop/sa/web-2", false),
        ("*", WEB, true),
        ("*", "https://client.example.com/1", true),
        ("spiffe://*", WEB, true),
        ("spiffe://*", "https://client.example.com/1", false),
        // A name without a scheme is a SPIFFE ID, and its beginning is that of the ID.
        ("s*", WEB, false),
        ("c*", WEB, true),
        ("client.example.com/1", "https://client.example.com/1", false),
        ("https://client.example.com/1", "https://client.example.com/1", true),
        ("https://client.example.com/*", "https://client.example.com/1", true),
        ("urn:partner:acme", "urn:partner:acme", true),
        ("urn:partner:*", "urn:partner:acme", true),
        // What is no URI at all is only what has to be there.
        ("cluster.local/ns/shop/sa/web", "cluster.local/ns/shop/sa/web", false),
        ("*", "", false),
        ("*/sa/web", "", false),
    ] {
        assert_eq!(is(asked, principal), holds, "{asked} {principal}");
    }
}

#[test]
fn who_and_where_select_beside_the_path() {
    let policy = load(
        "
domains:
- host: h
  routes:
  - match: {path_prefix: /, source_principals: [td/ns/a/sa/x, 'td/ns/b/*']}      # 0
  - match: {path_prefix: /, destination_ports: [8443, 9443]}                     # 1
  - match: {path_prefix: /, clusters: ['outbound|443||*', '*.openai.com', local]} # 2
  - match: {path_prefix: /pay, source_principals: ['*'], destination_ports: [1], methods: [POST]} # 3
  - match: {path_prefix: /closed, source_principals: ['*']}                      # 4
  - match: {clusters: ['*']}                                                     # 5
",
    );
    let nobody = RequestHead { authority: b"h", path: b"/", method: b"GET", ..RequestHead::default() };
    let x = Some(&b"spiffe://td/ns/a/sa/x"[..]);
    let cluster = |name: &'static str| Some(name.as_bytes());
    for (head, index) in [
        (nobody, None),
        (RequestHead { source_principal: x, ..nobody }, Some("[0]")),
        (RequestHead { source_principal: Some(b"spiffe://td/ns/b/sa/y"), ..nobody }, Some("[0]")),
        (RequestHead { source_principal: Some(b"spiffe://td/ns/c/sa/y"), ..nobody }, None),
        (RequestHead { source_principal: Some(b"\xff"), ..nobody }, None),
        // Equal in path, so the first as written.
        (RequestHead { source_principal: x, destination_port: Some(8443), ..nobody }, Some("[0]")),
        (RequestHead { destination_port: Some(9443), ..nobody }, Some("[1]")),
        (RequestHead { destination_port: Some(443), ..nobody }, None),
        (RequestHead { cluster: cluster("outbound|443||api.example.com"), ..nobody }, Some("[2]")),
        (RequestHead { cluster: cluster("outbound|80||api.openai.com"), ..nobody }, Some("[2]")),
        (RequestHead { cluster: cluster("local"), ..nobody }, Some("[2]")),
        (RequestHead { cluster: cluster("locals"), ..nobody }, Some("[5]")),
        (RequestHead { cluster: cluster(""), ..nobody }, None),
        // All must hold.
        (RequestHead { path: b"/pay", source_principal: x, destination_port: Some(1), ..nobody }, Some("[0]")),
        (RequestHead { path: b"/pay", method: b"POST", source_principal: x, destination_port: Some(1), ..nobody }, Some("[3]")),
        (RequestHead { path: b"/pay", method: b"POST", destination_port: Some(1), ..nobody }, None),
        // The more specific path comes first, as ever.
        (RequestHead { path: b"/closed/y", source_principal: x, ..nobody }, Some("[4]")),
    ] {
        assert_eq!(route(&policy, &head).as_deref(), index, "{head:?}");
    }
}

#[test]
fn what_did_not_hold_is_said() {
    let policy = load(
        "
domains:
- host: h
  routes:
  - match: {source_principals: ['*']}
  - match: {destination_ports: [1]}
  - match: {clusters: [a]}
",
    );
    let head = RequestHead { authority: b"h", path: b"/", method: b"GET", ..RequestHead::default() };
    let missed: Vec<String> = policy.explain(&head).tried.into_iter().filter_map(|trial| trial.missed).collect();
    assert_eq!(missed, ["source principal", "destination port", "cluster"]);
}

#[test]
fn a_policy_asks_only_where_a_route_of_the_host_does() {
    let policy = load(
        "
domains:
- hosts: ['*']
- host: who.com
  routes: [{match: {path_prefix: /a, source_principals: ['*']}}, {}]
- host: where.com
  routes: [{match: {destination_ports: [1]}}, {match: {clusters: [a]}}]
",
    );
    let nothing = Asks::default();
    for (host, asks) in [
        ("other.com", nothing),
        ("WHO.com:443", Asks { source_principal: true, ..nothing }),
        ("where.com", Asks { destination_port: true, cluster: true, ..nothing }),
    ] {
        assert_eq!(policy.asks(host.as_bytes()), asks, "{host}");
    }
    assert_eq!(load("domains: [{host: h}]").asks(b"h"), nothing);
}
