//! A policy in the order in which it is tried: hosts from the most specific on, routes as they stand in line. For people, so native
//! only; this module refuses to know words.

use super::host::HostPattern;
use super::routing::HostEntry;
use super::{Policy, Rule};

/// Hosts of a domain, and its routes.
#[derive(Debug)]
pub struct Section<'a> {
    /// As in `*.example.com`. A host belongs to the first section that names it.
    pub hosts: Vec<String>,
    /// JSON path of the domain.
    pub domain: &'a str,
    /// The rules of its routes, in the order in which these are tried.
    pub routes: Vec<&'a Rule>,
}

impl Policy {
    /// Hosts and routes in the order in which they are tried. A domain stands once, unless hosts of another one come between its own.
    pub fn sections(&self) -> Vec<Section<'_>> {
        let mut entries: Vec<&HostEntry> = self.routing.entries().iter().collect();
        entries.sort_by_key(|entry| rank(&entry.pattern));
        let mut groups: Vec<Vec<&HostEntry>> = Vec::new();
        for entry in entries {
            // Up to the first group of the domain from which no more specific host of another one keeps it.
            let above = groups.iter().rposition(|group| group.iter().any(|other| within(&other.pattern, &entry.pattern)));
            let from = above.unwrap_or(0);
            let same = groups.iter_mut().skip(from).find(|group| group.iter().any(|other| other.domain == entry.domain));
            match same {
                Some(group) => group.push(entry),
                None => groups.push(vec![entry]),
            }
        }
        groups.iter().filter_map(|group| self.section(group)).collect()
    }

    fn section(&self, group: &[&HostEntry]) -> Option<Section<'_>> {
        let domain = self.routing.domains().get(group.first()?.domain)?;
        Some(Section {
            hosts: group.iter().map(|entry| entry.pattern.to_string()).collect(),
            domain: &domain.source,
            routes: domain.routes.iter().map(|route| &*route.rule).collect(),
        })
    }
}

/// Exact hosts, the longest suffix, any.
fn rank(pattern: &HostPattern) -> (u8, std::cmp::Reverse<usize>) {
    match pattern {
        HostPattern::Exact(_) => (0, std::cmp::Reverse(0)),
        HostPattern::Suffix(suffix) => (1, std::cmp::Reverse(suffix.len())),
        HostPattern::Any => (2, std::cmp::Reverse(0)),
    }
}

/// Does the outer pattern match hosts of the inner one?
fn within(inner: &HostPattern, outer: &HostPattern) -> bool {
    match (inner, outer) {
        (_, HostPattern::Any) => true,
        (HostPattern::Exact(name) | HostPattern::Suffix(name), HostPattern::Suffix(suffix)) => name.ends_with(suffix),
        _ => false,
    }
}
