//! `bodyguard scan`: where in files there is what.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bodyguard::detect::{GROUPS, Kind, KindSet, named};
use bodyguard::scan::{Finding, Program, Scanner};

use crate::{EXIT_ERROR, EXIT_FOUND, EXIT_OK, Failed, complain, name_of, open};

/// Bytes that are read and scanned at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// Find secrets and personal data in files: kind and place of each, never the value.
///
/// Files are read as they are, in pieces, so their size does not matter; compressed ones must be decompressed first
/// (`zcat log.gz | bodyguard scan -`). Start and end count bytes from 0; the end is one past the last byte.
#[derive(clap::Args)]
#[command(after_help = "Exit codes: 0 nothing found, 1 something found, 2 error", after_long_help = long_help())]
pub(crate) struct Args {
    /// Kinds and groups of them to look for, separated by commas, or `all`
    #[arg(long, default_value = "group:core", value_parser = parse_kinds)]
    kinds: KindSet,
    /// One JSON object a line instead of text: file, kind, start, end
    #[arg(long)]
    json: bool,
    /// Files to scan; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

fn long_help() -> String {
    let mut help = String::from("Kinds:\n");
    for kind in Kind::all() {
        help.push_str(&format!("  {:<20}{}\n", kind.name(), kind.spec().about));
    }
    help.push_str("\nGroups:\n");
    for group in &GROUPS {
        help.push_str(&format!("  {:<20}{}\n", group.name, group.about.replace('`', "")));
    }
    help.push_str(
        "
Examples:
  bodyguard scan --json responses/*.json
  bodyguard scan --kinds private_key,group:contact - < dump.txt

Exit codes:
  0  nothing found
  1  something found
  2  error: a file that cannot be read, an unknown kind; the other files are scanned all the same",
    );
    help
}

fn parse_kinds(list: &str) -> Result<KindSet, String> {
    let mut kinds = KindSet::EMPTY;
    for name in list.split(',').map(str::trim) {
        match (named(name), name) {
            (Some(set), _) => kinds = kinds.union(set),
            (None, "all") => kinds = KindSet::all(),
            (None, _) => {
                let known = Kind::all().map(Kind::name).chain(GROUPS.iter().map(|group| group.name));
                return Err(format!("unknown kind {name:?}; the kinds are all, {}", known.collect::<Vec<_>>().join(", ")));
            }
        }
    }
    Ok(kinds)
}

pub(crate) fn run(args: &Args) -> Result<u8, Failed> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let program = Arc::new(Program::new(args.kinds));
    let mut code = EXIT_OK;
    for file in &args.files {
        match scan_file(args, &program, file, &mut out)? {
            Ok(0) => {}
            Ok(_) => code = code.max(EXIT_FOUND),
            Err(error) => {
                complain(format_args!("{}: {error}", name_of(file)));
                code = EXIT_ERROR;
            }
        }
    }
    out.flush()?;
    Ok(code)
}

/// How many findings there were; the outer error is of the output, the inner one of the file.
fn scan_file(args: &Args, program: &Arc<Program>, file: &Path, out: &mut impl Write) -> Result<io::Result<u64>, Failed> {
    let mut source = match open(file) {
        Ok(source) => source,
        Err(error) => return Ok(Err(error)),
    };
    let mut scanner = Scanner::new(program);
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut findings = Vec::new();
    let mut count = 0u64;
    loop {
        let length = match source.read(&mut chunk) {
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Ok(Err(error)),
        };
        match chunk.get(..length) {
            Some(read) if length > 0 => {
                scanner.feed(read, &mut findings);
            }
            _ => scanner.finish(&mut findings),
        }
        count = count.saturating_add(findings.len() as u64);
        for finding in findings.drain(..) {
            report(args.json, file, &finding, out)?;
        }
        if length == 0 {
            return Ok(Ok(count));
        }
    }
}

fn report(json: bool, file: &Path, finding: &Finding, out: &mut impl Write) -> io::Result<()> {
    let (kind, start, end) = (finding.kind.name(), finding.start, finding.end);
    if json {
        let file = file.to_string_lossy();
        writeln!(out, "{}", serde_json::json!({"file": file, "kind": kind, "start": start, "end": end}))
    } else {
        writeln!(out, "{}:{start}-{end} {kind}", file.display())
    }
}
