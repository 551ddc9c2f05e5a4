//! The shell around the core: Proxy-Wasm callbacks in, host calls out.
//!
//! The state machine of one HTTP exchange ([`stream`]) talks to a [`host::Host`], so that native tests drive it with a scripted one;
//! only `entry` (callbacks) and `envoy` (host calls) exist in the module alone. Nothing here decides what a finding is or means.

mod begin;
mod deliver;
mod ends;
pub mod exporter;
pub mod flow;
pub mod head;
mod heads;
pub mod host;
pub mod metrics;
pub mod root;
pub mod stream;
mod streaming;
mod watching;

#[cfg(target_arch = "wasm32")]
mod entry;
#[cfg(target_arch = "wasm32")]
mod envoy;
