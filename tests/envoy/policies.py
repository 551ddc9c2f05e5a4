"""The policy that most tests share: one route for each thing that can be asked of the filter."""

from __future__ import annotations

import copy

NAME = "standard"
MIB = 1 << 20
SMALL = 2000

BLOCK = ["private_key", "aws_access_key", "google_api_key", "slack_token", "github_token"]
REDACT = ["credit_card", "ssn", "email", "jwt"]
DLP = {"direction": "both", "block": BLOCK, "redact": REDACT}

DEFAULTS = {
    "mode": "block",
    "fail_mode": "fail_close",
    "inspect_request_body": True,
    "max_request_body_bytes": 8 * MIB,
    "inspect_response_body": True,
    "max_response_body_bytes": 8 * MIB,
    "checks": {"body": {"dlp": DLP}},
}

HOOK = {"checks": {"body": {"detect_sensitive_data": True}}}
OVERRIDE = {"status": 451, "content_type": "text/plain", "body": "ask security@" + "example.com"}

# path -> what differs from DEFAULTS there.
ROUTES = {
    "/detect": {"mode": "detect"},
    "/shadow": {"mode": "shadow"},
    "/off": {"mode": "off", "inspect_request_body": False, "inspect_response_body": False},
    "/observe": {"mode": "shadow", "checks": {"body": {"dlp": {**DLP, "redact_in_observe_modes": False}}}},
    "/hook": HOOK,
    "/hook-shadow": {**HOOK, "mode": "shadow"},
    "/small": {"max_request_body_bytes": SMALL, "max_response_body_bytes": SMALL},
    "/small-detect": {"mode": "detect", "max_request_body_bytes": SMALL, "max_response_body_bytes": SMALL},
    "/fail-open": {"fail_mode": "fail_open"},
    "/override": {"block_response": OVERRIDE},
    "/requests-only": {"inspect_response_body": False},
    "/responses-only": {"inspect_request_body": False, "checks": {"body": {"dlp": {**DLP, "direction": "response"}}}},
    "/skip-images": {"skip_content_types": ["image/*"]},
    "/buffered": {"request_body_mode": "buffered", "response_body_mode": "buffered"},
    "/streamed": {"request_body_mode": "streamed", "response_body_mode": "streamed"},
    "/block-only": {"checks": {"body": {"dlp": {"direction": "both", "block": BLOCK}}}},
}


def policy(hold: bool, routes: dict | None = None, defaults: dict | None = None, **spec) -> dict:
    """A whole resource; `routes` maps path prefixes to route policies, `/` with the defaults comes last."""
    listed = [{"match": {"path_prefix": path}, "policy": rule} for path, rule in (routes or {}).items()]
    document = {
        "apiVersion": "sentinel.elchi.io/v1",
        "kind": "SecurityPolicy",
        "metadata": {"name": NAME},
        "spec": {
            "allow_on_headers_stop_iteration": hold,
            "exclude": ["/healthz"],
            "defaults": DEFAULTS if defaults is None else defaults,
            "domains": [
                {"hosts": ["*"], "routes": [*listed, {"match": {}, "policy": {}}]},
            ],
            **spec,
        },
    }
    return copy.deepcopy(document)


def standard(hold: bool) -> dict:
    document = policy(hold, ROUTES)
    document["spec"]["domains"].append({"hosts": ["unread.example.com"], "policy": ROUTES["/off"], "routes": [{"match": {}}]})
    return document
