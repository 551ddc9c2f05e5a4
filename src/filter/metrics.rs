//! The metrics of one policy: defined once when it is configured, moved by id.

use super::host::Host;
use crate::policy::Policy;
use crate::sort;
use crate::telemetry::Metric;

/// Ids of all metrics that a policy can move.
#[derive(Default)]
pub struct Metrics {
    /// By their keys, sorted. Each message looks up half a dozen of a hundred or two; finding one so is a fraction of the work of
    /// hashing it, or of comparing metrics part by part.
    ids: Vec<(u32, u32)>,
}

impl Metrics {
    /// Defines every metric of `policy`; one that the host refuses does not count, and hurts nobody.
    pub fn define(host: &impl Host, policy: &Policy) -> Metrics {
        let ids = Metric::all_of(policy).into_iter().filter_map(|metric| {
            let id = host.define_metric(metric.metric_type(), &metric.wire_name(policy)).ok()?;
            Some((metric.key(), id))
        });
        Metrics { ids: sort::sorted(ids.collect()) }
    }

    /// The id of a metric.
    pub fn id(&self, metric: Metric) -> Option<u32> {
        self.id_of(metric.key())
    }

    #[inline(never)]
    fn id_of(&self, key: u32) -> Option<u32> {
        let index = self.ids.binary_search_by_key(&key, |(known, _)| *known).ok()?;
        self.ids.get(index).map(|(_, id)| *id)
    }

    /// Adds to a counter or a gauge.
    pub fn add(&self, host: &impl Host, metric: Metric, by: i64) {
        if by == 0 {
            return;
        }
        if let Some(id) = self.id(metric) {
            // A metric that does not move must not stop a message.
            let _ = host.increment_metric(id, by);
        }
    }

    /// Records a value of a histogram, or sets a gauge.
    pub fn record(&self, host: &impl Host, metric: Metric, value: u64) {
        if let Some(id) = self.id(metric) {
            let _ = host.record_metric(id, value);
        }
    }
}
