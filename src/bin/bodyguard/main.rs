//! The command line tool: the same code as the module, native.
//!
//! This folder knows arguments, files and exit codes, and refuses to know how anything is decided: a subcommand is one file
//! that calls the library. Only `redact`, and `test` of cases that fail, print
//! bytes of what they were given.

mod check;
mod explain;
mod message;
mod redact;
mod request;
mod scan;
mod test;
mod words;

use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use bodyguard::policy::Policy;
use clap::{Parser, Subcommand};

/// Nothing was wrong, or nothing was found.
const EXIT_OK: u8 = 0;
/// `scan`: something was found. `check`: a policy has errors. `test`: a case failed.
const EXIT_FOUND: u8 = 1;
/// The command could not do its work.
const EXIT_ERROR: u8 = 2;
/// `redact`: the message is blocked.
const EXIT_BLOCKED: u8 = 3;

/// Finds secrets and personal data in HTTP bodies: the filter's own code, at the command line.
#[derive(Parser)]
#[command(version, propagate_version = true, max_term_width = 120, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  bodyguard scan access.log                       what is in there, and where
  bodyguard check policies/pci-dss.yaml           is the policy right, before it is rolled out
  bodyguard explain p.yaml                        what it does, in words, route by route
  bodyguard explain p.yaml --host api.example.com --path /v1/users
  bodyguard redact --policy p.yaml --host api.example.com --content-type application/json body.json
  bodyguard test p.yaml cases.yaml                 does the policy do what its cases expect

Exit codes:
  0  done: nothing found, the policy is right, the message passes
  1  scan: something was found; check: a policy has errors; test: a case is not as expected
  2  error: wrong arguments, a file that cannot be read, a policy that does not load
  3  redact: the message is blocked

README.md says what each kind is, how a policy is written and what the filter does with it.";

#[derive(Subcommand)]
enum Command {
    Scan(scan::Args),
    Check(check::Args),
    Redact(redact::Args),
    Explain(explain::Args),
    Test(test::Args),
}

fn main() -> ExitCode {
    let ran = match Cli::parse().command {
        Command::Scan(args) => scan::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Redact(args) => redact::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Test(args) => test::run(&args),
    };
    ExitCode::from(match ran {
        Ok(code) => code,
        // Whoever read the output has enough of it; that is no error of ours.
        Err(Failed::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => EXIT_OK,
        Err(failed) => {
            complain(failed);
            EXIT_ERROR
        }
    })
}

/// Why a subcommand stopped.
enum Failed {
    /// Standard output cannot be written to.
    Output(io::Error),
    /// Anything else, said in lines of their own.
    Said(String),
}

impl Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failed::Output(error) => write!(f, "cannot write the output: {error}"),
            Failed::Said(message) => f.write_str(message),
        }
    }
}

/// All output goes through `write!`, whose errors are errors of the output.
impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Failed {
        Failed::Output(error)
    }
}

/// One line on standard error; where nobody can read it, nothing.
fn complain(message: impl Display) {
    let _ = writeln!(io::stderr().lock(), "bodyguard: {message}");
}

/// The name of a file in messages; `-` is standard input.
fn name_of(file: &Path) -> String {
    if is_stdin(file) { "standard input".into() } else { file.display().to_string() }
}

fn is_stdin(file: &Path) -> bool {
    file.as_os_str() == "-"
}

/// Opens a file, or standard input for `-`.
fn open(file: &Path) -> io::Result<Box<dyn io::Read>> {
    if is_stdin(file) { Ok(Box::new(io::stdin().lock())) } else { Ok(Box::new(std::fs::File::open(file)?)) }
}

/// Reads a whole file.
fn read(file: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    match open(file).and_then(|mut source| source.read_to_end(&mut bytes)) {
        Ok(_) => Ok(bytes),
        Err(error) => Err(format!("{}: {error}", name_of(file))),
    }
}

/// Reads a policy; each error is a line that names the file.
fn load_policy(file: &Path) -> Result<Policy, Vec<String>> {
    parse_policy(file, &read_text(file).map_err(|error| vec![error])?)
}

/// Reads a file of text.
fn read_text(file: &Path) -> Result<String, String> {
    String::from_utf8(read(file)?).map_err(|_| format!("{}: not UTF-8 text", name_of(file)))
}

/// Reads the policy that a file holds.
fn parse_policy(file: &Path, text: &str) -> Result<Policy, Vec<String>> {
    Policy::from_yaml_or_json(text)
        .map_err(|problems| problems.iter().map(|problem| format!("{}: {problem}", name_of(file))).collect())
}

/// Reads the policy of `--policy`, or says all that is wrong with it.
fn require_policy(file: &Path) -> Result<Policy, Failed> {
    load_policy(file).map_err(all_said)
}

/// All errors of a policy.
fn all_said(errors: Vec<String>) -> Failed {
    Failed::Said(errors.join("\nbodyguard: "))
}
