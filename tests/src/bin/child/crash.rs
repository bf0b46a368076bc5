//! An app that dies of a signal, in every way that a test asks for.

use super::{Args, WAIT, acknowledge, event, print_line};
use rez_monitor::{Breadcrumb, Monitor, ScopeChange, User};
use std::hint::black_box;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a handler of the app does.
static STYLE: AtomicUsize = AtomicUsize::new(0);
/// A page that a handler makes accessible.
static PAGE: AtomicUsize = AtomicUsize::new(0);
/// The handlers that were there before that of the app.
static BEFORE: std::sync::OnceLock<libc::sigaction> = std::sync::OnceLock::new();

const STYLES: [&str; 6] = ["none", "give_up", "repair", "repair_often", "call", "stay"];

/// Before the engine is opened.
pub fn prepare(args: &Args) {
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: changes limits and dispositions of this process.
    unsafe {
        libc::setrlimit(libc::RLIMIT_CORE, &raw const none);
        if args.number("std", 1) == 0 {
            // As in a program that is not Rust's.
            libc::signal(libc::SIGSEGV, libc::SIG_DFL);
            libc::signal(libc::SIGBUS, libc::SIG_DFL);
            let none = libc::stack_t { ss_sp: std::ptr::null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 0 };
            libc::sigaltstack(&raw const none, std::ptr::null_mut());
        }
    }
    handle(&args.text("before", ""));
    start_java(args, "before");
}

fn start_java(args: &Args, when: &str) {
    if args.text("java", "") == when {
        super::java::start(&args.text("libjvm", ""), &args.text("java_report", ""));
    }
}

/// Installs a handler of the app: `11:repair`.
fn handle(how: &str) {
    let Some((signal, style)) = how.split_once(':') else { return };
    STYLE.store(STYLES.iter().position(|known| *known == style).expect("a style"), Ordering::SeqCst);
    // SAFETY: the structures are valid and the handler is async-signal-safe.
    unsafe {
        let (mut ours, mut before): (libc::sigaction, libc::sigaction) = (std::mem::zeroed(), std::mem::zeroed());
        ours.sa_sigaction = handler as *const () as usize;
        ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        libc::sigaction(signal.parse().expect("a signal"), &raw const ours, &raw mut before);
        assert!(BEFORE.set(before).is_ok(), "one handler");
    }
}

extern "C" fn handler(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let line = b"the handler of the app ran\n";
    // SAFETY: only async-signal-safe functions; what was there before has the signature that its flags give.
    unsafe {
        let style = STYLES[STYLE.load(Ordering::SeqCst)];
        if style != "repair_often" {
            libc::write(1, line.as_ptr().cast(), line.len());
        }
        match style {
            "give_up" => drop(libc::signal(signal, libc::SIG_DFL)),
            "repair" | "repair_often" => {
                let page = PAGE.load(Ordering::SeqCst) as *mut libc::c_void;
                libc::mprotect(page, 4096, libc::PROT_READ | libc::PROT_WRITE);
            }
            "stay" => loop {
                libc::pause();
            },
            "call" => {
                let before = BEFORE.get().expect("a handler");
                let call: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) =
                    std::mem::transmute(before.sa_sigaction);
                call(signal, info, context);
            }
            _ => {}
        }
    }
}

