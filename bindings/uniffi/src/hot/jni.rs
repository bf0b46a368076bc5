//! The JNI functions of `app.rez.monitor.internal.Native`. They work before JNA is loaded, which takes 50 to 100 ms on a phone.
//!
//! Nothing here keeps a reference of the virtual machine beyond a call, except the machine itself, which lives as long as the
//! process. A function that JNI gives an invalid array answers like a closed engine.

use super::{RECORD_BYTES, Submitted};
use crate::engines;
use crate::open::Wanted;
use jni_sys::{JNI_OK, JNI_VERSION_1_6, JNIEnv, JavaVM, jboolean, jbyteArray, jclass, jint, jlong, jsize};
use rez_monitor::Reason;
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::sync::OnceLock;

/// The virtual machine that loaded the library.
struct Machine(*mut JavaVM);

// SAFETY: a `JavaVM` may be used from any thread; the specification of JNI says so.
unsafe impl Send for Machine {}
// SAFETY: as above.
unsafe impl Sync for Machine {}

static MACHINE: OnceLock<Machine> = OnceLock::new();

/// Called when the library is loaded by `System.load`.
#[unsafe(no_mangle)]
pub extern "system" fn JNI_OnLoad(vm: *mut JavaVM, _: *mut c_void) -> jint {
    let _ = MACHINE.set(Machine(vm));
    JNI_VERSION_1_6
}

/// A thread of the library that is attached to the machine until it ends: a thread that ends attached aborts the process on
/// Android, and one that attaches for each call pays half a millisecond for it.
struct Attached(bool);

impl Drop for Attached {
    fn drop(&mut self) {
        if let (true, Some(Machine(vm))) = (self.0, MACHINE.get()) {
            // SAFETY: the machine outlives the library, and this thread attached itself.
            unsafe {
                ((**(*vm)).v1_4.DetachCurrentThread)(*vm);
            }
        }
    }
}

thread_local! {
    static ATTACHED: std::cell::OnceCell<Attached> = const { std::cell::OnceCell::new() };
}

/// Attaches this thread, once, as a daemon: it does not keep the machine from ending.
pub(crate) fn attach_thread() {
    let Some(Machine(vm)) = MACHINE.get() else { return };
    // A thread that is ending needs none of it.
    let _ = ATTACHED.try_with(|attached| {
        attached.get_or_init(|| {
            let mut env: *mut c_void = std::ptr::null_mut();
            // SAFETY: the machine outlives the library, and `env` is a valid place.
            let attached = unsafe {
                ((**(*vm)).v1_4.AttachCurrentThreadAsDaemon)(*vm, &raw mut env, std::ptr::null_mut()) == JNI_OK
            };
            Attached(attached)
        });
    });
}

/// Copies the first `len` bytes of an array and calls `use_it` with them; `or` if the array is not that long.
fn with_bytes<T>(env: *mut JNIEnv, array: jbyteArray, len: jint, or: T, use_it: impl FnOnce(&[u8]) -> T) -> T {
    // Most records are small; a larger stack frame would touch pages that no other call of the app needs.
    const STACK_BYTES: usize = 4_096;
    let Some(len) = usize::try_from(len).ok().filter(|len| *len <= RECORD_BYTES && !array.is_null()) else { return or };
    let copy = |to: *mut i8| {
        // SAFETY: `env` is the environment of this call, `array` an array of bytes of this call, and `to` has room for `len`. Bytes
        // beyond the array are an exception, which is cleared and answered.
        unsafe {
            ((**env).v1_4.GetByteArrayRegion)(env, array, 0, len as jsize, to);
            if ((**env).v1_4.ExceptionCheck)(env) {
                ((**env).v1_4.ExceptionClear)(env);
                return false;
            }
        }
        true
    };
    if len <= STACK_BYTES {
        let mut bytes = [MaybeUninit::<u8>::uninit(); STACK_BYTES];
        if !copy(bytes.as_mut_ptr().cast()) {
            return or;
        }
        // SAFETY: `copy` has written the first `len` bytes.
        return use_it(unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast(), len) });
    }
    let mut bytes = vec![0u8; len];
    if copy(bytes.as_mut_ptr().cast()) { use_it(&bytes) } else { or }
}

