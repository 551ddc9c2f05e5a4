//! A whole policy in words: what it does, route by route, in the order in which routes are tried.
//!
//! Hosts and rules are those that the filter would have; how a policy wrote its predicates and its kinds is read from the document.

mod kinds;
mod matches;
mod rule;

use bodyguard::policy::{Policy, Rule, Section};
use serde_json::Value;

/// Longest line, in characters.
const WIDTH: usize = 120;

/// Lines of text, none much longer than [`WIDTH`].
#[derive(Default)]
struct Page(String);

impl Page {
    fn line(&mut self, indent: usize, text: &str) {
        self.wrapped(indent, "", text);
    }

    fn item(&mut self, indent: usize, text: &str) {
        self.wrapped(indent, "- ", text);
    }

    /// A line that is as long as it is.
    fn whole(&mut self, indent: usize, text: &str) {
        self.0.push_str(&format!("{}{text}\n", " ".repeat(indent)));
    }

    fn gap(&mut self) {
        self.0.push('\n');
    }

    /// The text, its lines indented, the first one behind a mark.
    fn wrapped(&mut self, indent: usize, mark: &str, text: &str) {
        let indent = " ".repeat(indent);
        let mut line = format!("{indent}{mark}");
        let mut fresh = true;
        for word in text.split(' ') {
            let longer = line.chars().count().saturating_add(word.chars().count());
            if !fresh && longer >= WIDTH {
                self.0.push_str(&line);
                self.0.push('\n');
                line = format!("{indent}{}", " ".repeat(mark.len().max(2)));
                fresh = true;
            }
            if !fresh {
                line.push(' ');
            }
            line.push_str(word);
            fresh = false;
        }
        self.0.push_str(&line);
        self.0.push('\n');
    }
}

/// Requests to hosts of the policy that none of its routes takes, one text for each domain that leaves some.
pub(crate) fn unmatched(policy: &Policy, document: &Value) -> Vec<String> {
    let sections = policy.sections();
    sections.iter().filter_map(|section| left_over(document, section)).collect()
}

/// What the policy does; `document` is what it was read from.
pub(crate) fn of(policy: &Policy, document: &Value) -> String {
    let spec = document.get("spec").unwrap_or(document);
    let sections = policy.sections();
    let mut routes = Page::default();
    let mut unmatched = unmatched(policy, document);
    let mut told: Vec<&str> = Vec::new();
    for section in &sections {
        routes.gap();
        write_section(&mut routes, policy, document, section, &told);
        told.push(section.domain);
    }
    let mut page = Page::default();
    page.line(0, &format!("Policy {:?}, hash {}", policy.name, policy.hash));
    for warning in &policy.warnings {
        page.line(0, &format!("Warning: {warning}"));
    }
    page.gap();
    write_all(&mut page, policy, spec);
    write_kinds(&mut page, policy, spec, &routes.0);
    page.0.push_str(&routes.0);
    page.gap();
    if !sections.iter().any(|section| section.hosts.iter().any(|host| host == "*")) {
        unmatched.push("other hosts".into());
    }
    page.whole(
        0,
        &match unmatched.as_slice() {
            [] => "Where nothing matches, messages pass unread; here every host and every request has a route.".to_owned(),
            some => format!("Where nothing matches, messages pass unread: {}.", some.join("; ")),
        },
    );
    page.0
}

/// What holds for all routes.
fn write_all(page: &mut Page, policy: &Policy, spec: &Value) {
    let excluded = spec.get("exclude").map(matches::texts).unwrap_or_default();
    let excluded: Vec<&str> = excluded.iter().map(String::as_str).collect();
    if !excluded.is_empty() {
        page.line(0, &format!("Paths that are never read, whatever the host: {}.", kinds::joined(&excluded, "and")));
    }
    page.line(
        0,
        match policy.allow_on_headers_stop_iteration {
            true => "Headers are held until a body is judged: Envoy must have allow_on_headers_stop_iteration: true as well.",
            false => {
                "Headers go on before a body is judged (allow_on_headers_stop_iteration: false, which Envoy must have as well)."
            }
        },
    );
    let budget = rule::bytes(policy.max_inflight_body_bytes);
    page.line(0, &format!("A worker holds at most {budget} of bodies at once; a body that does not fit counts as a longer one."));
    match &policy.otlp {
        Some(otlp) => page.line(0, &format!("Security events {otlp}.")),
        None => page.line(0, "Security events go to the log."),
    }
}

/// What the policy says about kinds, and what the groups are that it names.
fn write_kinds(page: &mut Page, policy: &Policy, spec: &Value, routes: &str) {
    let detectors = spec.get("detectors").and_then(Value::as_object);
    let groups = kinds::groups_of(routes);
    if detectors.is_none_or(serde_json::Map::is_empty) && groups.is_empty() {
        return;
    }
    page.gap();
    page.line(0, "Kinds");
    for (name, definition) in detectors.into_iter().flatten() {
        let own = policy.detectors.kind(name).is_some_and(|kind| kind.own_number().is_some());
        let whose = if own { "its own" } else { "built in" };
        page.line(2, &format!("{name} ({whose})"));
        // Not wrapped: a space in a regex is one.
        kinds::detector(definition).iter().for_each(|clause| page.whole(4, clause));
    }
    groups.iter().for_each(|group| page.line(2, group));
}

/// Which requests of a section no route takes, if any.
fn left_over(document: &Value, section: &Section<'_>) -> Option<String> {
    let takes_all = |rule: &&Rule| predicates(document, rule).is_empty();
    let left = !section.routes.iter().any(takes_all);
    left.then(|| format!("requests to {} that no route of {} takes", kinds::joined(&hosts(section), "and"), section.domain))
}

fn predicates(document: &Value, rule: &Rule) -> Vec<String> {
    matches::predicates(at(document, &rule.source).and_then(|route| route.get("match")))
}

fn hosts<'a>(section: &'a Section<'_>) -> Vec<&'a str> {
    section.hosts.iter().map(|host| if host == "*" { "any other host (*)" } else { host }).collect()
}

/// The routes of a section.
fn write_section(page: &mut Page, policy: &Policy, document: &Value, section: &Section<'_>, told: &[&str]) {
    page.line(0, &format!("Hosts: {}", hosts(section).join(", ")));
    if told.contains(&section.domain) {
        page.line(2, &format!("As those of {} above.", section.domain));
        return;
    }
    let mut taken = false;
    for (index, rule) in section.routes.iter().enumerate() {
        let predicates = predicates(document, rule);
        let number = index.saturating_add(1);
        let which = if predicates.is_empty() { "every request".into() } else { predicates.join("; ") };
        let never = if taken { " - never reached: a route before takes every request" } else { "" };
        page.whole(2, &format!("{number}. {which}  ({}){never}", rule.source));
        let spec = document.get("spec").unwrap_or(document);
        rule::RuleWords { policy, document, spec, rule }.write(page);
        taken |= predicates.is_empty();
    }
}

/// What stands at a JSON path as this tool writes them, of names and indices.
fn at<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
    let steps = path.strip_prefix('$')?.split(['.', '[']).filter(|step| !step.is_empty());
    steps.into_iter().try_fold(document, |value, step| match step.strip_suffix(']') {
        Some(index) => value.get(index.parse::<usize>().ok()?),
        None => value.get(step),
    })
}
