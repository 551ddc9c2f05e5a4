//! What a route asks of a request: path, methods, content type, headers, and its two ends.
//!
//! This module refuses to know what follows from a match.

use std::borrow::Cow;
use std::cmp::Reverse;

use super::RequestHead;
use super::cursor::Cursor;
use super::ends::Ends;
use super::node::Node;
use super::path;
use super::shape::Report;
use crate::body::{MediaRange, MediaType};
use crate::detect::Pattern;
use crate::sort;

/// Lists of which one item must hold: an empty one would hold for nobody, and reads as if it held for everybody. That of `methods` is the
/// format's, and may be empty.
const ONE_OF: [&str; 4] = ["content_type", "source_principals", "destination_ports", "clusters"];

/// All predicates of a route; all must hold.
#[derive(Debug)]
pub(super) struct Matcher {
    path: PathMatch,
    /// Upper case; empty: any.
    methods: Vec<String>,
    /// Empty: any.
    content_types: Vec<MediaRange>,
    headers: Vec<HeaderMatch>,
    pub(super) ends: Ends,
}

#[derive(Debug)]
enum PathMatch {
    Exact(Vec<u8>),
    Regex(Box<Pattern>),
    /// Without its trailing slash; empty for `/`.
    Prefix(Vec<u8>),
    Any,
}

#[derive(Debug)]
struct HeaderMatch {
    /// Lower case.
    name: String,
    test: HeaderTest,
}

#[derive(Debug)]
enum HeaderTest {
    Exact(String),
    Contains(String),
    Regex(Box<Pattern>),
    Present(bool),
}

/// The predicate that a request failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Miss<'a> {
    Path,
    Method,
    ContentType,
    /// By name.
    Header(&'a str),
    SourcePrincipal,
    DestinationPort,
    Cluster,
}

impl Matcher {
    /// Reads a `match`; none, or an empty one, matches every request. What is malformed was reported by the check.
    pub(super) fn read(cursor: Option<&Cursor<'_>>, report: &mut Report) -> Matcher {
        let mut matcher = Matcher {
            path: PathMatch::Any,
            methods: Vec::new(),
            content_types: Vec::new(),
            headers: Vec::new(),
            ends: Ends::default(),
        };
        let Some(cursor) = cursor else { return matcher };
        let list = |name| cursor.field(name).map(|field| field.items_or_self()).unwrap_or_default();
        matcher.path = read_path(cursor);
        matcher.methods = list("methods").iter().filter_map(|item| item.text()).map(str::to_ascii_uppercase).collect();
        matcher.content_types = list("content_type").iter().filter_map(|item| MediaRange::parse(item.text()?)).collect();
        matcher.headers = match cursor.field("headers") {
            Some(headers) if headers.items().is_empty() => short_headers(&headers, report),
            Some(headers) => headers.items().iter().filter_map(read_header).collect(),
            None => Vec::new(),
        };
        matcher.ends = Ends::read(cursor);
        for list in ONE_OF.into_iter().filter_map(|name| cursor.field(name)).filter(|list| *list.node == Node::List(Vec::new())) {
            report.error(list.path, "found an empty list, allowed: at least one item, or leave the field out");
        }
        if let Some(methods) = cursor.field("methods").filter(|methods| methods.items().is_empty()) {
            report.warning(methods.path, "has no effect: an empty list is every method; leave it out");
        }
        matcher
    }

    /// Routes are tried in this order: exact paths, regexes, the longest prefix, no path; equal ones as written.
    pub(super) fn precedence(&self) -> (u8, Reverse<usize>) {
        match &self.path {
            PathMatch::Exact(_) => (0, Reverse(0)),
            PathMatch::Regex(_) => (1, Reverse(0)),
            PathMatch::Prefix(prefix) => (2, Reverse(prefix.len())),
            PathMatch::Any => (3, Reverse(0)),
        }
    }

