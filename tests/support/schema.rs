//! policies/schema.json as an editor reads it: does it say of a document what `bodyguard check` says?

#![allow(dead_code, clippy::unwrap_used)]

use std::sync::LazyLock;

use serde_json::Value;

/// Errors that no schema can find, by what stands in the message, and why.
const BEYOND_A_SCHEMA: [(&str, &str); 27] = [
    ("found twice", "a repeated key is gone when the document is a tree"),
    ("which stands at", "hosts of other domains, compared as they are normalized"),
    ("identical to that of", "matches of other routes, compared as they are normalized"),
    (".mask.stripe_key", "a kind may be one that the policy defines"),
    ("block names too", "an item of another list"),
    ("found true without", "flag and cap may stand at different scopes, and are merged"),
    ("found 0 where", "the same"),
    ("found true beside mode: off", "the same"),
    ("a regex in Rust's regex syntax", "the syntax of regexes, and what they compile to"),
    ("found none beside cluster", "a field that another one makes necessary, by what it holds"),
    ("a duration as in", "how long a duration is"),
    ("an export sets", "header names of which some are not for a policy, in any case"),
    ("no part of the framing", "names of headers in any case"),
    ("not an IPv6 literal in brackets", "the parser of addresses"),
    ("match.headers[\"", "the names in the short form of headers"),
    ("bytes: it has", "a schema counts characters"),
    ("allowed: a text of 1", "the same"),
    ("allowed: credit_card, ", "the names of a policy's own kinds"),
    ("found no word, allowed", "it could say so, in more words than it is worth"),
    ("found no source", "the same"),
    ("for the built-in kind", "the same"),
    ("cannot be compiled", "the syntax of regexes, and what they compile to"),
    ("found an empty list", "it could say so, in more words than it is worth"),
    ("beside json_keys or large_array", "the same"),
    ("where none of its findings", "the same"),
    ("found beside no words", "it could say so, in more words than it is worth"),
    ("of the policy's own, allowed", "built-in kinds stand among them"),
];

static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let text = include_str!("../../policies/schema.json");
    let schema: Value = serde_json::from_str(text).unwrap();
    assert!(jsonschema::draft202012::meta::is_valid(&schema), "policies/schema.json is no schema of the draft it names");
    jsonschema::draft202012::new(&schema).unwrap()
});

/// Why the schema refuses the document; empty if it does not. `None` where the text is no document: an editor says so by itself.
pub(crate) fn complaints(text: &str) -> Option<Vec<String>> {
    let tree: Value = serde_saphyr::from_str(text).ok()?;
    Some(SCHEMA.iter_errors(&tree).map(|error| format!("{}: {error}", error.instance_path())).collect())
}

/// Panics unless the schema refuses what is refused for `errors`, and takes what is not; but for what is beyond a schema.
#[track_caller]
pub(crate) fn assert_agrees(text: &str, errors: &[String]) {
    let Some(complaints) = complaints(text) else { return };
    if errors.is_empty() {
        assert_eq!(complaints, [""; 0], "check takes it, the schema does not: {text}");
    }
    let within: Vec<&String> =
        errors.iter().filter(|error| !BEYOND_A_SCHEMA.iter().any(|(beyond, _)| error.contains(beyond))).collect();
    assert!(
        within.is_empty() || !complaints.is_empty(),
        "the schema takes it, check says {within:?} (let the schema say it, or BEYOND_A_SCHEMA why it cannot): {text}"
    );
}
