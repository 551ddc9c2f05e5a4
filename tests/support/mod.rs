//! A scripted Envoy: enough of its body callbacks, in both worlds of `allow_on_headers_stop_iteration`, to drive the state machine
//! without a proxy. What the real one does is in the real-Envoy tests; this one is quick, and counts what the real one forgives.

#![allow(dead_code, unreachable_pub, clippy::panic, clippy::unwrap_used, clippy::panic_in_result_fn)]

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use bodyguard::act::Direction;
use bodyguard::filter::head::Headers;
use bodyguard::filter::host::{Host, HostResult, Refused};
use bodyguard::filter::root::{Root, Vm};
use bodyguard::filter::stream::{HttpStream, Step};
use bodyguard::telemetry::MetricType;

pub type HeaderList = Vec<(String, Vec<u8>)>;

/// What a message is, as its sender sends it.
#[derive(Clone, Default, Debug)]
pub struct Message {
    pub headers: HeaderList,
    pub chunks: Vec<Vec<u8>>,
    pub end: End,
}

/// How a body ends.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub enum End {
    /// The last chunk carries end of stream.
    #[default]
    OnLastChunk,
    /// An empty body callback after the last chunk carries it.
    OnEmptyChunk,
    /// Trailers end it.
    ByTrailers,
    /// Its sender stops and stays.
    Never,
}

/// What one message's receiver saw.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Received {
    pub headers: Option<HeaderList>,
    pub body: Vec<u8>,
    pub whole: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LocalReply {
    pub status: u16,
    pub headers: HeaderList,
    pub body: String,
    pub grpc_status: Option<i32>,
}

#[derive(Clone, Default, Debug)]
pub struct Outcome {
    pub upstream: Received,
    pub client: Received,
    pub reply: Option<LocalReply>,
    pub reset: bool,
}

#[derive(Default)]
struct State {
    configuration: Vec<u8>,
    now: u64,
    headers: HashMap<Direction, HeaderList>,
    headers_open: HashMap<Direction, bool>,
    visible: HashMap<Direction, Vec<u8>>,
    /// Most bytes that may be written back into the visible body.
    room: HashMap<Direction, usize>,
    reply: Option<LocalReply>,
    reset: bool,
    resumed: Vec<Direction>,
    removed_trailers: Vec<String>,
    log: Vec<(log::Level, String)>,
    metrics: Vec<(String, i64)>,
    filter_state: BTreeMap<String, String>,
    properties: BTreeMap<String, Vec<u8>>,
    tick_period: u32,
    host_calls: BTreeMap<&'static str, usize>,
    calls: Vec<Call>,
    /// Envoy makes no calls.
    refuses_calls: bool,
    /// `:status` and further headers of the answer that is being told of, and its body.
    answer: (HeaderList, Vec<u8>),
}

/// An HTTP call of the module. Its token is its index.
#[derive(Clone, Debug)]
pub struct Call {
    pub cluster: String,
    pub headers: HeaderList,
    pub body: Vec<u8>,
    pub timeout: u32,
}

/// A host that remembers.
#[derive(Clone, Default)]
pub struct Script(Rc<RefCell<State>>);

impl Script {
    pub fn log(&self) -> Vec<(log::Level, String)> {
        self.0.borrow().log.clone()
    }

    pub fn filter_state(&self, name: &str) -> Option<String> {
        self.0.borrow().filter_state.get(name).cloned()
    }

    /// The value of every metric that has moved, by its wire name.
    pub fn metrics(&self) -> BTreeMap<String, i64> {
        self.0.borrow().metrics.iter().filter(|(_, value)| *value != 0).cloned().collect()
    }

    pub fn metric(&self, parts: &[&str]) -> i64 {
        let all = self.metrics();
        all.iter().filter(|(name, _)| parts.iter().all(|part| name.contains(part))).map(|(_, value)| value).sum()
    }

    /// Trailers that were removed, in all exchanges.
    pub fn removed_trailers(&self) -> Vec<String> {
        self.0.borrow().removed_trailers.clone()
    }

    pub fn pass_time(&self, nanoseconds: u64) {
        self.0.borrow_mut().now += nanoseconds;
    }

