//! What a route asks of the two ends of a request: who sent it, and where it goes.
//!
//! Names are written as in Istio's AuthorizationPolicy: exact, `prefix*`, `*suffix`, or `*` for any. This module refuses to know how the
//! filter learns them; what it could not learn matches no name.

use super::cursor::Cursor;
use super::format::{MAX_TEXT_BYTES, require};
use super::matcher::Miss;
use super::shape::Format;
use super::{Asks, RequestHead};
use crate::sort;

pub(super) static PRINCIPAL: Format = Format {
    expected: "a SPIFFE ID as in cluster.local/ns/default/sa/web, with or without spiffe://, or another URI, at most 4096 bytes; a * \
               stands for anything, alone, at the start or at the end",
    check: |text| require(is_pattern(text) && text.bytes().all(|b| b.is_ascii_graphic())),
    pattern: Some(r"^(\*|\*[!-)+-~]+|[!-)+-~]+\*?)$"),
};

pub(super) static CLUSTER: Format = Format {
    expected: "the name of a cluster of Envoy as in outbound|443||api.example.com, at most 4096 bytes; a * stands for anything, alone, \
               at the start or at the end",
    check: |text| require(is_pattern(text) && !text.chars().any(char::is_control)),
    pattern: Some(r"^(\*|\*([^*]|\|\*\.)+|([^*]|\|\*\.)+\*?)$"),
};

/// Is it a name, or one with a `*` at one end? Anywhere else a star would stand for itself, and that is no name's but that of the
/// cluster of a wildcard host: `outbound|443||*.example.com`.
fn is_pattern(text: &str) -> bool {
    let rest = text.strip_prefix('*').or_else(|| text.strip_suffix('*')).unwrap_or(text);
    (1..=MAX_TEXT_BYTES).contains(&text.len()) && rest.split("|*.").all(|part| !part.contains('*'))
}

fn matches(pattern: &str, name: &[u8]) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(suffix), _) => name.ends_with(suffix.as_bytes()),
        (_, Some(prefix)) => name.starts_with(prefix.as_bytes()),
        (None, None) => name == pattern.as_bytes(),
    }
}

/// A principal as its certificate has it: a name with neither a scheme nor a star before it is a SPIFFE ID.
fn with_scheme(principal: &str) -> String {
    if principal.starts_with('*') || principal.contains(':') { principal.into() } else { format!("spiffe://{principal}") }
}

/// The fields, each with what it is to miss it.
const FIELDS: [(&str, Miss<'static>); 3] =
    [("source_principals", Miss::SourcePrincipal), ("destination_ports", Miss::DestinationPort), ("clusters", Miss::Cluster)];

/// The predicates on the ends of a request, as [`FIELDS`] has them: names, sorted; an empty list is any.
#[derive(Default, Debug)]
pub(super) struct Ends([Vec<String>; 3]);

impl Ends {
    /// Reads what of a `match` is about them.
    pub(super) fn read(cursor: &Cursor<'_>) -> Ends {
        Ends(FIELDS.map(|(field, miss)| {
            let name = |item: &Cursor<'_>| match item.integer() {
                Some(port) => Some(port.to_string()),
                None if miss == Miss::SourcePrincipal => item.text().map(with_scheme),
                None => item.text().map(str::to_owned),
            };
            let items = cursor.field(field).map(|list| list.items()).unwrap_or_default();
            sort::sorted_set(items.iter().filter_map(name).collect())
        }))
    }

    /// The first predicate that does not hold.
    pub(super) fn miss(&self, request: &RequestHead<'_>) -> Option<Miss<'static>> {
        let port = request.destination_port.filter(|_| self.asks().destination_port).map(|port| port.to_string());
        let names = [request.source_principal, port.as_deref().map(str::as_bytes), request.cluster];
        let holds = |patterns: &[String], name: Option<&[u8]>| {
            let name = name.unwrap_or_default();
            patterns.is_empty() || (!name.is_empty() && patterns.iter().any(|pattern| matches(pattern, name)))
        };
        let mut predicates = FIELDS.iter().zip(&self.0).zip(names);
        predicates.find(|((_, patterns), name)| !holds(patterns, *name)).map(|(((_, miss), _), _)| *miss)
    }

    /// What must be known of a request to tell.
    pub(super) fn asks(&self) -> Asks {
        let [source_principal, destination_port, cluster] = self.0.each_ref().map(|list| !list.is_empty());
        Asks { source_principal, destination_port, cluster }
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
            assert!(is_pattern(text), "{text}");
        }
        for text in ["", "**", "*a*", "a*b", "spiffe://a/*/b", "spiffe://*/b", "ns/*/sa/*"] {
            assert!(!is_pattern(text), "{text}");
        }
    }
}
