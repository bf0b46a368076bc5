//! The numbers of the product beside the floors measured in the same run: `bench [--quick] [--json FILE] [WORD]`.
//!
//! Run it from a release build (`cargo xtask bench`). Only lines whose group (`record`, `batch`, `rows`, `lease`, `cap`, `drain`, `names`, `engine`,
//! `encode`, `privacy`, `inspector`, `crash`) is WORD are
//! measured if one is given. A missed time is printed, never an exit code: the exit code tells whether it could measure.

#[path = "../bench/mod.rs"]
mod bench;

use bench::{Line, Result, Scale};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::Write;
use std::path::PathBuf;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, with a count of each thread's calls.
struct Counting;

fn count() {
    // A thread that ends has no count any more.
    let _ = ALLOCATIONS.try_with(|count| count.set(count.get().wrapping_add(1)));
}

// SAFETY: every call is handed to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.realloc(old, layout, size) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(old, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations of the present thread so far.
fn allocations() -> u64 {
    ALLOCATIONS.with(Cell::get)
}

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let (mut scale, mut json, mut group) = (Scale { quick: false }, None, None);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--quick" => scale.quick = true,
            "--json" => json = Some(PathBuf::from(args.next().ok_or("--json: name a file")?)),
            "--child" => {
                let (what, folder) = (args.next().unwrap_or_default(), PathBuf::from(args.next().unwrap_or_default()));
                return match what.as_str() {
                    "record" => bench::record::syscall_child(&folder, bench::record::BURST, bench::record::timing),
                    "batch" => bench::record::syscall_child(&folder, bench::batch::CALLS, bench::batch::record),
                    "crash" => bench::crash::install_child(&folder),
                    "idle" => bench::engine::idle_child(Some(&folder)),
                    _ => bench::engine::idle_child(None),
                };
            }
            "record" | "rows" | "lease" | "cap" | "drain" | "names" | "engine" | "encode" | "privacy" | "batch"
            | "inspector" | "crash" => group = Some(arg),
            "--help" | "-h" => {
                println!(
                    "bench [--quick] [--json FILE] [record|batch|rows|lease|cap|drain|names|engine|encode|privacy|inspector|crash]"
                );
                return Ok(());
            }
            other => return Err(format!("`{other}` is no option; see --help").into()),
        }
    }
    let mut file = json.map(std::fs::File::create).transpose()?;
    // Beside the program: a temporary folder may be a tmpfs, on which nothing is written to a disk.
    let beside = std::env::current_exe()?;
    let folder = tempfile::tempdir_in(beside.parent().ok_or("the program has no folder")?)?;
    let mut wrong = Ok(());
    println!("{:<30} {:>10} {:<10} | {:<34} | {:>9} | holds", "name", "value", "unit", "floor", "target");
    let mut say = |line: Line| {
        println!("{}", line.text());
        if let Some(file) = &mut file
            && let Err(error) = writeln!(file, "{}", line.json())
        {
            wrong = Err(error);
        }
    };
    let wanted = |name: &str| group.as_deref().is_none_or(|group| group == name);
    if wanted("record") {
        bench::record::run(scale, folder.path(), &mut say)?;
    }
    if wanted("batch") {
        bench::batch::run(scale, folder.path(), &mut say)?;
    }
    if wanted("inspector") {
        bench::inspector::run(scale, folder.path(), &mut say)?;
    }
    if wanted("rows") {
        bench::rows::run(scale, folder.path(), &mut say)?;
    }
    if wanted("lease") {
        bench::lease::run(scale, folder.path(), &mut say)?;
    }
    if wanted("cap") {
        bench::cap::run(scale, folder.path(), &mut say)?;
    }
    if wanted("drain") {
        bench::drain::run(scale, folder.path(), &mut say)?;
    }
    if wanted("names") {
        bench::names::run(scale, folder.path(), &mut say)?;
    }
    if wanted("engine") {
        bench::engine::run(scale, folder.path(), &mut say)?;
    }
    if wanted("crash") {
        bench::crash::run(scale, folder.path(), &mut say)?;
    }
    if wanted("privacy") {
        bench::privacy::run(scale, &mut say)?;
    }
    if wanted("encode") {
        bench::encode::run(scale, &mut say)?;
        bench::encode_sentry::run(scale, &mut say)?;
    }
    Ok(wrong?)
}
