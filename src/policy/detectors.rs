//! `spec.detectors`: a policy's own kinds, and where built-in ones do not count.
//!
//! This module refuses to know lists and routes, but for the warning about a kind that none of them names.

use std::collections::BTreeSet;

use super::cursor::Cursor;
use super::document::{DETECTOR_MASK, IN_JSON, RESOURCE, SOURCES};
use super::json_rules::{JsonRules, JsonSource, Limit};
use super::node::Node;
use super::routing::Routing;
use super::shape::Report;
use crate::body::{JsonPath, JsonPaths, MAX_PATHS, MAX_STEPS, PathSet};
use crate::detect::checksum::Checksum;
use crate::detect::{
    Conditions, Detector, Detectors, HashKey, Kind, KindSet, MAX_ALL_COMPILED_BYTES, MAX_DETECTORS, MAX_NEAR_WORDS, Mask, Near,
    Pattern, Setting,
};

/// Bytes around a value that `near` looks at, where it does not say.
pub const BUILT_IN_WITHIN: u64 = 50;
/// Most items of `except` of one kind.
const MAX_EXCEPT: usize = 1000;
/// Most regexes of `except_regex` and of `require` of one kind.
const MAX_REGEXES: usize = 20;
/// What may be said of a built-in kind.
const OF_BUILT_IN: [&str; 7] = ["except", "except_regex", "near", "mask", "in", "paths", "except_paths"];
/// What needs a value to look at, and so cannot be said of what JSON's structure says.
const OF_VALUES: [&str; 5] = ["except", "except_regex", "require", "near", "validate"];
/// A regex that is noticed at more than one of so many bytes of an ordinary body slows every body down.
const RARE: u64 = 50;
/// Steps that all kinds may take for a byte before it is worth a warning: a megabyte made to hurt then takes seconds.
const MANY_STEPS: usize = 2000;

/// The names of own kinds in a document that is not checked yet.
pub(super) fn names(document: &Node) -> Vec<String> {
    let root = Cursor::new(document, "$");
    let envelope = matches!(document, Node::Object(fields) if fields.iter().any(|(name, _)| RESOURCE.has(name)));
    let spec = if envelope { root.field("spec") } else { Some(root) };
    let defined = spec.and_then(|spec| spec.field("detectors")).map(|detectors| detectors.fields()).unwrap_or_default();
    defined.into_iter().map(|(name, _)| name.to_owned()).filter(|name| Kind::from_name(name).is_none()).collect()
}

/// Reads all detectors.
pub(super) fn read(cursor: Option<&Cursor<'_>>, report: &mut Report) -> Detectors {
    let mut detectors = Detectors::default();
    let Some(cursor) = cursor else { return detectors };
    let (mut bytes, mut steps) = (0usize, 0usize);
    for (name, definition) in cursor.fields() {
        if !matches!(definition.node, Node::Object(_)) {
            continue;
        }
        match Kind::from_name(name) {
            Some(kind) => {
                for (field, at) in definition.fields().into_iter().filter(|(field, _)| !OF_BUILT_IN.contains(field)) {
                    let allowed = OF_BUILT_IN.join(", ");
                    report.error(at.path, format!("found {field} for the built-in kind {name}, allowed: {allowed}"));
                }
                detectors.set(kind, setting(&definition, report));
            }
            None => {
                let Some(mut detector) = source(name, &definition, report) else { continue };
                if !detector.automaton.is_nothing() {
                    warn_about_cost(&definition, &detector, report);
                }
                bytes = bytes.saturating_add(detector.automaton.bytes());
                steps = steps.saturating_add(detector.automaton.steps());
                detector.setting = setting(&definition, report);
                if detectors.add(detector).is_none() {
                    report.error(
                        definition.path,
                        format!("found more than {MAX_DETECTORS} kinds of the policy's own, allowed: {MAX_DETECTORS}"),
                    );
                }
            }
        }
    }
    if bytes > MAX_ALL_COMPILED_BYTES {
        let message = format!("all regexes and words compile to {bytes} bytes, allowed: {MAX_ALL_COMPILED_BYTES}");
        report.error(&cursor.path, message);
    }
    if steps > MANY_STEPS {
        report.warning(
            &cursor.path,
            format!(
                "all kinds together may take up to {steps} steps for a byte of a body made to hurt; with more than {MANY_STEPS} one \
                 megabyte takes seconds: bound the repetitions, or have fewer kinds"
            ),
        );
    }
    detectors
}

