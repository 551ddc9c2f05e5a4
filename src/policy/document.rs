//! The table of the document: every field there is, what it holds and what it is for.
//!
//! The format is Sentinel Shield's, so that its documents for data-loss prevention load unchanged; what belongs to its other
//! engines is refused, what has no meaning in a proxy filter is ignored with a warning.

use super::ends::{CLUSTER, PRINCIPAL};
use super::events::EVENTS;
use super::format::{
    BLOCK_BODY, CONTENT_TYPE, DETECTOR_REGEX, HASH_KEY, HEADER_NAME, HEADER_VALUE, HOST, JSON_PATH, KIND_NAME, MEDIA_RANGE,
    METHOD, NAME, PATH, PATH_OR_STAR, REGEX, VALUE, WORD,
};
use super::heads::{HEADERS, QUERY};
use super::shape::{Choice, Holds, Shape, field};
use crate::detect::MAX_NEAR_BYTES;

/// Most bytes of a body that a policy may ask to hold. A VM has 1 GiB in all, and an encoded body that is rewritten is held decoded,
/// masked and encoded at once.
pub(super) const MAX_BODY_BYTES: u64 = 134_217_728;
/// Highest `min_findings`.
pub(super) const MAX_MIN_FINDINGS: u64 = 1_000_000;
/// Most items that an array may be allowed to have.
const MAX_ITEMS: u64 = 1_000_000_000;
/// Most letters and digits that a mask may keep.
pub(super) const MAX_KEPT: u64 = 32;
/// Most bytes of all bodies that a policy may ask one worker's VM to hold; the VM's memory ends at twice that.
pub(super) const MAX_INFLIGHT_BYTES: u64 = 2_147_483_648;

const ONLY_DLP: &str = "bodyguard does data-loss prevention only; remove it";
const NO_DEADLINE: &str = "bodyguard judges a body when it is there and waits for nothing";
const NO_SAMPLING: &str = "every message that is not clean makes an event, clean ones make none";
const NO_LOG_LEVEL: &str = "Envoy's log level of the wasm component decides";
const NO_HEADERS: &str = "bodyguard does not limit headers";
const NO_LABELS: &str = "bodyguard has no use for it";

const fn names(allowed: &'static [&'static str]) -> Choice {
    Choice { allowed, read_from_false: None }
}

pub(super) static MODE: Choice = Choice { allowed: &["off", "detect", "shadow", "block"], read_from_false: Some("off") };
pub(super) static FAIL_MODE: Choice = names(&["fail_open", "fail_close"]);
pub(super) static BODY_MODE: Choice = names(&["auto", "buffered", "streamed"]);
pub(super) static MASK: Choice = names(&["label", "same_length"]);
pub(super) static DETECTOR_MASK: Choice = names(&["label", "same_length"]);
pub(super) static IN_JSON: Choice = names(&["keys", "values", "both"]);
pub(super) static CHECKSUM: Choice =
    names(&["luhn", "mod97", "aba", "verhoeff", "mod11", "mod11_2", "mod11_10", "mod11_bsn", "ean"]);
pub(super) static RANGES: Choice = names(&["strip", "allow"]);
pub(super) static UPGRADES: Choice = names(&["allow", "deny"]);
pub(super) static DIRECTION: Choice = names(&["response", "request", "both"]);
static API_VERSION: Choice = names(&["sentinel.elchi.io/v1"]);
static KIND: Choice = names(&["SecurityPolicy"]);

/// The whole resource.
pub(super) static RESOURCE: Shape = Shape {
    name: "resource",
    some_of: &["spec"],
    one_of: &[],
    fields: &[
        field("apiVersion", "version of the format", Holds::Choice(&API_VERSION)),
        field("kind", "kind of the resource", Holds::Choice(&KIND)),
        field("metadata", "what the resource is called", Holds::Object(&METADATA)),
        field("spec", "the policy", Holds::Object(&SPEC)),
    ],
};

static METADATA: Shape = Shape {
    name: "metadata",
    some_of: &[],
    one_of: &[],
    fields: &[
        field("name", "name of the policy: a label of its metrics, and in its events", Holds::Text(&NAME)),
        field("labels", "labels of the resource", Holds::Ignored(NO_LABELS)),
        field("annotations", "annotations of the resource", Holds::Ignored(NO_LABELS)),
        field("namespace", "namespace of the resource", Holds::Ignored(NO_LABELS)),
    ],
};

