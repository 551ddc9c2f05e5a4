//! From a request to its rule: exclusions, then the host's domain, then the domain's routes.
//!
//! Everything is sorted when the policy is built; a plain request allocates nothing here.

use std::borrow::Cow;
use std::ops::BitOr;
use std::sync::Arc;

use super::host::{self, HostMap, HostPattern};
use super::matcher::Matcher;
use super::{Asks, Mode, PassReason, RequestHead, Resolution, Rule, path};
use crate::sort;

/// A host of a document and the domain it stands in.
#[derive(Debug)]
pub(super) struct HostEntry {
    pub(super) pattern: HostPattern,
    /// Index of the domain.
    pub(super) domain: usize,
    /// Its JSON path.
    pub(super) source: String,
}

/// A domain, its routes in the order in which they are tried.
#[derive(Debug)]
pub(super) struct Domain {
    pub(super) source: String,
    pub(super) routes: Vec<Route>,
    /// What its routes ask of requests besides their head.
    asks: Asks,
}

#[derive(Debug)]
pub(super) struct Route {
    pub(super) matcher: Matcher,
    pub(super) rule: Arc<Rule>,
}

/// All that selects a rule.
#[derive(Debug)]
pub(super) struct Routing {
    /// Normal paths, sorted.
    exclude: Vec<Vec<u8>>,
    /// To indices of `entries`.
    hosts: HostMap,
    entries: Vec<HostEntry>,
    domains: Vec<Domain>,
}

impl Domain {
    /// A domain of routes in the order written.
    pub(super) fn new(source: String, routes: Vec<Route>) -> Domain {
        let routes = sort::sorted_by(routes, |a, b| a.matcher.precedence().cmp(&b.matcher.precedence()));
        let asks = routes.iter().map(|route| route.matcher.ends.asks()).fold(Asks::default(), Asks::bitor);
        Domain { source, routes, asks }
    }
}

impl Routing {
    pub(super) fn new(exclude: Vec<Vec<u8>>, entries: Vec<HostEntry>, domains: Vec<Domain>) -> Routing {
        let hosts = HostMap::new(entries.iter().enumerate().map(|(index, entry)| (entry.pattern.clone(), index)));
        Routing { exclude: sort::sorted(exclude), hosts, entries, domains }
    }

    /// Does this normal path stand in `exclude`?
    pub(super) fn excludes(&self, path: &[u8]) -> bool {
        self.exclude.binary_search_by(|excluded| excluded.as_slice().cmp(path)).is_ok()
    }

    /// The entry and the domain of a normal host.
    pub(super) fn domain(&self, host: &[u8]) -> Option<(&HostEntry, &Domain)> {
        let entry = self.entries.get(self.hosts.get(host)?)?;
        Some((entry, self.domains.get(entry.domain)?))
    }

    /// What the routes of a host's domain ask of requests besides their head.
    pub(super) fn asks(&self, authority: &[u8]) -> Asks {
        // Most policies ask nothing, and then the host is looked up once a request.
        if self.domains.iter().all(|domain| domain.asks == Asks::default()) {
            return Asks::default();
        }
        self.domain(&host::normalize(authority)).map(|(_, domain)| domain.asks).unwrap_or_default()
    }

    pub(super) fn resolve(&self, request: &RequestHead<'_>) -> Resolution {
        self.resolve_path(&self.path(request), request)
    }

    /// The path by which a request is resolved: its normal form. Where a slash in it is escaped, an upstream may read it in another
    /// way than the policy, so of both readings the one that is treated more strictly: nobody opts out with `..%2f`.
    pub(super) fn path<'a>(&self, request: &RequestHead<'a>) -> Cow<'a, [u8]> {
        let normal = path::normalize(request.path);
        match path::with_escaped_slashes(request.path) {
            Some(other) if self.strictness(&other, request) > self.strictness(&normal, request) => Cow::Owned(other),
            _ => normal,
        }
    }

    fn strictness(&self, path: &[u8], request: &RequestHead<'_>) -> u8 {
        match self.resolve_path(path, request) {
            Resolution::Pass(_) => 0,
            Resolution::Rule(rule) if !rule.inspects() => 1,
            Resolution::Rule(rule) if rule.mode != Mode::Block => 2,
            Resolution::Rule(_) => 3,
        }
    }

    fn resolve_path(&self, path: &[u8], request: &RequestHead<'_>) -> Resolution {
        if self.excludes(path) {
            return Resolution::Pass(PassReason::Excluded);
        }
        let Some((_, domain)) = self.domain(&host::normalize(request.authority)) else {
            return Resolution::Pass(PassReason::NoDomain);
        };
        match domain.routes.iter().find(|route| route.matcher.miss(path, request).is_none()) {
            None => Resolution::Pass(PassReason::NoRoute),
            Some(route) if route.rule.mode == Mode::Off => Resolution::Pass(PassReason::ModeOff),
            Some(route) => Resolution::Rule(Arc::clone(&route.rule)),
        }
    }

    /// Every host, as written.
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn entries(&self) -> &[HostEntry] {
        &self.entries
    }

    /// Every domain, as written.
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn domains(&self) -> &[Domain] {
        &self.domains
    }

    pub(super) fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.domains.iter().flat_map(|domain| &domain.routes).map(|route| &*route.rule)
    }
}
