//! The root context: configuration, the watch over messages that wait for a body, and the exporter's clock.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::{Rc, Weak};

use super::exporter::Exporter;
use super::host::Host;
use super::metrics::Metrics;
use super::stream::HttpStream;
use crate::policy::{Mode, Policy, Problem};
use crate::telemetry::{ErrorReason, Metric};

/// How often the watch looks, in milliseconds.
pub const TICK_MILLISECONDS: u32 = 200;
/// How long held headers wait for a first body callback before they are let go, in nanoseconds.
pub const PATIENCE_NANOSECONDS: u64 = 1_000_000_000;
/// A body callback within so many nanoseconds of letting go was waiting for it: Envoy had held it back.
const AT_ONCE_NANOSECONDS: u64 = 20_000_000;

/// What all streams under one configuration share.
pub struct Shared {
    /// The policy.
    pub policy: Policy,
    /// Its metrics.
    pub metrics: Metrics,
    /// What is shared with other configurations.
    pub vm: Rc<Vm>,
    /// The `allow_on_headers_stop_iteration` that is lived by: the policy's, until Envoy proves otherwise.
    pub hold_headers: Cell<bool>,
    /// Envoy has proved that the policy's word is true.
    proven: Cell<bool>,
    /// The memory that was last reported.
    memory_bytes: Cell<u64>,
    /// Where security events go besides the log.
    pub exporter: Option<Rc<RefCell<Exporter>>>,
}

/// The root of one configuration.
pub struct Root<H: Host + Clone> {
    host: H,
    vm: Rc<Vm>,
    shared: Option<Rc<Shared>>,
    waiting: Waiting<H>,
}

/// What outlives a configuration: Envoy gives a new one to the same VM, while streams go on under the old one.
#[derive(Default)]
pub struct Vm {
    /// Bytes of bodies held in this VM.
    pub inflight: Cell<u64>,
    /// The same, as the gauge has it.
    told_inflight: Cell<u64>,
    /// By plugin, the ids of the gauges that tell of its policy: all go to 0 when another takes its place.
    told_of_policy: RefCell<HashMap<Vec<u8>, Vec<u32>>>,
    /// The exporters of all configurations.
    exporters: RefCell<Vec<Weak<RefCell<Exporter>>>>,
}

/// Streams whose headers are held and that no body callback has reached yet.
pub type Waiting<H> = Rc<RefCell<Vec<Weak<RefCell<HttpStream<H>>>>>>;

impl<H: Host + Clone> Root<H> {
    /// A root without a configuration.
    pub fn new(host: H, vm: Rc<Vm>) -> Root<H> {
        Root { host, vm, shared: None, waiting: Waiting::default() }
    }

    /// Loads the plugin configuration; `false` refuses it, and Envoy keeps what it had.
    pub fn configure(&mut self) -> bool {
        let policy = match Policy::from_plugin_configuration(&self.host.configuration()) {
            Ok(policy) => policy,
            Err(problems) => {
                self.log_problems(log::Level::Error, "the policy is refused", &problems);
                count_rejection(&self.host);
                return false;
            }
        };
        self.log_problems(log::Level::Warn, "the policy is accepted, with a warning", &policy.warnings);
        let metrics = Metrics::define(&self.host, &policy);
        self.show_policy(&metrics, &policy);
        self.host.log(
            log::Level::Info,
            &format!(
                "bodyguard {} loaded policy {} (hash {}): {} rules, headers {}",
                env!("CARGO_PKG_VERSION"),
                policy.name,
                policy.hash,
                policy.rules().count(),
                if policy.allow_on_headers_stop_iteration { "held" } else { "released" },
            ),
        );
        let exporter = policy.otlp.clone().map(|otlp| Rc::new(RefCell::new(Exporter::new(otlp))));
        if let Some(exporter) = &exporter {
            let mut exporters = self.vm.exporters.borrow_mut();
            exporters.retain(|exporter| exporter.strong_count() > 0);
            exporters.push(Rc::downgrade(exporter));
        }
        let shared = Rc::new(Shared {
            hold_headers: Cell::new(policy.allow_on_headers_stop_iteration),
            proven: Cell::new(false),
            vm: Rc::clone(&self.vm),
            memory_bytes: Cell::new(0),
            exporter,
            policy,
            metrics,
        });
        if shared.exporter.is_some() {
            let _ = self.host.set_tick_period(shared.idle_tick_milliseconds());
        }
        if let Some(old) = self.shared.replace(shared) {
            self.end_exports(&old);
        }
        true
    }

    /// The configuration has come to its end, and all streams under it.
    pub fn retire(&mut self) {
        if let Some(shared) = self.shared.take() {
            self.end_exports(&shared);
        }
    }

    /// The answer to an HTTP call has come.
    pub fn answered(&self, token: u32) {
        let Some(shared) = &self.shared else { return };
        if let Some(exporter) = &shared.exporter {
            exporter.borrow_mut().answered(&self.host, &shared.metrics, token);
        }
    }

    /// What waits to be exported goes to a configuration that exports to the same receiver: the one that came in its place.
    fn end_exports(&self, shared: &Shared) {
        let Some(exporter) = &shared.exporter else { return };
        let all: Vec<_> = self.vm.exporters.borrow().iter().filter_map(Weak::upgrade).collect();
        let mut ending = exporter.borrow_mut();
        let heir = all.iter().rev().find(|other| other.try_borrow().is_ok_and(|other| other.may_inherit(&ending)));
        ending.retire(&self.host, &shared.metrics, heir.map(|heir| heir.borrow_mut()).as_deref_mut());
    }

