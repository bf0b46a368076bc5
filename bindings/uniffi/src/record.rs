//! The typed calls that record an event.

use crate::attributes::{Arena, Attr};
use crate::engines::with;
use crate::events::{
    Breadcrumb, Conditions, Durability, ErrorEvent, Extras, Feedback, Frame, Language, Level, LogEntry, Metric,
    Outcome, People, Revenue, SpanEvent, ThreadInfo, Timing, frames, micros, millis, threads,
};
use rez_monitor::{Event, Monitor};

/// Records an event that `event` makes, with what it may carry in addition.
fn record<'a>(
    handle: u64,
    extras: &'a Extras,
    arena: &'a Arena,
    conditions: &'a Option<rez_monitor::Conditions>,
    event: impl FnOnce() -> Event<'a>,
) -> Outcome {
    with(handle, Outcome::closed(), |monitor| monitor.record(extras.add_to(event(), conditions, arena)).into())
}

fn call(handle: u64, call: impl FnOnce(&Monitor, &Arena) -> rez_monitor::Outcome) -> Outcome {
    with(handle, Outcome::closed(), |monitor| call(monitor, &Arena::default()).into())
}

/// Records an error with the breadcrumbs recorded before it.
#[uniffi::export]
#[must_use]
pub fn error(handle: u64, event: ErrorEvent) -> Outcome {
    let conditions = event.conditions.as_ref().map(Conditions::to_core);
    call(handle, |monitor, arena| monitor.error(event.to_core(&conditions, arena)))
}

/// Records the error that ends the process. Waits for the disk at most `wait_ms`, and never longer than 500 ms.
#[uniffi::export]
#[must_use]
pub fn fatal(handle: u64, event: ErrorEvent, wait_ms: i64) -> Durability {
    let conditions = event.conditions.as_ref().map(Conditions::to_core);
    with(handle, Durability::closed(), |monitor| {
        monitor.fatal(event.to_core(&conditions, &Arena::default()), millis(wait_ms)).into()
    })
}

/// Records a breadcrumb. The last 100 are attached to each error.
#[uniffi::export]
pub fn breadcrumb(handle: u64, crumb: Breadcrumb) {
    with(handle, (), |monitor| monitor.breadcrumb(crumb.to_core(&Arena::default())));
}

/// Records a duration that the caller measured.
#[uniffi::export]
#[must_use]
pub fn timing(handle: u64, event: Timing) -> Outcome {
    call(handle, |monitor, arena| monitor.timing(event.to_core(arena)))
}

/// Records a span that the caller measured.
#[uniffi::export]
#[must_use]
pub fn record_span(handle: u64, span: SpanEvent) -> Outcome {
    call(handle, |monitor, arena| monitor.record_span(span.to_core(arena)))
}

/// Records a message with a level.
#[uniffi::export]
#[must_use]
pub fn message(handle: u64, text: String, level: Level, extras: Extras) -> Outcome {
    record(handle, &extras, &Arena::default(), &None, || Event::message(&text, level.into()))
}

/// Records an entry of the app's log.
#[uniffi::export]
#[must_use]
pub fn log(handle: u64, entry: LogEntry) -> Outcome {
    call(handle, |monitor, arena| monitor.log_entry(entry.to_core(arena)))
}

/// Records an analytics event.
#[uniffi::export]
#[must_use]
pub fn track(handle: u64, name: String, extras: Extras) -> Outcome {
    record(handle, &extras, &Arena::default(), &None, || Event::analytics(&name))
}

/// Records a screen view. `class` is the native class or component, if it differs from the name.
#[uniffi::export]
#[must_use]
pub fn screen_view(handle: u64, name: String, class: Option<String>, extras: Extras) -> Outcome {
    record(handle, &extras, &Arena::default(), &None, || Event::screen_view(&name, class.as_deref()))
}

/// Records an interaction of the user with a component, such as `tap` of `PayButton`.
#[uniffi::export]
#[must_use]
pub fn interaction(handle: u64, action: String, component: String, extras: Extras) -> Outcome {
    record(handle, &extras, &Arena::default(), &None, || Event::interaction(&action, &component))
}

/// Records the numbers of slow, frozen and total frames drawn on a screen.
#[uniffi::export]
#[must_use]
pub fn frame_counts(handle: u64, screen: String, slow: u32, frozen: u32, total: u32, extras: Extras) -> Outcome {
    record(handle, &extras, &Arena::default(), &None, || Event::frames(&screen, slow, frozen, total))
}

/// Records that the main thread did not respond. `stack` is its stack, outermost frame first.
#[uniffi::export]
#[must_use]
pub fn hang(
    handle: u64,
    duration_us: i64,
    stack: Vec<Frame>,
    other_threads: Vec<ThreadInfo>,
    language: Option<Language>,
    extras: Extras,
) -> Outcome {
    let (arena, conditions) = (Arena::default(), extras.conditions());
    record(handle, &extras, &arena, &conditions, || {
        let event = Event::hang(micros(duration_us), frames(&stack, &arena)).threads(threads(&other_threads, &arena));
        match language {
            Some(language) => event.language(language.into()),
            None => event,
        }
    })
}

/// Records that the system ended an earlier process. `cause` is the platform's name of the cause: `low_memory`, `anr`.
#[uniffi::export]
#[must_use]
pub fn app_exit(handle: u64, cause: String, message: String, extras: Extras) -> Outcome {
    let (arena, conditions) = (Arena::default(), extras.conditions());
    record(handle, &extras, &arena, &conditions, || Event::app_exit(&cause, &message))
}

/// Records revenue.
#[uniffi::export]
#[must_use]
pub fn revenue(handle: u64, event: Revenue) -> Outcome {
    call(handle, |monitor, arena| monitor.revenue(event.to_core(arena)))
}

/// Changes a property of the user, or deletes the profile.
#[uniffi::export]
#[must_use]
pub fn people(handle: u64, change: People) -> Outcome {
    call(handle, |monitor, arena| monitor.people(change.to_core(arena)))
}

/// Records a value of a metric.
#[uniffi::export]
#[must_use]
pub fn metric(handle: u64, name: String, value: Metric) -> Outcome {
    call(handle, |monitor, _| monitor.metric(&name, value.into()))
}

/// Records feedback from a user.
#[uniffi::export]
#[must_use]
pub fn feedback(handle: u64, event: Feedback) -> Outcome {
    call(handle, |monitor, _| monitor.feedback(event.to_core()))
}

/// Records a batch document (`docs/guide/batch.md`). `false`: at least one event was refused, and counted.
#[uniffi::export]
#[must_use]
pub fn record_batch(handle: u64, json: String) -> bool {
    with(handle, false, |monitor| monitor.record_batch(&json))
}

/// Records a batch document whose last event ends the process.
#[uniffi::export]
#[must_use]
pub fn record_fatal(handle: u64, json: String, wait_ms: i64) -> Durability {
    with(handle, Durability::closed(), |monitor| monitor.record_fatal(&json, millis(wait_ms)).into())
}

/// Starts a view that the app names itself.
#[uniffi::export]
#[must_use]
pub fn start_view(handle: u64, key: String, name: String, attrs: Vec<Attr>) -> Outcome {
    call(handle, |monitor, _| monitor.start_view(&key, &name, Arena::default().attrs(&attrs)))
}

/// Ends it.
#[uniffi::export]
#[must_use]
pub fn stop_view(handle: u64, key: String) -> Outcome {
    call(handle, |monitor, _| monitor.stop_view(&key))
}
