//! What a document may look like, as data, and the check of a document against it.
//!
//! A [`Shape`] says which fields an object has, what each holds and what it is for; [`check`] walks a document and reports
//! everything that does not fit. The JSON schema is made from the same table, so the two cannot disagree.
//! This module refuses to know what any field means.

use std::collections::BTreeSet;

use super::Problem;
use super::node::{Node, field_path, item_path, shown_text};

/// The fields of an object.
#[derive(Debug)]
pub(super) struct Shape {
    /// Its name in the JSON schema, which no module makes.
    #[cfg_attr(target_arch = "wasm32", allow(dead_code))]
    pub(super) name: &'static str,
    /// In the order in which errors list them.
    pub(super) fields: &'static [Field],
    /// Fields of which at least one must be there, and not be an empty list.
    pub(super) some_of: &'static [&'static str],
    /// Groups of fields of which at most one may be there.
    pub(super) one_of: &'static [&'static [&'static str]],
}

impl Shape {
    /// Is there a field of that name?
    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.name == name)
    }

    /// Does it hold a secret, itself or in an object of it? Then no error repeats what stands in it, nor names of fields it does not have.
    fn has_secret(&self) -> bool {
        self.fields.iter().any(|field| match &field.holds {
            Holds::Secret(_) => true,
            Holds::Object(shape) => shape.has_secret(),
            _ => false,
        })
    }
}

/// One field of an object. Null is as if it were not there.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    /// What it is for: one line, without a full stop. For people, so no module carries it.
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) about: &'static str,
    /// What holds where it is not there, as JSON; as little of a module.
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) default: Option<&'static str>,
    pub(super) holds: Holds,
}

/// A row of the table.
#[cfg(not(target_arch = "wasm32"))]
pub(super) const fn field(name: &'static str, about: &'static str, holds: Holds) -> Field {
    Field { name, about, default: None, holds }
}

impl Field {
    /// The same row of a field that is this where it is not there, as JSON.
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) const fn by_default(self, json: &'static str) -> Field {
        Field { default: Some(json), ..self }
    }

    /// The same row.
    #[cfg(target_arch = "wasm32")]
    pub(super) const fn by_default(self, _json: &'static str) -> Field {
        self
    }
}

/// A row of the table.
#[cfg(target_arch = "wasm32")]
pub(super) const fn field(name: &'static str, _about: &'static str, holds: Holds) -> Field {
    Field { name, holds }
}