/// Reads what the detectors say about places in JSON.
pub(super) fn json_rules(cursor: Option<&Cursor<'_>>, detectors: &Detectors, report: &mut Report) -> JsonRules {
    let mut paths = JsonPaths::default();
    let (mut limits, mut sources) = (Vec::new(), Vec::new());
    for (name, definition) in cursor.map(|cursor| cursor.fields()).unwrap_or_default() {
        let Some(kind) = detectors.kind(name) else { continue };
        let mut set = |list: &str, path_of: fn(&str) -> Option<JsonPath>| {
            let Some(list) = definition.field(list) else { return PathSet::EMPTY };
            let of_items = list.items().into_iter().filter_map(|item| Some((path_of(item.text()?)?, item.path)));
            of_items.fold(PathSet::EMPTY, |set, (path, at)| match paths.add(&path) {
                Some(one) => set.union(one),
                None => {
                    let message =
                        format!("more than can be followed, allowed: {MAX_PATHS} paths and keys with {MAX_STEPS} steps, in all");
                    report.error(at, message);
                    set
                }
            })
        };
        let limit = Limit {
            keys: true,
            values: true,
            only: set("paths", |text| JsonPath::parse(text).ok()),
            except: set("except_paths", |text| JsonPath::parse(text).ok()),
        };
        let wanted = set("json_keys", |text| Some(JsonPath::of_key(text)));
        let places = [("keys", (true, false)), ("values", (false, true)), ("both", (true, true))];
        let (keys, values) = definition.field("in").and_then(|place| place.choice(&IN_JSON, &places)).unwrap_or((true, true));
        let limit = Limit { keys, values, ..limit };
        if limit != Limit::default() {
            limits.push((kind, limit));
        }
        if !wanted.is_empty() {
            let of_values = definition.field("values").and_then(|values| values.boolean()).unwrap_or(true);
            sources.push((kind, if of_values { JsonSource::Values(wanted) } else { JsonSource::Keys(wanted) }));
        }
        let items = definition.field("large_array").and_then(|array| array.field("min_items")).and_then(|items| items.integer());
        sources.extend(items.map(|items| (kind, JsonSource::Items(items))));
    }
    JsonRules::new(paths, limits, sources)
}

/// Own kinds that no list of a rule names are compiled and never looked for.
pub(super) fn warn_about_unused(cursor: Option<&Cursor<'_>>, detectors: &Detectors, routing: &Routing, report: &mut Report) {
    let Some(cursor) = cursor else { return };
    let bodies = routing.rules().flat_map(|rule| [&rule.request, &rule.response]).flatten();
    let heads = routing.rules().flat_map(|rule| rule.heads.all()).map(|head_rule| &head_rule.lists);
    let used = bodies.chain(heads).fold(KindSet::EMPTY, |used, rule| used.union(rule.kinds()));
    for (name, definition) in cursor.fields() {
        if detectors.kind(name).is_some_and(|kind| kind.own_number().is_some() && !used.contains(kind)) {
            report.warning(definition.path, "has no effect: no block or redact list of an inspected direction names it");
        }
    }
}

/// The kind with its source: what it matches.
fn source(name: &str, definition: &Cursor<'_>, report: &mut Report) -> Option<Detector> {
    let regex = definition.field("regex").and_then(|regex| Some((regex.text()?, regex.path)));
    let words = definition.field("words");
    if let Some(ignore_case) = definition.field("ignore_case").filter(|_| words.is_none()) {
        report.error(ignore_case.path, "found beside no words, allowed: with words; in a regex write (?i)");
    }
    if let Some(values) = definition.field("values").filter(|_| definition.field("json_keys").is_none()) {
        report.error(values.path, "found beside no json_keys, allowed: with json_keys");
    }
    let structure = definition.field("json_keys").or_else(|| definition.field("large_array"));
    if let (Some(structure), None, None) = (structure, &regex, &words) {
        for (field, at) in definition.fields().into_iter().filter(|(field, _)| OF_VALUES.contains(field)) {
            report
                .error(at.path, format!("found {field} beside json_keys or large_array, allowed: in, paths, except_paths, mask"));
        }
        if structure.items().is_empty() && matches!(structure.node, Node::List(_)) {
            report.error(structure.path, "found no key, allowed: at least one");
        }
        let of_keys = definition.field("values").and_then(|values| values.boolean()) == Some(false);
        let (never, always) = if of_keys { ("values", "keys") } else { ("keys", "values") };
        if let Some(place) = definition.field("in").filter(|place| place.text() == Some(never)) {
            let message = format!("found {never:?}, where none of its findings stands, allowed: {always}, both");
            report.error(place.path, message);
        }
        return Some(Detector::of_structure(name));
    }
    let (built, path) = match (regex, words) {
        (Some((regex, path)), None) => (Detector::of_regex(name, regex), path),
        (None, Some(words)) => {
            let items = words.items();
            if items.is_empty() {
                report.error(words.path, "found no word, allowed: at least one");
                return None;
            }
            let ignore_case = definition.field("ignore_case").and_then(|flag| flag.boolean()).unwrap_or(false);
            // An empty word is reported already.
            let known = || items.iter().filter_map(Cursor::text).filter(|word| !word.is_empty());
            known().next()?;
            (Detector::of_words(name, known(), ignore_case), words.path)
        }
        // Both at once, or a wrong type: that is reported already.
        _ if SOURCES.iter().any(|source| definition.field(source).is_some()) => return None,
        _ => {
            let message = format!("found no source, allowed: one of {}; {name} is no built-in kind", SOURCES.join(", "));
            report.error(&definition.path, message);
            return None;
        }
    };
    built.map_err(|error| report.error(path, format!("cannot be compiled: {error}"))).ok()
}

