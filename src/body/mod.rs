//! What a body is before it is bytes to scan: its coding, its media type, and where a JSON document has its strings.
//!
//! This module refuses to know policies and kinds. All of it takes chunks in any cut.

mod encoding;
pub mod grpc;
mod json;
mod json_path;
mod json_walk;
mod media_type;
pub mod protobuf;

pub use encoding::{Coding, DecodeError, Decoder, Wanted, decode, narrow_accept_encoding};
pub use json::{JsonTracker, Position, begins_like_json, quote_ranges};
pub use json_path::{JsonPath, JsonPaths, MAX_PATH_BYTES, MAX_PATHS, MAX_STEPS, PathSet};
pub use json_walk::{JsonWalk, Layout, MAX_DEPTH, MAX_KEY_BYTES, MAX_SCALAR_BYTES, Passed, Place};
pub use media_type::{MediaRange, MediaType};
