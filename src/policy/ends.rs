//! What a route asks of the two ends of a request: who sent it, and where it goes.
//!
//! Names are written as in Istio's AuthorizationPolicy: exact, `prefix*`, `*suffix`, or `*` for any. This module refuses to know how the
//! filter learns them; what it could not learn matches no name.

use super::cursor::Cursor;
use super::format::{MAX_TEXT_BYTES, require};
use super::matcher::Miss;
use super::shape::Format;
use super::{Asks, RequestHead};

/// What stands before a SPIFFE ID, and what Istio leaves out of it.
const SPIFFE: &str = "spiffe://";

pub(super) static PRINCIPAL: Format = Format {
    expected: "a SPIFFE ID as in cluster.local/ns/default/sa/web, with or without spiffe://, or another URI, at most 4096 bytes; a * \
               stands for anything, alone, at the start or at the end",
    check: |text| {
        require(text.len() <= MAX_TEXT_BYTES && text.bytes().all(|b| b.is_ascii_graphic()) && principal(text).is_some())
    },
    pattern: Some(r"^(?!spiffe://$)(spiffe://)?(\*|\*[!-)+-~]+|[!-)+-~]+\*?)$"),
};

pub(super) static CLUSTER: Format = Format {
    expected: "the name of a cluster of Envoy as in outbound|443||api.example.com, at most 4096 bytes; a * stands for anything, alone, \
               at the start or at the end",
    check: |text| require(text.len() <= MAX_TEXT_BYTES && !text.chars().any(char::is_control) && Name::parse(text).is_some()),
    pattern: Some(r"^(\*|\*([^*]|\|\*\.)+|([^*]|\|\*\.)+\*?)$"),
};

/// The predicates on the ends of a request; each list is sorted, and empty for any.
#[derive(Default, Debug)]
pub(super) struct Ends {
    principals: Vec<Principal>,
    ports: Vec<u16>,
    clusters: Vec<Name>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Principal {
    /// The name is what stands behind `spiffe://`; else it is the whole URI.
    spiffe: bool,
    name: Name,
}

#[derive(PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Name {
    Any,
    Exact(String),
    Prefix(String),
    Suffix(String),
}

impl Name {
    fn parse(text: &str) -> Option<Name> {
        let (name, rest): (fn(String) -> Name, &str) = match (text.strip_prefix('*'), text.strip_suffix('*')) {
            (Some(""), _) => return Some(Name::Any),
            (Some(suffix), _) => (Name::Suffix, suffix),
            (_, Some(prefix)) => (Name::Prefix, prefix),
            (None, None) => (Name::Exact, text),
        };
        // Elsewhere it would stand for itself, and that is no name's but that of a cluster of a wildcard host: outbound|443||*.example.com.
        let stars = rest.replace("|*.", "").contains('*');
        (!rest.is_empty() && !stars).then(|| name(rest.to_owned()))
    }

    fn is(&self, name: &[u8]) -> bool {
        match self {
            Name::Any => true,
            Name::Exact(exact) => name == exact.as_bytes(),
            Name::Prefix(prefix) => name.starts_with(prefix.as_bytes()),
            Name::Suffix(suffix) => name.ends_with(suffix.as_bytes()),
        }
    }
}

impl Principal {
    fn is(&self, uri: &[u8]) -> bool {
        let name = if self.spiffe { uri.strip_prefix(SPIFFE.as_bytes()) } else { Some(uri) };
        name.is_some_and(|name| self.name.is(name))
    }
}

/// A SPIFFE ID has no colon behind its scheme, so a name with one is another URI.
fn principal(text: &str) -> Option<Principal> {
    match text.strip_prefix(SPIFFE) {
        Some(rest) => Some(Principal { spiffe: true, name: Name::parse(rest)? }),
        None => Some(Principal { spiffe: !text.contains(':') && !text.starts_with('*'), name: Name::parse(text)? }),
    }
}

impl Ends {
    /// Reads what of a `match` is about them.
    pub(super) fn read(cursor: &Cursor<'_>) -> Ends {
        let list = |name| cursor.field(name).map(|field| field.items()).unwrap_or_default();
        let mut ends = Ends {
            principals: list("source_principals").iter().filter_map(|item| principal(item.text()?)).collect(),
            ports: list("destination_ports").iter().filter_map(|item| u16::try_from(item.integer()?).ok()).collect(),
            clusters: list("clusters").iter().filter_map(|item| Name::parse(item.text()?)).collect(),
        };
        ends.principals.sort_unstable();
        ends.principals.dedup();
        ends.ports.sort_unstable();
        ends.ports.dedup();
        ends.clusters.sort_unstable();
        ends.clusters.dedup();
        ends
    }

    /// The first predicate that does not hold.
    pub(super) fn miss(&self, request: &RequestHead<'_>) -> Option<Miss<'static>> {
        let holds = |name: Option<&[u8]>, test: &dyn Fn(&[u8]) -> bool| name.is_some_and(|name| !name.is_empty() && test(name));
        if !self.principals.is_empty() && !holds(request.source_principal, &|uri| self.principals.iter().any(|one| one.is(uri))) {
            return Some(Miss::SourcePrincipal);
        }
        if !self.ports.is_empty() && !request.destination_port.is_some_and(|port| self.ports.contains(&port)) {
            return Some(Miss::DestinationPort);
        }
        if !self.clusters.is_empty() && !holds(request.cluster, &|name| self.clusters.iter().any(|one| one.is(name))) {
            return Some(Miss::Cluster);
        }
        None
    }

    /// What must be known of a request to tell.
    pub(super) fn asks(&self) -> Asks {
        Asks {
            source_principal: !self.principals.is_empty(),
            destination_port: !self.ports.is_empty(),
            cluster: !self.clusters.is_empty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_limits_that_are_checked() {
        for format in [&PRINCIPAL, &CLUSTER] {
            assert!(format.expected.contains(&MAX_TEXT_BYTES.to_string()));
            assert!((format.check)(&"n".repeat(MAX_TEXT_BYTES)).is_ok());
            assert!((format.check)(&"n".repeat(MAX_TEXT_BYTES + 1)).is_err());
        }
    }

    #[test]
    fn a_star_stands_at_one_end() {
        for text in ["*", "a", "a*", "*a", "outbound|443||*.example.com", "*||*.example.com", "spiffe://*"] {
            assert!(principal(text).is_some(), "{text}");
        }
        for text in ["", "**", "*a*", "a*b", "spiffe://", "spiffe://a/*/b", "ns/*/sa/*"] {
            assert!(principal(text).is_none(), "{text}");
        }
    }
}
