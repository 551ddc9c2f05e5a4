//! Where in a JSON document findings count, and what its structure is itself a finding of.
//!
//! Walks beside the scanner, as far as everything is decided, so that a chunk's cut never matters; what is not decided yet is
//! kept, as the scanner keeps it. What is no JSON has no places: there, every finding counts.

use std::sync::Arc;

use crate::body::{JsonWalk, Layout, MediaType, Passed, Place};
use crate::policy::{JsonRules, JsonSource};
use crate::scan::Finding;

/// Judges the findings of one body by their places. See the module.
#[derive(Debug)]
pub(super) struct Places {
    rules: Arc<JsonRules>,
    walk: JsonWalk,
    /// The bytes that are scanned and not walked over.
    tail: Vec<u8>,
}

impl Places {
    /// For a body of that media type.
    pub(super) fn new(rules: Arc<JsonRules>, media_type: &MediaType) -> Places {
        Places { walk: JsonWalk::new(Arc::clone(rules.paths()), layout(media_type)), rules, tail: Vec::new() }
    }

    /// Takes the chunk that was scanned, the offset up to which the scanner has decided, and all of `findings` from the index
    /// `fresh` on: takes out those that do not count, adds those of the structure. Returns the offset up to which everything
    /// is decided.
    pub(super) fn feed(&mut self, chunk: &[u8], decided: u64, findings: &mut Vec<Finding>, fresh: usize) -> u64 {
        if self.walk.is_over() {
            return decided;
        }
        if self.tail.is_empty() {
            let walked = self.judge(chunk, decided, findings, fresh);
            self.tail.extend_from_slice(chunk.get(walked..).unwrap_or_default());
        } else {
            let mut tail = std::mem::take(&mut self.tail);
            tail.extend_from_slice(chunk);
            let walked = self.judge(&tail, decided, findings, fresh);
            tail.drain(..walked.min(tail.len()));
            self.tail = tail;
        }
        if self.walk.is_over() {
            self.tail = Vec::new();
        }
        if self.rules.sources().is_empty() {
            return decided;
        }
        // A key or scalar that is not at its end may be a finding yet.
        self.walk.open_since().map_or(decided, |open| open.min(decided))
    }

    /// Ends the body.
    pub(super) fn finish(&mut self, findings: &mut Vec<Finding>, fresh: usize) {
        if self.walk.is_over() {
            return;
        }
        let tail = std::mem::take(&mut self.tail);
        self.judge(&tail, u64::MAX, findings, fresh);
        let rules = &self.rules;
        self.walk.finish(&mut |passed| told(rules, passed, findings));
    }

    /// Walks over `bytes`, the first of which is the walk's next, up to `decided`; returns how many that were.
    fn judge(&mut self, bytes: &[u8], decided: u64, findings: &mut Vec<Finding>, fresh: usize) -> usize {
        let Places { rules, walk, .. } = self;
        let from = walk.offset();
        let mut walked = 0;
        let mut over = |walk: &mut JsonWalk, upto: u64, found: &mut Vec<Finding>| {
            let upto = usize::try_from(upto.saturating_sub(from)).unwrap_or(usize::MAX).clamp(walked, bytes.len());
            walk.walk(bytes.get(walked..upto).unwrap_or_default(), &mut |passed| told(rules, passed, found));
            walked = upto;
            upto
        };
        let mut structural = Vec::new();
        let mut index = 0usize;
        findings.retain(|finding| {
            let is_fresh = index >= fresh;
            index = index.saturating_add(1);
            if !is_fresh {
                return true;
            }
            over(walk, finding.start, &mut structural);
            rules.limit(finding.kind).is_none_or(|limit| limit.allows(walk.place()))
        });
        let walked = over(walk, decided, &mut structural);
        if !structural.is_empty() {
            findings.append(&mut structural);
            findings.get_mut(fresh..).unwrap_or_default().sort_unstable();
        }
        walked
    }
}

/// Findings of what the walk has passed.
fn told(rules: &JsonRules, passed: Passed, findings: &mut Vec<Finding>) {
    for (kind, source) in rules.sources() {
        let (start, end, place) = match (source, passed) {
            (JsonSource::Values(wanted), Passed::Scalar { start, end, paths }) if paths.meets(*wanted) => {
                (start, end, Place::Value(paths))
            }
            (JsonSource::Keys(wanted), Passed::Key { start, end, paths }) if paths.meets(*wanted) && start < end => {
                (start, end, Place::Key(paths))
            }
            (JsonSource::Items(number_of), Passed::Item { start, number, paths }) if number == *number_of => {
                (start, start.saturating_add(1), Place::Value(paths))
            }
            _ => continue,
        };
        if rules.limit(*kind).is_none_or(|limit| limit.allows(place)) {
            findings.push(Finding { start, end, kind: *kind });
        }
    }
}

