//! The block reply: what the client sees in place of a message.

use super::{Code, Direction, Judgement};
use crate::policy::Rule;

/// An HTTP reply, before it is anybody's host call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers besides `:status`, names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// Body.
    pub body: String,
    /// `grpc-message` for gRPC requests, in place of the body.
    pub grpc_message: String,
}

/// gRPC status of every block: `PERMISSION_DENIED`.
pub const GRPC_PERMISSION_DENIED: i32 = 7;

/// The reply to a message that was judged to be blocked.
///
/// A `block_response` of the rule replaces content type and body of any reply, and the status of those that a finding or a denied
/// upgrade caused; the statuses of bodies that could not be read (413, 415, 400, 502) say something to clients and stay.
pub fn block_reply(rule: &Rule, policy: &str, direction: Direction, judgement: &Judgement) -> Reply {
    let code = judgement.code.map(|code| code.text(&rule.detectors)).unwrap_or_default();
    let chosen = rule.block_response.as_ref();
    let by_finding =
        matches!(judgement.code, Some(Code::DlpBlock(_) | Code::HeadBlock(..) | Code::SensitiveData(_) | Code::UpgradeDenied));
    let status = chosen.and_then(|chosen| chosen.status).filter(|_| by_finding).unwrap_or(judgement.status);
    let content_type = chosen.and_then(|chosen| chosen.content_type.clone()).unwrap_or_else(|| "application/json".into());
    let body = chosen.and_then(|chosen| chosen.body.clone()).unwrap_or_else(|| {
        // Every part is of a closed set or a checked name: nothing here needs JSON escapes.
        format!(r#"{{"error":"blocked","code":"{code}","direction":"{direction}","policy":"{policy}"}}"#)
    });
    let grpc_message = format!("blocked: {code}");
    Reply { status, headers: vec![("content-type", content_type), ("x-bodyguard-code", code)], body, grpc_message }
}
