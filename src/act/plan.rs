//! What the head of a message says about its body: inspect it, pass it, or judge it at once.

use std::sync::Arc;

use super::{Direction, Failure, Frames, InFlight, Inspector, Judgement, Streamer, Uninspected, judge};
use crate::body::{Coding, MediaType, Wanted};
use crate::policy::{BodyMode, Mode, Rule};

/// What of a message's head matters to its body.
#[derive(Clone, Copy, Default, Debug)]
pub struct MessageHead<'a> {
    /// `content-type`, where there is one.
    pub content_type: Option<&'a [u8]>,
    /// `content-encoding`, all values joined with commas.
    pub content_encoding: Option<&'a [u8]>,
    /// It is a part of a body: status 206.
    pub partial: bool,
    /// `content-length`, in bytes, where there is a valid one.
    pub content_length: Option<u64>,
}

/// What to do with a body that is about to come.
#[derive(Debug)]
pub enum Plan {
    /// Pass it; where there was something to look for, why it is not looked at.
    Pass(Option<Uninspected>),
    /// The head already decides: this judgement stands, and no byte need be read.
    Judged(Judgement),
    /// Read it whole, then judge it.
    Inspect(Box<Inspector>),
    /// Judge it as it flows.
    Stream(Box<dyn InFlight>),
}

/// Judges a request for a tunnel: an HTTP upgrade, or CONNECT.
pub fn plan_tunnel(rule: &Rule, direction: Direction) -> Plan {
    let inspected = match direction {
        Direction::Request => rule.request.is_some(),
        Direction::Response => rule.response.is_some(),
    };
    match direction {
        Direction::Request if rule.deny_upgrades => Plan::Judged(judge::of_tunnel(rule)),
        _ => Plan::Pass(inspected.then_some(Uninspected::Upgrade)),
    }
}

/// Which codings responses under the rule had better come in; `None`: any.
pub fn wanted_codings(rule: &Rule) -> Option<Wanted> {
    let body_rule = rule.response.as_ref()?;
    Some(if judge::redacts(rule, body_rule) { Wanted::Encodable } else { Wanted::Decodable })
}

/// May the rule block or change a message, or does it only watch?
pub fn may_interfere(rule: &Rule, direction: Direction) -> bool {
    let body_rule = match direction {
        Direction::Request => rule.request.as_ref(),
        Direction::Response => rule.response.as_ref(),
    };
    rule.mode == Mode::Block || body_rule.is_some_and(|body_rule| judge::redacts(rule, body_rule))
}

/// Must a request under the rule ask for whole bodies? Parts of one are not inspected; a value could leave in pieces.
pub fn wants_whole_bodies(rule: &Rule) -> bool {
    let may_change = |body_rule| rule.mode == Mode::Block || judge::redacts(rule, body_rule);
    rule.strip_ranges && rule.response.as_ref().is_some_and(may_change)
}

/// Decides what to do with the body behind `head`. Call it only for messages that have a body.
pub fn plan(rule: &Arc<Rule>, direction: Direction, head: &MessageHead<'_>) -> Plan {
    let body_rule = match direction {
        Direction::Request => rule.request.as_ref(),
        Direction::Response => rule.response.as_ref(),
    };
    let Some(body_rule) = body_rule else { return Plan::Pass(None) };
    if head.content_length == Some(0) {
        return Plan::Pass(None);
    }
    let media_type = MediaType::parse(head.content_type.unwrap_or_default());
    if rule.skip_content_types.iter().any(|range| range.contains(&media_type)) {
        return Plan::Pass(Some(Uninspected::ContentType));
    }
    let judge_now = |failure| Plan::Judged(judge::of_failure(rule, body_rule, direction, failure, &[]));
    // A value that is cut by the ends of a part is found in none.
    if head.partial || media_type.essence() == "multipart/byteranges" {
        return judge_now(Failure::Partial);
    }
    let streams = match body_rule.body_mode {
        BodyMode::Auto => media_type.is_stream(),
        BodyMode::Buffered => false,
        BodyMode::Streamed => true,
    };
    if streams && media_type.is_framed() && !media_type.is_grpc_text() {
        return Plan::Stream(Box::new(Frames::new(Arc::clone(rule), body_rule.clone(), direction)));
    }
    let coding = match head.content_encoding {
        None => Coding::Identity,
        Some(value) => match Coding::from_header(value) {
            Some(coding) => coding,
            None => return judge_now(Failure::UnknownEncoding),
        },
    };
    if streams {
        let mut streamer = Streamer::new(Arc::clone(rule), body_rule.clone(), direction, coding, &media_type);
        if media_type.is_grpc_text() {
            // Frames in base64 are not read. But what calls itself so need not be.
            streamer.count_unread(Uninspected::ContentType);
        }
        return Plan::Stream(Box::new(streamer));
    }
    if head.content_length.is_some_and(|length| length > body_rule.max_bytes) {
        return judge_now(Failure::TooLarge);
    }
    Plan::Inspect(Box::new(Inspector::new(Arc::clone(rule), body_rule.clone(), direction, coding, &media_type)))
}
