//! Sends security events to an OTLP receiver: a bounded queue, one export at a time, retries.
//!
//! A message only ever puts its event into the queue. What is sent is sent from the root's tick, or when the answer to an export
//! comes. Each worker's VM has an exporter of its own; the main thread's has one too, which no message reaches, so it sends nothing.
//! Events stay in the queue until the receiver has taken them: what it is sent twice, because an answer was lost, it gets twice.

use std::collections::VecDeque;

use super::host::Host;
use super::metrics::Metrics;
use crate::policy::Otlp;
use crate::telemetry::{Event, Metric, Outcome, export_request, rejected};

/// Most bytes of events that wait, about.
pub const MAX_QUEUE_BYTES: usize = 4 * 1024 * 1024;
/// Most events of one export.
pub const MAX_BATCH_EVENTS: usize = 512;
/// Longest time that exports may go on failing before their events are given up: as long as in OpenTelemetry's collector.
pub const MAX_RETRY_NANOSECONDS: u64 = 300 * NANOSECONDS_PER_SECOND;
/// First and longest wait between an export that failed and the next.
const BACKOFF_NANOSECONDS: (u64, u64) = (NANOSECONDS_PER_SECOND, 30 * NANOSECONDS_PER_SECOND);
/// Longest wait that a receiver can ask for.
const MAX_RETRY_AFTER_NANOSECONDS: u64 = 60 * NANOSECONDS_PER_SECOND;
/// An answer that comes so much later than Envoy's own timeout never comes.
const GRACE_NANOSECONDS: u64 = 5 * NANOSECONDS_PER_SECOND;
/// A tick so much before its time is the one that was meant.
const SLACK_NANOSECONDS: u64 = 100 * NANOSECONDS_PER_MILLISECOND;
/// Most bytes of an answer that are read: it says how many events were not taken.
const MAX_ANSWER_BYTES: usize = 4096;

const NANOSECONDS_PER_MILLISECOND: u64 = 1_000_000;
const NANOSECONDS_PER_SECOND: u64 = 1_000_000_000;

/// The exporter of one configuration in one VM.
#[derive(Debug)]
pub struct Exporter {
    otlp: Otlp,
    /// What the receiver has not taken; its first events may be on their way.
    queue: VecDeque<Event>,
    queued_bytes: usize,
    sent: Option<Sent>,
    /// Exports that have failed since one went well.
    failures: u32,
    /// Since when, or since events were last given up.
    failing_since: u64,
    next_export: u64,
    /// The log has been told that exports fail.
    in_trouble: bool,
    retired: bool,
}

/// An export on its way.
#[derive(Debug)]
struct Sent {
    token: u32,
    /// So many events from the queue's front.
    events: usize,
    lost_at: u64,
}

/// Why an export failed.
enum Trouble {
    /// Envoy did not make the call.
    Refused,
    /// No answer came.
    NoAnswer,
    /// This status came.
    Status(u16),
}

impl Exporter {
    /// An exporter with nothing to send.
    pub fn new(otlp: Otlp) -> Exporter {
        Exporter {
            otlp,
            queue: VecDeque::new(),
            queued_bytes: 0,
            sent: None,
            failures: 0,
            failing_since: 0,
            next_export: 0,
            in_trouble: false,
            retired: false,
        }
    }

    /// Puts an event into the queue, where there is room.
    pub fn enqueue(&mut self, host: &impl Host, metrics: &Metrics, event: Event) {
        let bytes = self.queued_bytes.saturating_add(event.cost());
        if self.retired || self.queue.len() >= self.otlp.max_queue || bytes > MAX_QUEUE_BYTES {
            count(host, metrics, Outcome::Dropped, 1);
            return;
        }
        self.queued_bytes = bytes;
        self.queue.push_back(event);
    }

    /// Sends what waits, where it is time. Only in the root's context: a call dies with the context that made it.
    pub fn tick(&mut self, host: &impl Host, metrics: &Metrics) {
        let now = host.now();
        match &self.sent {
            Some(sent) if !is_reached(sent.lost_at, now) => return,
            Some(_) => self.fail(host, metrics, &Trouble::NoAnswer, None),
            None => {}
        }
        if is_reached(self.next_export, now.saturating_add(SLACK_NANOSECONDS)) {
            self.export(host, metrics, now);
        }
    }

    /// The answer to the call `token` has come, or Envoy has given it up.
    pub fn answered(&mut self, host: &impl Host, metrics: &Metrics, token: u32) {
        let Some(sent) = self.sent.take_if(|sent| sent.token == token) else { return };
        let headers = host.call_response().unwrap_or_default();
        let status = headers.get(":status").and_then(|status| std::str::from_utf8(status).ok()?.parse().ok());
        match status {
            Some(200..=299) => {
                let answer = host.call_response_body(MAX_ANSWER_BYTES).unwrap_or_default();
                let refused = rejected(&answer).min(sent.events as u64);
                self.forget(sent.events);
                count(host, metrics, Outcome::Failed, refused);
                count(host, metrics, Outcome::Exported, (sent.events as u64).saturating_sub(refused));
                self.failures = 0;
                if std::mem::take(&mut self.in_trouble) {
                    host.log(
                        log::Level::Info,
                        &format!("bodyguard: cluster {:?} takes security events again", self.otlp.cluster),
                    );
                }
                if self.queue.len() >= MAX_BATCH_EVENTS {
                    self.export(host, metrics, host.now());
                }
            }
            // Those of which the OTLP specification says that the same export may be taken later.
            Some(status @ (429 | 502 | 503 | 504)) => {
                let wait = headers.get("retry-after").and_then(|value| std::str::from_utf8(value).ok()?.trim().parse().ok());
                self.sent = Some(sent);
                self.fail(host, metrics, &Trouble::Status(status), wait);
            }
            Some(status) => {
                self.forget(sent.events);
                count(host, metrics, Outcome::Failed, sent.events as u64);
                self.tell(host, &Trouble::Status(status));
            }
            None => {
                self.sent = Some(sent);
                self.fail(host, metrics, &Trouble::NoAnswer, None);
            }
        }
    }

