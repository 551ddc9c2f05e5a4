//! `bodyguard redact`: one message through a policy, as the filter does it.

use std::io::{self, Write};
use std::path::PathBuf;

use bodyguard::act::Direction;

use crate::message::Message;
use crate::request::RequestArgs;
use crate::{EXIT_BLOCKED, EXIT_OK, Failed, read, require_policy};

/// Put one body through a policy: what the filter would forward goes to standard output, the verdict to standard error.
///
/// The verdict is one line of JSON: verdict, code, the route that decided, findings by kind, what was done about them; of a request
/// whose query or headers are masked, these; for a blocked message, the reply too, and then nothing goes to standard output. A body
/// under a content encoding is decoded, rewritten and encoded again, as the filter does; one that is judged as it flows leaves
/// decoded. Two things are simpler than in the filter: Envoy's buffers have no limit here, and of a stream that is cut nothing
/// leaves.
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

pub(crate) fn run(args: &Args) -> Result<u8, Failed> {
    let policy = require_policy(&args.policy)?;
    let raw = read(&args.file).map_err(Failed::Said)?;
    let direction = match args.direction {
        DirectionArg::Request => Direction::Request,
        DirectionArg::Response => Direction::Response,
    };
    let of_request = args.content_type.as_deref().filter(|_| direction == Direction::Request);
    let message = Message {
        direction,
        content_type: args.content_type.as_deref(),
        content_encoding: args.content_encoding.as_deref(),
        headers: &[],
        raw: &raw,
    };
    let outcome = args.request.with_head(of_request, |head| message.through(&policy, head));
    let verdict = outcome.verdict(&policy, direction);
    let forwarded = outcome.forwarded(&raw);
    let wrote = match forwarded {
        Some(body) => io::stdout().lock().write_all(body),
        None => Ok(()),
    };
    // The verdict is told also where nobody reads the body to its end.
    writeln!(io::stderr().lock(), "{verdict}")?;
    wrote?;
    Ok(if forwarded.is_some() { EXIT_OK } else { EXIT_BLOCKED })
}