fn write_back(env: *mut JNIEnv, array: jbyteArray, bytes: &[u8]) {
    // SAFETY: as in `with_bytes`; an array that is too short is an exception, which is cleared.
    unsafe {
        ((**env).v1_4.SetByteArrayRegion)(env, array, 0, bytes.len() as jsize, bytes.as_ptr().cast());
        if ((**env).v1_4.ExceptionCheck)(env) {
            ((**env).v1_4.ExceptionClear)(env);
        }
    }
}

/// `nonce()`: the number that the generated `nonce()` must return too.
#[unsafe(no_mangle)]
pub extern "system" fn Java_app_rez_monitor_internal_Native_nonce(_: *mut JNIEnv, _: jclass) -> jlong {
    engines::guarded(0, engines::nonce)
}

/// Reads an array; `None` if it is null.
fn text(env: *mut JNIEnv, array: jbyteArray) -> Result<Option<String>, String> {
    if array.is_null() {
        return Ok(None);
    }
    // SAFETY: `env` and `array` are those of this call.
    let len = unsafe { ((**env).v1_4.GetArrayLength)(env, array) };
    let mut bytes = vec![0u8; usize::try_from(len).unwrap_or(0)];
    // SAFETY: `bytes` has room for the whole array.
    unsafe { ((**env).v1_4.GetByteArrayRegion)(env, array, 0, bytes.len() as jsize, bytes.as_mut_ptr().cast()) };
    String::from_utf8(bytes).map(Some).map_err(|_| "settings: no UTF-8".to_owned())
}

/// Writes the text of an error as length (`u16`) and UTF-8.
fn write_error(env: *mut JNIEnv, error: jbyteArray, text: &str) {
    let kept = text.get(..text.floor_char_boundary(1_000)).unwrap_or_default();
    let mut bytes = (kept.len() as u16).to_le_bytes().to_vec();
    bytes.extend_from_slice(kept.as_bytes());
    if !error.is_null() {
        write_back(env, error, &bytes);
    }
}

const FAILED: &str = "the library has failed; report it";

/// `check(settings, error)`: whether settings are valid. If not, `error` has the text, as for `open`.
#[unsafe(no_mangle)]
pub extern "system" fn Java_app_rez_monitor_internal_Native_check(
    env: *mut JNIEnv,
    _: jclass,
    settings: jbyteArray,
    error: jbyteArray,
) -> jboolean {
    let wrong = engines::guarded(Some(FAILED.to_owned()), || match text(env, settings) {
        Ok(settings) => crate::control::check_settings(settings.unwrap_or_default()),
        Err(error) => Some(error),
    });
    if let Some(wrong) = &wrong {
        write_error(env, error, wrong);
    }
    jboolean::from(wrong.is_none())
}

/// `open(settings, facts, hooks, error)`: the handle, or 0. The text of an error is written to `error` as length (`u16`) and UTF-8.
/// `facts` may be null. `hooks` says which hooks will be set later: 1 transport, 2 `before_send`, 4 logger.
#[unsafe(no_mangle)]
pub extern "system" fn Java_app_rez_monitor_internal_Native_open(
    env: *mut JNIEnv,
    _: jclass,
    settings: jbyteArray,
    facts: jbyteArray,
    hooks: jint,
    error: jbyteArray,
) -> jlong {
    let opened = engines::guarded(Err(FAILED.to_owned()), || {
        let (settings, facts) = (text(env, settings)?.unwrap_or_default(), text(env, facts)?);
        let wanted = Wanted { transport: hooks & 1 != 0, before_send: hooks & 2 != 0, logger: hooks & 4 != 0 };
        crate::open::open_early(&settings, facts.as_deref(), wanted).map_err(|error| error.to_string())
    });
    match opened {
        Ok(handle) => handle as jlong,
        Err(text) => {
            write_error(env, error, &text);
            0
        }
    }
}

/// `close(handle, wait_ms)`: closes an engine as the generated `close` does, for when JNA has found another copy of the library.
#[unsafe(no_mangle)]
pub extern "system" fn Java_app_rez_monitor_internal_Native_close(
    _: *mut JNIEnv,
    _: jclass,
    handle: jlong,
    wait_ms: jlong,
) {
    crate::open::close(handle as u64, wait_ms);
}

/// `submit(handle, record, length)`: 0 and the id in the first 16 bytes of `record`; 1 if there is no id; -1 if the record is not of
/// this version; -2 minus the number of the reason if it was refused.
#[unsafe(no_mangle)]
pub extern "system" fn Java_app_rez_monitor_internal_Native_submit(
    env: *mut JNIEnv,
    _: jclass,
    handle: jlong,
    record: jbyteArray,
    length: jint,
) -> jint {
    let closed = Submitted::Dropped(Reason::StoreUnavailable);
    let submitted = with_bytes(env, record, length, closed, |bytes| super::submit(handle as u64, bytes));
    answered(env, record, submitted)
}

