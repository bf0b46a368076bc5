//! What a call takes from the heap of the thread that makes it.

use super::say;
use rez_monitor::{Breadcrumb, ErrorEvent, Level, Metric, Monitor, Timing, Value};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// Counts what this thread takes from the heap.
pub(crate) struct Counting;

// SAFETY: hands everything to the system's allocator; the counter neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ALLOCATIONS.try_with(|n| n.set(n.get().wrapping_add(1)));
        // SAFETY: the caller's promise is the one asked for.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is the one asked for.
        unsafe { System.dealloc(at, layout) }
    }
}

/// Heap allocations on the caller's thread, per call, in the steady state.
pub(crate) fn allocations(monitor: &Monitor) {
    let attrs: &[(&str, Value<'_>)] = &[("serial", 1_u64.into()), ("price", 499.0.into()), ("name", "tea".into())];
    let all = |monitor: &Monitor| {
        let timing = Timing::api_call("GET", "https://api.rezapp.com/products/17", Duration::from_millis(3));
        let _ = monitor.timing(timing.status(200));
        let _ = monitor.track("bought", attrs);
        let _ = monitor.message("hello", Level::Info, attrs);
        let _ = monitor.error(ErrorEvent::new("E", "m").attrs(attrs));
        let _ = monitor.metric("depth", Metric::Gauge(1.0));
        monitor.breadcrumb(Breadcrumb::new("user", "scrolled").data(attrs));
    };
    for _ in 0..200 {
        all(monitor);
    }
    monitor.persist(Duration::from_secs(10)).expect("persisted");
    let before = ALLOCATIONS.with(Cell::get);
    for _ in 0..200 {
        all(monitor);
    }
    say(&format!("allocations {}", ALLOCATIONS.with(Cell::get) - before));
    // The counter counts.
    let before = ALLOCATIONS.with(Cell::get);
    drop(std::hint::black_box(Box::new(7)));
    say(&format!("control {}", ALLOCATIONS.with(Cell::get) - before));
    say("done");
    std::process::exit(0);
}
