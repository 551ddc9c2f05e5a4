//! Every metric, its type, its labels and its name on the wire.
//!
//! Envoy knows no labels, so a name carries them as `tag=.=value;.;`, once per tag, with the base name last; `stats_tags` (Envoy) or
//! `extraStatTags` (Istio) with the expression `(tag=\.=(.*?);\.;)` make Prometheus labels of them.

use std::collections::BTreeSet;

use crate::act::{Action, Direction, Engine, Uninspected, Verdict};
use crate::detect::{Kind, KindSet};
use crate::policy::{BodyRule, Mode, Policy};

/// One time series of the filter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Metric {
    /// `bodyguard_findings_total`: findings, and bodies that could not be read.
    Findings {
        /// Who speaks.
        engine: Engine,
        /// `None`: the label is `none`.
        kind: Option<Kind>,
        /// Of which message.
        direction: Direction,
        /// What was done.
        action: Action,
    },
    /// `bodyguard_messages_total`: messages of which something was to be inspected.
    Messages {
        /// Of which kind.
        direction: Direction,
        /// What became of it.
        verdict: Verdict,
    },
    /// `bodyguard_body_mutations_total`: bodies that were rewritten.
    BodyMutations {
        /// Of which message.
        direction: Direction,
    },
    /// `bodyguard_inspected_bytes_total`: bytes scanned, after decoding.
    InspectedBytes {
        /// Of which message.
        direction: Direction,
    },
    /// `bodyguard_uninspected_total`: bodies that passed without having been read to their end.
    Uninspected {
        /// Of which message.
        direction: Direction,
        /// Why.
        reason: Uninspected,
    },
    /// `bodyguard_errors_total`: things that should not happen.
    Errors {
        /// What it was.
        reason: ErrorReason,
    },
    /// `bodyguard_events_total`: security events that were to be exported, once their fate is known.
    Events {
        /// Their fate.
        outcome: Outcome,
    },
    /// `bodyguard_inspect_microseconds`: time spent on one body, in microseconds.
    InspectMicroseconds {
        /// Of which message.
        direction: Direction,
    },
    /// `bodyguard_body_bytes`: length of a body after decoding, in bytes.
    BodyBytes {
        /// Of which message.
        direction: Direction,
    },
    /// `bodyguard_vm_memory_bytes`: linear memory of the VM that reported last. It never shrinks.
    VmMemoryBytes,
    /// `bodyguard_inflight_body_bytes`: bytes of bodies held now, in all VMs.
    InflightBodyBytes,
    /// `bodyguard_policy_info`: 1 for the policy that is loaded.
    PolicyInfo,
    /// `bodyguard_policy_rules_blocking`: rules of the loaded policy that inspect, in mode `block`.
    RulesBlocking,
    /// `bodyguard_policy_rules_observing`: rules of the loaded policy that inspect, in mode `detect` or `shadow`.
    RulesObserving,
    /// `bodyguard_policy_rejections_total`: policies that were refused.
    PolicyRejections,
}

/// Things that should not happen.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ErrorReason {
    /// The policy says `allow_on_headers_stop_iteration: true`, and Envoy's plugin setting says otherwise.
    HeadersFlag,
    /// A host call failed where it must not.
    HostCall,
    /// A body held in the VM was ended by trailers that nothing announced, and could not be released.
    Trailers,
    /// A rewritten body did not fit where it had to.
    Rewrite,
    /// More of a body came than its `content-length` said; it was dropped.
    Overlong,
    /// A body did not fit `max_inflight_body_bytes`, with all that the worker held already.
    Budget,
}

/// What became of a security event that was to be exported.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Outcome {
    /// The receiver has taken it.
    Exported,
    /// It found no room in the queue, or what replaced its configuration exports elsewhere or nowhere.
    Dropped,
    /// The receiver refused it, or could not be reached for too long.
    Failed,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Outcome; 3] = [Outcome::Exported, Outcome::Dropped, Outcome::Failed];

    /// The label.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Exported => "exported",
            Outcome::Dropped => "dropped",
            Outcome::Failed => "failed",
        }
    }
}

/// Envoy's types of metric; the numbers are those of the Proxy-Wasm ABI.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MetricType {
    /// Only grows.
    Counter = 0,
    /// Goes up and down.
    Gauge = 1,
    /// Distribution of values.
    Histogram = 2,
}

impl ErrorReason {
    /// Every reason.
    pub const ALL: [ErrorReason; 6] = [
        ErrorReason::HeadersFlag,
        ErrorReason::HostCall,
        ErrorReason::Trailers,
        ErrorReason::Rewrite,
        ErrorReason::Overlong,
        ErrorReason::Budget,
    ];

