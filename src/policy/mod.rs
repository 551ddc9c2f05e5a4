//! The policy document, its errors, and which rule a request gets.
//!
//! A document is read whole or not at all: [`Policy::from_plugin_configuration`] builds an immutable [`Policy`] or returns
//! every error it found, each with its JSON path. This module refuses to know bytes of bodies, hosts and clocks.
//!
//! | step | in |
//! |---|---|
//! | bytes (JSON, YAML, protobuf Struct) into a tree | `read`, `wire`, `node` |
//! | the tree against the table of all fields | `document` (the table), `shape` (the check), `format` and `kinds` (texts), `schema`, `reference` |
//! | what it says about kinds | `detectors`, `json_rules` |
//! | scopes read and laid over each other, into rules | `block`, `checks` (bodies), `heads` (headers, query) |
//! | what selects a rule | `matcher`, `ends` (who sends, where to), `path`, `host` |
//! | where events go besides the log | `events` |
//! | all of it into a policy | `compile` |
//! | a request into its rule, and why | `routing`, `explain` |
//! | all of it in the order in which it is tried | `sections` |

mod block;
mod checks;
mod compile;
mod cursor;
mod detectors;
mod document;
mod ends;
mod events;
mod explain;
mod format;
mod heads;
mod host;
mod json_rules;
mod kinds;
mod matcher;
mod node;
mod path;
mod read;
#[cfg(not(target_arch = "wasm32"))]
mod reference;
mod routing;
#[cfg(not(target_arch = "wasm32"))]
mod schema;
#[cfg(not(target_arch = "wasm32"))]
mod sections;
mod shape;
mod wire;

use std::sync::Arc;

use crate::detect::{Detectors, Kind, KindSet};
use crate::scan::Program;

pub use detectors::BUILT_IN_WITHIN;
pub use events::{Otlp, Secret};
pub use explain::{Explanation, HostMatch, Trial};
pub use heads::{HeadRule, Heads, Names};
pub use json_rules::{JsonRules, JsonSource, Limit};
#[cfg(not(target_arch = "wasm32"))]
pub use reference::{FieldReference, ObjectReference, reference};
#[cfg(not(target_arch = "wasm32"))]
pub use schema::json_schema;
#[cfg(not(target_arch = "wasm32"))]
pub use sections::Section;

/// An immutable, fully checked policy.
#[derive(Debug)]
pub struct Policy {
    /// `metadata.name`, or [`Policy::UNNAMED`]; a metric label.
    pub name: String,
    /// First 12 hexadecimal digits of the SHA-256 of the canonical document; a metric label, and in every event.
    pub hash: String,
    /// The plugin setting that the policy says Envoy has (design: held and released).
    pub allow_on_headers_stop_iteration: bool,
    /// Bytes of all bodies that one worker's VM may hold at once.
    pub max_inflight_body_bytes: u64,
    /// Where security events go besides the log.
    pub otlp: Option<Otlp>,
    /// What is legal and yet likely a mistake; for the log and `bodyguard check`.
    pub warnings: Vec<Problem>,
    /// What it says about kinds, its own ones among them.
    pub detectors: Arc<Detectors>,
    /// Looks for every built-in kind and every own one: what no event may show.
    pub every_kind: Arc<Program>,
    routing: routing::Routing,
}

/// One thing wrong with a document (an error) or likely wrong (a warning).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// JSON path, as in `$.spec.domains[0].routes[1].match.path_prefix`.
    pub path: String,
    /// What was found and what is allowed: lower case, one line, never the value of a secret.
    pub message: String,
}

