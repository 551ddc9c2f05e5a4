//! The closed sets of words that verdicts, metrics, events and replies are made of.

use std::fmt;

use crate::detect::{Detectors, Kind};

/// Which half of an exchange a message is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Direction {
    /// From the client to the upstream.
    Request,
    /// From the upstream to the client.
    Response,
}

/// What became of one message.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Verdict {
    /// Nothing was found that the policy acts on.
    Clean,
    /// Something was masked.
    Redacted,
    /// It would have been blocked, but for the mode.
    WouldBlock,
    /// It could not be decoded, and passed by `fail_open`.
    FailedOpen,
    /// It could not be decoded, and was blocked by `fail_close`.
    FailedClosed,
    /// It was blocked.
    Blocked,
}

/// What was done about findings of one kind.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Action {
    /// They blocked the message.
    Block,
    /// They would have, but for the mode.
    WouldBlock,
    /// They were masked.
    Redact,
    /// They would have been, but for `redact_in_observe_modes: false`.
    WouldRedact,
    /// They were seen, and something else decided about the message.
    Detect,
}

/// Which part of the filter speaks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Engine {
    /// The `dlp` lists.
    Dlp,
    /// The `detect_sensitive_data` hook.
    SensitiveData,
    /// The caps on size.
    BodySize,
    /// The content decoder.
    BodyDecode,
}

/// A part of a message that is not its body.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Part {
    /// Its header values.
    Headers,
    /// The query of its path.
    Query,
}

/// Why a message was or would be blocked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Code {
    /// A kind of the `block` list.
    DlpBlock(Kind),
    /// A kind of the `block` list of another part of a message than its body.
    HeadBlock(Part, Kind),
    /// The `detect_sensitive_data` hook.
    SensitiveData(Kind),
    /// Too large to be inspected whole.
    Truncated,
    /// Cannot be decoded.
    Undecodable,
    /// A request for a tunnel, where the policy denies them.
    UpgradeDenied,
}

/// Why a body could not be inspected whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failure {
    /// Over `max_*_body_bytes` or `max_inflight_body_bytes`.
    TooLarge,
    /// A content coding that is not known here.
    UnknownEncoding,
    /// Bytes that are not of their content coding.
    Corrupt,
    /// A part of a body (status 206, `multipart/byteranges`), which may end within a value.
    Partial,
}

/// Why a body was passed without being read (to its end).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Uninspected {
    /// It was too large.
    TooLarge,
    /// Its content coding is not known here.
    ContentEncoding,
    /// It could not be decoded.
    Corrupt,
    /// Its media type is skipped, is a stream that cannot be buffered, or is a part of a body.
    ContentType,
    /// It is no body but a tunnel.
    Upgrade,
}

macro_rules! words {
    ($type:ident { $($variant:ident => $word:literal),+ $(,)? }) => {
        impl $type {
            /// Every value, in order.
            pub const ALL: &'static [$type] = &[$($type::$variant),+];

            /// The word in metrics, events and replies.
            pub fn as_str(self) -> &'static str {
                match self { $($type::$variant => $word),+ }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words!(Direction { Request => "request", Response => "response" });
words!(Part { Headers => "headers", Query => "query" });
words!(Verdict {
    Clean => "clean",
    Redacted => "redacted",
    WouldBlock => "would_block",
    FailedOpen => "failed_open",
    FailedClosed => "failed_closed",
    Blocked => "blocked",
});
words!(Action {
    Block => "block",
    WouldBlock => "would_block",
    Redact => "redact",
    WouldRedact => "would_redact",
    Detect => "detect",
});
words!(Engine {
    Dlp => "dlp",
    SensitiveData => "sensitive_data",
    BodySize => "body_size",
    BodyDecode => "body_decode",
});
words!(Uninspected {
    TooLarge => "too_large",
    ContentEncoding => "content_encoding",
    Corrupt => "corrupt",
    ContentType => "content_type",
    Upgrade => "upgrade",
});

impl Verdict {
    /// Was the message kept from its receiver?
    pub fn blocks(self) -> bool {
        matches!(self, Verdict::Blocked | Verdict::FailedClosed)
    }
}

impl Failure {
    /// The engine that speaks for it.
    pub fn engine(self) -> Engine {
        match self {
            Failure::TooLarge => Engine::BodySize,
            Failure::UnknownEncoding | Failure::Corrupt | Failure::Partial => Engine::BodyDecode,
        }
    }

    /// Its code.
    pub fn code(self) -> Code {
        match self {
            Failure::TooLarge => Code::Truncated,
            Failure::UnknownEncoding | Failure::Corrupt | Failure::Partial => Code::Undecodable,
        }
    }

    /// What a message that passes in spite of it counts as.
    pub fn uninspected(self) -> Uninspected {
        match self {
            Failure::TooLarge => Uninspected::TooLarge,
            Failure::UnknownEncoding => Uninspected::ContentEncoding,
            Failure::Corrupt => Uninspected::Corrupt,
            Failure::Partial => Uninspected::ContentType,
        }
    }

    /// The HTTP status of a block reply (RFC 9110, section 15).
    pub fn status(self, direction: Direction) -> u16 {
        match (direction, self) {
            (Direction::Response, _) => 502,
            (Direction::Request, Failure::TooLarge) => 413,
            (Direction::Request, Failure::UnknownEncoding | Failure::Partial) => 415,
            (Direction::Request, Failure::Corrupt) => 400,
        }
    }
}

impl Code {
    /// The words in replies and events, with the names that a policy's detectors have.
    pub fn text(self, detectors: &Detectors) -> String {
        match self {
            Code::DlpBlock(kind) => format!("body.dlp_block:{}", detectors.name(kind)),
            Code::HeadBlock(part, kind) => format!("{part}.dlp_block:{}", detectors.name(kind)),
            Code::SensitiveData(kind) => format!("body.sensitive_data:{}", detectors.name(kind)),
            Code::Truncated => "body.truncated".into(),
            Code::Undecodable => "body.undecodable".into(),
            Code::UpgradeDenied => "body.upgrade_denied".into(),
        }
    }
}
