"""Routes by the two ends of a request: who sent it, by its certificate over real mTLS, and where it goes."""

from __future__ import annotations

from pathlib import Path

import policies
import pytest
from harness.config import TYPES, Setup
from harness.envoy import CLIENTS, Envoy
from harness.message import Received, Request, Response, wait_until
from harness.tls import Authority, Tunnel
from harness.upstream import Upstream

BODY = b"ada@" + b"example.com"
ANSWER = Response(body=BODY, headers=[("content-type", "text/plain")])
MASKED = b"[REDACTED:email]"
SHOP = "spiffe://cluster.local/ns/shop/sa/"
SET_FILTER_STATE = TYPES + "envoy.extensions.filters.http.set_filter_state.v3.Config"

WATCH = {"inspect_response_body": True, "max_response_body_bytes": 100_000}


def act(**lists: list[str]) -> dict:
    return {**WATCH, "checks": {"body": {"dlp": lists}}}


def policy(*routes: tuple[dict, dict]) -> dict:
    """Routes in this order, and what is none of them passes unread."""
    document = policies.policy(False, defaults={})
    document["spec"]["domains"][0]["routes"] = [{"match": match, "policy": rule} for match, rule in routes] + [{"match": {}}]
    return document


MASK, BLOCK = act(redact=["email"]), act(block=["email"])
BY_PRINCIPAL = policy(
    ({"source_principals": ["cluster.local/ns/shop/sa/web", "https://partner.example/*"]}, MASK),
    ({"source_principals": ["spiffe://cluster.local/ns/shop/*", "*/sa/night"]}, BLOCK),
)

# Alternative names of a certificate -> what becomes of an answer to its holder.
CERTIFICATES: dict[str, tuple[list[str], str]] = {
    "exact": (["URI:" + SHOP + "web"], "masked"),
    "prefix": (["URI:" + SHOP + "cart"], "blocked"),
    "suffix": (["URI:spiffe://other.domain/ns/x/sa/night"], "blocked"),
    "another-scheme": (["URI:https://partner.example/1"], "masked"),
    "a-longer-name": (["URI:" + SHOP.replace("shop", "shops") + "web"], "unread"),
    "another-domain": (["URI:spiffe://evil/" + SHOP[9:] + "web"], "unread"),
    "no-uri": (["DNS:cluster.local", "email:cluster.local/ns/shop/sa/web@x"], "unread"),
    "none": ([], "unread"),
    # Envoy tells a filter the first one.
    "two-uris": (["DNS:first", "URI:" + SHOP + "web", "URI:spiffe://other/x"], "masked"),
    "two-uris-the-other-way": (["URI:spiffe://other/x", "URI:" + SHOP + "web"], "unread"),
}


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def certificates(authority: Authority) -> dict[str, Path | None]:
    issued = {name: authority.issue(name, names) for name, (names, _) in CERTIFICATES.items()}
    return {**issued, "no certificate": None}


@pytest.fixture(scope="module")
def elsewhere():
    """An upstream of other clusters."""
    upstream = Upstream()
    upstream.script(ANSWER)
    yield upstream
    upstream.close()


def answering(envoy: Envoy) -> None:
    envoy.upstream.script(ANSWER)


def outcome(answer: Received) -> str:
    """What became of an answer that is BODY; it was cut where it is blocked, for headers are released here."""
    if not answer.complete and answer.body == b"":
        return "blocked"
    assert answer.complete, answer.error
    return {BODY: "unread", MASKED: "masked"}[answer.body]


def ask(envoy: Envoy, authority: Authority, certificate: Path | None, protocol: str = "h1", **request: object) -> str:
    answering(envoy)
    with Tunnel(envoy.port(), authority.client(protocol, certificate)) as tunnel, CLIENTS[protocol](tunnel.port) as client:
        return outcome(client.exchange(Request(**request)))


@pytest.mark.parametrize("protocol", ["h1", "h2"])
@pytest.mark.parametrize("name", [*CERTIFICATES, "no certificate"])
def test_a_client_gets_the_route_of_its_certificate(run, authority, certificates, name, protocol):
    envoy = run(Setup(BY_PRINCIPAL, hold=False, tls=authority.server()))
    expected = CERTIFICATES[name][1] if name in CERTIFICATES else "unread"
    assert ask(envoy, authority, certificates[name], protocol) == expected


@pytest.mark.parametrize("protocol", ["h1", "h2"])
def test_each_connection_has_its_own_principal_and_keeps_it(run, authority, certificates, protocol):
    envoy = run(Setup(BY_PRINCIPAL, hold=False, tls=authority.server()))
    answering(envoy)
    kept = authority.client(protocol, certificates["exact"])
    with Tunnel(envoy.port(), kept) as tunnel, CLIENTS[protocol](tunnel.port) as client:
        assert outcome(client.exchange(Request())) == "masked"
        assert ask(envoy, authority, certificates["prefix"], protocol) == "blocked"
        answering(envoy)
        assert outcome(client.exchange(Request(path="/again"))) == "masked"


