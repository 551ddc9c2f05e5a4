//! Names of kinds and groups in a policy's lists: which there are, and which may stand in a dlp list.

use super::cursor::Cursor;
use super::node::Node;
use super::shape::{Report, nearest};
use crate::detect::{GROUPS, Group, Kind, KindSet, named};

/// The kinds that a dlp list may name.
pub(super) fn of_dlp() -> impl Iterator<Item = Kind> {
    Kind::all().filter(|kind| !kind.spec().detect_only)
}

/// All names that may stand in a dlp list: kinds, then groups.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    of_dlp().map(Kind::name).chain(GROUPS.iter().map(|group| group.name))
}

/// The kinds that a name in a dlp list stands for; a group's without those that are detect-only.
pub(super) fn set(name: &str) -> KindSet {
    named(name).unwrap_or_default().iter().filter(|kind| !kind.spec().detect_only).collect()
}

/// Reports what is neither the name of such a kind nor of a group.
pub(super) fn check(node: &Node, path: &str, report: &mut Report) {
    let name = match node {
        Node::Text(name) => name.as_str(),
        _ => "",
    };
    match Kind::from_name(name) {
        Some(kind) if kind.spec().detect_only => report.error(
            path,
            format!("found {}, which is detect-only: detect_sensitive_data blocks on it, no dlp list may name it", node.shown()),
        ),
        Some(_) => {}
        None if Group::from_name(name).is_some() => {}
        None => {
            let allowed = names().collect::<Vec<_>>().join(", ");
            let hint = nearest(name, names()).map(|hint| format!("; did you mean {hint}?")).unwrap_or_default();
            report.error(path, format!("found {}, allowed: {allowed}{hint}", node.shown()));
        }
    }
}

/// The kinds of a list.
pub(super) fn list(items: &[Cursor<'_>]) -> KindSet {
    items.iter().filter_map(Cursor::text).map(set).fold(KindSet::EMPTY, KindSet::union)
}

/// Reports what two lists both name, by kind or by group.
pub(super) fn check_apart(block: &[Cursor<'_>], redact: &[Cursor<'_>], report: &mut Report) {
    let blocked = list(block);
    for item in redact {
        let name = item.text().unwrap_or_default();
        let Some(kind) = set(name).iter().find(|kind| blocked.contains(*kind)) else { continue };
        // As what each list names the kind: itself, or a group.
        let by = block.iter().filter_map(Cursor::text).find(|name| set(name).contains(kind)).unwrap_or_default();
        let (whose, by) = (
            if name == kind.name() { "which".to_owned() } else { format!("whose {}", kind.name()) },
            if by == kind.name() { String::new() } else { format!(" by {by}") },
        );
        let message = format!("found {name:?}, {whose} block names too{by}, allowed: a kind in one of the two lists");
        report.error(item.path.clone(), message);
    }
}