/// The policy: what stands in `spec`, or alone.
pub(super) static SPEC: Shape = Shape {
    name: "spec",
    some_of: &[],
    one_of: &[],
    fields: &[
        field(
            "allow_on_headers_stop_iteration",
            "must equal Envoy's plugin setting of that name: whether headers are held until the body is judged (default false)",
            Holds::Bool,
        ),
        field(
            "max_inflight_body_bytes",
            "bytes of all bodies held at once in one worker's VM (default 134217728)",
            Holds::Integer(1, MAX_INFLIGHT_BYTES),
        ),
        field(
            "detectors",
            "kinds of the policy's own, for its block and redact lists; and, under the name of a built-in kind, where that does not count",
            Holds::NamedMap(&KIND_NAME, &Holds::Object(&DETECTOR)),
        ),
        field("exclude", "exact paths that are never inspected", Holds::List(&Holds::Text(&PATH))),
        field("defaults", "policy of every domain, unless it says otherwise", Holds::Object(&POLICY)),
        field("domains", "hosts and what applies to them", Holds::List(&Holds::Object(&DOMAIN))),
        field("events", "where security events go, besides the log", Holds::Object(&EVENTS)),
    ],
};

/// Where a kind of a policy's own gets its matches from: exactly one of these.
pub(super) static SOURCES: &[&str] = &["regex", "words", "json_keys", "large_array"];

static DETECTOR: Shape = Shape {
    name: "detector",
    some_of: &[],
    one_of: &[SOURCES],
    fields: &[
        field(
            "regex",
            "what a value looks like, in Rust's regex syntax, on bytes, without look-around; \\d, \\w, \\b and (?i) mean ASCII",
            Holds::Text(&DETECTOR_REGEX),
        ),
        field(
            "words",
            "the values themselves, where no letter, digit or underscore stands beside them",
            Holds::List(&Holds::Text(&WORD)),
        ),
        field("ignore_case", "words in any case of ASCII letters (default false)", Holds::Bool),
        field(
            "json_keys",
            "members of JSON objects with one of these names, at any depth: the values under them, each scalar one",
            Holds::List(&Holds::Text(&VALUE)),
        ),
        field("values", "of json_keys: true (default): the values under the keys; false: the keys themselves", Holds::Bool),
        field(
            "large_array",
            "a JSON array of at least so many items; it can block, and be masked only where it gets too long",
            Holds::Object(&LARGE_ARRAY),
        ),
        field("in", "where in JSON a finding counts: keys, values, or both (default)", Holds::Choice(&IN_JSON)),
        field(
            "paths",
            "where in JSON a finding counts: in the values at these paths, and in all that they hold; in what is no JSON, everywhere",
            Holds::List(&Holds::Text(&JSON_PATH)),
        ),
        field("except_paths", "where in JSON a finding does not count", Holds::List(&Holds::Text(&JSON_PATH))),
        field("except", "values that are no finding", Holds::List(&Holds::Text(&VALUE))),
        field(
            "except_regex",
            "a value in which one of these is found is no finding; write ^...$ to match all of it",
            Holds::List(&Holds::Text(&REGEX)),
        ),
        field("require", "all of these are found in a value; write ^...$ to match all of it", Holds::List(&Holds::Text(&REGEX))),
        field("near", "one of these words stands near a value", Holds::Object(&NEAR)),
        field(
            "validate",
            "the check digits of a value, without what separates its letters and digits, are right by this algorithm",
            Holds::Choice(&CHECKSUM),
        ),
        field(
            "mask",
            "how a value is masked: label (default), same_length, {keep_last: n}, {keep_first: n} or {hash: {key: ...}}",
            Holds::ChoiceOr(&DETECTOR_MASK, &KEEP_OR_HASH),
        ),
    ],
};

static LARGE_ARRAY: Shape = Shape {
    name: "large_array",
    some_of: &["min_items"],
    one_of: &[],
    fields: &[field("min_items", "items that make an array a finding", Holds::Integer(1, MAX_ITEMS))],
};

static NEAR: Shape = Shape {
    name: "near",
    some_of: &["words"],
    one_of: &[],
    fields: &[
        field(
            "words",
            "in any case of ASCII letters, where no letter or digit stands beside them",
            Holds::List(&Holds::Text(&WORD)),
        ),
        field(
            "within",
            "so many bytes before or behind the value, the word included (default 50)",
            Holds::Integer(1, MAX_NEAR_BYTES as u64),
        ),
    ],
};

static KEEP_OR_HASH: Shape = Shape {
    name: "keep_or_hash",
    some_of: &["keep_last", "keep_first", "hash"],
    one_of: &[&["keep_last", "keep_first", "hash"]],
    fields: &[
        field("keep_last", "letters and digits at the end that stay, at most half of the value's", Holds::Integer(1, MAX_KEPT)),
        field(
            "keep_first",
            "letters and digits at the start that stay, at most half of the value's",
            Holds::Integer(1, MAX_KEPT),
        ),
        field("hash", "a label with a hash of the value, HMAC-SHA-256 cut to 64 bits", Holds::Object(&HASH)),
    ],
};

