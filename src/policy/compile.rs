//! From a document to a policy, or to every error in it.
//!
//! Three looks, and all of them always: the table checks each field by itself, reading finds what cannot stand together, merging
//! the scopes finds what is wrong with the outcome.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::block::{Block, Scope};
use super::cursor::Cursor;
use super::detectors;
use super::document::{RESOURCE, SPEC};
use super::events::Otlp;
use super::host::HostPattern;
use super::matcher::Matcher;
use super::node::{Node, field_path, item_path};
use super::path;
use super::routing::{Domain, HostEntry, Route, Routing};
use super::shape::{Holds, Report, check};
use super::{JsonRules, Policy, Problem};
use crate::detect::KindSet;
use crate::scan::Programs;
use crate::sort;

/// The budget of bodies held at once, where none is set: 128 MiB.
const BUILT_IN_INFLIGHT_BYTES: u64 = 134_217_728;
/// Bytes of the document's SHA-256 that name it.
const HASH_BYTES: usize = 6;

/// Builds the policy that a document describes.
///
/// # Errors
/// Every error of the document, in its order.
pub(super) fn compile(document: &Node) -> Result<Policy, Vec<Problem>> {
    let mut report = Report::with_own_kinds(detectors::names(document));
    let root = Cursor::new(document, "$");
    let envelope = matches!(document, Node::Object(fields) if fields.iter().any(|(name, _)| RESOURCE.has(name)));
    check(document, &Holds::Object(if envelope { &RESOURCE } else { &SPEC }), "$", &mut report);
    let spec = if envelope { root.field("spec") } else { Some(root.clone()) };
    let Some(spec) = spec else { return Err(in_document_order(report.errors, document)) };
    let name = root.field("metadata").and_then(|metadata| metadata.field("name")).and_then(|name| name.text());
    let max_inflight_body_bytes =
        spec.field("max_inflight_body_bytes").and_then(|field| field.integer()).unwrap_or(BUILT_IN_INFLIGHT_BYTES);
    let detectors = Arc::new(detectors::read(spec.field("detectors").as_ref(), &mut report));
    let mut programs = Programs::new(Arc::clone(&detectors));
    let json = detectors::json_rules(spec.field("detectors").as_ref(), &detectors, &mut report);
    let routing = read_routing(&spec, &mut programs, &json, &mut report);
    detectors::warn_about_unused(spec.field("detectors").as_ref(), &detectors, &routing, &mut report);
    let otlp = Otlp::read(&spec, &mut report);
    warn_about_budget(&spec, &routing, max_inflight_body_bytes, &mut report);
    if !report.errors.is_empty() {
        return Err(in_document_order(report.errors, document));
    }
    Ok(Policy {
        name: name.unwrap_or(Policy::UNNAMED).into(),
        hash: hash(document),
        allow_on_headers_stop_iteration: spec
            .field("allow_on_headers_stop_iteration")
            .and_then(|flag| flag.boolean())
            .unwrap_or(false),
        max_inflight_body_bytes,
        otlp,
        warnings: in_document_order(report.warnings, document),
        every_kind: programs.of(KindSet::all().union(detectors.own().map(|(kind, _)| kind).collect())),
        detectors,
        routing,
    })
}

fn read_routing(spec: &Cursor<'_>, programs: &mut Programs, json: &JsonRules, report: &mut Report) -> Routing {
    let defaults = Block::read(spec.field("defaults").as_ref(), Scope::Defaults, programs.detectors(), report);
    let exclude = spec.field("exclude").map(|list| list.items()).unwrap_or_default();
    let exclude = exclude.iter().filter_map(|item| item.text()).map(|text| path::normalize(text.as_bytes()).into_owned());
    let exclude = exclude.collect();
    let mut hosts = Hosts::default();
    let mut domains = Vec::new();
    for domain in spec.field("domains").map(|list| list.items()).unwrap_or_default() {
        hosts.read(&domain, domains.len(), report);
        domains.push(read_domain(&domain, &defaults, programs, json, report));
    }
    if domains.is_empty() {
        report.warning(field_path(&spec.path, "domains"), "no domain: nothing is inspected");
    }
    Routing::new(exclude, hosts.entries, domains)
}