/// What of a request selects a rule. Header names are lower case.
#[derive(Clone, Copy, Default, Debug)]
pub struct RequestHead<'a> {
    /// `:authority`, as it came.
    pub authority: &'a [u8],
    /// `:path`, as it came, with its query.
    pub path: &'a [u8],
    /// `:method`.
    pub method: &'a [u8],
    /// All headers, as they came.
    pub headers: &'a [(&'a [u8], &'a [u8])],
    /// Who sent it: the first URI of the client certificate. This and what follows is needed where [`Policy::asks`] says so.
    pub source_principal: Option<&'a [u8]>,
    /// The port that the client connected to.
    pub destination_port: Option<u16>,
    /// The cluster that it goes to.
    pub cluster: Option<&'a [u8]>,
}

/// What routes ask of a request besides its head; the filter learns it only then.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Asks {
    /// [`RequestHead::source_principal`].
    pub source_principal: bool,
    /// [`RequestHead::destination_port`].
    pub destination_port: bool,
    /// [`RequestHead::cluster`].
    pub cluster: bool,
}

/// Where a request ended up, and why.
#[derive(Clone, Debug)]
pub enum Resolution {
    /// No domain, no route, an excluded path or `mode: off`: the message passes unread.
    Pass(PassReason),
    /// This rule applies.
    Rule(Arc<Rule>),
}

/// Why a request is not inspected at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PassReason {
    /// No domain has the request's host.
    NoDomain,
    /// No route of the domain matches.
    NoRoute,
    /// The path stands in `exclude`.
    Excluded,
    /// The rule's mode is `off`.
    ModeOff,
}

/// Whether a block match really blocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Nothing is inspected.
    Off,
    /// Findings are recorded; nothing is blocked.
    Detect,
    /// As `Detect`; the event says what blocking would have done.
    Shadow,
    /// A block match blocks.
    Block,
}

/// What happens to a body that cannot be decoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FailMode {
    /// It passes, counted.
    Open,
    /// It is blocked.
    Close,
}

/// How a body is judged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BodyMode {
    /// Streamed for media types that are streams (event streams, gRPC, line-delimited JSON, `multipart/x-mixed-replace`), else buffered.
    Auto,
    /// At once, when it is whole.
    Buffered,
    /// As it flows.
    Streamed,
}

/// The effective policy of one route: all scopes merged.
#[derive(Debug)]
pub struct Rule {
    /// JSON path of the route (or domain) that it comes from, for `explain` and debug logs.
    pub source: String,
    /// Never [`Mode::Off`] in a [`Resolution::Rule`].
    pub mode: Mode,
    /// See [`FailMode`].
    pub fail_mode: FailMode,
    /// How request bodies are inspected; `None`: not at all.
    pub request: Option<BodyRule>,
    /// How response bodies are inspected; `None`: not at all.
    pub response: Option<BodyRule>,
    /// What is looked for outside bodies.
    pub heads: Heads,
    /// Media types whose bodies are not inspected.
    pub skip_content_types: Vec<crate::body::MediaRange>,
    /// Requests lose `Range` and `If-Range` where a response may be blocked or masked: a value must not leave in pieces.
    pub strip_ranges: bool,
    /// Requests that ask for a tunnel are refused.
    pub deny_upgrades: bool,
    /// What replaces the block reply.
    pub block_response: Option<BlockResponse>,
    /// What the policy says about kinds.
    pub detectors: Arc<Detectors>,
}

/// How the bodies of one direction are inspected. Present only where there is something to look for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BodyRule {
    /// Longest body that is inspected, in bytes, before and after decoding; of a body that flows, the longest gRPC message.
    pub max_bytes: u64,
    /// See [`BodyMode`].
    pub body_mode: BodyMode,
    /// Kinds that block (dlp).
    pub block: KindSet,
    /// Kinds that are masked (dlp).
    pub redact: KindSet,
    /// The `detect_sensitive_data` hook: blocks on any of [`KindSet::core`].
    pub sensitive_data: bool,
    /// Looks for all of these; rules that look for the same share it.
    pub program: Arc<Program>,
    /// Where in JSON findings count, and what of its structure is one; `None`: everywhere, and nothing.
    pub json: Option<Arc<JsonRules>>,
    /// Mask in `detect` and `shadow` too.
    pub redact_in_observe_modes: bool,
    /// Kinds whose masks keep the length in every body; in binary ones all do.
    pub same_length: KindSet,
    /// How many findings of `block` block.
    pub min_findings: MinFindings,
}

