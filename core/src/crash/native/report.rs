//! The signal as an event in the reserve.

use super::armed::Armed;
use super::claim;
use super::registers::{self, MOST};
use super::text::{Hex, Text};
use super::{left, panics, signals, walk};
use crate::event::Thread;
use crate::event::encode::Encoder;
use crate::event::field::Field;
use crate::event::node::{Node, Shape};
use crate::kind::Kind;
use crate::level::Level;
use crate::limits::NATIVE_FRAMES;
use crate::ring::reserve::{self, BODY_BYTES};
use crate::sys::map::Map;
use crate::{Language, Severity};
use libc::{c_int, c_void, siginfo_t};
use std::cell::UnsafeCell;

/// A fault so close to the end of the stack is its overflow: a function touches each page that it needs.
const NEAR_BYTES: u64 = 64 * 1024;

/// Longest message: a panic with its place, or a code with its sentence.
const MESSAGE_BYTES: usize = panics::NOTE_BYTES + 64;

/// Memory of the report: the stack of the handler may be as small as 8 KiB.
struct Memory {
    body: [u8; BODY_BYTES],
    addresses: [u64; NATIVE_FRAMES],
    registers: [(&'static str, u64); MOST],
    shown: [(&'static str, Item<'static>); MOST],
    message: Text<MESSAGE_BYTES>,
    name: [u8; 16],
}

struct Shared(UnsafeCell<Memory>);

// SAFETY: only the thread that owns the report uses it, see `claim`.
unsafe impl Sync for Shared {}

static MEMORY: Shared = Shared(UnsafeCell::new(Memory {
    body: [0; BODY_BYTES],
    addresses: [0; NATIVE_FRAMES],
    registers: [("", 0); MOST],
    shown: [("", Item::Text("")); MOST],
    message: Text::new(),
    name: [0; 16],
}));

/// A value of the context.
#[derive(Clone, Copy)]
enum Item<'a> {
    Text(&'a str),
    Hex(Hex),
    Bytes(u64),
    Map(&'a [(&'static str, Item<'a>)]),
}

impl Node for Item<'_> {
    type Key = &'static str;

    fn shape(&self) -> Shape<'_, Self> {
        match self {
            Item::Text(text) => Shape::Str(text),
            Item::Hex(hex) => Shape::Str(hex.as_str()),
            Item::Bytes(number) => Shape::U64(*number),
            Item::Map(entries) => Shape::Map(entries),
        }
    }
}

/// Writes the signal into the reserve; `false` if that stays taken. Async-signal-safe.
///
/// # Safety
/// The pointers are those of a handler, and the thread owns the report.
pub(super) unsafe fn write(
    map: &Map,
    armed: &Armed,
    thread: c_int,
    signal: c_int,
    info: *mut siginfo_t,
    context: *mut c_void,
    is_sure: bool,
) -> bool {
    if !claim::claim_reserve(map, is_sure) {
        return false;
    }
    // SAFETY: the caller's promise.
    let memory = unsafe { &mut *MEMORY.0.get() };
    // SAFETY: the caller's promise; the address of a signal that was sent is not used.
    let (code, address, sender) = unsafe { ((*info).si_code, (*info).si_addr() as u64, (*info).si_pid()) };
    // SAFETY: the caller's promise.
    let (from, count) = unsafe { registers::read(context, &mut memory.registers) };
    let overflow = signal == libc::SIGSEGV && signals::has_address(code) && address.abs_diff(from.sp) < NEAR_BYTES;
    let Memory { body, addresses, registers, shown, message, name } = memory;
    message.clear();
    let (code_name, words) = signals::code(signal, code);
    if signal == libc::SIGABRT && panics::with_note(thread, |note| message.push(note)).is_some() {
        // The panic says more than the abort that follows it.
    } else if signal == libc::SIGABRT && signals::was_sent(code) && sender == armed.process {
        message.push("the program ended itself with abort()");
    } else if signals::was_sent(code) {
        message.push(code_name);
        message.push(if sender == armed.process { ": this process" } else { ": process " });
        if sender != armed.process {
            message.push_number(u64::from(sender.unsigned_abs()));
        }
        message.push(" sent the signal");
    } else {
        message.push(code_name);
        if signals::has_address(code) {
            message.push(" at ");
            message.push_hex(address);
        }
        message.push(": ");
        message.push(if overflow { "the stack is exhausted" } else { words });
    }
    let frames = walk::walk(from, addresses);
    for (place, (name, value)) in shown.iter_mut().zip(registers.iter()) {
        *place = (name, Item::Hex(Hex::of(*value)));
    }
    let name = thread_name(name);
    let (wall_ms, mono_us) = armed.clock.now();
    let mut encoder = Encoder::new(body, wall_ms, mono_us);
    encoder.text_field(Field::Type, signals::name(signal));
    encoder.text_field(Field::Message, message.as_str());
    encoder.text_field(Field::Level, Level::Fatal.as_str());
    encoder.bool_field(Field::Handled, false);
    encoder.text_field(Field::Severity, Severity::Critical.as_str());
    encoder.text_field(Field::Mechanism, "signal");
    encoder.text_field(Field::Language, Language::Native.as_str());
    if armed.anchor.has_held() {
        // A change of the user waits in memory, which the crash does not survive. The user before it is wrong.
        encoder.map_field::<Item<'_>>(Field::User, &[]);
    }
    encoder.addresses(addresses.get(..frames).unwrap_or_default().iter().rev().copied());
    let thread = u64::from(thread.unsigned_abs());
    let main = thread == u64::from(armed.process.unsigned_abs());
    encoder.threads(&[Thread { id: thread, name, crashed: true, main, frames: &[] }]);
    let shown = shown.get(..count).unwrap_or_default();
    let storage = armed.folder.as_deref().and_then(left::storage);
    let mut context = [
        ("signal", Item::Text(signals::name(signal))),
        ("code", Item::Text(code_name)),
        ("registers", Item::Map(shown)),
        ("", Item::Bytes(0)),
        ("", Item::Bytes(0)),
        ("", Item::Bytes(0)),
    ];
    let mut given = 3;
    for (name, item) in [
        ("address", signals::has_address(code).then(|| Item::Hex(Hex::of(address)))),
        ("free_memory_bytes", left::memory().map(Item::Bytes)),
        ("free_storage_bytes", storage.map(Item::Bytes)),
    ] {
        if let (Some(item), Some(place)) = (item, context.get_mut(given)) {
            *place = (name, item);
            given += 1;
        }
    }
    encoder.map_field(Field::Context, &[("native_crash", Item::Map(context.get(..given).unwrap_or_default()))]);
    let len = encoder.finish();
    reserve::fill(map, Kind::Crash as u8, armed.key, body.get(..len).unwrap_or_default(), is_sure);
    true
}

/// The name of the calling thread.
fn thread_name(name: &mut [u8; 16]) -> &str {
    *name = [0; 16];
    // SAFETY: the kernel writes at most 16 bytes with the zero that ends them.
    unsafe { libc::prctl(libc::PR_GET_NAME, name.as_mut_ptr()) };
    let len = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
    let bytes = name.get(..len).unwrap_or_default();
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            bytes.get(..error.valid_up_to()).and_then(|valid| std::str::from_utf8(valid).ok()).unwrap_or_default()
        }
    }
}