/// The pattern of a [`Format`], for editors: no module carries it.
pub(super) const fn editors(pattern: &'static str) -> Option<&'static str> {
    if cfg!(target_arch = "wasm32") { None } else { Some(pattern) }
}

/// What a field or an item holds.
#[derive(Debug)]
pub(super) enum Holds {
    Bool,
    /// An integer in this range, both ends included; `1048576.0` is one.
    Integer(u64, u64),
    Choice(&'static Choice),
    Text(&'static Format),
    /// The name of a kind that a dlp list may hold, built-in or the policy's own, or of a group.
    Kind,
    List(&'static Holds),
    Object(&'static Shape),
    /// An object whose other fields are of the format, but not for this filter; why.
    ObjectOnly(&'static Shape, &'static str),
    /// A value for all kinds, or a map from kinds to such values.
    OrByKind(&'static Holds),
    /// One of the names, or an object.
    ChoiceOr(&'static Choice, &'static Shape),
    /// A text that no error may repeat.
    Secret(&'static Format),
    /// Any names.
    Map(&'static Holds),
    /// Names of a format.
    NamedMap(&'static Format, &'static Holds),
    /// A list, or the short form of it.
    ListOr(&'static Holds, &'static Holds),
    /// Legal and of no effect here; why.
    Ignored(&'static str),
    /// Of the format, but not for this filter; why.
    Refused(&'static str),
}

/// A closed set of names.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) allowed: &'static [&'static str],
    /// The name that readers of YAML 1.1 (Kubernetes' among them) turn into `false`: `off`.
    pub(super) read_from_false: Option<&'static str>,
}

/// A text with rules of its own.
#[derive(Debug)]
pub(super) struct Format {
    /// What is allowed, for an error.
    pub(super) expected: &'static str,
    /// Is it one? If not, why; empty where `expected` says all.
    pub(super) check: fn(&str) -> Result<(), String>,
    /// An ECMA-262 regex of the same, where there is one; it may let too much pass, never too little.
    #[cfg_attr(target_arch = "wasm32", allow(dead_code))]
    pub(super) pattern: Option<&'static str>,
}

impl Choice {
    /// The name that `node` stands for.
    pub(super) fn read<'a>(&self, node: &'a Node) -> Option<&'a str> {
        match node {
            Node::Text(text) => Some(text),
            Node::Bool(false) => self.read_from_false,
            _ => None,
        }
    }

    /// Does `node` stand for one of the names?
    fn holds(&self, node: &Node) -> bool {
        self.read(node).is_some_and(|name| self.allowed.contains(&name))
    }
}

/// What came of a check: each problem once, in the order found.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) errors: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
    reported: BTreeSet<(String, String)>,
    /// The names of the policy's own kinds, which lists may hold.
    pub(super) own_kinds: Vec<String>,
}

impl Report {
    /// A report on a document with these kinds of its own.
    pub(super) fn with_own_kinds(own_kinds: Vec<String>) -> Report {
        Report { own_kinds, ..Report::default() }
    }

    /// Reports an error.
    pub(super) fn error(&mut self, path: impl Into<String>, message: impl Into<String>) {
        let problem = self.new_problem(path.into(), message.into());
        self.errors.extend(problem);
    }

    /// Reports a warning.
    pub(super) fn warning(&mut self, path: impl Into<String>, message: impl Into<String>) {
        let problem = self.new_problem(path.into(), message.into());
        self.warnings.extend(problem);
    }

    fn new_problem(&mut self, path: String, message: String) -> Option<Problem> {
        self.reported.insert((path.clone(), message.clone())).then_some(Problem { path, message })
    }
}

/// Reports everything of `node` that does not fit `holds`.
pub(super) fn check(node: &Node, holds: &Holds, path: &str, report: &mut Report) {
    match (holds, node) {
        (Holds::Bool, Node::Bool(_)) => {}
        (Holds::Bool, _) => report.error(path, format!("found {}, allowed: true or false", node.shown())),
        (Holds::Integer(low, high), _) => {
            if integer(node).is_none_or(|value| value < *low || value > *high) {
                report.error(path, format!("found {}, allowed: an integer from {low} to {high}", node.shown()));
            }
        }
        (Holds::OrByKind(values), Node::Object(fields)) => {
            let mut seen = BTreeSet::new();
            for (name, value) in fields {
                let path = field_path(path, name);
                check_once(&mut seen, name, &path, report);
                super::kinds::check(&Node::Text(name.clone()), &path, report);
                match values {
                    // Who mistakes it for a detector's mask writes the key of a hash here.
                    Holds::Choice(choice) => check_choice(value, choice, &path, report, Node::type_name),
                    _ => check(value, values, &path, report),
                }
            }
        }
        (Holds::OrByKind(Holds::Choice(choice)), _) => {
            if !choice.holds(node) {
                let allowed = choice.allowed.join(", ");
                report.error(path, format!("found {}, allowed: {allowed}, or a map from kinds to them", node.type_name()));
            }
        }
        (Holds::OrByKind(values), _) => check(node, values, path, report),
        (Holds::ChoiceOr(_, shape), Node::Object(fields)) => check_object(fields, shape, path, report),
        (Holds::ChoiceOr(choice, shape), _) => {
            if !choice.holds(node) {
                let objects = shape.fields.iter().map(|field| format!("{{{}: ...}}", field.name));
                let allowed: Vec<String> = choice.allowed.iter().map(|name| (*name).to_owned()).chain(objects).collect();
                report.error(path, format!("found {}, allowed: {}", node.type_name(), allowed.join(", ")));
            }
        }
        (Holds::Choice(choice), _) => check_choice(node, choice, path, report, Node::shown),
        (Holds::Text(format), Node::Text(text)) => {
            if let Err(why) = (format.check)(text) {
                let why = if why.is_empty() { why } else { format!(": {why}") };
                report.error(path, format!("found {}, allowed: {}{why}", shown_text(text), format.expected));
            }
        }
        (Holds::Text(format), _) => report.error(path, format!("found {}, allowed: {}", node.shown(), format.expected)),
        (Holds::Secret(format), Node::Text(text)) if (format.check)(text).is_ok() => {}
        (Holds::Secret(format), _) => report.error(path, format!("found what is not shown, allowed: {}", format.expected)),
        (Holds::Kind, _) => super::kinds::check(node, path, report),
        (Holds::List(items) | Holds::ListOr(items, _), Node::List(found)) => {
            for (index, item) in found.iter().enumerate() {
                check(item, items, &item_path(path, index), report);
            }
        }
        (Holds::ListOr(_, short), _) => check(node, short, path, report),
        (Holds::List(_), _) => report.error(path, format!("found {}, allowed: a list", node.shown())),
        (Holds::Object(shape), Node::Object(fields)) => check_object(fields, shape, path, report),
        (Holds::ObjectOnly(shape, why), Node::Object(fields)) => {
            let (known, others): (Vec<_>, Vec<_>) = fields.iter().cloned().partition(|(name, _)| shape.has(name));
            others.iter().for_each(|(name, _)| report.error(field_path(path, name), format!("refused: {why}")));
            if others.is_empty() || !known.is_empty() {
                check_object(&known, shape, path, report);
            }
        }
        (Holds::Map(values) | Holds::NamedMap(_, values), Node::Object(fields)) => {
            let mut seen = BTreeSet::new();
            for (name, value) in fields {
                if let Holds::NamedMap(names, Holds::Secret(_)) = holds
                    && (names.check)(name).is_err()
                {
                    // The whole line of a header, perhaps.
                    report.error(path, format!("found a name that is not shown, allowed: {}", names.expected));
                    continue;
                }
                let path = field_path(path, name);
                check_once(&mut seen, name, &path, report);
                if let Holds::NamedMap(names, _) = holds
                    && (names.check)(name).is_err()
                {
                    report.error(&path, format!("found the name {}, allowed: {}", shown_text(name), names.expected));
                }
                check(value, values, &path, report);
            }
        }
        (Holds::Object(_) | Holds::ObjectOnly(..) | Holds::Map(_) | Holds::NamedMap(..), _) => {
            let secret = match holds {
                Holds::Object(shape) => shape.has_secret(),
                Holds::NamedMap(_, Holds::Secret(_)) => true,
                _ => false,
            };
            let found = if secret { node.type_name() } else { node.shown() };
            report.error(path, format!("found {found}, allowed: an object"))
        }
        (Holds::Ignored(why), _) => report.warning(path, format!("ignored: {why}")),
        (Holds::Refused(why), _) => report.error(path, format!("refused: {why}")),
    }
}

/// An integer that is not negative; a double without a fraction is one.
pub(super) fn integer(node: &Node) -> Option<u64> {
    /// Every integer up to here is a double of its own.
    const LARGEST: f64 = 9_007_199_254_740_992.0;
    match node {
        Node::Number(value) if value.fract() == 0.0 && (0.0..=LARGEST).contains(value) => Some(*value as u64),
        _ => None,
    }
}

fn check_choice(node: &Node, choice: &Choice, path: &str, report: &mut Report, shown: fn(&Node) -> String) {
    if !choice.holds(node) {
        report.error(path, format!("found {}, allowed: {}", shown(node), choice.allowed.join(", ")));
    }
}

fn check_object(fields: &[(String, Node)], shape: &Shape, path: &str, report: &mut Report) {
    let mut seen = BTreeSet::new();
    let secret = shape.has_secret();
    for (name, value) in fields {
        if secret && !shape.has(name) {
            let allowed: Vec<&str> = shape.fields.iter().map(|field| field.name).collect();
            report.error(path, format!("found a field that is not known, allowed: {}", allowed.join(", ")));
            continue;
        }
        let path = field_path(path, name);
        check_once(&mut seen, name, &path, report);
        match shape.fields.iter().find(|field| field.name == name) {
            Some(Field { holds: Holds::Integer(low, high), .. }) if secret && matches!(value, Node::Text(_)) => {
                report.error(path, format!("found {}, allowed: an integer from {low} to {high}", value.type_name()));
            }
            Some(field) if matches!(value, Node::Null) && !matches!(field.holds, Holds::Refused(_)) => {}
            Some(field) => check(value, &field.holds, &path, report),
            None => report.error(path, unknown(name, shape)),
        }
    }
    let set = |name: &&&str| fields.iter().any(|(key, value)| key == **name && !matches!(value, Node::Null));
    let filled =
        |name: &&str| fields.iter().any(|(key, value)| key == name && *value != Node::Null && *value != Node::List(Vec::new()));
    if !shape.some_of.is_empty() && !shape.some_of.iter().any(filled) {
        report.error(
            path,
            match shape.some_of {
                [one] => format!("found no {one}, which is needed"),
                some => format!("found neither {}, allowed: at least one of them, not empty", some.join(" nor ")),
            },
        );
    }
    for group in shape.one_of {
        let found: Vec<&str> = group.iter().filter(set).copied().collect();
        if found.len() > 1 {
            report.error(path, format!("found {}, allowed: at most one of {}", found.join(" and "), group.join(", ")));
        }
    }
}

fn check_once<'a>(seen: &mut BTreeSet<&'a str>, name: &'a str, path: &str, report: &mut Report) {
    if !seen.insert(name) {
        report.error(path, "found twice, allowed: once");
    }
}

fn unknown(name: &str, shape: &Shape) -> String {
    let usable = || shape.fields.iter().filter(|field| !matches!(field.holds, Holds::Refused(_) | Holds::Ignored(_)));
    let allowed = usable().map(|field| field.name).collect::<Vec<_>>().join(", ");
    let below = || {
        usable().find_map(|field| match &field.holds {
            Holds::Object(inner) if inner.has(name) => Some(format!("{}.{name}", field.name)),
            _ => None,
        })
    };
    let hint = match nearest(name, usable().map(|field| field.name)).map(str::to_owned).or_else(below) {
        Some(hint) => format!("; did you mean {hint}?"),
        None => String::new(),
    };
    format!("unknown field, allowed: {allowed}{hint}")
}

/// The name that `found` was likely meant to be: at most a third of its letters away.
pub(super) fn nearest<'a>(found: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let most = found.chars().count().div_ceil(3).min(3);
    names
        .map(|name| (distance(found, name), name))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Edits from one name to the other (Levenshtein), row by row.
fn distance(a: &str, b: &str) -> usize {
    /// Longer ones are no slip of a name.
    const LONGEST: usize = 64;
    if a.len() > LONGEST || b.len() > LONGEST {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i.saturating_add(1);
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, to) in row.iter_mut().skip(1).zip(b.chars()) {
            let replaced = diagonal.saturating_add(usize::from(from != to));
            diagonal = *cell;
            left = replaced.min(left.saturating_add(1)).min(cell.saturating_add(1));
            *cell = left;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognized_and_strangers_are_not() {
        let names = ["path_exact", "path_regex", "path_prefix", "methods"];
        for (found, meant) in [("path_prefx", Some("path_prefix")), ("method", Some("methods")), ("colour", None), ("", None)] {
            assert_eq!(nearest(found, names.into_iter()), meant, "{found}");
        }
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
    }
}