fn warn_about_cost(definition: &Cursor<'_>, detector: &Detector, report: &mut Report) {
    let million = 1_000_000u64;
    let every = million.checked_div(detector.prints.chance().max(1)).unwrap_or(million).max(1);
    if every < RARE {
        report.warning(
            &definition.path,
            format!(
                "begins with nothing rare: it is tried at about one of {every} bytes of every body; begin it with a literal of three \
                 bytes, or with \\b and digits, to have it cost nothing"
            ),
        );
    }
}

fn setting(definition: &Cursor<'_>, report: &mut Report) -> Setting {
    let mut except = BTreeSet::new();
    // One by one: to collect them would sort them, with a sort of their own.
    except
        .extend(items(definition, "except", MAX_EXCEPT, report).iter().filter_map(|item| Some(item.text()?.as_bytes().to_vec())));
    let conditions = Conditions {
        except,
        except_regex: patterns(definition, "except_regex", report),
        require: patterns(definition, "require", report),
        near: definition.field("near").and_then(|field| near(&field, report)),
        validate: definition.field("validate").and_then(|field| Checksum::from_name(field.text()?)),
    };
    Setting { conditions, mask: definition.field("mask").and_then(|field| mask(&field)) }
}

fn patterns(definition: &Cursor<'_>, name: &str, report: &mut Report) -> Vec<Pattern> {
    // What does not compile is reported by the check of the text.
    items(definition, name, MAX_REGEXES, report).iter().filter_map(|item| Pattern::new(item.text()?).ok()).collect()
}

fn items<'a>(definition: &Cursor<'a>, name: &str, most: usize, report: &mut Report) -> Vec<Cursor<'a>> {
    let Some(list) = definition.field(name) else { return Vec::new() };
    let items = list.items();
    if items.len() > most {
        report.error(list.path, format!("found {} items, allowed: at most {most}", items.len()));
        return Vec::new();
    }
    items
}

fn near(field: &Cursor<'_>, report: &mut Report) -> Option<Near> {
    let words = items(field, "words", MAX_NEAR_WORDS, report);
    let within = field.field("within").and_then(|within| within.integer()).unwrap_or(BUILT_IN_WITHIN);
    if words.is_empty() {
        return None;
    }
    Some(Near::of_policy(words.iter().filter_map(Cursor::text), usize::try_from(within).ok()?))
}

fn mask(field: &Cursor<'_>) -> Option<Mask> {
    if field.text().is_some() {
        return field
            .choice(&DETECTOR_MASK, &[("label", false), ("same_length", true)])
            .map(|same| if same { Mask::SameLength } else { Mask::Label });
    }
    let kept = |name| field.field(name).and_then(|kept| u8::try_from(kept.integer()?).ok());
    let key = || HashKey::new(field.field("hash")?.field("key")?.text()?.as_bytes());
    kept("keep_last").map(Mask::KeepLast).or_else(|| kept("keep_first").map(Mask::KeepFirst)).or_else(|| key().map(Mask::Hash))
}

#[cfg(test)]
mod tests {
    use super::super::document::CHECKSUM;
    use crate::detect::checksum::CHECKSUMS;

    #[test]
    fn every_checksum_can_be_named() {
        assert!(CHECKSUM.allowed.iter().copied().eq(CHECKSUMS.iter().map(|checksum| checksum.name)));
    }
}
