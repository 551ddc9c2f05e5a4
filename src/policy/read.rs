//! From the bytes of a plugin configuration to a document, whichever form they have.
//!
//! Envoy hands over a StringValue bare (so: JSON text) and a Struct as protobuf bytes; the command line tool reads YAML too.
//! This module refuses to know what a document means.

use super::Problem;
use super::node::Node;
use super::wire;

/// Longest document, in bytes.
pub(super) const MAX_DOCUMENT_BYTES: usize = 1_048_576;

/// What to do about a missing configuration.
const HOW_TO_CONFIGURE: &str = "set the plugin's configuration (Istio: pluginConfig) to a policy: a JSON object with `domains`, or a whole \
                                SecurityPolicy resource";

/// Reads JSON text or the bytes of a Struct.
///
/// # Errors
/// One problem at `$`: nothing there, too long, or neither of the two.
pub(super) fn plugin_configuration(bytes: &[u8]) -> Result<Node, Problem> {
    limit(bytes.len())?;
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii();
    // A Struct's first byte is 0x0a, a line feed to JSON, and its second, a length, may be a `{`. So a Struct is tried as well
    // where the JSON is broken; a text that is JSON to its end is never a Struct.
    let is_wire = bytes.first() == Some(&0x0a);
    match text.first() {
        None => Err(root(format!("no policy configured: {HOW_TO_CONFIGURE}"))),
        Some(b'{') => match json(text) {
            Err(problem) if is_wire => wire::read_struct(bytes).map_err(|_| problem),
            outcome => outcome,
        },
        Some(_) if is_wire => {
            wire::read_struct(bytes).map_err(|error| root(format!("not a google.protobuf.Struct: {error}; {HOW_TO_CONFIGURE}")))
        }
        Some(_) => Err(root(format!(
            "found neither a JSON object nor a google.protobuf.Struct, but {} bytes of something else; {HOW_TO_CONFIGURE}",
            bytes.len()
        ))),
    }
}

/// Reads YAML or JSON text. A bare `yes`, `on`, `no` or `off` is a boolean, as it is to Kubernetes, so that what the command line
/// tool says of a file holds for the same file in an Istio resource.
///
/// # Errors
/// One problem at `$`: nothing there, too long, or not YAML; with line and column.
#[cfg(not(target_arch = "wasm32"))]
pub(super) fn yaml_or_json(text: &str) -> Result<Node, Problem> {
    limit(text.len())?;
    let trimmed = text.trim_start_matches('\u{feff}').trim();
    if trimmed.is_empty() {
        return Err(root("found an empty document, allowed: a policy".into()));
    }
    if trimmed.starts_with('{')
        && let Ok(node) = json(trimmed.as_bytes())
    {
        return Ok(node);
    }
    serde_saphyr::from_str(text).map_err(|error| root(format!("not yaml: {}", one_line(&error.to_string()))))
}

fn json(text: &[u8]) -> Result<Node, Problem> {
    serde_json::from_slice(text).map_err(|error| root(format!("not json: {}", one_line(&error.to_string()))))
}

fn limit(length: usize) -> Result<(), Problem> {
    if length > MAX_DOCUMENT_BYTES {
        return Err(root(format!("found {length} bytes, allowed: at most {MAX_DOCUMENT_BYTES}")));
    }
    Ok(())
}

fn root(message: String) -> Problem {
    Problem { path: "$".into(), message }
}

/// What a reader says on its first line, which says all, without advice to programmers.
fn one_line(message: &str) -> &str {
    let line = message.lines().next().unwrap_or_default();
    let line = line.strip_prefix("error: ").unwrap_or(line);
    [", set ", "; use "].into_iter().filter_map(|advice| line.split_once(advice)).map(|(what, _)| what).next().unwrap_or(line)
}