/// The number of an answer. An id is written to the first 16 bytes of `record`.
fn answered(env: *mut JNIEnv, record: jbyteArray, submitted: Submitted) -> jint {
    match submitted {
        Submitted::Recorded(id) => {
            write_back(env, record, id.as_bytes());
            0
        }
        Submitted::Noted => 1,
        Submitted::Malformed => -1,
        Submitted::Dropped(reason) => -2 - jint::from(reason as u8),
    }
}

/// `guardBegin(handle, record, length)`: the length of the answer, which is written to the start of `record`; 0 if that is not possible.
#[unsafe(no_mangle)]
pub extern "system" fn Java_app_rez_monitor_internal_Native_guardBegin(
    env: *mut JNIEnv,
    _: jclass,
    handle: jlong,
    record: jbyteArray,
    length: jint,
) -> jint {
    let begin = |bytes: &[u8]| super::guards::begin(handle as u64, bytes);
    let answer = with_bytes(env, record, length, Vec::new(), begin);
    if !answer.is_empty() {
        write_back(env, record, &answer);
    }
    answer.len() as jint
}

/// `guardMark(guard, mark)`: marks a moment of a screen load.
#[unsafe(no_mangle)]
pub extern "system" fn Java_app_rez_monitor_internal_Native_guardMark(
    _: *mut JNIEnv,
    _: jclass,
    guard: jlong,
    mark: jint,
) {
    super::guards::mark(guard as u64, u8::try_from(mark).unwrap_or_default());
}

/// `guardSet(guard, record, length)`: sets attributes of a span.
#[unsafe(no_mangle)]
pub extern "system" fn Java_app_rez_monitor_internal_Native_guardSet(
    env: *mut JNIEnv,
    _: jclass,
    guard: jlong,
    record: jbyteArray,
    length: jint,
) {
    with_bytes(env, record, length, (), |bytes| super::guards::set(guard as u64, bytes));
}

/// `guardEnd(guard, record, length)`: the answer is that of `submit`.
#[unsafe(no_mangle)]
pub extern "system" fn Java_app_rez_monitor_internal_Native_guardEnd(
    env: *mut JNIEnv,
    _: jclass,
    guard: jlong,
    record: jbyteArray,
    length: jint,
) -> jint {
    let ended = with_bytes(env, record, length, Submitted::Malformed, |bytes| super::guards::end(guard as u64, bytes));
    answered(env, record, ended)
}

/// `fatal(handle, record, length, wait_ms)`: 1 synced, 2 in the ring, 0 refused.
#[unsafe(no_mangle)]
pub extern "system" fn Java_app_rez_monitor_internal_Native_fatal(
    env: *mut JNIEnv,
    _: jclass,
    handle: jlong,
    record: jbyteArray,
    length: jint,
    wait_ms: jlong,
) -> jint {
    with_bytes(env, record, length, 0, |bytes| jint::from(super::fatal(handle as u64, bytes, wait_ms)))
}

/// `batch(handle, json)`: whether all events of a document were recorded.
#[unsafe(no_mangle)]
pub extern "system" fn Java_app_rez_monitor_internal_Native_batch(
    env: *mut JNIEnv,
    _: jclass,
    handle: jlong,
    json: jbyteArray,
) -> jboolean {
    let recorded = engines::guarded(false, || match text(env, json) {
        Ok(json) => crate::record::record_batch(handle as u64, json.unwrap_or_default()),
        Err(_) => false,
    });
    jboolean::from(recorded)
}

/// `batchFatal(handle, json, wait_ms)`: records a document whose last event ends the process. 1 synced, 2 in the ring, 0 refused.
#[unsafe(no_mangle)]
pub extern "system" fn Java_app_rez_monitor_internal_Native_batchFatal(
    env: *mut JNIEnv,
    _: jclass,
    handle: jlong,
    json: jbyteArray,
    wait_ms: jlong,
) -> jint {
    engines::guarded(0, || match text(env, json) {
        Ok(json) => jint::from(super::fatal_batch(handle as u64, &json.unwrap_or_default(), wait_ms)),
        Err(_) => 0,
    })
}