/// Records, and dies as `how` says, on the thread that `on` names.
pub fn crash(args: &Args, monitor: Monitor) {
    handle(&args.text("after", ""));
    start_java(args, "after");
    monitor.breadcrumb(Breadcrumb::new("user.action", "tapped pay"));
    acknowledge(0, event(&monitor, 0, "", "message"));
    if args.number("persist", 1) == 1 {
        monitor.persist(WAIT).expect("persisted");
    }
    // The list of libraries is written after the first fold.
    let modules = std::path::Path::new(&monitor.status().folder).join("modules.json");
    while args.number("native", 0) == 1 && args.number("modules", 1) == 1 && !modules.exists() {
        std::thread::yield_now();
    }
    if args.text("after_line", "") == "1" {
        print_line("waiting");
        let _ = std::io::stdin().read_line(&mut String::new());
    }
    if args.0.contains_key("texts") {
        super::inputs::everywhere(args, &monitor);
    }
    if args.number("hold", 0) == 1 {
        hold_a_change_of_the_user(&monitor);
    }
    let how = args.text("how", "");
    let text = args.0.get("text_file").map_or("it broke".into(), |path| std::fs::read_to_string(path).expect("a text"));
    match args.text("on", "main").as_str() {
        "thread" => {
            let thread = std::thread::Builder::new().name("payments".into());
            let monitor = monitor.clone();
            let died = thread.spawn(move || die(&how, &text, &monitor)).expect("a thread").join();
            print_line(&format!("the thread ended well: {}", died.is_ok()));
        }
        _ => die(&how, &text, &monitor),
    }
    // Not every way ends the process.
    print_line("alive");
    acknowledge(1, event(&monitor, 1, "", "message"));
    monitor.close(WAIT);
    print_line("done");
}

/// Fills the ring, which nobody reads, until the last change of the user waits in memory.
fn hold_a_change_of_the_user(monitor: &Monitor) {
    let user = |id| monitor.scope(ScopeChange::User(Some(User { id: Some(id), ..User::default() })));
    let text = "x".repeat(190);
    user("before");
    (0..4_000).for_each(|_| monitor.scope(ScopeChange::Tag(&text, Some(&text))));
    user("after");
}

fn die(how: &str, text: &str, monitor: &Monitor) {
    match how {
        "write" => write_to_0x10(),
        "twice" => {
            let together = Barrier::new(2);
            std::thread::scope(|scope| {
                for name in ["one", "two"] {
                    let thread = std::thread::Builder::new().name(name.into());
                    let fault = || {
                        together.wait();
                        write_to_0x10();
                    };
                    thread.spawn_scoped(scope, fault).expect("a thread");
                }
            });
        }
        // SAFETY: ends the process.
        "abort" => unsafe { libc::abort() },
        "bus" => read_behind_a_file(),
        "ill" => ill(),
        "trap" => trap(),
        "fpe" => fpe(),
        "heap" => corrupt_the_heap(),
        "overflow" => println!("{}", overflow(1)),
        "jump" => jump_nowhere(),
        "repaired" => write_to_a_page(),
        "abort_beside_faults" => abort_beside_faults(),
        "java" => super::java::use_null(),
        "java_write" => {
            super::java::use_null();
            write_to_0x10();
        }
        "panic" => foreign(&text.to_owned()),
        "caught" => {
            let caught = std::panic::catch_unwind(|| panic!("{text}")).is_err();
            print_line(&format!("caught {caught}"));
        }
        "uncaught" => panic!("{text}"),
        "fatal" => {
            let _ = monitor.fatal(rez_monitor::ErrorEvent::new("JsError", "undefined is not a function"), WAIT);
            // SAFETY: ends the process.
            unsafe { libc::abort() }
        }
        "append" => {
            // A fault point ends it.
            (1..100).for_each(|serial| acknowledge(serial, event(monitor, serial, "", "message")));
        }
        "fork" => {
            // SAFETY: the child only crashes.
            let child = unsafe { libc::fork() };
            if child == 0 {
                write_to_0x10();
            }
            let mut status = 0;
            // SAFETY: waits for the child that was just forked.
            unsafe { libc::waitpid(child, &raw mut status, 0) };
            print_line(&format!("child {}", libc::WTERMSIG(status)));
        }
        test if test.starts_with("test_") => {
            let kind = test.strip_prefix("test_").and_then(rez_monitor::TestCrash::parse).expect("a test crash");
            let refused = monitor.test_crash(kind).expect_err("it ends the process");
            print_line(&refused.to_string());
        }
        raised => {
            let signal = raised.strip_prefix("raise_").and_then(|text| text.parse().ok()).expect("a way to die");
            // SAFETY: the second one ends a process whose handler has given up at the first.
            (0..2).for_each(|_| assert_eq!(unsafe { libc::raise(signal) }, 0));
        }
    }
}

