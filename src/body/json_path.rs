//! JSON paths: which values of a document are meant, and a machine that follows many of them at once.
//!
//! The language is the part of JSONPath (RFC 9535) that can be followed while a document flows: `$.users[*].ssn`,
//! `$..card.number`, `$["a.b"][0]`. A path that does not begin with `$` begins at any depth: `card.*` is `$..card.*`. A path names
//! a value and all that it holds. Names are compared with the key as it reads when its escapes are decoded, case and all.
//!
//! This module refuses to know documents: [`super::JsonWalk`] walks them.

/// Most paths that one walk follows: one bit each.
pub const MAX_PATHS: usize = 128;
/// Most steps of all paths of a walk.
pub const MAX_STEPS: usize = 512;
/// Longest path, in bytes.
pub const MAX_PATH_BYTES: usize = 256;

/// A set of paths of a [`JsonPaths`], by their numbers.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct PathSet(u128);

impl PathSet {
    /// No path.
    pub const EMPTY: PathSet = PathSet(0);

    /// The path of that number alone; none where there can be no such number.
    pub fn of(number: usize) -> PathSet {
        PathSet(u32::try_from(number).ok().and_then(|number| 1u128.checked_shl(number)).unwrap_or(0))
    }

    /// The paths in either set.
    #[must_use]
    pub fn union(self, other: PathSet) -> PathSet {
        PathSet(self.0 | other.0)
    }

    /// Do the sets share a path?
    pub fn meets(self, other: PathSet) -> bool {
        self.0 & other.0 != 0
    }

    /// Is it empty?
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// What a step goes down to.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Step {
    Key(Box<[u8]>),
    Item(u64),
    Any,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Link {
    step: Step,
    /// At any depth below, not only right below.
    descends: bool,
}

/// One path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JsonPath {
    links: Vec<Link>,
}

/// The name by which a value hangs in what holds it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Name<'a> {
    /// Of an object; `None` where the key is longer than any that a path names.
    Key(Option<&'a [u8]>),
    /// Of an array, from 0.
    Item(u64),
}

impl Step {
    fn fits(&self, name: Name<'_>) -> bool {
        match (self, name) {
            (Step::Any, _) => true,
            (Step::Key(key), Name::Key(Some(name))) => **key == *name,
            (Step::Item(item), Name::Item(index)) => *item == index,
            _ => false,
        }
    }
}

impl JsonPath {
    /// Reads a path.
    ///
    /// # Errors
    /// What is wrong, and what is allowed.
    pub fn parse(text: &str) -> Result<JsonPath, String> {
        if text.len() > MAX_PATH_BYTES {
            return Err(format!("found {} bytes, allowed: at most {MAX_PATH_BYTES}", text.len()));
        }
        let mut links = Vec::new();
        let rooted = text.strip_prefix('$');
        let mut rest = rooted.unwrap_or(text);
        let mut first = rooted.is_none();
        while !rest.is_empty() {
            let (link, behind) = Link::parse(rest, first).ok_or_else(|| {
                let at = text.len().saturating_sub(rest.len());
                format!("found {text:?}, of which byte {at} begins no step, allowed: .key ..key [0] [*] .* [\"key\"], as in $.users[*].ssn")
            })?;
            links.push(link);
            (rest, first) = (behind, false);
        }
        if links.is_empty() && rooted.is_none() {
            return Err("found an empty path, allowed: $ for the whole document, or steps as in $.users[*].ssn".into());
        }
        Ok(JsonPath { links })
    }

    /// The values of members of that name, at any depth.
    pub fn of_key(key: &str) -> JsonPath {
        JsonPath { links: vec![Link { step: Step::Key(key.as_bytes().into()), descends: true }] }
    }
}

impl Link {
    /// The link that `text` begins with, and what is behind it. The `first` of a path without `$` needs no dot, and descends.
    fn parse(text: &str, first: bool) -> Option<(Link, &str)> {
        if let Some(rest) = text.strip_prefix("..") {
            let (step, rest) = if rest.starts_with('[') { Step::bracket(rest)? } else { Step::name(rest)? };
            return Some((Link { step, descends: true }, rest));
        }
        let (step, rest) = match text.strip_prefix('.') {
            Some(rest) => Step::name(rest)?,
            None if text.starts_with('[') => Step::bracket(text)?,
            None if first => Step::name(text)?,
            None => return None,
        };
        Some((Link { step, descends: first }, rest))
    }
}

impl Step {
    /// `name` or `*`.
    fn name(text: &str) -> Option<(Step, &str)> {
        if let Some(rest) = text.strip_prefix('*') {
            return Some((Step::Any, rest));
        }
        let end = text.find(['.', '[', ']', '*', '"', '\'', ' ', '$']).unwrap_or(text.len());
        let (name, rest) = text.split_at_checked(end)?;
        (!name.is_empty()).then(|| (Step::Key(name.as_bytes().into()), rest))
    }

