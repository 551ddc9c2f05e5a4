//! Names of kinds in a policy's lists: which there are, built-in and the policy's own, and which may stand in a dlp list.

use super::node::Node;
use super::shape::{Report, nearest};
use crate::detect::Kind;

/// The kinds that a dlp list may name.
pub(super) fn of_dlp() -> impl Iterator<Item = Kind> {
    Kind::all().filter(|kind| !kind.spec().detect_only)
}

/// Reports what is not the name of such a kind.
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
        None => {
            let own: Vec<String> = report.own_kinds.clone();
            let mut names: Vec<&str> = of_dlp().map(Kind::name).collect();
            names.extend(own.iter().map(String::as_str));
            let hint = nearest(name, names.iter().copied()).map(|hint| format!("; did you mean {hint}?")).unwrap_or_default();
            report.error(path, format!("found {}, allowed: {}{hint}", node.shown(), names.join(", ")));
        }
    }
}
