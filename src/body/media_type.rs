//! Media types, as in `content-type`, and ranges of them, as in a policy.

/// A `content-type`, its parameters dropped, lower-cased.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct MediaType {
    essence: String,
}

/// `type/subtype`, `type/*` or `*/*`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MediaRange {
    essence: String,
}

impl MediaType {
    /// Reads a `content-type` header; what is no media type reads as the empty one.
    pub fn parse(value: &[u8]) -> MediaType {
        let _ = value;
        MediaType::default()
    }

    /// `application/json` and what is built on it: `+json`, ndjson, json-seq and their like.
    pub fn is_json(&self) -> bool {
        false
    }

    /// A type that is a stream of parts without an end in sight: `text/event-stream`, gRPC, ndjson, `multipart/x-mixed-replace`.
    pub fn is_stream(&self) -> bool {
        false
    }

    /// `application/grpc` and `application/grpc+...` and `application/grpc-web...`.
    pub fn is_grpc(&self) -> bool {
        false
    }

    /// The lower-cased `type/subtype`.
    pub fn essence(&self) -> &str {
        &self.essence
    }
}

impl MediaRange {
    /// Reads a range; `None` where it is none.
    pub fn parse(text: &str) -> Option<MediaRange> {
        Some(MediaRange { essence: text.to_ascii_lowercase() })
    }

    /// Does the range hold `media_type`?
    pub fn contains(&self, media_type: &MediaType) -> bool {
        self.essence == media_type.essence
    }
}
