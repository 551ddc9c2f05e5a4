//! What a policy says about places in JSON: where findings of a kind count, and which parts of a document are findings.
//!
//! This module refuses to know how a document is walked.

use std::sync::Arc;

use crate::body::{JsonPaths, PathSet, Place};
use crate::detect::Kind;

/// Where findings of a kind count in JSON. In text, all do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limit {
    /// In keys.
    pub keys: bool,
    /// In values.
    pub values: bool,
    /// Only at these paths; empty: anywhere.
    pub only: PathSet,
    /// Not at these paths.
    pub except: PathSet,
}

/// Everywhere.
impl Default for Limit {
    fn default() -> Limit {
        Limit { keys: true, values: true, only: PathSet::EMPTY, except: PathSet::EMPTY }
    }
}

impl Limit {
    /// Does a finding that starts there count?
    pub fn allows(&self, place: Place) -> bool {
        let (allowed, paths) = match place {
            Place::Text => return true,
            Place::Key(paths) => (self.keys, paths),
            Place::Value(paths) => (self.values, paths),
        };
        allowed && (self.only.is_empty() || paths.meets(self.only)) && !paths.meets(self.except)
    }
}

/// What of a document is a finding by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JsonSource {
    /// Every scalar at these paths.
    Values(PathSet),
    /// Every key of a member that these paths name.
    Keys(PathSet),
    /// The item of an array that makes it so long.
    Items(u64),
}

/// All that a policy says about places in JSON.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct JsonRules {
    paths: Arc<JsonPaths>,
    limits: Vec<(Kind, Limit)>,
    sources: Vec<(Kind, JsonSource)>,
}

impl JsonRules {
    /// Rules that follow these paths.
    pub fn new(paths: JsonPaths, limits: Vec<(Kind, Limit)>, sources: Vec<(Kind, JsonSource)>) -> JsonRules {
        JsonRules { paths: Arc::new(paths), limits, sources }
    }

    /// Of these rules, those of the kinds that are looked for; `None` where none is left.
    pub fn of(&self, is_wanted: impl Fn(Kind) -> bool) -> Option<JsonRules> {
        let limits: Vec<_> = self.limits.iter().copied().filter(|(kind, _)| is_wanted(*kind)).collect();
        let sources: Vec<_> = self.sources.iter().copied().filter(|(kind, _)| is_wanted(*kind)).collect();
        let some = !limits.is_empty() || !sources.is_empty();
        some.then(|| JsonRules { paths: Arc::clone(&self.paths), limits, sources })
    }

    /// The paths to follow.
    pub fn paths(&self) -> &Arc<JsonPaths> {
        &self.paths
    }

    /// Where findings of a kind count; `None`: anywhere.
    pub fn limit(&self, kind: Kind) -> Option<&Limit> {
        self.limits.iter().find(|(limited, _)| *limited == kind).map(|(_, limit)| limit)
    }

    /// What is a finding by itself, of which kind.
    pub fn sources(&self) -> &[(Kind, JsonSource)] {
        &self.sources
    }
}