    /// `[0]`, `[*]`, `["name"]` or `['name']`.
    fn bracket(text: &str) -> Option<(Step, &str)> {
        let inner = text.strip_prefix('[')?;
        for quote in ['"', '\''] {
            if let Some(name) = inner.strip_prefix(quote) {
                let (name, rest) = name.split_once(quote)?;
                return Some((Step::Key(name.as_bytes().into()), rest.strip_prefix(']')?));
            }
        }
        let (index, rest) = inner.split_once(']')?;
        let step = if index == "*" { Step::Any } else { Step::Item(index.parse().ok()?) };
        Some((step, rest))
    }
}

/// Paths that are followed together.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct JsonPaths {
    nodes: Vec<Node>,
    /// The first node of each path that has one.
    starts: Vec<u16>,
    /// The paths without a step: the whole document.
    whole: PathSet,
    /// How many paths.
    count: usize,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Node {
    link: Link,
    /// The path that ends with this link. None: the next node goes on.
    ends: Option<PathSet>,
}

impl JsonPaths {
    /// Adds a path and returns the set of it alone; `None` where that would be more than [`MAX_PATHS`] or [`MAX_STEPS`].
    pub fn add(&mut self, path: &JsonPath) -> Option<PathSet> {
        let steps = self.nodes.len().saturating_add(path.links.len());
        if self.count >= MAX_PATHS || steps > MAX_STEPS {
            return None;
        }
        let this = PathSet::of(self.count);
        self.count = self.count.saturating_add(1);
        if path.links.is_empty() {
            self.whole = self.whole.union(this);
            return Some(this);
        }
        self.starts.push(u16::try_from(self.nodes.len()).ok()?);
        self.nodes.extend(path.links.iter().map(|link| Node { link: link.clone(), ends: None }));
        if let Some(last) = self.nodes.last_mut() {
            last.ends = Some(this);
        }
        Some(this)
    }

    /// Is there no path?
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Where a document begins: the paths that name all of it, and the nodes that wait for a child of it.
    pub(super) fn root(&self, live: &mut Vec<u16>) -> PathSet {
        live.extend(&self.starts);
        self.whole
    }

    /// Goes down from a value to its child of that name. `live` holds at `parent` the nodes that wait for children of the value;
    /// those that wait for children of the child are appended. Returns the paths that the child is named by, beyond those of its parent.
    pub(super) fn child(&self, live: &mut Vec<u16>, parent: std::ops::Range<usize>, name: Name<'_>) -> PathSet {
        let mut named = PathSet::EMPTY;
        let fresh = live.len();
        for at in parent {
            let Some(&id) = live.get(at) else { break };
            let Some(node) = self.nodes.get(usize::from(id)) else { continue };
            if node.link.descends {
                add(live, fresh, id);
            }
            if node.link.step.fits(name) {
                match node.ends {
                    Some(path) => named = named.union(path),
                    None => add(live, fresh, id.saturating_add(1)),
                }
            }
        }
        named
    }
}

/// Appends a node to those from `fresh` on, once.
fn add(live: &mut Vec<u16>, fresh: usize, id: u16) {
    if !live.get(fresh..).unwrap_or_default().contains(&id) {
        live.push(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_path_is_refused_and_says_where() {
        for (text, part) in [
            ("", "empty"),
            ("$.", "byte 1"),
            ("$users", "byte 1"),
            ("$.a[", "byte 3"),
            ("$.a[x]", "byte 3"),
            ("$.a[-1]", "byte 3"),
            ("$.a[?(@.b)]", "byte 3"),
            ("a b", "byte 1"),
            ("$.a..", "byte 3"),
            ("['a'", "byte 0"),
        ] {
            let error = JsonPath::parse(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
        assert!(JsonPath::parse(&"a".repeat(257)).unwrap_err().contains("257"));
    }

    #[test]
    fn equal_ways_to_write_a_path_are_equal() {
        for (left, right) in [("$.a.b", "$['a'][\"b\"]"), ("card.*", "$..card[*]"), ("$..a", "a"), ("$[*]", "$.*")] {
            assert_eq!(JsonPath::parse(left).unwrap(), JsonPath::parse(right).unwrap(), "{left}");
        }
        assert_eq!(JsonPath::parse("grade").unwrap(), JsonPath::of_key("grade"));
    }

    #[test]
    fn more_than_can_be_followed_is_refused() {
        let mut paths = JsonPaths::default();
        for _ in 0..MAX_PATHS {
            assert!(paths.add(&JsonPath::of_key("a")).is_some());
        }
        assert!(paths.add(&JsonPath::of_key("a")).is_none());
        let mut paths = JsonPaths::default();
        let long = JsonPath::parse(&"$.a".to_owned().replace(".a", &".a".repeat(100))).unwrap();
        for _ in 0..5 {
            assert!(paths.add(&long).is_some());
        }
        assert!(paths.add(&long).is_none());
    }
}
