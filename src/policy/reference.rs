//! The table of the document in words, for the reference in docs/policy.md and for what editors show. Native only.

use super::document::{RESOURCE, SPEC};
use super::shape::{Choice, Field, Holds, Shape};

/// One object of the document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ObjectReference {
    /// As the schema calls it.
    pub name: &'static str,
    /// Its fields, in the order of the table.
    pub fields: Vec<FieldReference>,
    /// What its fields ask of each other, a sentence each.
    pub notes: Vec<String>,
}

/// One field of an object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FieldReference {
    /// Its name.
    pub name: &'static str,
    /// What it holds, with its limits; an object's name in brackets, as in `[match]`.
    pub holds: String,
    /// What it is where it is not there, as JSON.
    pub default: Option<&'static str>,
    /// What it is for.
    pub about: &'static str,
    /// Is it of any effect here? If not, `holds` says why.
    pub in_use: bool,
}

/// Every object of the document, each once, from the outside in.
pub fn reference() -> Vec<ObjectReference> {
    let mut found = Vec::new();
    collect(&RESOURCE, &mut found);
    collect(&SPEC, &mut found);
    found
}

fn collect(shape: &'static Shape, found: &mut Vec<ObjectReference>) {
    if found.iter().any(|known| known.name == shape.name) {
        return;
    }
    found.push(ObjectReference { name: shape.name, fields: shape.fields.iter().map(describe).collect(), notes: notes(shape) });
    shape.fields.iter().for_each(|field| inner(&field.holds, found));
}

fn inner(holds: &'static Holds, found: &mut Vec<ObjectReference>) {
    match holds {
        Holds::Object(shape) | Holds::ObjectOnly(shape, _) | Holds::ChoiceOr(_, shape) => collect(shape, found),
        Holds::List(items) | Holds::Map(items) | Holds::NamedMap(_, items) | Holds::OrByKind(items) => inner(items, found),
        Holds::ListOr(items, short) => {
            inner(items, found);
            inner(short, found);
        }
        _ => {}
    }
}

fn describe(field: &'static Field) -> FieldReference {
    let in_use = !matches!(field.holds, Holds::Ignored(_) | Holds::Refused(_));
    FieldReference { name: field.name, holds: words(&field.holds), default: field.default, about: field.about, in_use }
}

fn notes(shape: &Shape) -> Vec<String> {
    let some = match shape.some_of {
        [] => None,
        [one] => Some(format!("`{one}` is needed.")),
        some => Some(format!("At least one of {} is needed.", names(some))),
    };
    let one = shape.one_of.iter().map(|group| format!("At most one of {}.", names(group)));
    some.into_iter().chain(one).collect()
}

fn names(of: &[&str]) -> String {
    of.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn choice(of: &Choice) -> String {
    names(of.allowed)
}

/// What a field holds, in words.
fn words(holds: &Holds) -> String {
    match holds {
        Holds::Bool => "`true`, `false`".into(),
        Holds::Integer(low, high) => format!("integer, {low} to {high}"),
        Holds::Choice(of) => choice(of),
        Holds::Text(format) | Holds::Secret(format) => format.expected.into(),
        Holds::Kind => "name of a kind or a group".into(),
        Holds::List(items) => format!("list; each: {}", words(items)),
        Holds::Object(shape) | Holds::ObjectOnly(shape, _) => format!("[{}]", shape.name),
        Holds::OrByKind(values) => format!("{}; or a map from kinds and groups to such", words(values)),
        Holds::ChoiceOr(of, shape) => format!("{}, or [{}]", choice(of), shape.name),
        Holds::Map(values) => format!("map from names to: {}", words(values)),
        Holds::NamedMap(format, values) => format!("map; each name: {}; to: {}", format.expected, words(values)),
        Holds::ListOr(items, short) if words(items) == words(short) => format!("list, or one; each: {}", words(items)),
        Holds::ListOr(items, short) => format!("list; each: {}; or: {}", words(items), words(short)),
        Holds::Ignored(why) => format!("ignored, with a warning: {why}"),
        Holds::Refused(why) => format!("refused: {why}"),
    }
}

/// What a text may be, for an editor to show beside what the field is for.
pub(super) fn allowed(holds: &Holds) -> Option<&'static str> {
    match holds {
        Holds::Text(format) | Holds::Secret(format) => Some(format.expected),
        Holds::List(items) | Holds::ListOr(_, items) => allowed(items),
        _ => None,
    }
}
