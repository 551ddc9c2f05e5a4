//! `bodyguard test`: a policy against cases that its users wrote, for their CI.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bodyguard::act::{Direction, HeadEdits};
use bodyguard::policy::{Policy, RequestHead};
use serde::Deserialize;
use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use crate::message::Message;
use crate::request::uri_of;
use crate::{EXIT_FOUND, EXIT_OK, Failed, name_of, read, read_text, require_policy};

/// Test a policy: put the message of each case through it and compare what becomes of it with what the case expects.
///
/// A file of cases is YAML or JSON. Only what `expect` names is compared. Cases are test data: where one fails, its body is shown.
#[derive(clap::Args)]
#[command(after_help = "\
Exit codes: 0 all cases are as expected, 1 some are not, 2 error

A file of cases:
  cases:
  - name: the address in a response is masked
    request: {host: api.example.com, path: /v1/users, method: GET, headers: {x-tenant: acme}}
    # request may have source_principal, destination_port and cluster too
    direction: response                    # or request
    headers: {x-note: hello}               # of a response
    content_type: application/json         # of the body; content_encoding too, where it has one
    body: '{\"mail\":\"ada@example.com\"}'   # or body_file, beside this file
    expect:
      verdict: redacted                    # clean, redacted, would_block, blocked, failed_open, failed_closed
      findings: {email: 1}                 # by kind; {} is none
      output: '{\"mail\":\"[REDACTED:email]\"}'   # or output_file; what the filter forwards
      path: /v1/users                      # of a request, with its query, as it is forwarded
      headers: {x-note: hello}             # as they are forwarded; only those named are compared
      # code: body.dlp_block:email, status: 403, inspected: true, route: $.spec.domains[0].routes[0]")]