    /// Directions that were let go since the exchange began.
    pub fn resumed(&self) -> Vec<Direction> {
        self.0.borrow().resumed.clone()
    }

    /// How often each host call was made since the exchange began.
    pub fn host_calls(&self) -> BTreeMap<&'static str, usize> {
        self.0.borrow().host_calls.clone()
    }

    fn count(&self, name: &'static str) {
        *self.0.borrow_mut().host_calls.entry(name).or_default() += 1;
    }

    /// Gives Envoy a property of the exchanges to come; its path has a NUL between its parts.
    pub fn set_property(&self, path: &str, value: &[u8]) {
        self.0.borrow_mut().properties.insert(path.to_owned(), value.to_vec());
    }

    pub fn tick_period(&self) -> u32 {
        self.0.borrow().tick_period
    }

    /// Every call since the beginning.
    pub fn calls(&self) -> Vec<Call> {
        self.0.borrow().calls.clone()
    }

    pub fn refuse_calls(&self, refuse: bool) {
        self.0.borrow_mut().refuses_calls = refuse;
    }

    pub fn set_time(&self, nanoseconds: u64) {
        self.0.borrow_mut().now = nanoseconds;
    }

    /// Metrics that another root will define stand beside those there are, as in an Envoy.
    pub fn forget_metrics(&self) {
        let mut state = self.0.borrow_mut();
        for (name, _) in &mut state.metrics {
            name.insert_str(0, "(old) ");
        }
    }

    pub fn set_configuration(&self, policy: &str) {
        self.0.borrow_mut().configuration = policy.as_bytes().to_vec();
    }

    fn list(&self, direction: Direction) -> HeaderList {
        self.0.borrow().headers.get(&direction).cloned().unwrap_or_default()
    }

    fn open(&self, direction: Direction) -> HostResult<()> {
        let open = self.0.borrow().headers_open.get(&direction).copied().unwrap_or(false);
        if open { Ok(()) } else { Err(Refused) }
    }
}

