//! The table of the document: every field there is, what it holds and what it is for.
//!
//! The format is Sentinel Shield's, so that its documents for data-loss prevention load unchanged; what belongs to its other
//! engines is refused, what has no meaning in a proxy filter is ignored with a warning.

use super::ends::{CLUSTER, PRINCIPAL};
use super::events::EVENTS;
use super::format::{
    BLOCK_BODY, CONTENT_TYPE, DETECTOR_REGEX, HASH_KEY, HEADER_NAME, HEADER_VALUE, HOST, JSON_KEY, JSON_PATH, KIND_NAME,
    MEDIA_RANGE, METHOD, NAME, PATH, PATH_OR_STAR, REGEX, VALUE, WORD,
};
use super::heads::{HEADERS, QUERY};
use super::shape::{Choice, Field, Holds, Shape, field};
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
        field(
            "name",
            "name of the policy: the label policy of its metrics, and in its events and block replies",
            Holds::Text(&NAME),
        )
        .by_default("\"default\""),
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
        field("allow_on_headers_stop_iteration", "must equal Envoy's plugin setting of that name: true, headers are held until the body is judged; false, they go on before", Holds::Bool).by_default("false"),
        field("max_inflight_body_bytes", "bytes of all bodies that one worker's VM holds at once; a body for which there is no room counts as one over its cap", Holds::Integer(1, MAX_INFLIGHT_BYTES)).by_default("134217728"),
        field("detectors", "kinds of the policy's own, by name, for its block and redact lists; and, under the name of a built-in kind, where that does not count and how it is masked", Holds::NamedMap(&KIND_NAME, &Holds::Object(&DETECTOR))).by_default("{}"),
        field("exclude", "exact paths that are never inspected, on any host, compared as routes are", Holds::List(&Holds::Text(&PATH))).by_default("[]"),
        field("defaults", "policy block of every domain and route, unless they say otherwise", Holds::Object(&POLICY)).by_default("{}"),
        field("domains", "hosts, and what applies to requests for them; requests for other hosts pass unread", Holds::List(&Holds::Object(&DOMAIN))).by_default("[]"),
        field("events", "where security events go, besides Envoy's log", Holds::Object(&EVENTS)),
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
        field("ignore_case", "words in any case of ASCII letters; in a regex write (?i)", Holds::Bool).by_default("false"),
        field(
            "json_keys",
            "members of JSON objects with one of these names, at any depth: the values under them, each scalar one",
            Holds::List(&Holds::Text(&JSON_KEY)),
        ),
        field(
            "values",
            "of json_keys: true, the values under the keys are the findings; false, the keys themselves are",
            Holds::Bool,
        )
        .by_default("true"),
        field(
            "large_array",
            "a JSON array of at least so many items; it can block, and be masked only where it gets too long",
            Holds::Object(&LARGE_ARRAY),
        ),
        field("in", "where in JSON a finding counts: in keys, in values, or in both", Holds::Choice(&IN_JSON))
            .by_default("\"both\""),
        field(
            "paths",
            "where in JSON a finding counts: in the values at these paths, and in all that they hold; in what is no JSON, everywhere",
            Holds::List(&Holds::Text(&JSON_PATH)),
        ),
        field(
            "except_paths",
            "where in JSON a finding does not count: at these paths, and in all that they hold",
            Holds::List(&Holds::Text(&JSON_PATH)),
        )
        .by_default("[]"),
        field("except", "values that are no finding, byte for byte", Holds::List(&Holds::Text(&VALUE))).by_default("[]"),
        field(
            "except_regex",
            "a value in which one of these is found is no finding; write ^...$ to match all of it",
            Holds::List(&Holds::Text(&REGEX)),
        )
        .by_default("[]"),
        field(
            "require",
            "all of these are found in a value, or it is no finding; write ^...$ to match all of it",
            Holds::List(&Holds::Text(&REGEX)),
        )
        .by_default("[]"),
        field("near", "one of these words stands near a value, or it is no finding", Holds::Object(&NEAR)),
        field(
            "validate",
            "the check digits of a value, without what separates its letters and digits, are right by this algorithm",
            Holds::Choice(&CHECKSUM),
        ),
        field(
            "mask",
            "how a value is masked: label, [REDACTED:<kind>]; same_length, a * for each letter and digit; or some characters kept, or a keyed hash",
            Holds::ChoiceOr(&DETECTOR_MASK, &KEEP_OR_HASH),
        ),
    ],
};