static HASH: Shape = Shape {
    name: "hash",
    some_of: &["key"],
    one_of: &[],
    fields: &[field("key", "the secret of the hash; who knows it can try values", Holds::Secret(&HASH_KEY))],
};

static DOMAIN: Shape = Shape {
    name: "domain",
    some_of: &["hosts", "host"],
    one_of: &[&["hosts", "host"]],
    fields: &[
        field("hosts", "host names, *.suffix or *; the most specific one wins", Holds::List(&Holds::Text(&HOST))),
        field("host", "short for hosts with one name", Holds::Text(&HOST)),
        field("policy", "policy of every route of the domain, unless it says otherwise", Holds::Object(&POLICY)),
        field(
            "routes",
            "which requests get which policy; without routes, every request of the domain gets the domain's",
            Holds::List(&Holds::Object(&ROUTE)),
        ),
        field(
            "listener_id",
            "listener of the domain",
            Holds::Refused("a plugin configuration belongs to one listener already; remove it"),
        ),
    ],
};

static ROUTE: Shape = Shape {
    name: "route",
    some_of: &[],
    one_of: &[],
    fields: &[
        field("match", "which requests; {} is every one", Holds::Object(&MATCH)),
        field("policy", "policy of these requests, over the domain's and the defaults", Holds::Object(&POLICY)),
    ],
};

static MATCH: Shape = Shape {
    name: "match",
    some_of: &[],
    one_of: &[&["path_exact", "path_regex", "path_prefix"]],
    fields: &[
        field("path_exact", "the whole path", Holds::Text(&PATH_OR_STAR)),
        field(
            "path_regex",
            "a regex found in the normalized path; write ^...$ to match all of it; \\d, \\w and (?i) mean ASCII",
            Holds::Text(&REGEX),
        ),
        field("path_prefix", "the first segments of the path: /api covers /api and /api/x, not /apix", Holds::Text(&PATH)),
        field("methods", "one of these methods", Holds::List(&Holds::Text(&METHOD))),
        field(
            "content_type",
            "the request's content type is one of these",
            Holds::ListOr(&Holds::Text(&MEDIA_RANGE), &Holds::Text(&MEDIA_RANGE)),
        ),
        field(
            "headers",
            "all of these request headers; a map is short for exact values",
            Holds::ListOr(&Holds::Object(&HEADER), &Holds::Map(&Holds::Text(&HEADER_VALUE))),
        ),
        field(
            "source_principals",
            "who sent the request is one of these, by the URI of its client certificate; a * at an end stands for anything",
            Holds::List(&Holds::Text(&PRINCIPAL)),
        ),
        field(
            "destination_ports",
            "the port that the client connected to is one of these",
            Holds::List(&Holds::Integer(1, 65_535)),
        ),
        field(
            "clusters",
            "the cluster of Envoy that the request goes to is one of these; a * at an end stands for anything",
            Holds::List(&Holds::Text(&CLUSTER)),
        ),
    ],
};

static HEADER: Shape = Shape {
    name: "header",
    some_of: &["name"],
    one_of: &[&["exact", "contains", "regex", "present"]],
    fields: &[
        field("name", "name of the header, in any case", Holds::Text(&HEADER_NAME)),
        field(
            "exact",
            "the whole value; several headers of the name are joined with a comma and a space",
            Holds::Text(&HEADER_VALUE),
        ),
        field("contains", "a part of the value", Holds::Text(&HEADER_VALUE)),
        field("regex", "a regex found in the value", Holds::Text(&REGEX)),
        field("present", "true: the header is there (what a name alone means); false: it is not", Holds::Bool),
    ],
};

