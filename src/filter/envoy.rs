//! The host calls, for real: the Proxy-Wasm ABI 0.2.1 as Envoy has it.
//!
//! The SDK's own wrappers panic on every status that they do not list, and on header values that are no UTF-8; a panic kills every
//! request of the worker. So this module calls the ABI itself, and gives every refusal back to its caller. It is the only one of the
//! crate, besides SIMD, that has `unsafe` in it.
//! See <https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1>.
#![allow(unsafe_code)]

use std::time::Duration;

use proxy_wasm::hostcalls;

use super::head::Headers;
use super::host::{Host, HostResult, Refused};
use crate::act::Direction;
use crate::telemetry::MetricType;

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_log(level: u32, message: *const u8, size: usize) -> u32;
    fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;
    fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
    fn proxy_get_buffer_bytes(buffer: u32, start: usize, max: usize, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_set_buffer_bytes(buffer: u32, start: usize, len: usize, data: *const u8, size: usize) -> u32;
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_replace_header_map_value(map: u32, name: *const u8, name_size: usize, value: *const u8, value_size: usize) -> u32;
    fn proxy_add_header_map_value(map: u32, name: *const u8, name_size: usize, value: *const u8, value_size: usize) -> u32;
    fn proxy_remove_header_map_value(map: u32, name: *const u8, name_size: usize) -> u32;
    fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_size: usize,
        body: *const u8,
        body_size: usize,
        headers: *const u8,
        headers_size: usize,
        grpc_status: i32,
    ) -> u32;
    fn proxy_continue_stream(stream: u32) -> u32;
    fn proxy_close_stream(stream: u32) -> u32;
    fn proxy_set_effective_context(context: u32) -> u32;
    fn proxy_get_property(path: *const u8, path_size: usize, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_set_property(path: *const u8, path_size: usize, data: *const u8, size: usize) -> u32;
    fn proxy_define_metric(metric_type: u32, name: *const u8, name_size: usize, id: *mut u32) -> u32;
    fn proxy_increment_metric(id: u32, by: i64) -> u32;
    fn proxy_record_metric(id: u32, value: u64) -> u32;
}

const OK: u32 = 0;
const BUFFER_PLUGIN_CONFIGURATION: u32 = 7;
const BUFFER_CALL_RESPONSE: u32 = 4;
const MAP_CALL_RESPONSE: u32 = 6;
/// No gRPC status in a local reply.
const NO_GRPC_STATUS: i32 = -1;
const WASM_PAGE_BYTES: usize = 65_536;

/// The Envoy that runs this module.
#[derive(Clone, Copy, Debug)]
pub(super) struct Envoy;

fn checked(status: u32) -> HostResult<()> {
    if status == OK { Ok(()) } else { Err(Refused) }
}

/// Streams, body buffers and (times two) header maps are numbered alike.
fn number(direction: Direction) -> u32 {
    match direction {
        Direction::Request => 0,
        Direction::Response => 1,
    }
}

fn header_map(direction: Direction) -> u32 {
    match direction {
        Direction::Request => 0,
        Direction::Response => 2,
    }
}

