//! What is done about a body: findings and a rule become a verdict, a rewritten body, a reply.
//!
//! [`plan`] looks at the head of a message and says whether its body is inspected; an [`Inspector`] takes the body chunk by
//! chunk; [`Inspector::finish`] judges it. This module refuses to know Proxy-Wasm, time, and where the bytes are kept.

mod finder;
mod flight;
mod frames;
mod head;
mod inspector;
mod judge;
mod mask;
mod places;
mod plan;
mod reply;
mod spans;
mod streamer;
mod verdict;

pub use flight::{Flowing, InFlight};
pub use frames::Frames;
pub use head::{HeadEdits, inspect_head};
pub use inspector::Inspector;
pub use judge::{Count, Judgement};
pub use mask::{Masks, rewrite};
pub use plan::{MessageHead, Plan, may_interfere, plan, plan_tunnel, wanted_codings, wants_whole_bodies};
pub use reply::{GRPC_PERMISSION_DENIED, Reply, block_reply};
pub use streamer::{MAX_DECODED_CHUNK_BYTES, Streamer};
pub use verdict::{Action, Code, Direction, Engine, Failure, Part, Uninspected, Verdict};

#[cfg(test)]
mod tests;
