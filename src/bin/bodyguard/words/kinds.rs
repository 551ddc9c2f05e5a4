//! Kinds in words: what a policy says about them, which of them a list holds, and what their masks look like.

use bodyguard::act::{Masks, rewrite};
use bodyguard::detect::{Detectors, GROUPS, Kind, KindSet, Mask};
use bodyguard::policy::{BUILT_IN_WITHIN, BodyRule};
use bodyguard::scan::Finding;
use serde_json::Value;

use super::matches::texts;

/// How most kinds are masked.
const LABEL: &str = "as [REDACTED:<kind>]";
/// What a card number's mask is shown on; other kinds' on [`SAMPLE`].
const CARD: &str = "4111 1111 1111 1111";
const SAMPLE: &str = "AB12-CD34-EF56";

/// The kinds of a set, whole groups by their names; the last two joined by a word.
pub(super) fn names(detectors: &Detectors, kinds: KindSet, word: &str) -> String {
    // What is core has nothing in common but its age.
    let groups = GROUPS.iter().filter(|group| group.kinds() != KindSet::core());
    let mut groups: Vec<(&str, KindSet)> = groups.map(|group| (group.name, listed(group.kinds()))).collect();
    groups.sort_by_key(|(_, kinds)| std::cmp::Reverse(kinds.iter().count()));
    let (mut names, mut left) = (Vec::new(), kinds);
    for (name, members) in groups {
        let new = members.iter().filter(|kind| left.contains(*kind)).count();
        if kinds.covers(members) && new > 1 {
            names.push(name);
            left = left.without(members);
        }
    }
    names.extend(left.iter().map(|kind| detectors.name(kind)));
    joined(&names, word)
}

/// Those kinds of a group that a list may hold.
fn listed(kinds: KindSet) -> KindSet {
    kinds.iter().filter(|kind| !kind.spec().detect_only).collect()
}

/// What the groups that stand in a text are short for, a line each.
pub(super) fn groups_of(text: &str) -> Vec<String> {
    let short = |members: KindSet| members.iter().map(Kind::name).collect::<Vec<_>>().join(", ");
    let used = GROUPS.iter().filter(|group| group.kinds() != KindSet::core() && text.contains(group.name));
    used.map(|group| format!("{} is short for {}.", group.name, short(listed(group.kinds())))).collect()
}

/// How the kinds of `redact` are masked: kinds, and what becomes of them.
pub(super) fn masks(detectors: &Detectors, rule: &BodyRule, kinds: KindSet) -> String {
    let mut ways: Vec<(String, KindSet)> = Vec::new();
    for kind in kinds.iter() {
        let way = mask(detectors, rule.same_length, kind);
        match ways.iter_mut().find(|(known, _)| *known == way) {
            Some((_, kinds)) => drop(kinds.insert(kind)),
            None => ways.push((way, [kind].into_iter().collect())),
        }
    }
    // All of a group but one kind is said as the group, but that kind.
    let (all, labelled) = (names(detectors, kinds, "and"), |way: &str| way == LABEL);
    let short = ways.iter().any(|(way, kinds)| labelled(way) && all.len() < names(detectors, *kinds, "and").len());
    if short {
        ways.sort_by_key(|(way, _)| !labelled(way));
    }
    let clause = |(way, kinds): (String, KindSet)| {
        let mut of_way = kinds.iter();
        match (of_way.next(), of_way.next()) {
            _ if short && labelled(&way) => format!("{all} {way}"),
            // Where there is one kind, its name can stand in the label.
            (Some(kind), None) => {
                format!(
                    "{}{} {}",
                    if short { "but " } else { "" },
                    detectors.name(kind),
                    way.replace("<kind>", detectors.name(kind))
                )
            }
            _ => format!("{}{} {way}", if short { "but " } else { "" }, names(detectors, kinds, "and")),
        }
    };
    ways.into_iter().map(clause).collect::<Vec<_>>().join("; ")
}

fn mask(detectors: &Detectors, same_length: KindSet, kind: Kind) -> String {
    match (detectors.mask(kind), same_length.contains(kind)) {
        (Mask::Label, false) => LABEL.into(),
        (Mask::Hash(_), false) => "as [REDACTED:<kind>:<16 hexadecimal digits>], the same for the same value".into(),
        _ => {
            let sample = if kind == Kind::CREDIT_CARD { CARD } else { SAMPLE };
            let whole = [Finding { start: 0, end: sample.len() as u64, kind }];
            let masked = rewrite(sample.as_bytes(), &whole, Masks { detectors, same_length }, None, None).unwrap_or_default();
            format!("in place, \"{sample}\" as \"{}\"", String::from_utf8_lossy(&masked))
        }
    }
}

/// What a detector of the policy says, as clauses.
pub(super) fn detector(definition: &Value) -> Vec<String> {
    let field = |name| definition.get(name).filter(|value| !value.is_null());
    let list = |name| field(name).map(texts).filter(|items| !items.is_empty());
    let text = |name| field(name).and_then(Value::as_str);
    let mut said = Vec::new();
    let mut say = |words: Option<String>| said.extend(words);
    say(text("regex").map(|regex| format!("what matches {regex}")));
    let case = if field("ignore_case") == Some(&Value::Bool(true)) { ", in any case" } else { "" };
    say(list("words").map(|words| format!("one of the words {}{case}", quoted(&words))));
    let what = if field("values") == Some(&Value::Bool(false)) { "the JSON keys" } else { "the values under the JSON keys" };
    say(list("json_keys").map(|keys| format!("{what} {}", quoted(&keys))));
    let items = field("large_array").and_then(|array| array.get("min_items"));
    say(items.map(|items| format!("a JSON array of {items} items and more")));
    say(list("require").map(|regexes| format!("only with a match of {} in it", regexes.join(" and of "))));
    say(text("validate").map(|checksum| format!("only with check digits that are right by {checksum}")));
    let near = |near: &Value| {
        let within = near.get("within").cloned().unwrap_or_else(|| BUILT_IN_WITHIN.into());
        format!("only within {within} bytes of {}", quoted(&near.get("words").map(texts).unwrap_or_default()))
    };
    say(field("near").map(near));
    say(text("in").filter(|place| *place != "both").map(|place| format!("in JSON only in {place}")));
    say(list("paths").map(|paths| format!("in JSON only at {}", paths.join(", "))));
    say(list("except_paths").map(|paths| format!("in JSON not at {}", paths.join(", "))));
    say(list("except").map(|values| match values.len() {
        1..=3 => format!("but not {}", quoted(&values)),
        count => format!("but not {count} values that it lists"),
    }));
    say(list("except_regex").map(|regexes| format!("but not with a match of {} in it", regexes.join(" or of "))));
    said
}

fn quoted(items: &[String]) -> String {
    items.iter().map(|item| format!("\"{item}\"")).collect::<Vec<_>>().join(", ")
}

/// `a, b and c`
pub(super) fn joined(items: &[&str], word: &str) -> String {
    match items.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} {word} {last}", others.join(", ")),
        None => String::new(),
    }
}
