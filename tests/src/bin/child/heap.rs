//! Counts heap allocations of the calling thread.

use super::print_line;
use rez_monitor::{Breadcrumb, ErrorEvent, Level, Metric, Monitor, SpanEvent, Timing, Value};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// A global allocator that counts the allocations of each thread.
pub(crate) struct Counting;

// SAFETY: forwards to the system allocator; the counter neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ALLOCATIONS.try_with(|n| n.set(n.get().wrapping_add(1)));
        // SAFETY: the caller upholds the contract of the system allocator.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller upholds the contract of the system allocator.
        unsafe { System.dealloc(at, layout) }
    }
}

/// Prints the heap allocations of the calling thread, in the steady state.
pub(crate) fn allocations(monitor: &Monitor) {
    let attrs: &[(&str, Value<'_>)] = &[("serial", 1_u64.into()), ("price", 499.0.into()), ("name", "tea".into())];
    let all = |monitor: &Monitor| {
        let timing = Timing::api_call("GET", "https://api.rezapp.com/products/17", Duration::from_millis(3));
        let _ = monitor.timing(timing.status(200));
        let _ = monitor.track("bought", attrs);
        let _ = monitor.message("hello", Level::Info, attrs);
        let _ = monitor.error(ErrorEvent::new("E", "m").attrs(attrs));
        let _ = monitor.metric("depth", Metric::Gauge(1.0));
        // What a face does for a call that it measures.
        let ids = monitor.ids();
        let trace = ids.root().child(&ids);
        let url = "https://api.rezapp.com/products/17";
        monitor.trace_headers(&trace, url, |name, value| _ = std::hint::black_box((name, value)));
        let _ = monitor.timing(Timing::api_call("GET", url, Duration::from_millis(3)).status(200).trace(trace));
        let span = SpanEvent::new("parse", "task", Duration::from_millis(1)).trace(trace.child(&ids)).attrs(attrs);
        let _ = monitor.record_span(span);
        monitor.breadcrumb(Breadcrumb::new("user", "scrolled").data(attrs));
    };
    for _ in 0..200 {
        all(monitor);
    }
    monitor.persist(super::WAIT).expect("persisted");
    let before = ALLOCATIONS.with(Cell::get);
    for _ in 0..200 {
        all(monitor);
    }
    print_line(&format!("allocations {}", ALLOCATIONS.with(Cell::get) - before));
    // Checks that the counter works.
    let before = ALLOCATIONS.with(Cell::get);
    drop(std::hint::black_box(Box::new(7)));
    print_line(&format!("control {}", ALLOCATIONS.with(Cell::get) - before));
    print_line("done");
    std::process::exit(0);
}