impl Host for Script {
    fn configuration(&self) -> Vec<u8> {
        self.count("configuration");
        self.0.borrow().configuration.clone()
    }
    fn now(&self) -> u64 {
        self.count("now");
        self.0.borrow().now
    }
    fn log(&self, level: log::Level, line: &str) {
        self.count("log");
        self.0.borrow_mut().log.push((level, line.to_owned()));
    }
    fn headers(&self, direction: Direction) -> HostResult<Headers> {
        self.count("headers");
        // Headers that have gone read as none.
        let list = self.open(direction).map(|()| self.list(direction)).unwrap_or_default();
        Ok(Headers::from_wire(Headers::to_wire(list.iter().map(|(name, value)| (name.as_bytes(), value.as_slice())))))
    }
    fn set_header(&self, direction: Direction, name: &str, value: &[u8]) -> HostResult<()> {
        self.count("set_header");
        self.open(direction)?;
        let mut state = self.0.borrow_mut();
        let list = state.headers.entry(direction).or_default();
        match list.iter_mut().find(|(other, _)| other == name) {
            Some(header) => header.1 = value.to_vec(),
            None => list.push((name.to_owned(), value.to_vec())),
        }
        Ok(())
    }
    fn add_header(&self, direction: Direction, name: &str, value: &[u8]) -> HostResult<()> {
        self.count("add_header");
        self.open(direction)?;
        self.0.borrow_mut().headers.entry(direction).or_default().push((name.to_owned(), value.to_vec()));
        Ok(())
    }
    fn remove_header(&self, direction: Direction, name: &str) -> HostResult<()> {
        self.count("remove_header");
        self.open(direction)?;
        self.0.borrow_mut().headers.entry(direction).or_default().retain(|(other, _)| other != name);
        Ok(())
    }
    fn remove_trailer(&self, _: Direction, name: &str) -> HostResult<()> {
        self.count("remove_trailer");
        self.0.borrow_mut().removed_trailers.push(name.to_owned());
        Ok(())
    }
    fn body(&self, direction: Direction, start: usize, len: usize) -> HostResult<Vec<u8>> {
        self.count("body");
        let state = self.0.borrow();
        let visible = state.visible.get(&direction).ok_or(Refused)?;
        Ok(visible.iter().skip(start).take(len).copied().collect())
    }
    fn replace_body(&self, direction: Direction, len: usize, with: &[u8]) -> HostResult<()> {
        self.count("replace_body");
        let mut state = self.0.borrow_mut();
        let room = state.room.get(&direction).copied().unwrap_or(usize::MAX);
        assert!(with.len() <= room, "a buffered body of {} bytes in room for {room} crashes Envoy", with.len());
        let visible = state.visible.get_mut(&direction).ok_or(Refused)?;
        visible.splice(..len.min(visible.len()), with.iter().copied());
        Ok(())
    }
    fn reply(&self, status: u16, _: &str, headers: &[(&str, &str)], body: &str, grpc_status: Option<i32>) -> HostResult<()> {
        self.count("reply");
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
        self.0.borrow_mut().reply = Some(LocalReply { status, headers, body: body.to_owned(), grpc_status });
        Ok(())
    }
    fn resume(&self, direction: Direction) -> HostResult<()> {
        self.count("resume");
        self.0.borrow_mut().resumed.push(direction);
        Ok(())
    }
    fn reset(&self, _: Direction) -> HostResult<()> {
        self.count("reset");
        self.0.borrow_mut().reset = true;
        Ok(())
    }
    fn set_effective_context(&self, _: u32) -> HostResult<()> {
        self.count("set_effective_context");
        Ok(())
    }
    fn property(&self, path: &str) -> HostResult<Vec<u8>> {
        self.count("property");
        if path == "plugin_name" {
            return Ok(b"bodyguard".to_vec());
        }
        self.0.borrow().properties.get(path).cloned().ok_or(Refused)
    }
    fn set_filter_state(&self, name: &str, value: &[u8]) -> HostResult<()> {
        self.count("set_filter_state");
        let value = String::from_utf8_lossy(value).into_owned();
        self.0.borrow_mut().filter_state.insert(name.to_owned(), value);
        Ok(())
    }
    fn define_metric(&self, _: MetricType, name: &str) -> HostResult<u32> {
        self.count("define_metric");
        let mut state = self.0.borrow_mut();
        assert!(state.metrics.iter().all(|(other, _)| other != name), "{name} is defined twice");
        state.metrics.push((name.to_owned(), 0));
        Ok(u32::try_from(state.metrics.len() - 1).unwrap())
    }
    fn increment_metric(&self, id: u32, by: i64) -> HostResult<()> {
        self.count("increment_metric");
        assert_ne!(by, 0, "a host refuses to add nothing");
        self.0.borrow_mut().metrics[id as usize].1 += by;
        Ok(())
    }
    fn record_metric(&self, id: u32, value: u64) -> HostResult<()> {
        self.count("record_metric");
        self.0.borrow_mut().metrics[id as usize].1 = i64::try_from(value).unwrap();
        Ok(())
    }
    fn call(&self, cluster: &str, headers: &[(&str, &str)], body: &[u8], timeout: u32) -> HostResult<u32> {
        self.count("call");
        let mut state = self.0.borrow_mut();
        if state.refuses_calls {
            return Err(Refused);
        }
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
        state.calls.push(Call { cluster: cluster.to_owned(), headers, body: body.to_vec(), timeout });
        Ok(u32::try_from(state.calls.len() - 1).unwrap())
    }
    fn call_response(&self) -> HostResult<Headers> {
        let list = &self.0.borrow().answer.0;
        Ok(Headers::from_wire(Headers::to_wire(list.iter().map(|(name, value)| (name.as_bytes(), value.as_slice())))))
    }
    fn call_response_body(&self, max: usize) -> HostResult<Vec<u8>> {
        Ok(self.0.borrow().answer.1.iter().take(max).copied().collect())
    }
    fn set_tick_period(&self, milliseconds: u32) -> HostResult<()> {
        self.count("set_tick_period");
        self.0.borrow_mut().tick_period = milliseconds;
        Ok(())
    }
    fn memory_bytes(&self) -> u64 {
        1_179_648
    }
}

