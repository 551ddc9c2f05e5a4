//! `bodyguard check`: is a policy right?

use std::io::{self, Write};
use std::path::PathBuf;

use crate::{EXIT_FOUND, EXIT_OK, Failed, name_of, parse_policy, read_text, words};

/// Check policies, YAML or JSON, as the filter would at load: every error and warning, each with its JSON path.
///
/// Errors, warnings and notes go to standard error, one a line; each policy that loads is named on standard output with the name and
/// hash that its metrics and events will carry.
#[derive(clap::Args)]
#[command(after_help = "\
Exit codes: 0 all policies load (warnings or not), 1 one does not

Example:
  bodyguard check policies/*.yaml")]
pub(crate) struct Args {
    /// Policy files: the spec, or the whole resource; `-` is standard input
    #[arg(required = true, value_name = "POLICY")]
    policies: Vec<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<u8, Failed> {
    let mut code = EXIT_OK;
    let mut out = io::stdout().lock();
    let mut err = io::stderr().lock();
    for file in &args.policies {
        let name = name_of(file);
        let loaded = read_text(file).map_err(|error| vec![error]).and_then(|text| Ok((parse_policy(file, &text)?, text)));
        match loaded {
            Ok((policy, text)) => {
                for warning in &policy.warnings {
                    writeln!(err, "warning: {name}: {warning}")?;
                }
                // It was read once, so it can be read again.
                for left in serde_saphyr::from_str(&text).map(|document| words::unmatched(&policy, &document)).unwrap_or_default()
                {
                    writeln!(err, "note: {name}: {left} pass unread; a route with match: {{}} takes them")?;
                }
                let inspecting = policy.rules().filter(|rule| rule.request.is_some() || rule.response.is_some()).count();
                let heads = policy.rules().filter(|rule| !rule.heads.is_empty()).count();
                let heads = if heads == 0 { String::new() } else { format!(", {heads} headers or queries") };
                writeln!(
                    out,
                    "{name}: ok: policy {:?}, hash {}, {} of {} rules inspect bodies{heads}",
                    policy.name,
                    policy.hash,
                    inspecting,
                    policy.rules().count()
                )?;
            }
            Err(errors) => {
                for error in errors {
                    writeln!(err, "error: {error}")?;
                }
                code = EXIT_FOUND;
            }
        }
    }
    Ok(code)
}