/// The fewest findings that block a message. Fewer are counted, and masked where `redact` has their kind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MinFindings {
    /// So many of all kinds of `block` together.
    OfAll(u64),
    /// So many of a kind; of others one.
    ByKind(Vec<(Kind, u64)>),
}

/// The `block_response` override: what is set replaces the default.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct BlockResponse {
    /// HTTP status, 200 to 599.
    pub status: Option<u16>,
    /// `content-type` of the reply.
    pub content_type: Option<String>,
    /// Body of the reply, sent as it stands.
    pub body: Option<String>,
}

impl Policy {
    /// The name of a policy without `metadata.name`.
    pub const UNNAMED: &'static str = "default";

    /// Reads a plugin configuration: JSON text (the spec or the whole resource), or the bytes of a `google.protobuf.Struct`.
    ///
    /// # Errors
    /// All problems found, in the order of the document. Never empty.
    pub fn from_plugin_configuration(bytes: &[u8]) -> Result<Policy, Vec<Problem>> {
        let document = read::plugin_configuration(bytes).map_err(|problem| vec![problem])?;
        compile::compile(&document)
    }

    /// Reads a policy as people write it: YAML or JSON, the spec or the whole resource. For the command line tool; the module
    /// gets JSON or a Struct.
    ///
    /// # Errors
    /// As [`Policy::from_plugin_configuration`].
    #[cfg(not(target_arch = "wasm32"))]
    pub fn from_yaml_or_json(text: &str) -> Result<Policy, Vec<Problem>> {
        let document = read::yaml_or_json(text).map_err(|problem| vec![problem])?;
        compile::compile(&document)
    }

    /// The rule that a request gets.
    pub fn resolve(&self, request: &RequestHead<'_>) -> Resolution {
        self.routing.resolve(request)
    }

    /// What the routes for requests to `authority` ask of them besides their head.
    pub fn asks(&self, authority: &[u8]) -> Asks {
        self.routing.asks(authority)
    }

    /// Every rule of the policy, each once; telemetry defines its metrics from them.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.routing.rules()
    }
}

impl std::ops::BitOr for Asks {
    type Output = Asks;

    fn bitor(self, other: Asks) -> Asks {
        Asks {
            source_principal: self.source_principal | other.source_principal,
            destination_port: self.destination_port | other.destination_port,
            cluster: self.cluster | other.cluster,
        }
    }
}

impl Mode {
    /// The word in policies and events.
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Off => "off",
            Mode::Detect => "detect",
            Mode::Shadow => "shadow",
            Mode::Block => "block",
        }
    }
}

impl Rule {
    /// The rule, with what the policy says about places in JSON.
    fn in_json(mut self, json: &JsonRules) -> Rule {
        for body_rule in [&mut self.request, &mut self.response].into_iter().flatten() {
            let kinds = body_rule.kinds();
            body_rule.json = json.of(|kind| kinds.contains(kind)).map(Arc::new);
        }
        self
    }

    /// Is anything of a message inspected?
    pub fn inspects(&self) -> bool {
        self.request.is_some() || self.response.is_some() || !self.heads.is_empty()
    }
}

impl MinFindings {
    /// The fewest findings with which one of this kind may block.
    pub fn of(&self, kind: Kind) -> u64 {
        match self {
            MinFindings::OfAll(least) => *least,
            MinFindings::ByKind(by_kind) => by_kind.iter().find(|(of, _)| *of == kind).map_or(1, |(_, least)| *least),
        }
    }
}

impl Default for MinFindings {
    fn default() -> MinFindings {
        MinFindings::OfAll(1)
    }
}

impl BodyRule {
    /// Every kind that must be looked for.
    pub fn kinds(&self) -> KindSet {
        self.program.kinds()
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}