/// An Envoy with the module configured.
pub struct Envoy {
    pub script: Script,
    pub root: Root<Script>,
    pub vm: Rc<Vm>,
    /// Its plugin setting `allow_on_headers_stop_iteration`.
    pub flag: bool,
    /// Its listener's `per_connection_buffer_limit_bytes`.
    pub limit: usize,
    contexts: Cell<u32>,
}

/// One exchange, from the first header on.
pub struct Exchange<'a> {
    envoy: &'a mut Envoy,
    stream: Rc<RefCell<HttpStream<Script>>>,
    pub outcome: Outcome,
}

impl Envoy {
    /// Configures the module with `policy`; its log lines where it is refused.
    pub fn try_new(policy: &str, flag: bool) -> Result<Envoy, Vec<String>> {
        let script = Script::default();
        script.0.borrow_mut().configuration = policy.as_bytes().to_vec();
        let vm = Rc::<Vm>::default();
        let mut root = Root::new(script.clone(), Rc::clone(&vm));
        if !root.configure() {
            return Err(script.log().into_iter().map(|(_, line)| line).collect());
        }
        Ok(Envoy { script, root, vm, flag, limit: 1024 * 1024, contexts: Cell::new(2) })
    }

    pub fn new(policy: &str, flag: bool) -> Envoy {
        Envoy::try_new(policy, flag).unwrap_or_else(|log| panic!("{log:?}"))
    }

    /// Envoy tells of the answer to the call `token`; without headers none came.
    pub fn answer(&self, token: usize, headers: &[(&str, &str)], body: &str) {
        self.script.0.borrow_mut().answer = (self::headers(headers), body.as_bytes().to_vec());
        self.root.answered(u32::try_from(token).unwrap());
        self.script.0.borrow_mut().answer = Default::default();
    }

    /// The root's tick, so many nanoseconds later.
    pub fn tick_after(&mut self, nanoseconds: u64) {
        self.script.pass_time(nanoseconds);
        self.root.tick();
    }

    pub fn begin(&mut self) -> Exchange<'_> {
        self.contexts.set(self.contexts.get() + 1);
        let stream = self.root.stream(self.contexts.get()).unwrap();
        {
            let mut state = self.script.0.borrow_mut();
            (state.reply, state.reset) = (None, false);
            state.headers.clear();
            state.visible.clear();
            state.resumed.clear();
            state.host_calls.clear();
        }
        Exchange { envoy: self, stream, outcome: Outcome::default() }
    }

    /// Runs a whole exchange.
    pub fn exchange(&mut self, request: &Message, response: &Message) -> Outcome {
        let mut exchange = self.begin();
        exchange.send(Direction::Request, request);
        if !exchange.is_over() {
            exchange.send(Direction::Response, response);
        }
        exchange.close()
    }
}

