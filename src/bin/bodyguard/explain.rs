//! `bodyguard explain`: what a policy does, in words; or which rule a request gets, why, and what that means.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bodyguard::act::Direction;
use bodyguard::detect::KindSet;
use bodyguard::policy::{BodyMode, BodyRule, FailMode, MinFindings, Mode, Policy, Resolution, Rule};

use crate::request::RequestArgs;
use crate::{EXIT_OK, Failed, all_said, name_of, parse_policy, read_text, require_policy, words};

/// Tell in words what a policy does, route by route, in the order in which routes are tried; or, for a request, which domain and route
/// it gets, and what the filter will do with its bodies.
#[derive(clap::Args)]
#[command(after_help = "\
Exit codes: 0 explained, 2 error

Examples:
  bodyguard explain p.yaml
  bodyguard explain p.yaml --host api.example.com --path '/v1/%2e%2e/admin?x=1' \\
    --method POST --content-type application/json --header x-tenant:acme")]
pub(crate) struct Args {
    /// The policy, YAML or JSON
    #[arg(value_name = "POLICY", required_unless_present = "policy", conflicts_with = "policy")]
    file: Option<PathBuf>,
    /// The policy, always for a request
    #[arg(long)]
    policy: Option<PathBuf>,
    #[command(flatten)]
    request: RequestArgs,
    /// The request's `content-type`
    #[arg(long)]
    content_type: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<u8, Failed> {
    let of_request = args.request.is_given() || args.content_type.is_some();
    let policy = match (&args.policy, &args.file) {
        (None, Some(file)) if !of_request => return in_words(file),
        (Some(file), _) | (None, Some(file)) => require_policy(file)?,
        (None, None) => return Err(Failed::Said("no policy given".into())),
    };
    let explanation = args.request.with_head(args.content_type.as_deref(), |head| policy.explain(head));
    let mut out = io::stdout().lock();
    writeln!(out, "policy    {:?}, hash {}", policy.name, policy.hash)?;
    writeln!(out, "{explanation}")?;
    if let Some(otlp) = &policy.otlp {
        writeln!(out, "events    {otlp}")?;
    }
    if let Resolution::Rule(rule) = &explanation.resolution {
        writeln!(out)?;
        for (direction, body_rule) in [(Direction::Request, &rule.request), (Direction::Response, &rule.response)] {
            writeln!(out, "What happens to a {direction}:")?;
            for line in head_consequences(&policy, rule, direction) {
                writeln!(out, "  {line}")?;
            }
            match body_rule {
                None => writeln!(out, "  its body is not read.")?,
                Some(body_rule) => {
                    for line in consequences(&policy, rule, direction, body_rule) {
                        writeln!(out, "  {line}")?;
                    }
                }
            }
        }
    }
    Ok(EXIT_OK)
}

fn in_words(file: &Path) -> Result<u8, Failed> {
    let text = read_text(file).map_err(Failed::Said)?;
    let policy = parse_policy(file, &text).map_err(all_said)?;
    // It was read once, so it can be read again.
    let document = serde_saphyr::from_str(&text).map_err(|error| Failed::Said(format!("{}: {error}", name_of(file))))?;
    io::stdout().lock().write_all(words::of(&policy, &document).as_bytes())?;
    Ok(EXIT_OK)
}

/// How many findings block.
fn findings(policy: &Policy, body_rule: &BodyRule) -> String {
    match &body_rule.min_findings {
        MinFindings::OfAll(1) => "a finding".into(),
        MinFindings::OfAll(least) => format!("{least} findings"),
        MinFindings::ByKind(by_kind) => {
            let of_kind = by_kind.iter().map(|(kind, least)| format!("{least} of {}", policy.detectors.name(*kind)));
            format!("enough findings ({}, one of others)", of_kind.collect::<Vec<_>>().join(", "))
        }
    }
}

/// What the filter will do with the head of a message, a sentence a line.
fn head_consequences(policy: &Policy, rule: &Rule, direction: Direction) -> Vec<String> {
    let mut lines = Vec::new();
    let parts = match direction {
        Direction::Request => vec![("its headers", &rule.heads.request_headers), ("its query", &rule.heads.query)],
        Direction::Response => vec![("its headers", &rule.heads.response_headers)],
    };
    for (part, head_rule) in parts {
        let Some(head_rule) = head_rule else { continue };
        let lists = &head_rule.lists;
        let kinds = |set: KindSet| set.iter().map(|kind| policy.detectors.name(kind)).collect::<Vec<_>>().join(", ");
        if !lists.block.is_empty() {
            let blocked = if rule.mode == Mode::Block { "is refused" } else { "is recorded as a would-block, and passes" };
            lines.push(format!("with {} of {} in {part}, it {blocked}.", findings(policy, lists), kinds(lists.block)));
        }
        if !lists.redact.is_empty() {
            let masked = rule.mode == Mode::Block || lists.redact_in_observe_modes;
            let what = if masked { "is masked" } else { "is recorded, and stays as it is" };
            lines.push(format!("a finding of {} in {part} {what}.", kinds(lists.redact)));
        }
    }
    lines
}

/// What the filter will do in one direction, a sentence a line.
fn consequences(policy: &Policy, rule: &Rule, direction: Direction, body_rule: &BodyRule) -> Vec<String> {
    let mut lines = Vec::new();
    let kinds = |set: KindSet| set.iter().map(|kind| policy.detectors.name(kind)).collect::<Vec<_>>().join(", ");
    let blocks = rule.mode == Mode::Block;
    let status = rule.block_response.as_ref().and_then(|reply| reply.status).unwrap_or(403);
    let blocked = match (blocks, direction, policy.allow_on_headers_stop_iteration) {
        (false, ..) => "is recorded as a would-block, and passes".to_string(),
        (true, Direction::Request, true) => format!("is answered with {status}; the upstream sees nothing of it"),
        (true, Direction::Request, false) => {
            format!("is answered with {status}; the upstream sees its headers and an aborted body")
        }
        (true, Direction::Response, true) => format!("becomes a {status}"),
        (true, Direction::Response, false) => "is cut: its headers have gone, no byte of its body follows".to_string(),
    };
    if body_rule.sensitive_data {
        lines.push(format!("with a finding of any kind of group:core, it {blocked}."));
    }
    let hook = if body_rule.sensitive_data { KindSet::core() } else { KindSet::EMPTY };
    let block = body_rule.block.without(hook);
    if !block.is_empty() {
        lines.push(format!("with {} of {}, it {blocked}.", findings(policy, body_rule), kinds(block)));
    }
    let redact = if blocks { body_rule.redact.without(hook) } else { body_rule.redact };
    if !redact.is_empty() {
        let masked = blocks || body_rule.redact_in_observe_modes;
        let what = if masked { "is masked" } else { "is recorded, and stays as it is" };
        lines.push(format!("a finding of {} {what}.", kinds(redact)));
    }
    lines.push(format!(
        "a body over {} bytes, before or after decoding, {}.",
        body_rule.max_bytes,
        match blocks {
            true => "is blocked",
            false => "passes as a would-block, counted as uninspected",
        }
    ));
    lines.push(format!(
        "a body that cannot be decoded {}.",
        match (blocks, rule.fail_mode) {
            (_, FailMode::Open) => "passes, counted as uninspected",
            (true, FailMode::Close) => "is blocked",
            (false, FailMode::Close) => "passes as a would-block, counted as uninspected",
        }
    ));
    lines.push(match body_rule.body_mode {
        BodyMode::Streamed => "it is judged as it flows.".into(),
        BodyMode::Buffered => "it is judged when it is whole.".into(),
        BodyMode::Auto => "it is judged when it is whole, or as it flows where its type is a stream.".into(),
    });
    if !rule.skip_content_types.is_empty() {
        let ranges: Vec<&str> = rule.skip_content_types.iter().map(|range| range.as_str()).collect();
        lines.push(format!("bodies of {} are not read.", ranges.join(", ")));
    }
    lines
}