static LARGE_ARRAY: Shape = Shape {
    name: "large_array",
    some_of: &["min_items"],
    one_of: &[],
    fields: &[field("min_items", "an array of so many items is a finding, the last of them", Holds::Integer(1, MAX_ITEMS))],
};

static NEAR: Shape = Shape {
    name: "near",
    some_of: &["words"],
    one_of: &[],
    fields: &[
        field(
            "words",
            "in any case of ASCII letters, where no letter stands beside them; a space is also what joins the parts of a name (_, -, camel case), or nothing",
            Holds::List(&Holds::Text(&WORD)),
        ),
        field("within", "most bytes between a word and the value, before or behind it", Holds::Integer(1, MAX_NEAR_BYTES as u64))
            .by_default("50"),
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
        field(
            "hosts",
            "host names, *.suffix or *; of all domains the most specific one wins: the whole name, the longest suffix, *",
            Holds::List(&Holds::Text(&HOST)),
        ),
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
        field("match", "which requests: all predicates hold; {} is every request", Holds::Object(&MATCH)).by_default("{}"),
        field("policy", "policy of these requests, over the domain's and the defaults", Holds::Object(&POLICY)),
    ],
};

static MATCH: Shape = Shape {
    name: "match",
    some_of: &[],
    one_of: &[&["path_exact", "path_regex", "path_prefix"]],
    fields: &[
        field("path_exact", "the whole path, as it reads normalized", Holds::Text(&PATH_OR_STAR)),
        field(
            "path_regex",
            "a regex found in the normalized path; write ^...$ to match all of it; \\d, \\w and (?i) mean ASCII",
            Holds::Text(&REGEX),
        ),
        field(
            "path_prefix",
            "the first segments of the path: /api covers /api and /api/x, not /apix; / covers everything",
            Holds::Text(&PATH),
        ),
        field("methods", "the method is one of these, in any case", Holds::List(&Holds::Text(&METHOD))),
        field(
            "content_type",
            "the request's own content type is one of these; type/* and */* stand for many",
            Holds::ListOr(&Holds::Text(&MEDIA_RANGE), &Holds::Text(&MEDIA_RANGE)),
        ),
        field(
            "headers",
            "all of these hold of the request's headers; a map is short for exact values",
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
        field("contains", "a part of the value, case and all", Holds::Text(&HEADER_VALUE)),
        field("regex", "a regex found in the value; write ^...$ to match all of it", Holds::Text(&REGEX)),
        field("present", "true: the header is there (what a name alone means); false: it is not", Holds::Bool),
    ],
};

static POLICY: Shape = Shape {
    name: "policy",
    some_of: &[],
    one_of: &[],
    fields: &[
        field("mode", "off: nothing is inspected; detect and shadow: what would be blocked is recorded as would_block and passes; block: it is blocked. Masks are made in all but off, unless redact_in_observe_modes is false", Holds::Choice(&MODE)).by_default("\"block\""),
        field("fail_mode", "what becomes of a body that cannot be decoded: fail_close blocks it, fail_open lets it pass, counted", Holds::Choice(&FAIL_MODE)).by_default("\"fail_close\""),
        field("inspect_request_body", "inspect the bodies of requests, for what the checks look for", Holds::Bool).by_default("false"),
        field("max_request_body_bytes", "longest request body that is inspected, in bytes, before and after decoding; a longer one is blocked (413). A body that flows has no cap, but its gRPC messages have this one", Holds::Integer(0, MAX_BODY_BYTES)).by_default("1048576"),
        field("request_body_mode", "how request bodies are judged: buffered, when they are whole; streamed, as they flow; auto, by their media type: event streams, gRPC and lines of JSON as they flow", Holds::Choice(&BODY_MODE)).by_default("\"auto\""),
        field("inspect_response_body", "inspect the bodies of responses, for what the checks look for", Holds::Bool).by_default("false"),
        field("max_response_body_bytes", "longest response body that is inspected, in bytes, before and after decoding; a longer one is blocked (502). Must be set where responses are inspected, unless response_body_mode is streamed", Holds::Integer(0, MAX_BODY_BYTES)).by_default("0"),
        field("response_body_mode", "how response bodies are judged: buffered, when they are whole; streamed, as they flow; auto, by their media type: event streams, gRPC and lines of JSON as they flow", Holds::Choice(&BODY_MODE)).by_default("\"auto\""),
        field("skip_content_types", "media types whose bodies are not inspected, counted; the sender names the type, so a client can choose to be skipped", Holds::List(&Holds::Text(&MEDIA_RANGE))).by_default("[]"),
        field("ranges", "strip: requests for a part of a body lose Range and If-Range where the response may be blocked or masked, for a value could leave in pieces; allow: parts are treated as bodies that cannot be decoded", Holds::Choice(&RANGES)).by_default("\"strip\""),
        field("upgrades", "allow: what asks for an upgrade (WebSocket) or CONNECT passes, counted as uninspected; deny: it is refused (403, body.upgrade_denied)", Holds::Choice(&UPGRADES)).by_default("\"allow\""),
        field("block_response", "what replaces the block reply, field by field", Holds::Object(&BLOCK_RESPONSE)).by_default("{}"),
        field("checks", "what to look for, and where", Holds::Object(&CHECKS)).by_default("{}"),
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
        field(
            "status",
            "HTTP status of a reply to a finding; bodies that cannot be read keep theirs (413, 415, 400, 502)",
            Holds::Integer(200, 599),
        )
        .by_default("403"),
        field("content_type", "content-type of the reply", Holds::Text(&CONTENT_TYPE)).by_default("\"application/json\""),
        field(
            "body",
            "body of the reply, sent as it stands, in place of the JSON object with the code",
            Holds::Text(&BLOCK_BODY),
        ),
    ],
};

static CHECKS: Shape = Shape {
    name: "checks",
    some_of: &[],
    one_of: &[],
    fields: &[
        field("body", "checks of bodies; the most specific block that has them replaces the others whole", Holds::Object(&BODY)),
        field(
            "headers",
            "checks of header values; the most specific block that has them replaces the others whole",
            Holds::ObjectOnly(&HEADERS, ONLY_DLP),
        ),
        field(
            "query",
            "checks of the query of a request; the most specific block that has them replaces the others whole",
            Holds::Object(&QUERY),
        ),
    ],
};

static BODY: Shape = Shape {
    name: "body",
    some_of: &[],
    one_of: &[],
    fields: &[
        field("dlp", "data-loss prevention: which kinds block a message and which are masked", Holds::Object(&DLP)),
        field("detect_sensitive_data", "a hook of its own, on every inspected direction: blocks on the first finding of any kind of group:core, stripe_key too; never masks", Holds::Bool).by_default("false"),
        field("require_json", "bodies that claim JSON must be it", Holds::Refused(ONLY_DLP)),
    ],
};

/// The rows that every dlp check has.
pub(super) const BLOCK: Field = field("block", "kinds that block a message", Holds::List(&Holds::Kind)).by_default("[]");
pub(super) const REDACT: Field =
    field("redact", "kinds that are masked, and the message goes on", Holds::List(&Holds::Kind)).by_default("[]");
pub(super) const MASKED: Field = field("mask", "how values are masked: label, as the kind is; same_length, a * for each letter and digit; for all kinds or by kind. In binary bodies always same_length", Holds::OrByKind(&MASKS)).by_default("\"label\"");
static MASKS: Holds = Holds::Choice(&MASK);
pub(super) const MIN_FINDINGS: Field = field("min_findings", "fewest findings that block a message, of all kinds of block together, or by kind; fewer are counted, and masked where redact names their kind too", Holds::OrByKind(&Holds::Integer(1, MAX_MIN_FINDINGS))).by_default("1");
pub(super) const OBSERVED: Field = field(
    "redact_in_observe_modes",
    "in detect and shadow: true, mask; false, record would_redact and leave the value",
    Holds::Bool,
)
.by_default("true");
pub(super) const EXCEPT_TEST_VALUES: Field = field(
    "except_test_values",
    "values that networks, vendors and offices publish for tests and documentation are no findings; in bodies, of \
     detect_sensitive_data neither",
    Holds::Bool,
)
.by_default("false");

static DLP: Shape = Shape {
    name: "dlp",
    some_of: &["block", "redact"],
    one_of: &[],
    fields: &[
        field("direction", "bodies of which messages", Holds::Choice(&DIRECTION)).by_default("\"response\""),
        BLOCK,
        REDACT,
        MASKED,
        MIN_FINDINGS,
        OBSERVED,
        EXCEPT_TEST_VALUES,
    ],
};