impl Exchange<'_> {
    pub fn is_over(&self) -> bool {
        self.outcome.reply.is_some() || self.outcome.reset
    }

    pub fn close(self) -> Outcome {
        self.stream.borrow_mut().on_close();
        self.outcome
    }

    /// Leaves it open, while others come and go.
    pub fn leave(self) -> Rc<RefCell<HttpStream<Script>>> {
        self.stream
    }

    /// Nothing happens for so many nanoseconds, but for the root's tick.
    pub fn wait(&mut self, nanoseconds: u64) {
        self.envoy.script.pass_time(nanoseconds);
        self.envoy.root.tick();
    }

    /// The root's tick, a period later.
    pub fn tick(&mut self) {
        self.envoy.script.pass_time(200_000_000);
        self.envoy.root.tick();
    }

    /// Were the headers of this message let go by a tick?
    pub fn resumed(&self, direction: Direction) -> bool {
        self.envoy.script.0.borrow().resumed.contains(&direction)
    }

    fn received(&mut self, direction: Direction) -> &mut Received {
        match direction {
            Direction::Request => &mut self.outcome.upstream,
            Direction::Response => &mut self.outcome.client,
        }
    }

    fn forward_headers(&mut self, direction: Direction) {
        let list = self.envoy.script.list(direction);
        self.received(direction).headers.get_or_insert(list);
        self.envoy.script.0.borrow_mut().headers_open.insert(direction, false);
    }

    fn forward_body(&mut self, direction: Direction) {
        self.forward_headers(direction);
        let visible = self.envoy.script.0.borrow_mut().visible.remove(&direction).unwrap_or_default();
        self.received(direction).body.extend(visible);
    }

    fn settle(&mut self) {
        let state = self.envoy.script.0.borrow();
        self.outcome.reply = state.reply.clone();
        self.outcome.reset = state.reset;
    }

    /// Sends a message through, as far as it gets.
    pub fn send(&mut self, direction: Direction, message: &Message) {
        let script = self.envoy.script.clone();
        {
            let mut state = script.0.borrow_mut();
            state.headers.insert(direction, message.headers.clone());
            state.headers_open.insert(direction, true);
            state.visible.remove(&direction);
        }
        let bodyless = message.chunks.is_empty() && !matches!(message.end, End::ByTrailers | End::Never);
        let mut held = self.stream.borrow_mut().on_headers(direction, bodyless) == Step::Pause;
        self.settle();
        if self.is_over() {
            return;
        }
        if !held {
            self.forward_headers(direction);
        } else if !self.envoy.flag {
            // Envoy waits for a resume, and the body with it.
            for _ in 0..10 {
                if script.0.borrow().resumed.contains(&direction) {
                    break;
                }
                script.pass_time(200_000_000);
                self.envoy.root.tick();
            }
            assert!(script.0.borrow().resumed.contains(&direction), "held headers without the flag hang for ever");
            self.forward_headers(direction);
        }
        let last = message.chunks.len().saturating_sub(1);
        let mut calls: Vec<(Vec<u8>, bool)> = message.chunks.iter().map(|chunk| (chunk.clone(), false)).collect();
        match message.end {
            End::OnLastChunk => calls.iter_mut().skip(last).for_each(|call| call.1 = true),
            End::OnEmptyChunk => calls.push((Vec::new(), true)),
            End::ByTrailers | End::Never => {}
        }
        let mut buffering = held;
        for (chunk, end_of_stream) in calls {
            let size = {
                let mut state = script.0.borrow_mut();
                let visible = state.visible.entry(direction).or_default();
                visible.extend(chunk);
                let size = visible.len();
                assert!(!buffering || size <= self.envoy.limit, "the body does not fit Envoy's buffer");
                let room = if buffering { self.envoy.limit } else { usize::MAX };
                state.room.insert(direction, room);
                size
            };
            held = self.stream.borrow_mut().on_body(direction, size, end_of_stream) == Step::Pause;
            self.settle();
            if self.is_over() {
                return;
            }
            buffering = held;
            if !held {
                self.forward_body(direction);
                self.received(direction).whole = end_of_stream;
            }
        }
        if message.end == End::ByTrailers {
            if !buffering {
                script.0.borrow_mut().visible.remove(&direction);
            }
            held = self.stream.borrow_mut().on_trailers(direction) == Step::Pause;
            self.settle();
            if self.is_over() {
                return;
            }
            if !held {
                self.forward_body(direction);
                self.received(direction).whole = true;
            }
        }
    }
}

/// A header list, with `content-length` where the message says how long it is.
pub fn headers(pairs: &[(&str, &str)]) -> HeaderList {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect()
}

/// `GET https://api.example.com/`
pub fn get() -> Message {
    let pairs = [(":method", "GET"), (":authority", "api.example.com"), (":path", "/v1/x?token=1"), ("x-request-id", "id-1")];
    Message { headers: headers(&pairs), ..Message::default() }
}

/// A POST of `body` in `chunks`.
pub fn post(chunks: &[&[u8]], end: End, extra: &[(&str, &str)]) -> Message {
    let mut message = get();
    message.headers[0].1 = b"POST".to_vec();
    message.headers.extend(headers(extra));
    message.chunks = chunks.iter().map(|chunk| chunk.to_vec()).collect();
    message.end = end;
    message
}

/// A response.
pub fn response(chunks: &[&[u8]], end: End, extra: &[(&str, &str)]) -> Message {
    let mut list = headers(&[(":status", "200")]);
    list.extend(headers(extra));
    Message { headers: list, chunks: chunks.iter().map(|chunk| chunk.to_vec()).collect(), end }
}
