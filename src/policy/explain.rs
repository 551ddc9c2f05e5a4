//! Why a request gets the rule it gets, in data and in words.

use std::fmt::{Display, Formatter, Result};

use super::matcher::Miss;
use super::{
    BodyMode, BodyRule, FailMode, MinFindings, Mode, Names, Otlp, PassReason, Policy, RequestHead, Resolution, Rule, host,
};
use crate::detect::{Detectors, Kind, KindSet};

/// What [`Policy::explain`] found. Its `Display` is some lines of text, without a line feed at the end.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The host as it is compared.
    pub host: String,
    /// The path as it is compared.
    pub path: String,
    /// The entry of a domain's hosts that won; `None`: no domain, or the path is excluded.
    pub host_match: Option<HostMatch>,
    /// The domain's routes in the order in which they were tried; the last one matched, if any did.
    pub tried: Vec<Trial>,
    /// What [`Policy::resolve`] says.
    pub resolution: Resolution,
}

/// The host pattern that won.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostMatch {
    /// As in `*.example.com`.
    pub pattern: String,
    /// JSON path of the pattern.
    pub source: String,
    /// JSON path of its domain.
    pub domain: String,
}

/// A route that was tried.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trial {
    /// JSON path of the route, or of the domain where it has no routes.
    pub source: String,
    /// The predicate that did not hold; `None`: all held.
    pub missed: Option<String>,
}

impl Policy {
    /// Which rule a request gets, and why. The same decision as [`Policy::resolve`], for people.
    pub fn explain(&self, request: &RequestHead<'_>) -> Explanation {
        let path = self.routing.path(request);
        let host = host::normalize(request.authority);
        let resolution = self.resolve(request);
        let found = if self.routing.excludes(&path) { None } else { self.routing.domain(&host) };
        let mut tried = Vec::new();
        for route in found.iter().flat_map(|(_, domain)| &domain.routes) {
            let missed = route.matcher.miss(&path, request).map(describe);
            let matched = missed.is_none();
            tried.push(Trial { source: route.rule.source.clone(), missed });
            if matched {
                break;
            }
        }
        Explanation {
            host: String::from_utf8_lossy(&host).into_owned(),
            path: String::from_utf8_lossy(&path).into_owned(),
            host_match: found.map(|(entry, domain)| HostMatch {
                pattern: entry.pattern.to_string(),
                source: entry.source.clone(),
                domain: domain.source.clone(),
            }),
            tried,
            resolution,
        }
    }
}

fn describe(miss: Miss<'_>) -> String {
    match miss {
        Miss::Path => "path".into(),
        Miss::Method => "method".into(),
        Miss::ContentType => "content type".into(),
        Miss::Header(name) => format!("header {name}"),
        Miss::SourcePrincipal => "source principal".into(),
        Miss::DestinationPort => "destination port".into(),
        Miss::Cluster => "cluster".into(),
    }
}

impl Display for Explanation {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        writeln!(f, "host      {:?}", self.host)?;
        writeln!(f, "path      {:?}", self.path)?;
        if let Some(found) = &self.host_match {
            writeln!(f, "domain    {} by {} ({})", found.domain, found.source, found.pattern)?;
        }
        for trial in &self.tried {
            match &trial.missed {
                Some(missed) => writeln!(f, "passed by {} ({missed} does not match)", trial.source)?,
                None => writeln!(f, "route     {}", trial.source)?,
            }
        }
        match &self.resolution {
            Resolution::Pass(reason) => write!(f, "outcome   passes unread: {reason}"),
            Resolution::Rule(rule) => write!(f, "{rule}"),
        }
    }
}

impl Display for PassReason {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            PassReason::NoDomain => "no domain has the host",
            PassReason::NoRoute => "no route of the domain matches",
            PassReason::Excluded => "the path stands in exclude",
            PassReason::ModeOff => "mode is off",
        })
    }
}

impl Display for Mode {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(self.as_str())
    }
}

impl Display for FailMode {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            FailMode::Open => "fail_open",
            FailMode::Close => "fail_close",
        })
    }
}