    /// The first predicate that does not hold; `None`: all hold. `path` is normal.
    pub(super) fn miss(&self, path: &[u8], request: &RequestHead<'_>) -> Option<Miss<'_>> {
        let on_path = match &self.path {
            PathMatch::Exact(exact) => exact == path,
            PathMatch::Regex(regex) => regex.is_match(path),
            PathMatch::Prefix(prefix) => path::covers(prefix, path),
            PathMatch::Any => true,
        };
        if !on_path {
            return Some(Miss::Path);
        }
        if !self.methods.is_empty() && !self.methods.iter().any(|method| method.as_bytes().eq_ignore_ascii_case(request.method)) {
            return Some(Miss::Method);
        }
        if !self.content_types.is_empty() {
            let content_type = MediaType::parse(&header(request.headers, "content-type").unwrap_or_default());
            if !self.content_types.iter().any(|range| range.contains(&content_type)) {
                return Some(Miss::ContentType);
            }
        }
        let header = self.headers.iter().find(|header| !header.holds(request)).map(|header| Miss::Header(&header.name));
        header.or_else(|| self.ends.miss(request))
    }

    /// Equal for matchers that match the same requests by the same predicates, in whatever order they were written.
    pub(super) fn signature(&self) -> String {
        let methods = sort::sorted_set(self.methods.clone());
        let content_types = sort::sorted_set(self.content_types.iter().map(|range| format!("{range:?}")).collect());
        let headers = sort::sorted_set(self.headers.iter().map(|header| format!("{header:?}")).collect());
        format!("{:?} {methods:?} {content_types:?} {headers:?} {:?}", self.path, self.ends)
    }
}

impl HeaderMatch {
    fn holds(&self, request: &RequestHead<'_>) -> bool {
        let value = header(request.headers, &self.name);
        match (&self.test, value) {
            (HeaderTest::Present(present), value) => *present == value.is_some(),
            (_, None) => false,
            (HeaderTest::Exact(exact), Some(value)) => exact.as_bytes() == &*value,
            (HeaderTest::Contains(part), Some(value)) => contains(&value, part.as_bytes()),
            (HeaderTest::Regex(regex), Some(value)) => regex.is_match(&value),
        }
    }
}

/// The value of a header; several of the name are joined with a comma and a space, as Envoy joins them.
fn header<'a>(headers: &[(&'a [u8], &'a [u8])], name: &str) -> Option<Cow<'a, [u8]>> {
    let mut values = headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| *value);
    let mut joined = Cow::Borrowed(values.next()?);
    for value in values {
        let joined = joined.to_mut();
        joined.extend_from_slice(b", ");
        joined.extend_from_slice(value);
    }
    Some(joined)
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    part.is_empty() || text.windows(part.len()).any(|window| window == part)
}

fn read_path(cursor: &Cursor<'_>) -> PathMatch {
    let text = |name| cursor.field(name).and_then(|field| field.text());
    if let Some(exact) = text("path_exact") {
        PathMatch::Exact(path::normalize(exact.as_bytes()).into_owned())
    } else if let Some(regex) = text("path_regex") {
        Pattern::new(regex).map_or(PathMatch::Any, |regex| PathMatch::Regex(Box::new(regex)))
    } else if let Some(prefix) = text("path_prefix") {
        PathMatch::Prefix(path::trim_slash(&path::normalize(prefix.as_bytes())).to_vec())
    } else {
        PathMatch::Any
    }
}

fn read_header(cursor: &Cursor<'_>) -> Option<HeaderMatch> {
    let text = |name| cursor.field(name).and_then(|field| field.text());
    let test = if let Some(exact) = text("exact") {
        HeaderTest::Exact(exact.into())
    } else if let Some(part) = text("contains") {
        HeaderTest::Contains(part.into())
    } else if let Some(regex) = text("regex") {
        HeaderTest::Regex(Box::new(Pattern::new(regex).ok()?))
    } else {
        HeaderTest::Present(cursor.field("present").and_then(|flag| flag.boolean()).unwrap_or(true))
    };
    Some(HeaderMatch { name: text("name")?.to_ascii_lowercase(), test })
}

/// The map form: name and exact value.
fn short_headers(cursor: &Cursor<'_>, report: &mut Report) -> Vec<HeaderMatch> {
    let read = |(name, value): (&str, Cursor<'_>)| {
        if let Err(why) = (super::format::HEADER_NAME.check)(name) {
            report.error(&value.path, format!("found {name:?}, allowed: {}{why}", super::format::HEADER_NAME.expected));
        }
        Some(HeaderMatch { name: name.to_ascii_lowercase(), test: HeaderTest::Exact(value.text()?.into()) })
    };
    cursor.fields().into_iter().filter_map(read).collect()
}
