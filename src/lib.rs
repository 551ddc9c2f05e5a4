//! bodyguard: a data-loss-prevention filter for Envoy and Istio.
//!
//! One crate, compiled to one Proxy-Wasm module. It reads the HTTP bodies that pass a proxy, finds secrets and personal data
//! in them, and blocks the message or rewrites it in flight.
//!
//! | module | turns | knows nothing of |
//! |---|---|---|
//! | [`detect`] | facts about kinds of sensitive data into patterns and validators | bodies, policies |
//! | [`scan`] | bytes into findings | what is done about them |
//! | [`body`] | content encodings and content types into plain bytes | policies, kinds |
//! | [`policy`] | a document into an immutable policy; a request into its rule | bytes, hosts |
//! | [`act`] | findings and a rule into a verdict and a rewritten body | Proxy-Wasm, time |
//! | [`telemetry`] | verdicts into metric names, labels and events | where they are sent |
//! | `filter` | Proxy-Wasm callbacks into calls of the above | how any of it is decided |
//! | `sort` | lists into sorted lists | what is sorted |
//!
//! Everything but `filter` is plain Rust: a function of policy, headers and bytes, with no host calls and no clock.

pub mod act;
pub mod body;
pub mod detect;
pub mod filter;
pub mod policy;
pub mod scan;
mod sort;
pub mod telemetry;
