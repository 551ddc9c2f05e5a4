"""Envoy's configuration, from what a test cares about. JSON, which Envoy reads as well as YAML."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

TYPES = "type.googleapis.com/"
HCM = TYPES + "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
WASM = TYPES + "envoy.extensions.filters.http.wasm.v3.Wasm"
ROUTER = TYPES + "envoy.extensions.filters.http.router.v3.Router"
HTTP_OPTIONS = TYPES + "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
PROXY_PROTOCOL = TYPES + "envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol"
STDOUT_LOG = TYPES + "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog"

# The labels of design section 6.
LABELS = ["engine", "kind", "direction", "action", "verdict", "reason", "policy", "hash", "outcome"]
ACCESS_LOG = (
    "ACCESS %REQ(:PATH)% %RESPONSE_CODE% flags=%RESPONSE_FLAGS% verdict=%FILTER_STATE(wasm.bodyguard.verdict:PLAIN)% "
    "findings=%FILTER_STATE(wasm.bodyguard.findings:PLAIN)%\n"
)


@dataclass
class Setup:
    """One Envoy. Every field changes the configuration; equal setups may share one Envoy."""

    # The plugin configuration: a document, or the text to send instead of one.
    policy: dict | str
    # The plugin setting allow_on_headers_stop_iteration; None leaves it out.
    hold: bool | None = None
    # How the policy is handed over: StringValue, BytesValue or Struct.
    handed_as: str = "StringValue"
    # The listeners' per_connection_buffer_limit_bytes; None is Envoy's default, 1 MiB.
    buffer_limit: int | None = None
    concurrency: int = 1
    # Load the filter by file-based ECDS, so that a test can update it.
    ecds: bool = False
    # More fields for the route to the upstream.
    route: dict = field(default_factory=dict)
    # Routes before that one.
    routes: list[dict] = field(default_factory=list)
    # Further clusters, by name: the port of their one endpoint on this machine; None: they have none.
    clusters: dict[str, int | None] = field(default_factory=dict)
    # Listeners speak TLS: their DownstreamTlsContext.
    tls: dict | None = None
    # HTTP filters before bodyguard.
    filters: list[dict] = field(default_factory=list)
    # Listeners are told by PROXY protocol where their clients meant to go.
    proxied: bool = False

    def key(self) -> str:
        return json.dumps(self.__dict__, sort_keys=True)


def filter_config(setup: Setup, module: str, policy: dict | str | None = None) -> dict:
    """The Wasm filter's typed_config."""
    policy = setup.policy if policy is None else policy
    text = policy if isinstance(policy, str) else json.dumps(policy)
    if setup.handed_as == "Struct":
        configuration = {"@type": TYPES + "google.protobuf.Struct", "value": policy}
    elif setup.handed_as == "BytesValue":
        import base64

        configuration = {"@type": TYPES + "google.protobuf.BytesValue", "value": base64.b64encode(text.encode()).decode()}
    else:
        configuration = {"@type": TYPES + "google.protobuf.StringValue", "value": text}
    config = {
        "name": "bodyguard",
        "root_id": "bodyguard",
        "failure_policy": "FAIL_RELOAD",
        "configuration": configuration,
        "vm_config": {"runtime": "envoy.wasm.runtime.v8", "code": {"local": {"filename": module}}},
    }
    if setup.hold is not None:
        config["allow_on_headers_stop_iteration"] = setup.hold
    return {"@type": WASM, "config": config}


def bootstrap(setup: Setup, module: str, upstream: dict[str, int], folder: str) -> dict:
    """The whole file. Listeners: `guarded-h1`, `guarded-h2` (by upstream protocol), and `bare-h1`, `bare-h2` without the filter."""
    if setup.ecds:
        guard = {
            "name": "bodyguard",
            "config_discovery": {
                "config_source": {"path_config_source": {"path": f"{folder}/ecds.json"}, "resource_api_version": "V3"},
                "type_urls": [WASM],
            },
        }
    else:
        guard = {"name": "bodyguard", "typed_config": filter_config(setup, module)}
    listeners = [_listener(f"guarded-{protocol}", protocol, [guard], setup) for protocol in ("h1", "h2")]
    listeners += [_listener(f"bare-{protocol}", protocol, [], setup) for protocol in ("h1", "h2")]
    clusters = [_cluster(name, port) for name, port in {**upstream, **setup.clusters}.items()]
    return {
        "admin": {"address": _address(0)},
        "stats_flush_on_admin": True,
        "stats_config": {"stats_tags": [{"tag_name": label, "regex": rf"({label}=\.=(.*?);\.;)"} for label in LABELS]},
        "layered_runtime": {"layers": [{"name": "test", "static_layer": {"envoy": {"resource_limits": {}}}}]},
        "static_resources": {"listeners": listeners, "clusters": clusters},
    }


def ecds(setup: Setup, module: str, policy: dict | str, version: int) -> dict:
    """The ECDS file that goes with `Setup.ecds`."""
    resource = {
        "@type": TYPES + "envoy.config.core.v3.TypedExtensionConfig",
        "name": "bodyguard",
        "typed_config": filter_config(setup, module, policy),
    }
    return {"version_info": str(version), "resources": [resource]}


def _address(port: int) -> dict:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _cluster(protocol: str, port: int | None) -> dict:
    options = {"http2_protocol_options": {}} if protocol == "h2" else {"http_protocol_options": {"enable_trailers": True}}
    return {
        "name": protocol,
        "type": "STATIC",
        "connect_timeout": "2s",
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {"@type": HTTP_OPTIONS, "explicit_http_config": options}
        },
        "load_assignment": {
            "cluster_name": protocol,
            "endpoints": [] if port is None else [{"lb_endpoints": [{"endpoint": {"address": _address(port)}}]}],
        },
    }


def _listener(name: str, cluster: str, filters: list, setup: Setup) -> dict:
    action = {"cluster": cluster, "timeout": "10s", **setup.route}
    routes = [
        *setup.routes,
        {"match": {"connect_matcher": {}}, "route": {**action, "upgrade_configs": [{"upgrade_type": "CONNECT"}]}},
        {"match": {"prefix": "/"}, "route": action},
    ]
    manager = {
        "@type": HCM,
        "stat_prefix": name,
        "codec_type": "AUTO",
        "http_protocol_options": {"enable_trailers": True},
        "upgrade_configs": [{"upgrade_type": "websocket"}, {"upgrade_type": "CONNECT"}],
        "server_header_transformation": "PASS_THROUGH",
        # A connection that Envoy gives up is closed soon, not after its usual second: nobody here is slow to read.
        "delayed_close_timeout": "0.05s",
        "access_log": [
            {
                "name": "envoy.access_loggers.stdout",
                "typed_config": {"@type": STDOUT_LOG, "log_format": {"text_format_source": {"inline_string": ACCESS_LOG}}},
            }
        ],
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        "http_filters": [*setup.filters, *filters, {"name": "envoy.filters.http.router", "typed_config": {"@type": ROUTER, "suppress_envoy_headers": True}}],
    }
    listener = {
        "name": name,
        "address": _address(0),
        "filter_chains": [{"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}],
    }
    if setup.tls is not None:
        listener["filter_chains"][0]["transport_socket"] = {"name": "envoy.transport_sockets.tls", "typed_config": setup.tls}
    if setup.proxied:
        listener["listener_filters"] = [{"name": "envoy.filters.listener.proxy_protocol", "typed_config": {"@type": PROXY_PROTOCOL}}]
    if setup.buffer_limit is not None:
        listener["per_connection_buffer_limit_bytes"] = setup.buffer_limit
    return listener