    /// The label.
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorReason::HeadersFlag => "headers_flag",
            ErrorReason::HostCall => "host_call",
            ErrorReason::Trailers => "trailers",
            ErrorReason::Rewrite => "rewrite",
            ErrorReason::Overlong => "overlong",
            ErrorReason::Budget => "budget",
        }
    }
}

impl Metric {
    /// Its type.
    pub fn metric_type(self) -> MetricType {
        match self {
            Metric::InspectMicroseconds { .. } | Metric::BodyBytes { .. } => MetricType::Histogram,
            Metric::VmMemoryBytes
            | Metric::InflightBodyBytes
            | Metric::PolicyInfo
            | Metric::RulesBlocking
            | Metric::RulesObserving => MetricType::Gauge,
            _ => MetricType::Counter,
        }
    }

    /// A number that no other metric has: what it is, then its labels. It is sooner compared than they are.
    pub fn key(self) -> u32 {
        // No more than 256 kinds and none, two directions, and of what else there is less than 64.
        let of =
            |what: u32, kind: u32, direction: Direction, label: u32| what << 16 | kind << 7 | (direction as u32) << 6 | label;
        let of_none = |what, label| of(what, 0, Direction::Request, label);
        match self {
            Metric::Findings { engine, kind, direction, action } => {
                let kind = kind.map_or(0, |kind| (kind.index() as u32).saturating_add(1));
                of(0, kind, direction, (engine as u32) << 3 | action as u32)
            }
            Metric::Messages { direction, verdict } => of(1, 0, direction, verdict as u32),
            Metric::BodyMutations { direction } => of(2, 0, direction, 0),
            Metric::InspectedBytes { direction } => of(3, 0, direction, 0),
            Metric::Uninspected { direction, reason } => of(4, 0, direction, reason as u32),
            Metric::Errors { reason } => of_none(5, reason as u32),
            Metric::Events { outcome } => of_none(6, outcome as u32),
            Metric::InspectMicroseconds { direction } => of(7, 0, direction, 0),
            Metric::BodyBytes { direction } => of(8, 0, direction, 0),
            Metric::VmMemoryBytes => of_none(9, 0),
            Metric::InflightBodyBytes => of_none(10, 0),
            Metric::PolicyInfo => of_none(11, 0),
            Metric::RulesBlocking => of_none(12, 0),
            Metric::RulesObserving => of_none(13, 0),
            Metric::PolicyRejections => of_none(14, 0),
        }
    }

