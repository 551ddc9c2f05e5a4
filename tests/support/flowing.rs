//! A body through a plan, as it flows and buffered: what leaves, and what is said of it. It refuses to know policies.
#![allow(dead_code, unreachable_pub, clippy::panic, clippy::unwrap_used)]
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)]

use std::sync::Arc;

use bodyguard::act::{Count, Direction, Flowing, Judgement, MessageHead, Plan, plan};
use bodyguard::policy::Rule;
use proptest::sample::Index;

/// What came of a body: the bytes that left, whether it was cut, and what was said of it.
pub struct Outcome {
    pub left: Vec<u8>,
    pub cut: bool,
    pub judgement: Judgement,
    /// Most bytes that were held between two chunks.
    pub most_held: usize,
}

/// The head of a response.
pub fn head<'a>(content_type: &'a str, coding: Option<&'a str>) -> MessageHead<'a> {
    MessageHead {
        content_type: Some(content_type.as_bytes()),
        content_encoding: coding.map(str::as_bytes),
        ..MessageHead::default()
    }
}

/// A response whose body is judged as it flows.
pub fn stream(rule: &Arc<Rule>, head: &MessageHead<'_>, chunks: &[&[u8]]) -> Outcome {
    let Plan::Stream(mut streamer) = plan(rule, Direction::Response, head) else { panic!("not streamed") };
    let mut outcome = Outcome { left: Vec::new(), cut: false, judgement: streamer.judgement(), most_held: 0 };
    for chunk in chunks {
        match streamer.feed(chunk) {
            Ok(Flowing::AsItCame) => outcome.left.extend_from_slice(chunk),
            Ok(Flowing::Instead(bytes)) => outcome.left.extend(bytes),
            Ok(Flowing::Cut) => {
                return Outcome { cut: true, judgement: streamer.judgement(), ..outcome };
            }
            Err(failure) => {
                let judgement = streamer.fail(failure);
                return Outcome { cut: true, judgement, ..outcome };
            }
        }
        outcome.most_held = outcome.most_held.max(streamer.held_bytes());
    }
    let (last, judgement) = streamer.finish();
    outcome.judgement = judgement;
    match last {
        Flowing::Instead(tail) => outcome.left.extend(tail),
        Flowing::Cut => outcome.cut = true,
        Flowing::AsItCame => panic!("an end is no chunk"),
    }
    outcome
}

/// The same body buffered: what is said of it, and what is written.
pub fn buffer(rule: &Arc<Rule>, head: &MessageHead<'_>, body: &[u8]) -> (Judgement, Vec<u8>) {
    let Plan::Inspect(mut inspector) = plan(rule, Direction::Response, head) else { panic!("not buffered") };
    inspector.feed(body).unwrap();
    let judgement = inspector.finish();
    let written = if judgement.rewrite { inspector.rewrite(body, None).unwrap() } else { body.to_vec() };
    (judgement, written)
}

/// Counts in an order of their own, so that two lists can be compared.
pub fn sorted(counts: &[Count]) -> Vec<String> {
    let mut lines: Vec<String> = counts.iter().map(|count| format!("{count:?}")).collect();
    lines.sort();
    lines
}

/// The chunks of a body that is cut there.
pub fn cut<'a>(body: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
    at.extend([0, body.len()]);
    at.sort_unstable();
    at.windows(2).map(|pair| &body[pair[0]..pair[1]]).collect()
}
