//! Two filters that do less than bodyguard ever could: the floors of the benchmark. Not a product, and knows nothing of one.
//!
//! The plugin configuration chooses: `nothing` does nothing at all; `read` pauses until a response is whole and reads it once.

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType};

proxy_wasm::main! {{
    proxy_wasm::set_root_context(|_| Box::new(Root { read: false }));
}}

struct Root {
    read: bool,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _size: usize) -> bool {
        self.read = self.get_plugin_configuration().is_some_and(|text| text == b"read");
        true
    }

    fn create_http_context(&self, _id: u32) -> Option<Box<dyn HttpContext>> {
        Some(if self.read { Box::new(Read) } else { Box::new(Nothing) })
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

struct Nothing;

impl Context for Nothing {}

impl HttpContext for Nothing {}

struct Read;

impl Context for Read {}

impl HttpContext for Read {
    fn on_http_response_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        if !end_of_stream {
            return Action::Pause;
        }
        let body = self.get_http_response_body(0, size);
        std::hint::black_box(body.map_or(0, |bytes| bytes.len()));
        Action::Continue
    }
}