def test_a_principal_is_as_good_as_what_the_listener_verifies(run, authority, tmp_path):
    claimed = Authority(tmp_path).issue("claimed", ["URI:" + SHOP + "web"])
    verifying, believing, asking_for_none = (authority.server() for _ in range(3))
    believing["common_tls_context"]["validation_context"]["trust_chain_verification"] = "ACCEPT_UNTRUSTED"
    del asking_for_none["common_tls_context"]["validation_context"]
    assert ask(run(Setup(BY_PRINCIPAL, hold=False, tls=believing)), authority, claimed) == "masked"
    assert ask(run(Setup(BY_PRINCIPAL, hold=False, tls=asking_for_none)), authority, claimed) == "unread"
    envoy = run(Setup(BY_PRINCIPAL, hold=False, tls=verifying))
    refused = envoy.stat("ssl.fail_verify_error")
    assert ask(envoy, authority, claimed) == "blocked"
    assert envoy.stat("ssl.fail_verify_error") > refused and not envoy.upstream.received


def test_without_tls_nobody_is_a_principal_whatever_a_header_says(run):
    envoy = run(Setup(BY_PRINCIPAL, hold=False))
    answering(envoy)
    claimed = [("x-forwarded-client-cert", f"URI={SHOP}web"), ("io.istio.peer_principal", SHOP + "web")]
    assert outcome(envoy.exchange(Request(headers=claimed))) == "unread"


def test_any_certificate_with_a_uri_is_a_star(run, authority, certificates):
    envoy = run(Setup(policy(({"source_principals": ["*"]}, MASK)), hold=False, tls=authority.server()))
    for name, expected in [("another-domain", "masked"), ("none", "unread"), ("no certificate", "unread")]:
        assert ask(envoy, authority, certificates[name]) == expected, name


def test_behind_a_waypoint_the_principal_is_that_of_the_filter_state(run):
    # As Istio configures it: mTLS ends in a listener before, which leaves the name of the client here.
    value = {
        "object_key": "io.istio.peer_principal",
        "factory_key": "envoy.string",
        "format_string": {"text_format_source": {"inline_string": "%REQ(x-client)%"}},
    }
    state = {"name": "state", "typed_config": {"@type": SET_FILTER_STATE, "on_request_headers": [value]}}
    envoy = run(Setup(BY_PRINCIPAL, hold=False, filters=[state]))
    for client, expected in [("web", "masked"), ("cart", "blocked"), ("../x", "blocked")]:
        answering(envoy)
        assert outcome(envoy.exchange(Request(headers=[("x-client", SHOP + client)]))) == expected, client


def test_a_port_is_the_one_that_the_client_meant(run):
    envoy = run(Setup(policy(({"destination_ports": [8443, 443]}, MASK)), hold=False, proxied=True))
    for port, expected in [(443, "masked"), (8443, "masked"), (80, "unread"), (8442, "unread")]:
        answering(envoy)
        with envoy.connect() as client:
            client.sock.sendall(b"PROXY TCP4 192.0.2.1 198.51.100.1 50000 %d\r\n" % port)
            assert outcome(client.exchange(Request())) == expected, port


def test_a_port_is_that_of_the_listener(run):
    # It is known when Envoy runs, so the policy comes then.
    envoy = run.fresh(Setup(policy(), hold=False, ecds=True))
    envoy.update(policy(({"destination_ports": [envoy.port("h1")]}, MASK)))

    def asked(upstream: str) -> str:
        answering(envoy)
        return outcome(envoy.exchange(Request(), upstream=upstream))

    wait_until(lambda: asked("h1") == "masked", "the new policy")
    assert asked("h2") == "unread"


# Path -> the cluster of its route, and what becomes of an answer.
CLUSTERS = {
    "/exact": ("outbound|443||api.openai.example", "blocked"),
    "/prefix": ("outbound|443||api.other.example", "masked"),
    "/suffix": ("outbound|80||db.internal", "masked"),
    "/another": ("outbound|80||api.openai.example", "unread"),
}


@pytest.mark.parametrize("protocol", ["h1", "h2"])
def test_a_cluster_is_the_one_that_the_request_goes_to(run, elsewhere, protocol):
    document = policy(
        ({"clusters": ["outbound|443||api.openai.example"]}, BLOCK),
        ({"clusters": ["outbound|443||*", "*.internal"]}, MASK),
    )
    routes = [{"match": {"path": path}, "route": {"cluster": cluster}} for path, (cluster, _) in CLUSTERS.items()]
    weighted = {"weighted_clusters": {"clusters": [{"name": "outbound|80||db.internal", "weight": 1}]}}
    by_header = {"cluster_header": "x-to"}
    routes += [{"match": {"path": "/weighted"}, "route": weighted}, {"match": {"path": "/header"}, "route": by_header}]
    clusters = {cluster: elsewhere.ports["h1"] for cluster, _ in CLUSTERS.values()}
    envoy = run(Setup(document, hold=False, routes=routes, clusters=clusters))
    expected = {path: expected for path, (_, expected) in CLUSTERS.items()}
    for path, becomes in {**expected, "/weighted": "masked", "/header": "blocked", "/": "unread"}.items():
        answering(envoy)
        answer = envoy.exchange(Request(path=path, headers=[("x-to", CLUSTERS["/exact"][0])]), protocol)
        assert outcome(answer) == becomes, path