impl Display for Rule {
    /// What the rule does, one line for each thing.
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let close = self.fail_mode == FailMode::Close && self.mode == Mode::Block;
        writeln!(f, "mode      {} ({})", self.mode, if self.mode == Mode::Block { "blocks" } else { "records, blocks nothing" })?;
        writeln!(f, "fail mode {} (what cannot be decoded {})", self.fail_mode, if close { "is blocked" } else { "passes" })?;
        write_side(f, "request  ", self.request.as_ref(), self)?;
        writeln!(f)?;
        write_side(f, "response ", self.response.as_ref(), self)?;
        for (label, what, head_rule) in [
            ("request  ", "header values", &self.heads.request_headers),
            ("response ", "header values", &self.heads.response_headers),
            ("request  ", "the query", &self.heads.query),
        ] {
            if let Some(head_rule) = head_rule {
                write!(f, "\n{label} {what}{}", head_rule.names)?;
                write_lists(f, &head_rule.lists, self)?;
            }
        }
        if self.deny_upgrades {
            write!(f, "\nupgrades  are refused")?;
        }
        if !self.strip_ranges {
            write!(f, "\nranges    are allowed")?;
        }
        Ok(())
    }
}

/// Which kinds block, and which are masked.
fn write_lists(f: &mut Formatter<'_>, rule: &BodyRule, of: &Rule) -> Result {
    let names = |kinds| names(&of.detectors, kinds);
    if !rule.block.is_empty() {
        write!(f, "; block {}", names(rule.block))?;
        match &rule.min_findings {
            MinFindings::OfAll(1) => {}
            MinFindings::OfAll(least) => write!(f, " (from {least} findings)")?,
            MinFindings::ByKind(by_kind) => {
                let of_kind = |(kind, least): &(Kind, u64)| format!("{least} of {}", of.detectors.name(*kind));
                write!(f, " (from {})", by_kind.iter().map(of_kind).collect::<Vec<_>>().join(", "))?;
            }
        }
    }
    if !rule.redact.is_empty() {
        let masked = of.mode == Mode::Block || rule.redact_in_observe_modes;
        write!(f, "; {} {}", if masked { "mask" } else { "record" }, names(rule.redact))?;
    }
    if !rule.same_length.is_empty() {
        write!(f, " (same length: {})", names(rule.same_length))?;
    }
    if rule.program.excepts_test_values() {
        write!(f, "; not published test values")?;
    }
    Ok(())
}

impl Display for Names {
    /// Nothing where the usual headers, or all parameters, are read.
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let (only, include, exclude) = self.lists();
        for (word, names) in [("only", only), ("and of", include), ("but not of", exclude)] {
            if !names.is_empty() {
                write!(f, " {word} {}", names.join(", "))?;
            }
        }
        Ok(())
    }
}

impl Display for Otlp {
    /// Where events go; of headers only the names.
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "go to the log, and to {}{} in Envoy's cluster {}", self.authority, self.path, self.cluster)?;
        write!(f, " every {} ms, with {} ms for an answer", self.interval_milliseconds, self.timeout_milliseconds)?;
        if !self.headers.is_empty() {
            let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
            write!(f, ", with {} (not shown)", names.join(", "))?;
        }
        write!(f, "; up to {} wait in a worker", self.max_queue)
    }
}

fn write_side(f: &mut Formatter<'_>, label: &str, rule: Option<&BodyRule>, of: &Rule) -> Result {
    let Some(rule) = rule else { return write!(f, "{label} bodies pass unread") };
    match rule.body_mode {
        BodyMode::Streamed => write!(f, "{label} bodies as they flow")?,
        BodyMode::Auto | BodyMode::Buffered => write!(f, "{label} bodies up to {} bytes", rule.max_bytes)?,
    }
    write_lists(f, rule, of)?;
    if rule.sensitive_data {
        f.write_str("; block on any of group:core")?;
    }
    Ok(())
}

fn names(detectors: &Detectors, kinds: KindSet) -> String {
    kinds.iter().map(|kind| detectors.name(kind)).collect::<Vec<_>>().join(", ")
}