static POLICY: Shape = Shape {
    name: "policy",
    some_of: &[],
    one_of: &[],
    fields: &[
        field(
            "mode",
            "off: nothing is inspected; detect and shadow: findings are recorded, nothing is blocked; block (default)",
            Holds::Choice(&MODE),
        ),
        field(
            "fail_mode",
            "what becomes of a body that cannot be decoded: fail_open or fail_close (default)",
            Holds::Choice(&FAIL_MODE),
        ),
        field("inspect_request_body", "inspect the bodies of requests (default false)", Holds::Bool),
        field(
            "max_request_body_bytes",
            "longest request body that is inspected, before and after decoding (default 1048576)",
            Holds::Integer(0, MAX_BODY_BYTES),
        ),
        field(
            "request_body_mode",
            "how request bodies are judged: whole (buffered), as they flow (streamed), or by media type (default auto)",
            Holds::Choice(&BODY_MODE),
        ),
        field("inspect_response_body", "inspect the bodies of responses (default false)", Holds::Bool),
        field(
            "max_response_body_bytes",
            "longest response body that is inspected, before and after decoding (default 0: set it, unless streamed)",
            Holds::Integer(0, MAX_BODY_BYTES),
        ),
        field(
            "response_body_mode",
            "how response bodies are judged: whole (buffered), as they flow (streamed), or by media type (default auto)",
            Holds::Choice(&BODY_MODE),
        ),
        field(
            "skip_content_types",
            "media types whose bodies are not inspected (default none)",
            Holds::List(&Holds::Text(&MEDIA_RANGE)),
        ),
        field(
            "ranges",
            "strip (default): requests for a part of a body lose Range and If-Range, for a value could leave in pieces; allow",
            Holds::Choice(&RANGES),
        ),
        field(
            "upgrades",
            "allow (default): what asks for an upgrade (WebSocket) or CONNECT passes, counted as uninspected; deny: it is refused",
            Holds::Choice(&UPGRADES),
        ),
        field("block_response", "what replaces the block reply", Holds::Object(&BLOCK_RESPONSE)),
        field("checks", "what to look for", Holds::Object(&CHECKS)),
        field("timeout", "deadline of an inspection", Holds::Ignored(NO_DEADLINE)),
        field("sampling_rate", "share of clean messages in the audit log", Holds::Ignored(NO_SAMPLING)),
        field("log_level", "verbosity", Holds::Ignored(NO_LOG_LEVEL)),
        field("max_header_bytes", "longest header value", Holds::Ignored(NO_HEADERS)),
        field("engines", "other security engines", Holds::Refused(ONLY_DLP)),
        field("pipeline", "order of the stages", Holds::Refused(ONLY_DLP)),
        field("anomaly_threshold", "sum of the engines' scores that blocks", Holds::Refused(ONLY_DLP)),
        field("skip_checks", "checks left out", Holds::Refused(ONLY_DLP)),
    ],
};

static BLOCK_RESPONSE: Shape = Shape {
    name: "block_response",
    some_of: &[],
    one_of: &[],
    fields: &[
        field("status", "HTTP status", Holds::Integer(200, 599)),
        field("content_type", "content-type of the reply", Holds::Text(&CONTENT_TYPE)),
        field("body", "body of the reply, sent as it stands", Holds::Text(&BLOCK_BODY)),
    ],
};

static CHECKS: Shape = Shape {
    name: "checks",
    some_of: &[],
    one_of: &[],
    fields: &[
        field("body", "checks of bodies; the most specific block replaces the others whole", Holds::Object(&BODY)),
        field(
            "headers",
            "checks of header values; the most specific block replaces the others whole",
            Holds::ObjectOnly(&HEADERS, ONLY_DLP),
        ),
        field("query", "checks of the query; the most specific block replaces the others whole", Holds::Object(&QUERY)),
    ],
};

static BODY: Shape = Shape {
    name: "body",
    some_of: &[],
    one_of: &[],
    fields: &[
        field("dlp", "data-loss prevention: which kinds block a message and which are masked", Holds::Object(&DLP)),
        field(
            "detect_sensitive_data",
            "a hook of its own, on every inspected direction: blocks on the first hit of a kind of group:core, never masks",
            Holds::Bool,
        ),
        field("require_json", "bodies that claim JSON must be it", Holds::Refused(ONLY_DLP)),
    ],
};

/// What `except_test_values` does.
pub(super) const EXCEPT_TEST_VALUES: &str =
    "values that networks, vendors and offices publish for tests and documentation are no findings (default false)";

static DLP: Shape = Shape {
    name: "dlp",
    some_of: &["block", "redact"],
    one_of: &[],
    fields: &[
        field("direction", "which bodies: response (default), request or both", Holds::Choice(&DIRECTION)),
        field("block", "kinds that block a message", Holds::List(&Holds::Kind)),
        field("redact", "kinds that are masked", Holds::List(&Holds::Kind)),
        field(
            "mask",
            "how text is masked: label (default) or same_length, for all kinds or by kind; binary bodies always keep their length",
            Holds::OrByKind(&Holds::Choice(&MASK)),
        ),
        field(
            "min_findings",
            "fewest findings that block a message (default 1), of all kinds of block together, or by kind; fewer are counted, and masked \
             where redact names their kind too",
            Holds::OrByKind(&Holds::Integer(1, MAX_MIN_FINDINGS)),
        ),
        field(
            "redact_in_observe_modes",
            "mask in detect and shadow too (default true); false: there, would-be masks are only recorded",
            Holds::Bool,
        ),
        field("except_test_values", EXCEPT_TEST_VALUES, Holds::Bool),
    ],
};