#[inline(never)]
fn write_to_0x10() {
    let nowhere = black_box(0x10) as *mut u32;
    // SAFETY: none; it is the mistake that is wanted.
    unsafe { nowhere.write_volatile(7) };
}

fn read_behind_a_file() {
    let file = tempfile::tempfile().expect("a file");
    file.set_len(4096).expect("its length");
    // SAFETY: the mapping is read after the file was cut, which is the mistake that is wanted.
    unsafe {
        let map = memmap2::Mmap::map(&file).expect("a mapping");
        file.set_len(0).expect("its length");
        black_box(map.as_ptr().read_volatile());
    }
}

#[cfg(target_arch = "x86_64")]
fn ill() {
    // SAFETY: ends the process.
    unsafe { std::arch::asm!("ud2") }
}

#[cfg(target_arch = "x86_64")]
fn trap() {
    // SAFETY: ends the process.
    unsafe { std::arch::asm!("int3") }
}

#[cfg(target_arch = "x86_64")]
fn fpe() {
    // SAFETY: ends the process.
    unsafe {
        std::arch::asm!("xor edx, edx", "mov eax, 1", "xor ecx, ecx", "div ecx", out("eax") _, out("ecx") _, out("edx") _)
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn ill() {
    // SAFETY: ends the process.
    unsafe { std::arch::asm!("udf #0") }
}

#[cfg(not(target_arch = "x86_64"))]
fn trap() {
    // SAFETY: ends the process.
    unsafe { std::arch::asm!("brk #0") }
}

/// Other processors divide by zero without a signal.
#[cfg(not(target_arch = "x86_64"))]
fn fpe() {
    // SAFETY: ends the process.
    assert_eq!(unsafe { libc::raise(libc::SIGFPE) }, 0);
}

fn corrupt_the_heap() {
    // SAFETY: none; the length in front of the second block is overwritten, which is the mistake that is wanted.
    unsafe {
        let [first, second] = [libc::malloc(2000), libc::malloc(2000)];
        black_box(first).cast::<u8>().write_bytes(0xff, 2016);
        libc::free(black_box(second));
        libc::free(black_box(first));
    }
}

#[inline(never)]
fn overflow(depth: u64) -> u64 {
    let room = [depth; 64];
    if black_box(depth) == u64::MAX { 0 } else { overflow(depth + 1).wrapping_add(black_box(&room)[3]) }
}

fn jump_nowhere() {
    // SAFETY: none; there is no function at this address.
    let nowhere: extern "C" fn() = unsafe { std::mem::transmute(black_box(0x20_usize)) };
    nowhere();
}

/// A handler of the app makes the page accessible.
fn write_to_a_page() {
    // SAFETY: new memory.
    unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let page = libc::mmap(std::ptr::null_mut(), 4096, libc::PROT_NONE, flags, -1, 0);
        for _ in 0..1_000 {
            libc::mprotect(page, 4096, libc::PROT_NONE);
            PAGE.store(page as usize, Ordering::SeqCst);
            page.cast::<u8>().write_volatile(7);
        }
        print_line(&format!("repaired {}", page.cast::<u8>().read_volatile()));
    }
}

/// A function for a foreign language cannot unwind.
extern "C" fn foreign(text: &String) {
    panic!("{text}");
}

/// Aborts while another thread has faults, one after the other, that a handler repairs.
fn abort_beside_faults() {
    static FAULTS: AtomicUsize = AtomicUsize::new(0);
    // SAFETY: the page lives as long as the process, and the handler makes it accessible.
    unsafe {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let page = libc::mmap(std::ptr::null_mut(), 4096, protection, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0);
        PAGE.store(page as usize, Ordering::SeqCst);
        let fault = || loop {
            let page = PAGE.load(Ordering::SeqCst) as *mut u8;
            libc::mprotect(page.cast(), 4096, libc::PROT_NONE);
            page.write_volatile(7);
            FAULTS.fetch_add(1, Ordering::SeqCst);
        };
        std::thread::Builder::new().name("faults".into()).spawn(fault).expect("a thread");
        while FAULTS.load(Ordering::SeqCst) < 500 {
            std::thread::yield_now();
        }
        libc::abort();
    }
}