/// How documents would lie in a body of that type. What turns out to be none is text.
fn layout(media_type: &MediaType) -> Layout {
    match media_type.essence() {
        "text/event-stream" => Layout::Events,
        _ if media_type.is_json_seq() => Layout::Records,
        _ if media_type.is_json_lines() => Layout::Lines,
        _ => Layout::Documents,
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::act::finder::Finder;
    use crate::body::{JsonPath, JsonPaths, MAX_SCALAR_BYTES, PathSet};
    use crate::detect::Kind;
    use crate::policy::{BodyMode, BodyRule, Limit, MinFindings};
    use crate::scan::Programs;

    /// Stands for a kind of the structure's own findings: none that the scanner looks for.
    const OWN: Kind = Kind::STRIPE_KEY;

    #[derive(Clone, Copy, Default, Debug)]
    struct Said {
        only: &'static [&'static str],
        except: &'static [&'static str],
        not_in_keys: bool,
        not_in_values: bool,
        values_of: &'static [&'static str],
        keys_of: &'static [&'static str],
        items: Option<u64>,
    }

    fn body_rule(said: Said) -> BodyRule {
        let mut paths = JsonPaths::default();
        let mut set = |texts: &[&str]| {
            texts.iter().fold(PathSet::EMPTY, |set, text| set.union(paths.add(&JsonPath::parse(text).unwrap()).unwrap()))
        };
        let limit =
            Limit { keys: !said.not_in_keys, values: !said.not_in_values, only: set(said.only), except: set(said.except) };
        let (values_of, keys_of) = (set(said.values_of), set(said.keys_of));
        let mut sources = Vec::new();
        if !values_of.is_empty() {
            sources.push((OWN, JsonSource::Values(values_of)));
        }
        if !keys_of.is_empty() {
            sources.push((OWN, JsonSource::Keys(keys_of)));
        }
        sources.extend(said.items.map(|items| (OWN, JsonSource::Items(items))));
        BodyRule {
            max_bytes: 1000,
            body_mode: BodyMode::Auto,
            block: [].into_iter().collect(),
            redact: [Kind::EMAIL, OWN].into_iter().collect(),
            sensitive_data: false,
            program: Programs::default().of([Kind::EMAIL].into_iter().collect()),
            json: Some(Arc::new(JsonRules::new(paths, vec![(Kind::EMAIL, limit)], sources))),
            redact_in_observe_modes: true,
            same_length: [].into_iter().collect(),
            min_findings: MinFindings::default(),
        }
    }

    fn found(said: Said, media_type: &str, pieces: &[&[u8]]) -> Vec<Finding> {
        let mut finder = Finder::new(&body_rule(said), &MediaType::parse(media_type.as_bytes()));
        let mut findings = Vec::new();
        let mut decided = 0;
        for piece in pieces {
            let known = findings.len();
            let now = finder.feed(piece, &mut findings);
            assert!(findings[known..].iter().all(|finding| finding.start >= decided), "reported behind the decided offset");
            assert!(now >= decided);
            decided = now;
        }
        finder.finish(&mut findings);
        findings.sort_unstable();
        findings
    }

    fn texts(said: Said, media_type: &str, body: &str) -> Vec<String> {
        let findings = found(said, media_type, &[body.as_bytes()]);
        let text = |finding: &Finding| {
            let range = usize::try_from(finding.start).unwrap()..usize::try_from(finding.end).unwrap();
            body.get(range).unwrap().to_owned()
        };
        findings.iter().map(text).collect()
    }

    const BODY: &str =
        r#"{"a@x.com":"b@x.com","user":{"mail":"c@x.com","c@y.com":["d@x.com",{"note":"to e@x.com, f@x.com"}]},"n":5}"#;

    #[test]
    fn findings_count_where_the_policy_says() {
        for (said, counted) in [
            (Said::default(), "a@x.com b@x.com c@x.com c@y.com d@x.com e@x.com f@x.com"),
            (Said { not_in_values: true, ..Said::default() }, "a@x.com c@y.com"),
            (Said { not_in_keys: true, ..Said::default() }, "b@x.com c@x.com d@x.com e@x.com f@x.com"),
            (Said { only: &["$.user"], ..Said::default() }, "c@x.com c@y.com d@x.com e@x.com f@x.com"),
            (Said { only: &["$.user.mail", "note"], ..Said::default() }, "c@x.com e@x.com f@x.com"),
            (Said { except: &["note"], ..Said::default() }, "a@x.com b@x.com c@x.com c@y.com d@x.com"),
            (Said { only: &["$.user"], except: &["$.user.mail"], ..Said::default() }, "c@y.com d@x.com e@x.com f@x.com"),
        ] {
            assert_eq!(texts(said, "application/json", BODY).join(" "), counted, "{said:?}");
        }
    }

    #[test]
    fn what_is_no_json_counts_everywhere() {
        let said = Said { only: &["$.mail"], ..Said::default() };
        for (media_type, body, counted) in [
            ("text/plain", "a@x.com and b@x.com", "a@x.com b@x.com"),
            ("application/json", "a@x.com and b@x.com", "a@x.com b@x.com"),
            ("application/json", r#"{"x":"a@x.com" broken "b@x.com"}"#, "b@x.com"),
            ("application/x-ndjson", "{\"x\":\"a@x.com\"}\nb@x.com\n{\"mail\":\"c@x.com\"}", "b@x.com c@x.com"),
            ("text/event-stream", "id: a@x.com\ndata: {\"x\":\"b@x.com\",\"mail\":\"c@x.com\"}\n\n", "a@x.com c@x.com"),
            ("", r#"{"x":"a@x.com","mail":"b@x.com"}"#, "b@x.com"),
        ] {
            assert_eq!(texts(said, media_type, body).join(" "), counted, "{body}");
        }
    }

    #[test]
    fn structure_is_found() {
        let values = Said { values_of: &["grade", "gpa"], except: &["$"], ..Said::default() };
        let body = r#"{"name":"x","grade":"A+","terms":[{"gpa":3.5},{"grade":{"math":"B","art":null}},{"grade":""}]}"#;
        assert_eq!(texts(values, "application/json", body), ["A+", "3.5", "B"]);
        let keys = Said { keys_of: &["grade"], except: &["$"], ..Said::default() };
        assert_eq!(texts(keys, "application/json", body), ["grade", "grade", "grade"]);
        let items = Said { items: Some(3), except: &["$"], ..Said::default() };
        assert_eq!(texts(items, "application/json", "[1,2,[3,4],5,[6,7,88]]"), ["[", "8"]);
    }

    fn any_said() -> impl Strategy<Value = Said> {
        prop::sample::select(vec![
            Said { only: &["mail"], ..Said::default() },
            Said { except: &["$.a[*].mail"], ..Said::default() },
            Said { not_in_values: true, ..Said::default() },
            Said { values_of: &["a"], ..Said::default() },
            Said { keys_of: &["a"], items: Some(2), only: &["$.a"], ..Said::default() },
        ])
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]

        #[test]
        fn no_cut_changes_what_counts(
            said in any_said(),
            media_type in prop::sample::select(vec!["application/json", "application/x-ndjson", "text/event-stream"]),
            parts in prop::collection::vec(prop::sample::select(vec![
                "{\"a\":", "[", "]", "}", ",", "\"mail\":", "\"a@x.com\"", "\"\\u0061@x.com, b@y.org\"", "\"a\"", ":", "12", "\n", "data: ",
                "a@x.com", " ", "{\"mail\":\"a@x.com\"}", "\r\n\r\n", "\"\"",
            ]), 0..24),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let body = parts.concat();
            let body = body.as_bytes();
            let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
            at.extend([0, body.len()]);
            at.sort_unstable();
            let pieces: Vec<&[u8]> = at.windows(2).map(|pair| &body[pair[0]..pair[1]]).collect();
            prop_assert_eq!(found(said, media_type, &pieces), found(said, media_type, &[body]));
        }
    }

    #[test]
    fn a_long_value_is_found_in_pieces_that_leave_nothing_out() {
        let value = "x".repeat(usize::try_from(MAX_SCALAR_BYTES).unwrap() * 2 + 7);
        let said = Said { values_of: &["a"], ..Said::default() };
        assert_eq!(texts(said, "application/json", &format!("{{\"a\":\"{value}\"}}")).concat(), value);
    }
}