    /// A new HTTP stream; `None` before the first configuration.
    pub fn stream(&self, context_id: u32) -> Option<Rc<RefCell<HttpStream<H>>>> {
        let shared = Rc::clone(self.shared.as_ref()?);
        let waiting = Rc::clone(&self.waiting);
        Some(Rc::new_cyclic(|me| RefCell::new(HttpStream::new(self.host.clone(), shared, context_id, waiting, me.clone()))))
    }

    /// Exports what waits, and lets go of headers that have waited too long for a body: where Envoy's plugin setting is not what
    /// the policy says, the body never comes while they are held.
    pub fn tick(&mut self) {
        let Some(shared) = &self.shared else { return };
        // First, while the context in effect is still the root's.
        if let Some(exporter) = &shared.exporter {
            exporter.borrow_mut().tick(&self.host, &shared.metrics);
        }
        let now = self.host.now();
        let patience = if shared.hold_headers.get() { PATIENCE_NANOSECONDS } else { 0 };
        let mut waiting = self.waiting.take();
        waiting.retain(|stream| {
            let Some(stream) = stream.upgrade() else { return false };
            // A stream that is in use right now is not one that waits.
            stream.try_borrow_mut().is_ok_and(|mut stream| stream.still_waits(now, patience))
        });
        if waiting.is_empty() {
            let _ = self.host.set_tick_period(shared.idle_tick_milliseconds());
        }
        self.waiting.borrow_mut().append(&mut waiting);
    }

    /// Sets the gauges that tell of the policy, and those of the one it replaces to 0.
    fn show_policy(&self, metrics: &Metrics, policy: &Policy) {
        let inspecting = policy.rules().filter(|rule| rule.inspects());
        let (blocking, observing): (Vec<_>, Vec<_>) = inspecting.partition(|rule| rule.mode == Mode::Block);
        let gauges = [
            (Metric::PolicyInfo, 1),
            (Metric::RulesBlocking, blocking.len() as u64),
            (Metric::RulesObserving, observing.len() as u64),
        ];
        let ids = gauges.iter().filter_map(|(metric, _)| metrics.id(*metric)).collect();
        let plugin = self.host.property("plugin_name").unwrap_or_default();
        for old in self.vm.told_of_policy.borrow_mut().insert(plugin, ids).unwrap_or_default() {
            let _ = self.host.record_metric(old, 0);
        }
        for (metric, value) in gauges {
            metrics.record(&self.host, metric, value);
        }
    }

    fn log_problems(&self, level: log::Level, what: &str, problems: &[Problem]) {
        for problem in problems {
            self.host.log(level, &format!("bodyguard: {what}: {problem}"));
        }
    }
}

/// Counts a policy that is refused. Only the VM in which Envoy tries a configuration gets here, and that VM has no metrics yet.
fn count_rejection(host: &impl Host) {
    let metric = Metric::PolicyRejections;
    if let Ok(id) = host.define_metric(metric.metric_type(), metric.base_name()) {
        let _ = host.increment_metric(id, 1);
    }
}

impl Shared {
    /// How often the root has something to do while nothing waits for a body, in milliseconds; 0: never.
    fn idle_tick_milliseconds(&self) -> u32 {
        self.policy.otlp.as_ref().map_or(0, |otlp| otlp.interval_milliseconds)
    }

    /// Is it still open whether Envoy's setting is what the policy says?
    pub fn must_watch(&self) -> bool {
        !self.proven.get()
    }

    /// A body callback came while headers were held: Envoy's setting is what the policy says.
    pub fn body_came_while_held(&self) {
        self.proven.set(true);
    }

    /// A body callback came `waited` nanoseconds after headers were let go by the watch.
    pub fn body_came_after_letting_go(&self, host: &impl Host, waited: u64) {
        if waited > AT_ONCE_NANOSECONDS || self.proven.get() || !self.hold_headers.replace(false) {
            return;
        }
        self.metrics.add(host, Metric::Errors { reason: ErrorReason::HeadersFlag }, 1);
        host.log(
            log::Level::Error,
            "bodyguard: the policy says allow_on_headers_stop_iteration: true, and Envoy's plugin setting of that name is false: \
             headers are released from now on, and responses can only be cut, not answered with a block reply; set it to true in the \
             plugin configuration (Envoy 1.35 or later), or to false in the policy",
        );
    }

    /// Reports the bytes that are held where they changed. At the end of a callback: most bodies come and go in one.
    pub fn report_inflight(&self, host: &impl Host) {
        let held = self.vm.inflight.get();
        let grown = i128::from(held).saturating_sub(i128::from(self.vm.told_inflight.replace(held)));
        self.metrics.add(host, Metric::InflightBodyBytes, i64::try_from(grown).unwrap_or_default());
    }

    /// Reports the VM's memory where it changed.
    pub fn report_memory(&self, host: &impl Host) {
        let bytes = host.memory_bytes();
        if self.memory_bytes.replace(bytes) != bytes {
            self.metrics.record(host, Metric::VmMemoryBytes, bytes);
        }
    }
}
