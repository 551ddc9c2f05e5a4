//! Names of kinds and groups in a policy's lists: which there are, built-in and the policy's own, and which may stand in a dlp list.

use super::cursor::Cursor;
use super::node::Node;
use super::shape::{Report, nearest};
use crate::detect::{Detectors, GROUPS, Group, Kind, KindSet};

/// The kinds that a dlp list may name.
pub(super) fn of_dlp() -> impl Iterator<Item = Kind> {
    Kind::all().filter(|kind| !kind.spec().detect_only)
}

/// All names that may stand in a dlp list: kinds, then groups.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    of_dlp().map(Kind::name).chain(GROUPS.iter().map(|group| group.name))
}

/// The kinds that a name in a dlp list stands for: the policy's own or a built-in one, or a group's without those that are
/// detect-only; `None` where it is no name.
pub(super) fn set(name: &str, detectors: &Detectors) -> Option<KindSet> {
    let kinds = match detectors.kind(name) {
        Some(kind) => [kind].into_iter().collect(),
        None => Group::from_name(name)?.kinds(),
    };
    Some(kinds.iter().filter(|kind| !kind.spec().detect_only).collect())
}

/// Reports what is neither the name of such a kind nor of a group.
pub(super) fn check(node: &Node, path: &str, report: &mut Report) {
    let name = match node {
        Node::Text(name) => name.as_str(),
        _ => "",
    };
    if report.own_kinds.iter().any(|own| own == name) {
        return;
    }
    match Kind::from_name(name) {
        Some(kind) if kind.spec().detect_only => report.error(
            path,
            format!("found {}, which is detect-only: detect_sensitive_data blocks on it, no dlp list may name it", node.shown()),
        ),
        Some(_) => {}
        None if Group::from_name(name).is_some() => {}
        None => {
            let own: Vec<String> = report.own_kinds.clone();
            let mut names: Vec<&str> = names().collect();
            names.extend(own.iter().map(String::as_str));
            let hint = nearest(name, names.iter().copied()).map(|hint| format!("; did you mean {hint}?")).unwrap_or_default();
            report.error(path, format!("found {}, allowed: {}{hint}", node.shown(), names.join(", ")));
        }
    }
}

/// The kinds of a list.
pub(super) fn list(items: &[Cursor<'_>], detectors: &Detectors) -> KindSet {
    items.iter().filter_map(|item| set(item.text()?, detectors)).fold(KindSet::EMPTY, KindSet::union)
}

/// Reports what `redact` names and what is `blocked` at the first finding, by kind or by group; `block` is the other list.
pub(super) fn check_apart(
    block: &[Cursor<'_>],
    redact: &[Cursor<'_>],
    blocked: KindSet,
    detectors: &Detectors,
    report: &mut Report,
) {
    let named = |name: &str| set(name, detectors).unwrap_or_default();
    for item in redact {
        let name = item.text().unwrap_or_default();
        let Some(kind) = named(name).iter().find(|kind| blocked.contains(*kind)) else { continue };
        let kind_name = detectors.name(kind);
        // As what each list names the kind: itself, or a group.
        let by = block.iter().filter_map(Cursor::text).find(|name| named(name).contains(kind)).unwrap_or_default();
        let (whose, by) = (
            if name == kind_name { "which".to_owned() } else { format!("whose {kind_name}") },
            if by == kind_name { String::new() } else { format!(" by {by}") },
        );
        let message = format!(
            "found {name:?}, {whose} block names too{by}, allowed: a kind in one of the two lists, or with min_findings of 2 and more"
        );
        report.error(item.path.clone(), message);
    }
}
