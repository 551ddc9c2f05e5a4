//! The heads of messages: judged when they come, in either world, and changed before they go.
//!
//! Where a body is inspected too, the message has one verdict, and one event, when its body is judged; what its head was found to be
//! waits for that.

use std::sync::Arc;

use super::head::Headers;
use super::host::{Host, HostResult};
use super::stream::HttpStream;
use crate::act::{self, Direction, HeadEdits};
use crate::policy::Rule;
use crate::telemetry::ErrorReason;

impl<H: Host> HttpStream<H> {
    /// Judges a head and changes what is to be masked in it; `false`: it was refused.
    pub(super) fn judge_head(&mut self, direction: Direction, rule: &Arc<Rule>, headers: &Headers) -> bool {
        if rule.heads.is_empty() {
            return true;
        }
        let pairs = headers.to_vec();
        let Some((mut judgement, edits)) = act::inspect_head(rule, direction, &pairs) else { return true };
        if self.edit_head(direction, &edits).is_err() {
            self.error(ErrorReason::Rewrite);
            judgement = judgement.unmasked(rule.mode, direction);
        }
        self.count_findings(direction, &judgement.counts);
        if judgement.verdict.blocks() {
            self.record(direction, rule, &judgement, None);
            self.refuse(direction, rule, &judgement);
            return false;
        }
        self.flow(direction).head = Some(judgement);
        true
    }

    /// Tells of a head whose message is told of in no other way.
    pub(super) fn record_head(&mut self, direction: Direction) {
        let Some(judgement) = self.flow(direction).head.take() else { return };
        if let Some(rule) = self.rule.clone() {
            self.record(direction, &rule, &judgement, None);
        }
    }

    fn edit_head(&self, direction: Direction, edits: &HeadEdits) -> HostResult<()> {
        for (name, values) in &edits.headers {
            if let [value] = values.as_slice() {
                self.host.set_header(direction, name, value)?;
                continue;
            }
            // Setting one of several changes the first and leaves the others.
            self.host.remove_header(direction, name)?;
            for value in values {
                self.host.add_header(direction, name, value)?;
            }
        }
        edits.path.iter().try_for_each(|path| self.host.set_header(direction, ":path", path))
    }
}
