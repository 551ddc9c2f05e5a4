//! The module's entry: the SDK's contexts, each a few lines of forwarding to the state machine.

use std::cell::RefCell;
use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType};

use super::envoy::Envoy;
use super::root::{Root, Vm};
use super::stream::{HttpStream, Step};
use crate::act::Direction;

thread_local! {
    static VM: Rc<Vm> = Rc::default();
}

proxy_wasm::main! {{
    proxy_wasm::set_root_context(|_| Box::new(EnvoyRoot(Root::new(Envoy, VM.with(Rc::clone)))));
}}

struct EnvoyRoot(Root<Envoy>);

impl Context for EnvoyRoot {
    fn on_http_call_response(&mut self, token_id: u32, _headers: usize, _body_size: usize, _trailers: usize) {
        self.0.answered(token_id);
    }

    fn on_done(&mut self) -> bool {
        self.0.retire();
        true
    }
}

impl RootContext for EnvoyRoot {
    fn on_configure(&mut self, _size: usize) -> bool {
        self.0.configure()
    }

    fn on_tick(&mut self) {
        self.0.tick();
    }

    fn create_http_context(&self, context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(EnvoyStream(self.0.stream(context_id))))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

/// `None` passes everything: there is no configuration to act by, and Envoy sends no traffic to such a root.
struct EnvoyStream(Option<Rc<RefCell<HttpStream<Envoy>>>>);

impl EnvoyStream {
    fn step(&mut self, call: impl FnOnce(&mut HttpStream<Envoy>) -> Step) -> Action {
        // The host never calls into a stream from within a call of the same stream; were it to, passing is not safe, and holding is.
        let step = match &self.0 {
            None => Step::Continue,
            Some(stream) => stream.try_borrow_mut().map_or(Step::Pause, |mut stream| call(&mut stream)),
        };
        match step {
            Step::Continue => Action::Continue,
            Step::Pause => Action::Pause,
        }
    }
}

impl Context for EnvoyStream {}

impl HttpContext for EnvoyStream {
    fn on_http_request_headers(&mut self, _count: usize, end_of_stream: bool) -> Action {
        self.step(|stream| stream.on_headers(Direction::Request, end_of_stream))
    }

    fn on_http_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        self.step(|stream| stream.on_body(Direction::Request, size, end_of_stream))
    }

    fn on_http_request_trailers(&mut self, _count: usize) -> Action {
        self.step(|stream| stream.on_trailers(Direction::Request))
    }

    fn on_http_response_headers(&mut self, _count: usize, end_of_stream: bool) -> Action {
        self.step(|stream| stream.on_headers(Direction::Response, end_of_stream))
    }

    fn on_http_response_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        self.step(|stream| stream.on_body(Direction::Response, size, end_of_stream))
    }

    fn on_http_response_trailers(&mut self, _count: usize) -> Action {
        self.step(|stream| stream.on_trailers(Direction::Response))
    }

    fn on_log(&mut self) {
        self.step(|stream| {
            stream.on_close();
            Step::Continue
        });
    }
}