pub(crate) struct Args {
    /// The policy, YAML or JSON
    #[arg(value_name = "POLICY")]
    policy: PathBuf,
    /// Files of cases
    #[arg(value_name = "CASES", required = true)]
    cases: Vec<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Suite {
    cases: Vec<Case>,
}

/// One message, and what is expected to become of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    request: Request,
    #[serde(default)]
    direction: Side,
    /// Of a response.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    content_type: Option<String>,
    content_encoding: Option<String>,
    body: Option<String>,
    body_file: Option<PathBuf>,
    expect: Expected,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Request {
    host: String,
    path: String,
    method: String,
    headers: BTreeMap<String, String>,
    source_principal: Option<String>,
    destination_port: Option<u16>,
    cluster: Option<String>,
}

impl Default for Request {
    fn default() -> Request {
        Request {
            host: "localhost".into(),
            path: "/".into(),
            method: "GET".into(),
            headers: BTreeMap::new(),
            source_principal: None,
            destination_port: None,
            cluster: None,
        }
    }
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Side {
    Request,
    #[default]
    Response,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    verdict: Option<String>,
    code: Option<String>,
    status: Option<u64>,
    inspected: Option<bool>,
    route: Option<String>,
    findings: Option<BTreeMap<String, u64>>,
    output: Option<String>,
    output_file: Option<PathBuf>,
    path: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

pub(crate) fn run(args: &Args) -> Result<u8, Failed> {
    let policy = require_policy(&args.policy)?;
    let mut out = io::stdout().lock();
    let (mut total, mut failed) = (0u64, 0u64);
    for file in &args.cases {
        for case in read_cases(file).map_err(Failed::Said)? {
            let wrong = case
                .check(&policy, file)
                .map_err(|error| Failed::Said(format!("{}: {:?}: {error}", name_of(file), case.name)))?;
            total = total.saturating_add(1);
            failed = failed.saturating_add(u64::from(!wrong.is_empty()));
            writeln!(out, "{}  {}", if wrong.is_empty() { "ok  " } else { "FAIL" }, case.name)?;
            for line in wrong.lines() {
                writeln!(out, "      {line}")?;
            }
        }
    }
    writeln!(out, "{total} cases, {failed} failed")?;
    Ok(if failed == 0 { EXIT_OK } else { EXIT_FOUND })
}

fn read_cases(file: &Path) -> Result<Vec<Case>, String> {
    let text = read_text(file)?;
    let suite: Suite = serde_saphyr::from_str(&text).map_err(|error| format!("{}: {error}", name_of(file)))?;
    // A file that lost its cases must not pass.
    if suite.cases.is_empty() {
        return Err(format!("{}: found no case, allowed: at least one", name_of(file)));
    }
    Ok(suite.cases)
}

impl Case {
    /// What is not as expected, in lines; empty where all is.
    fn check(&self, policy: &Policy, cases: &Path) -> Result<String, String> {
        let raw = one_of(cases, "body", self.body.as_ref(), self.body_file.as_ref())?.unwrap_or_default();
        let expected_output = one_of(cases, "output", self.expect.output.as_ref(), self.expect.output_file.as_ref())?;
        let direction = match self.direction {
            Side::Request => Direction::Request,
            Side::Response => Direction::Response,
        };
        let lower = lower(&self.headers);
        let headers: Vec<(&[u8], &[u8])> = pairs(&lower);
        let message = Message {
            direction,
            headers: &headers,
            content_type: self.content_type.as_deref(),
            content_encoding: self.content_encoding.as_deref(),
            raw: &raw,
        };
        let outcome = self.with_head(direction, |head| message.through(policy, head));
        let verdict = outcome.verdict(policy, direction);
        let mut wrong = String::new();
        let edits = outcome.edits();
        let mut compare = |name: &str, expected: Option<Value>, got: &Value| {
            if let Some(expected) = expected.filter(|expected| expected != got) {
                let _ = writeln!(wrong, "{name:9} expected {expected}, got {got}");
            }
        };
        let expect = &self.expect;
        let part = |name| verdict.get(name).unwrap_or(&Value::Null);
        let reply = |name| part("reply").get(name).unwrap_or(&Value::Null);
        compare("verdict", expect.verdict.clone().map(Value::from), part("verdict"));
        compare("code", expect.code.clone().map(Value::from), part("code"));
        compare("status", expect.status.map(Value::from), reply("status"));
        compare("inspected", expect.inspected.map(Value::from), part("inspected"));
        compare("route", expect.route.clone().map(Value::from), part("route"));
        let path = edits.and_then(|edits| edits.path.as_ref());
        let path = path.map_or(self.request.path.clone(), |path| String::from_utf8_lossy(path).into_owned());
        compare("path", expect.path.clone().map(Value::from), &path.into());
        for (name, value) in &expect.headers {
            compare("header", Some(format!("{name}: {value}").into()), &format!("{name}: {}", self.header(name, edits)).into());
        }
        let none = Value::Object(serde_json::Map::new());
        let found = verdict.get("findings").unwrap_or(&none);
        let counts =
            |counts: &BTreeMap<String, u64>| counts.iter().map(|(kind, count)| (kind.clone(), (*count).into())).collect();
        compare("findings", expect.findings.as_ref().map(|findings| Value::Object(counts(findings))), found);
        if let Some(expected) = expected_output {
            let forwarded = outcome.forwarded(&raw);
            if forwarded != Some(expected.as_slice()) {
                wrong += &diff(&expected, forwarded);
            }
        }
        Ok(wrong)
    }

    /// A header of the message as it is forwarded.
    fn header(&self, name: &str, edits: Option<&HeadEdits>) -> String {
        let is = |other: &str| other.eq_ignore_ascii_case(name);
        let edited = edits.and_then(|edits| edits.headers.iter().find(|(other, _)| is(other)));
        let headers = match self.direction {
            Side::Request => &self.request.headers,
            Side::Response => &self.headers,
        };
        match edited {
            Some((_, values)) => String::from_utf8_lossy(&values.join(&b", "[..])).into_owned(),
            None => headers.iter().find(|(other, _)| is(other)).map(|(_, value)| value.clone()).unwrap_or_default(),
        }
    }

    fn with_head<T>(&self, direction: Direction, then: impl FnOnce(&RequestHead<'_>) -> T) -> T {
        let lower = lower(&self.request.headers);
        let mut headers = pairs(&lower);
        if let (Direction::Request, Some(content_type)) = (direction, &self.content_type) {
            headers.push((b"content-type", content_type.as_bytes()));
        }
        let principal = self.request.source_principal.as_deref().map(uri_of);
        then(&RequestHead {
            authority: self.request.host.as_bytes(),
            path: self.request.path.as_bytes(),
            method: self.request.method.as_bytes(),
            headers: &headers,
            source_principal: principal.as_deref().map(str::as_bytes),
            destination_port: self.request.destination_port,
            cluster: self.request.cluster.as_deref().map(str::as_bytes),
        })
    }
}

/// Headers, names in lower case, as the filter gets them.
fn lower(headers: &BTreeMap<String, String>) -> Vec<(String, &str)> {
    headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.as_str())).collect()
}

fn pairs<'a>(headers: &'a [(String, &str)]) -> Vec<(&'a [u8], &'a [u8])> {
    headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect()
}

/// The text of a case, or of the file beside it that it names.
fn one_of(cases: &Path, name: &str, text: Option<&String>, file: Option<&PathBuf>) -> Result<Option<Vec<u8>>, String> {
    match (text, file) {
        (Some(_), Some(_)) => Err(format!("found {name} and {name}_file, allowed: one of them")),
        (Some(text), None) => Ok(Some(text.clone().into_bytes())),
        (None, Some(file)) => read(&cases.parent().unwrap_or(Path::new("")).join(file)).map(Some),
        (None, None) => Ok(None),
    }
}

/// The lines that differ: `-` as expected, `+` as the filter forwards them.
fn diff(expected: &[u8], forwarded: Option<&[u8]>) -> String {
    let Some(forwarded) = forwarded else { return "output    expected a body, got none: the message is blocked\n".into() };
    let (expected, forwarded) = (String::from_utf8_lossy(expected), String::from_utf8_lossy(forwarded));
    let mut text = String::from("output    - expected, + got\n");
    for change in TextDiff::from_lines(expected.as_ref(), forwarded.as_ref()).iter_all_changes() {
        let sign = match change.tag() {
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
            ChangeTag::Equal => continue,
        };
        let ending = if change.missing_newline() { "" } else { "\\n" };
        let _ = writeln!(text, "  {sign} {}{ending}", change.value().trim_end_matches('\n'));
    }
    text
}