    /// Ends the exporter. What it has not seen taken goes to `heir`, which exports to the same receiver, or is lost.
    pub fn retire(&mut self, host: &impl Host, metrics: &Metrics, heir: Option<&mut Exporter>) {
        self.retired = true;
        self.sent = None;
        self.queued_bytes = 0;
        let left = std::mem::take(&mut self.queue);
        match heir {
            Some(heir) => left.into_iter().for_each(|event| heir.enqueue(host, metrics, event)),
            None => count(host, metrics, Outcome::Dropped, left.len() as u64),
        }
    }

    /// Would `other` take what this one leaves?
    pub fn may_inherit(&self, other: &Exporter) -> bool {
        !self.retired && self.otlp.same_receiver(&other.otlp)
    }

    fn export(&mut self, host: &impl Host, metrics: &Metrics, now: u64) {
        let events = self.queue.len().min(MAX_BATCH_EVENTS);
        if events == 0 {
            return;
        }
        self.next_export = now.saturating_add(milliseconds(self.otlp.interval_milliseconds));
        let body = export_request(&self.otlp.resource, self.queue.iter().take(events));
        let mut headers = vec![
            (":method", "POST"),
            (":path", self.otlp.path.as_str()),
            (":authority", self.otlp.authority.as_str()),
            ("content-type", "application/json"),
            ("user-agent", concat!("bodyguard/", env!("CARGO_PKG_VERSION"))),
        ];
        headers.extend(self.otlp.headers.iter().map(|(name, value)| (name.as_str(), value.reveal())));
        let timeout = self.otlp.timeout_milliseconds;
        let call = host.call(&self.otlp.cluster, &headers, &body, timeout);
        let lost_at = now.saturating_add(milliseconds(timeout)).saturating_add(GRACE_NANOSECONDS);
        self.sent = Some(Sent { token: call.unwrap_or_default(), events, lost_at });
        if call.is_err() {
            self.fail(host, metrics, &Trouble::Refused, None);
        }
    }

    /// An export has failed that may go well later. `wait`: seconds that the receiver asks for.
    fn fail(&mut self, host: &impl Host, metrics: &Metrics, trouble: &Trouble, wait: Option<u64>) {
        let now = host.now();
        let events = self.sent.take().map_or(0, |sent| sent.events);
        if self.failures == 0 {
            self.failing_since = now;
        }
        let (first, longest) = BACKOFF_NANOSECONDS;
        let backoff = first.saturating_mul(1u64.checked_shl(self.failures).unwrap_or(u64::MAX)).min(longest);
        self.failures = self.failures.saturating_add(1);
        // Workers fail together, and need not come back together.
        let jitter = now.checked_rem(backoff.wrapping_shr(2).max(1)).unwrap_or_default();
        let asked = wait.unwrap_or_default().saturating_mul(NANOSECONDS_PER_SECOND).min(MAX_RETRY_AFTER_NANOSECONDS);
        self.next_export = now.saturating_add(backoff.max(asked)).saturating_add(jitter);
        self.tell(host, trouble);
        if now.saturating_sub(self.failing_since) >= MAX_RETRY_NANOSECONDS {
            self.failing_since = now;
            self.forget(events);
            count(host, metrics, Outcome::Failed, events as u64);
        }
    }

    /// Takes events from the queue's front.
    fn forget(&mut self, events: usize) {
        for event in self.queue.drain(..events.min(self.queue.len())) {
            self.queued_bytes = self.queued_bytes.saturating_sub(event.cost());
        }
    }

    /// Says once that exports fail, until they go well again.
    fn tell(&mut self, host: &impl Host, trouble: &Trouble) {
        if std::mem::replace(&mut self.in_trouble, true) {
            return;
        }
        let why = match trouble {
            Trouble::Refused => "Envoy does not make the call; is there a cluster of that name?".into(),
            Trouble::NoAnswer => "no answer came".into(),
            Trouble::Status(status) => format!("the status is {status}, the receiver's or that of an Envoy that cannot reach it"),
        };
        host.log(
            log::Level::Warn,
            &format!(
                "bodyguard: cluster {:?} does not take security events: {why}; they stand in this log, up to {} wait, and \
                 bodyguard_events_total counts those that are lost",
                self.otlp.cluster, self.otlp.max_queue
            ),
        );
    }
}

fn count(host: &impl Host, metrics: &Metrics, outcome: Outcome, events: u64) {
    metrics.add(host, Metric::Events { outcome }, i64::try_from(events).unwrap_or(i64::MAX));
}

/// Has it come to `time`? One that nothing here can be waiting for was set before somebody set the clock.
fn is_reached(time: u64, now: u64) -> bool {
    const LONGEST_WAIT_NANOSECONDS: u64 = 2 * MAX_RETRY_AFTER_NANOSECONDS;
    time <= now || time.saturating_sub(now) > LONGEST_WAIT_NANOSECONDS
}

fn milliseconds(time: u32) -> u64 {
    u64::from(time).saturating_mul(NANOSECONDS_PER_MILLISECOND)
}
