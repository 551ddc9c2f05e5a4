//! What the filter shows of itself: every metric name and label, and the security event.
//!
//! All of it is made of closed sets of words, names from the policy, and counts. This module refuses to know found values,
//! and how a metric or a line of log gets out of the VM.

mod event;
mod metric;
mod otlp;
mod trace;

pub use event::{Event, Subject, filter_state_findings, totals};
pub use metric::{ErrorReason, Metric, MetricType, Outcome};
pub use otlp::{export_request, rejected};
pub use trace::TraceParent;
