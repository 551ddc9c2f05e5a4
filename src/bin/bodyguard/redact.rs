//! `bodyguard redact`: one message through a policy, as the filter does it.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use bodyguard::act::{Direction, Flowing, InFlight, Judgement, MessageHead, Plan, Verdict, block_reply, plan};
use bodyguard::policy::{Policy, Resolution, Rule};
use bodyguard::telemetry;
use serde_json::{Value, json};

use crate::request::RequestArgs;
use crate::{EXIT_BLOCKED, EXIT_OK, Failed, complain, read, require_policy};

/// Put one body through a policy: what the filter would forward goes to standard output, the verdict to standard error.
///
/// The verdict is one line of JSON: verdict, code, the route that decided, findings by kind, what was done about them; for a
/// blocked message, the reply too, and then nothing goes to standard output. A body under a content encoding is decoded,
/// rewritten and encoded again, as the filter does; one that is judged as it flows leaves decoded. Two things are simpler than
/// in the filter: Envoy's buffers have no limit here, and of a stream that is cut nothing leaves.
#[derive(clap::Args)]
#[command(after_help = "\
Exit codes: 0 the message passes, changed or not; 3 it is blocked; 2 error

Examples:
  bodyguard redact --policy p.yaml --host api.example.com --path /v1 --content-type application/json body.json
  curl -s https://api.example.com/v1 | bodyguard redact --policy p.yaml --host api.example.com --path /v1 -
  bodyguard redact --policy p.yaml --direction request --method POST --content-encoding gzip body.gz | zcat")]
pub(crate) struct Args {
    /// The policy, YAML or JSON
    #[arg(long)]
    policy: PathBuf,
    #[command(flatten)]
    request: RequestArgs,
    /// Which half of the exchange the body is of
    #[arg(long, value_enum, default_value_t = DirectionArg::Response)]
    direction: DirectionArg,
    /// The body's `content-type`; for a request it also selects the route
    #[arg(long)]
    content_type: Option<String>,
    /// The body's `content-encoding`
    #[arg(long)]
    content_encoding: Option<String>,
    /// The body; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum DirectionArg {
    Request,
    Response,
}

/// What became of a message.
enum Outcome {
    /// It passes without having been looked at, and why.
    Unread(String),
    /// It was judged; the body to forward, unless it is blocked.
    Judged(Arc<Rule>, Judgement, Option<Vec<u8>>),
}

pub(crate) fn run(args: &Args) -> Result<u8, Failed> {
    let policy = require_policy(&args.policy)?;
    let raw = read(&args.file).map_err(Failed::Said)?;
    let direction = match args.direction {
        DirectionArg::Request => Direction::Request,
        DirectionArg::Response => Direction::Response,
    };
    let outcome = put_through(args, &policy, direction, &raw);
    let (verdict, forwarded) = match &outcome {
        Outcome::Unread(reason) => (unread(&policy, direction, reason), Some(&raw)),
        Outcome::Judged(rule, judgement, rewritten) => {
            let forwarded = (!judgement.verdict.blocks()).then(|| rewritten.as_ref().unwrap_or(&raw));
            (judged(&policy, direction, rule, judgement), forwarded)
        }
    };
    let wrote = match forwarded {
        Some(body) => io::stdout().lock().write_all(body),
        None => Ok(()),
    };
    // The verdict is told also where nobody reads the body to its end.
    writeln!(io::stderr().lock(), "{verdict}")?;
    wrote?;
    Ok(if forwarded.is_some() { EXIT_OK } else { EXIT_BLOCKED })
}

fn put_through(args: &Args, policy: &Policy, direction: Direction, raw: &[u8]) -> Outcome {
    let of_request = args.content_type.as_deref().filter(|_| direction == Direction::Request);
    let rule = match args.request.with_head(of_request, |head| policy.resolve(head)) {
        Resolution::Pass(reason) => return Outcome::Unread(reason.to_string()),
        Resolution::Rule(rule) => rule,
    };
    let head = MessageHead {
        content_type: args.content_type.as_deref().map(str::as_bytes),
        content_encoding: args.content_encoding.as_deref().map(str::as_bytes),
        content_length: Some(raw.len() as u64),
        ..MessageHead::default()
    };
    match plan(&rule, direction, &head) {
        Plan::Pass(None) => Outcome::Unread(format!("{} inspects nothing in such a {direction}", rule.source)),
        Plan::Pass(Some(reason)) => Outcome::Unread(format!("uninspected: {reason}")),
        Plan::Judged(judgement) => Outcome::Judged(rule, judgement, None),
        Plan::Stream(streamer) => stream_through(streamer, rule, raw),
        Plan::Inspect(mut inspector) => {
            // A failure is kept by the inspector, and judged.
            let _ = inspector.feed(raw);
            let judgement = inspector.finish();
            if !judgement.rewrite {
                return Outcome::Judged(rule, judgement, None);
            }
            match inspector.rewrite(raw, None) {
                Some(body) => Outcome::Judged(rule, judgement, Some(body)),
                None => {
                    complain("the body cannot be rewritten");
                    let judgement = judgement.unmasked(rule.mode, direction);
                    Outcome::Judged(rule, judgement, None)
                }
            }
        }
    }
}

/// A body that is judged as it flows, all of it at once.
fn stream_through(mut streamer: Box<dyn InFlight>, rule: Arc<Rule>, raw: &[u8]) -> Outcome {
    let (head, tail, judgement) = match streamer.feed(raw) {
        Ok(Flowing::Cut) => (Flowing::Cut, Flowing::Cut, streamer.judgement()),
        Ok(head) => {
            let (tail, judgement) = streamer.finish();
            (head, tail, judgement)
        }
        Err(failure) => (Flowing::Cut, Flowing::Cut, streamer.fail(failure)),
    };
    let mut left = match head {
        Flowing::AsItCame => raw.to_vec(),
        Flowing::Instead(bytes) => bytes,
        Flowing::Cut => Vec::new(),
    };
    if let Flowing::Instead(bytes) = tail {
        left.extend_from_slice(&bytes);
    }
    let passed_unread = streamer.take_uninspected().first().copied();
    let uninspected = judgement.uninspected.or(passed_unread);
    Outcome::Judged(rule, Judgement { uninspected, ..judgement }, Some(left))
}

fn unread(policy: &Policy, direction: Direction, reason: &str) -> Value {
    json!({
        "verdict": Verdict::Clean.as_str(),
        "inspected": false,
        "reason": reason,
        "direction": direction.as_str(),
        "policy": policy.name,
        "policy_hash": policy.hash,
    })
}

fn judged(policy: &Policy, direction: Direction, rule: &Rule, judgement: &Judgement) -> Value {
    let (findings, actions) = telemetry::totals(&policy.detectors, &judgement.counts);
    let mut verdict = json!({
        "verdict": judgement.verdict.as_str(),
        "inspected": judgement.uninspected.is_none(),
        "direction": direction.as_str(),
        "mode": rule.mode.as_str(),
        "route": rule.source,
        "findings": findings,
        "actions": actions,
        "policy": policy.name,
        "policy_hash": policy.hash,
    });
    if let Some(parts) = verdict.as_object_mut() {
        if let Some(code) = judgement.code {
            parts.insert("code".into(), code.text(&policy.detectors).into());
        }
        if let Some(reason) = judgement.uninspected {
            parts.insert("reason".into(), format!("uninspected: {reason}").into());
        }
        if judgement.verdict.blocks() {
            let reply = block_reply(rule, &policy.name, direction, judgement);
            parts.insert("reply".into(), json!({"status": reply.status, "body": reply.body}));
        }
    }
    verdict
}
