//! The metrics of one policy: defined once when it is configured, moved by id.

use super::host::Host;
use crate::policy::Policy;
use crate::telemetry::Metric;

/// Ids of all metrics that a policy can move.
#[derive(Default)]
pub struct Metrics {
    /// Sorted. Each message looks up a few of a hundred or two; finding one so is half the work of hashing it.
    ids: Vec<(Metric, u32)>,
}

impl Metrics {
    /// Defines every metric of `policy`; one that the host refuses does not count, and hurts nobody.
    pub fn define(host: &impl Host, policy: &Policy) -> Metrics {
        // A set of Rust's gives them in order.
        let ids = Metric::all_of(policy).into_iter().filter_map(|metric| {
            let id = host.define_metric(metric.metric_type(), &metric.wire_name(policy)).ok()?;
            Some((metric, id))
        });
        Metrics { ids: ids.collect() }
    }

    /// The id of a metric.
    pub fn id(&self, metric: Metric) -> Option<u32> {
        let index = self.ids.binary_search_by_key(&metric, |(metric, _)| *metric).ok()?;
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