    /// The name without its labels, as Prometheus shows it.
    pub fn base_name(self) -> &'static str {
        match self {
            Metric::Findings { .. } => "bodyguard_findings_total",
            Metric::Messages { .. } => "bodyguard_messages_total",
            Metric::BodyMutations { .. } => "bodyguard_body_mutations_total",
            Metric::InspectedBytes { .. } => "bodyguard_inspected_bytes_total",
            Metric::Uninspected { .. } => "bodyguard_uninspected_total",
            Metric::Errors { .. } => "bodyguard_errors_total",
            Metric::Events { .. } => "bodyguard_events_total",
            Metric::InspectMicroseconds { .. } => "bodyguard_inspect_microseconds",
            Metric::BodyBytes { .. } => "bodyguard_body_bytes",
            Metric::VmMemoryBytes => "bodyguard_vm_memory_bytes",
            Metric::InflightBodyBytes => "bodyguard_inflight_body_bytes",
            Metric::PolicyInfo => "bodyguard_policy_info",
            Metric::RulesBlocking => "bodyguard_policy_rules_blocking",
            Metric::RulesObserving => "bodyguard_policy_rules_observing",
            Metric::PolicyRejections => "bodyguard_policy_rejections_total",
        }
    }

    /// Its labels, in the order of the name.
    pub fn labels(self, policy: &Policy) -> Vec<(&'static str, &str)> {
        let of_policy = ("policy", policy.name.as_str());
        match self {
            Metric::Findings { engine, kind, direction, action } => vec![
                ("engine", engine.as_str()),
                ("kind", kind.map_or("none", |kind| policy.detectors.name(kind))),
                ("direction", direction.as_str()),
                ("action", action.as_str()),
                of_policy,
            ],
            Metric::Messages { direction, verdict } => {
                vec![("direction", direction.as_str()), ("verdict", verdict.as_str()), of_policy]
            }
            Metric::BodyMutations { direction } | Metric::InspectedBytes { direction } => {
                vec![("direction", direction.as_str()), of_policy]
            }
            Metric::Uninspected { direction, reason } => {
                vec![("direction", direction.as_str()), ("reason", reason.as_str()), of_policy]
            }
            Metric::Errors { reason } => vec![("reason", reason.as_str())],
            Metric::Events { outcome } => vec![("outcome", outcome.as_str())],
            Metric::InspectMicroseconds { direction } | Metric::BodyBytes { direction } => {
                vec![("direction", direction.as_str())]
            }
            Metric::VmMemoryBytes | Metric::InflightBodyBytes | Metric::PolicyRejections => vec![],
            Metric::PolicyInfo => vec![of_policy, ("hash", &policy.hash)],
            Metric::RulesBlocking | Metric::RulesObserving => vec![of_policy],
        }
    }

    /// The name on the wire: labels, then the base name.
    pub fn wire_name(self, policy: &Policy) -> String {
        let mut name = String::new();
        for (tag, value) in self.labels(policy) {
            name.extend([tag, "=.=", value, ";.;"]);
        }
        name.push_str(self.base_name());
        name
    }

    /// Every metric that messages under `policy` can move; no other is ever defined.
    pub fn all_of(policy: &Policy) -> BTreeSet<Metric> {
        let mut all = BTreeSet::from([
            Metric::VmMemoryBytes,
            Metric::InflightBodyBytes,
            Metric::PolicyInfo,
            Metric::RulesBlocking,
            Metric::RulesObserving,
            Metric::PolicyRejections,
        ]);
        all.extend(ErrorReason::ALL.map(|reason| Metric::Errors { reason }));
        if policy.otlp.is_some() {
            all.extend(Outcome::ALL.map(|outcome| Metric::Events { outcome }));
        }
        for rule in policy.rules() {
            if rule.deny_upgrades {
                let direction = Direction::Request;
                let verdict = if rule.mode == Mode::Block { Verdict::Blocked } else { Verdict::WouldBlock };
                all.extend([
                    Metric::Messages { direction, verdict },
                    Metric::Uninspected { direction, reason: Uninspected::Upgrade },
                ]);
            }
            let (heads, request, response) = (&rule.heads, Direction::Request, Direction::Response);
            for (direction, head_rule) in
                [(request, &heads.request_headers), (request, &heads.query), (response, &heads.response_headers)]
            {
                if let Some(head_rule) = head_rule {
                    of_messages(&mut all, direction);
                    of_lists(&mut all, direction, rule.mode, &head_rule.lists);
                }
            }
            let rules = [(Direction::Request, &rule.request), (Direction::Response, &rule.response)];
            for (direction, body_rule) in rules {
                if let Some(body_rule) = body_rule {
                    of_body_rule(&mut all, direction, rule.mode, body_rule);
                }
            }
        }
        all
    }
}

fn of_body_rule(all: &mut BTreeSet<Metric>, direction: Direction, mode: Mode, body_rule: &BodyRule) {
    all.extend([
        Metric::BodyMutations { direction },
        Metric::InspectedBytes { direction },
        Metric::InspectMicroseconds { direction },
        Metric::BodyBytes { direction },
    ]);
    of_messages(all, direction);
    of_lists(all, direction, mode, body_rule);
    all.extend(Uninspected::ALL.iter().map(|&reason| Metric::Uninspected { direction, reason }));
    for engine in [Engine::BodySize, Engine::BodyDecode] {
        let actions = [Action::Block, Action::WouldBlock, Action::Detect];
        all.extend(actions.map(|action| Metric::Findings { engine, kind: None, direction, action }));
    }
}

fn of_messages(all: &mut BTreeSet<Metric>, direction: Direction) {
    all.extend(Verdict::ALL.iter().map(|&verdict| Metric::Messages { direction, verdict }));
}

fn of_lists(all: &mut BTreeSet<Metric>, direction: Direction, mode: Mode, body_rule: &BodyRule) {
    let would = if mode == Mode::Block { Action::Block } else { Action::WouldBlock };
    let mut findings = |engine, kinds: KindSet, actions: &[Action]| {
        for kind in kinds.iter() {
            all.extend(actions.iter().map(|&action| Metric::Findings { engine, kind: Some(kind), direction, action }));
        }
    };
    findings(Engine::Dlp, body_rule.block, &[would]);
    // Fewer than block are counted.
    let several = body_rule.block.iter().filter(|kind| body_rule.min_findings.of(*kind) > 1).collect();
    findings(Engine::Dlp, several, &[Action::Detect]);
    findings(Engine::Dlp, body_rule.redact, &[Action::Redact, Action::WouldRedact, Action::Detect]);
    if body_rule.sensitive_data {
        findings(Engine::SensitiveData, KindSet::core(), &[would]);
    }
}