/// Makes a call that returns bytes, and takes them.
fn take(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> HostResult<Vec<u8>> {
    let mut data: *mut u8 = std::ptr::null_mut();
    let mut size: usize = 0;
    checked(call(&raw mut data, &raw mut size))?;
    if data.is_null() {
        return Ok(Vec::new());
    }
    // SAFETY: the host got `data` from the SDK's export `proxy_on_memory_allocate(size)`, which leaks a Vec<u8> of exactly this
    // length and capacity, has filled it, and gives its ownership to us.
    Ok(unsafe { Vec::from_raw_parts(data, size, size) })
}

fn buffer(number: u32, start: usize, len: usize) -> HostResult<Vec<u8>> {
    // SAFETY: both out-pointers are of locals that live through the call.
    take(|data, size| unsafe { proxy_get_buffer_bytes(number, start, len, data, size) })
}

impl Host for Envoy {
    fn configuration(&self) -> Vec<u8> {
        buffer(BUFFER_PLUGIN_CONFIGURATION, 0, usize::MAX).unwrap_or_default()
    }

    fn now(&self) -> u64 {
        let mut time = 0;
        // SAFETY: the pointer is of a local that lives through the call.
        let _ = unsafe { proxy_get_current_time_nanoseconds(&raw mut time) };
        time
    }

    fn log(&self, level: log::Level, line: &str) {
        let level = match level {
            log::Level::Trace => 0,
            log::Level::Debug => 1,
            log::Level::Info => 2,
            log::Level::Warn => 3,
            log::Level::Error => 4,
        };
        // SAFETY: pointer and length are of one live slice, which the host only reads.
        let _ = unsafe { proxy_log(level, line.as_ptr(), line.len()) };
    }

    fn headers(&self, direction: Direction) -> HostResult<Headers> {
        // SAFETY: both out-pointers are of locals that live through the call.
        take(|data, size| unsafe { proxy_get_header_map_pairs(header_map(direction), data, size) }).map(Headers::from_wire)
    }

    fn set_header(&self, direction: Direction, name: &str, value: &[u8]) -> HostResult<()> {
        let map = header_map(direction);
        // SAFETY: pointers and lengths are of live slices, which the host only reads.
        checked(unsafe { proxy_replace_header_map_value(map, name.as_ptr(), name.len(), value.as_ptr(), value.len()) })
    }

    fn add_header(&self, direction: Direction, name: &str, value: &[u8]) -> HostResult<()> {
        let map = header_map(direction);
        // SAFETY: pointers and lengths are of live slices, which the host only reads.
        checked(unsafe { proxy_add_header_map_value(map, name.as_ptr(), name.len(), value.as_ptr(), value.len()) })
    }

    fn remove_header(&self, direction: Direction, name: &str) -> HostResult<()> {
        // SAFETY: pointer and length are of one live slice, which the host only reads.
        checked(unsafe { proxy_remove_header_map_value(header_map(direction), name.as_ptr(), name.len()) })
    }

    fn remove_trailer(&self, direction: Direction, name: &str) -> HostResult<()> {
        // Each map of trailers is numbered behind its headers.
        let map = header_map(direction).saturating_add(1);
        // SAFETY: pointer and length are of one live slice, which the host only reads.
        checked(unsafe { proxy_remove_header_map_value(map, name.as_ptr(), name.len()) })
    }

    fn body(&self, direction: Direction, start: usize, len: usize) -> HostResult<Vec<u8>> {
        buffer(number(direction), start, len)
    }

    fn replace_body(&self, direction: Direction, len: usize, with: &[u8]) -> HostResult<()> {
        // SAFETY: pointer and length are of one live slice, which the host only reads.
        checked(unsafe { proxy_set_buffer_bytes(number(direction), 0, len, with.as_ptr(), with.len()) })
    }

    fn reply(
        &self,
        status: u16,
        details: &str,
        headers: &[(&str, &str)],
        body: &str,
        grpc_status: Option<i32>,
    ) -> HostResult<()> {
        let headers = Headers::to_wire(headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())));
        // SAFETY: pointers and lengths are of live slices, which the host only reads.
        checked(unsafe {
            proxy_send_local_response(
                u32::from(status),
                details.as_ptr(),
                details.len(),
                body.as_ptr(),
                body.len(),
                headers.as_ptr(),
                headers.len(),
                grpc_status.unwrap_or(NO_GRPC_STATUS),
            )
        })
    }

    fn resume(&self, direction: Direction) -> HostResult<()> {
        // SAFETY: takes no pointer.
        checked(unsafe { proxy_continue_stream(number(direction)) })
    }

    fn reset(&self, direction: Direction) -> HostResult<()> {
        // SAFETY: takes no pointer.
        checked(unsafe { proxy_close_stream(number(direction)) })
    }

    fn set_effective_context(&self, context_id: u32) -> HostResult<()> {
        // SAFETY: takes no pointer.
        checked(unsafe { proxy_set_effective_context(context_id) })
    }

    fn property(&self, path: &str) -> HostResult<Vec<u8>> {
        // SAFETY: the path is a live slice that the host only reads; both out-pointers are of locals that live through the call.
        take(|data, size| unsafe { proxy_get_property(path.as_ptr(), path.len(), data, size) })
    }

    fn set_filter_state(&self, name: &str, value: &[u8]) -> HostResult<()> {
        // SAFETY: pointers and lengths are of live slices, which the host only reads.
        checked(unsafe { proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len()) })
    }

    fn define_metric(&self, metric_type: MetricType, name: &str) -> HostResult<u32> {
        let mut id = 0;
        // SAFETY: the name is a live slice that the host only reads; the out-pointer is of a local that lives through the call.
        checked(unsafe { proxy_define_metric(metric_type as u32, name.as_ptr(), name.len(), &raw mut id) })?;
        Ok(id)
    }

    fn increment_metric(&self, id: u32, by: i64) -> HostResult<()> {
        // SAFETY: takes no pointer.
        checked(unsafe { proxy_increment_metric(id, by) })
    }

    fn record_metric(&self, id: u32, value: u64) -> HostResult<()> {
        // SAFETY: takes no pointer.
        checked(unsafe { proxy_record_metric(id, value) })
    }

    fn call(&self, cluster: &str, headers: &[(&str, &str)], body: &[u8], timeout: u32) -> HostResult<u32> {
        let timeout = Duration::from_millis(timeout.into());
        // The one wrapper of the SDK that cannot be gone around: it alone can tell its dispatcher whose answer will come. Of the
        // statuses that Envoy gives to this call, it knows all.
        hostcalls::dispatch_http_call(cluster, headers.to_vec(), Some(body), Vec::new(), timeout).map_err(|_| Refused)
    }

    fn call_response(&self) -> HostResult<Headers> {
        // SAFETY: both out-pointers are of locals that live through the call.
        take(|data, size| unsafe { proxy_get_header_map_pairs(MAP_CALL_RESPONSE, data, size) }).map(Headers::from_wire)
    }

    fn call_response_body(&self, max: usize) -> HostResult<Vec<u8>> {
        buffer(BUFFER_CALL_RESPONSE, 0, max)
    }

    fn set_tick_period(&self, milliseconds: u32) -> HostResult<()> {
        // SAFETY: takes no pointer.
        checked(unsafe { proxy_set_tick_period_milliseconds(milliseconds) })
    }

    fn memory_bytes(&self) -> u64 {
        core::arch::wasm32::memory_size::<0>().saturating_mul(WASM_PAGE_BYTES) as u64
    }
}