fn read_domain(cursor: &Cursor<'_>, defaults: &Block, programs: &mut Programs, json: &JsonRules, report: &mut Report) -> Domain {
    let policy = Block::read(cursor.field("policy").as_ref(), Scope::Domain, programs.detectors(), report).over(defaults);
    let items = cursor.field("routes").map(|list| list.items()).unwrap_or_default();
    let mut written: BTreeMap<String, String> = BTreeMap::new();
    let mut routes = Vec::new();
    for route in &items {
        let matcher = Matcher::read(route.field("match").as_ref(), report);
        if let Some(earlier) = written.get(&matcher.signature()) {
            report.error(
                field_path(&route.path, "match"),
                format!("identical to that of {earlier}, allowed: one route for a match"),
            );
        } else {
            written.insert(matcher.signature(), route.path.clone());
        }
        let block = Block::read(route.field("policy").as_ref(), Scope::Route, programs.detectors(), report).over(&policy);
        routes.push(Route { matcher, rule: Arc::new(block.into_rule(route.path.clone(), programs, report).in_json(json)) });
    }
    if items.is_empty() {
        // Without routes, the domain is a route of its own.
        let matcher = Matcher::read(None, report);
        routes.push(Route { matcher, rule: Arc::new(policy.into_rule(cursor.path.clone(), programs, report).in_json(json)) });
    }
    Domain::new(cursor.path.clone(), routes)
}

/// The hosts of all domains, as far as they were read.
#[derive(Default)]
struct Hosts {
    entries: Vec<HostEntry>,
    /// To indices of `entries`.
    known: BTreeMap<HostPattern, usize>,
}

impl Hosts {
    fn read(&mut self, cursor: &Cursor<'_>, domain: usize, report: &mut Report) {
        let given = cursor.field("hosts").or_else(|| cursor.field("host"));
        let items = given.map(|list| list.items_or_self()).unwrap_or_default();
        for item in items {
            let Some(pattern) = item.text().and_then(|text| HostPattern::parse(text).ok()) else { continue };
            match self.known.get(&pattern).and_then(|index| self.entries.get(*index)) {
                None => {
                    self.known.insert(pattern.clone(), self.entries.len());
                    self.entries.push(HostEntry { pattern, domain, source: item.path });
                }
                Some(earlier) if earlier.domain == domain => {
                    report.warning(item.path, format!("{pattern} stands at {} already", earlier.source));
                }
                Some(earlier) => {
                    report.error(
                        item.path,
                        format!("found {pattern}, which stands at {} too, allowed: a host in one domain", earlier.source),
                    );
                }
            }
        }
    }
}

fn warn_about_budget(spec: &Cursor<'_>, routing: &Routing, budget: u64, report: &mut Report) {
    let largest = routing.rules().flat_map(|rule| [&rule.request, &rule.response]).flatten().map(|rule| rule.max_bytes).max();
    if let Some(largest) = largest.filter(|largest| *largest > budget) {
        let message =
            format!("{budget} bytes, less than one body of {largest} bytes that a rule inspects: longer ones never fit");
        report.warning(field_path(&spec.path, "max_inflight_body_bytes"), message);
    }
}

fn hash(document: &Node) -> String {
    let digest = Sha256::digest(document.canonical().as_bytes());
    digest.iter().take(HASH_BYTES).map(|byte| format!("{byte:02x}")).collect()
}

/// Sorts problems by where the document has their place; what is missing there stands where its parent stands.
fn in_document_order(problems: Vec<Problem>, document: &Node) -> Vec<Problem> {
    let mut order = BTreeMap::new();
    number_places(document, "$".into(), &mut order);
    let place = |problem: &Problem| {
        let mut path = problem.path.as_str();
        loop {
            match (order.get(path), path.rfind(['.', '['])) {
                (Some(place), _) => return *place,
                (None, Some(parent)) => path = path.get(..parent).unwrap_or_default(),
                (None, None) => return 0,
            }
        }
    };
    sort::sorted_by(problems, |a, b| place(a).cmp(&place(b)))
}

fn number_places(node: &Node, path: String, order: &mut BTreeMap<String, usize>) {
    let place = order.len();
    match node {
        Node::Object(fields) => {
            order.insert(path.clone(), place);
            fields.iter().for_each(|(name, value)| number_places(value, field_path(&path, name), order));
        }
        Node::List(items) => {
            order.insert(path.clone(), place);
            items.iter().enumerate().for_each(|(index, item)| number_places(item, item_path(&path, index), order));
        }
        _ => {
            order.insert(path, place);
        }
    }
}
