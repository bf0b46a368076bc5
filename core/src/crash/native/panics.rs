//! The panic that an abort follows.
//!
//! A panic ends the process by a signal only if it cannot unwind: in a program that is built to abort, in a function that a
//! foreign language calls, or inside another panic. Then the abort has its message and place. A panic that is caught, that ends its
//! thread, or that ends `main` with the exit code 101 raises no signal and is no native crash.

use super::claim::now_ms;
use super::text::Text;
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicI32, AtomicI64, Ordering};

/// Longest note of a panic in bytes: the message of most is one line.
pub(super) const NOTE_BYTES: usize = 2048;

/// The abort follows the hooks at once. One that comes later has another cause.
const FOLLOWS_MS: i64 = 1_000;

/// The note is being written.
const WRITING: i32 = -1;

struct Note {
    /// The thread that panicked; 0 = none.
    thread: AtomicI32,
    /// The note counts until then.
    until_ms: AtomicI64,
    text: UnsafeCell<Text<NOTE_BYTES>>,
}

// SAFETY: `text` is written by the thread that has set `thread` to `WRITING`, and read by the thread that wrote it.
unsafe impl Sync for Note {}

static NOTE: Note =
    Note { thread: AtomicI32::new(0), until_ms: AtomicI64::new(i64::MIN), text: UnsafeCell::new(Text::new()) };

/// Adds our hook before the one that is there. Not while this thread panics: the hook cannot be changed then.
pub(super) fn install() {
    if std::thread::panicking() {
        return;
    }
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        note(panic);
        before(panic);
        hooks_ended();
    }));
}

fn me() -> i32 {
    // SAFETY: no arguments, cannot fail.
    unsafe { libc::gettid() }
}

fn note(panic: &std::panic::PanicHookInfo<'_>) {
    let message = panic.payload_as_str().unwrap_or("a value that is no text");
    let before = NOTE.thread.load(Ordering::Acquire);
    // The panic that cannot unwind has led to this one, which only says so.
    let is_second = message.starts_with("panic in a ") && with_note(me(), |_| ()).is_some();
    if before == WRITING
        || is_second
        || NOTE.thread.compare_exchange(before, WRITING, Ordering::AcqRel, Ordering::Acquire).is_err()
    {
        return;
    }
    // SAFETY: `WRITING` is ours.
    let text = unsafe { &mut *NOTE.text.get() };
    text.clear();
    text.push("panicked");
    if let Some(place) = panic.location() {
        // Without its folder, which names the machine of the build.
        text.push(" at ");
        text.push(place.file().rsplit(['/', '\\']).next().unwrap_or_default());
        for number in [place.line(), place.column()] {
            text.push(":");
            text.push_number(u64::from(number));
        }
    }
    text.push(": ");
    text.push(message);
    NOTE.until_ms.store(i64::MAX, Ordering::Release);
    NOTE.thread.store(me(), Ordering::Release);
}

/// The other hooks may take long, so the time counts from their end.
fn hooks_ended() {
    if NOTE.thread.load(Ordering::Acquire) == me() {
        NOTE.until_ms.store(now_ms().saturating_add(FOLLOWS_MS), Ordering::Release);
    }
}

/// Calls a function with the panic that this thread has just had; `None` if it had none. Async-signal-safe if the function is.
pub(super) fn with_note<R>(thread: i32, call: impl FnOnce(&str) -> R) -> Option<R> {
    let counts = NOTE.thread.load(Ordering::Acquire) == thread && now_ms() <= NOTE.until_ms.load(Ordering::Acquire);
    // SAFETY: this thread wrote it, and nobody writes while it does not.
    counts.then(|| call(unsafe { &*NOTE.text.get() }.as_str()))
}
