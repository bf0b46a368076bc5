//! The library as apps get it: built for a platform with the profile `mobile`, and without symbols.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bindings;
use crate::process;
use crate::workspace::Workspace;

/// All destinations and both transports.
pub const FEATURES: &str = "destinations,jni,transport-reqwest";

/// LLVM inlines a function that is marked `#[inline]` up to a size of 325 even where it optimises for size, and others up to 50. Most
/// generic functions of the standard library are marked. The linking step has the same limit for both, which does not slow
/// recording down; with it in every crate recording takes 7 to 10 % longer.
const INLINE: &str = "-Cllvm-args=-inlinehint-threshold=50";

/// Options of the linker for Android: pages of 16 KiB, and one function for all that have the same code. `--icf=safe` finds none: Rust's
/// objects do not say which addresses are compared. The engine compares none; SQLite compares two, for window functions, which the engine
/// does not use. A stack can name another function of the same code. Relocations are packed in the format that Android reads from version 6 on.
pub const ANDROID: &[&str] = &[
    "-Wl,-z,max-page-size=16384",
    "-Wl,--build-id",
    "-Wl,--hash-style=gnu",
    "-Wl,--icf=all",
    "-Wl,--pack-dyn-relocs=android",
];

/// Options of the linker for Linux, whose loader does not read packed relocations.
const LINUX: &[&str] = ANDROID.split_at(4).0;

/// The engine uses no JSON functions of SQLite. Those who inspect a queue do.
const SQLITE: &str = "-DSQLITE_OMIT_JSON";

/// Sets what SQLite is built without, beside `.cargo/config.toml`. A variable that is set counts before one of that file.
fn without_parts_of_sqlite(workspace: &Workspace, build: &mut Command) -> Result<(), String> {
    let file = workspace.root().join(".cargo/config.toml");
    let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let flags = text.split_once("LIBSQLITE3_FLAGS = \"\"\"").and_then(|(_, rest)| rest.split_once("\"\"\""));
    let (flags, _) = flags.ok_or_else(|| format!("{} sets no LIBSQLITE3_FLAGS", file.display()))?;
    build.env("LIBSQLITE3_FLAGS", format!("{} {SQLITE}", flags.replace('\\', " ")));
    Ok(())
}

/// A platform of the library.
pub struct Target {
    /// Rust's name of it.
    pub triple: &'static str,
    /// `cdylib` or `staticlib`.
    pub kind: &'static str,
    /// The file that is built.
    pub file: String,
    /// The linker, if it is not the one of the machine.
    pub linker: Option<PathBuf>,
    /// Options of the linker.
    pub link: &'static [&'static str],
}

/// Builds the library with the profile of apps. The error says what is missing.
pub fn build(workspace: &Workspace, target: &Target, features: &str) -> Result<PathBuf, String> {
    if !is_installed(target.triple) {
        return Err(format!("the target is not installed: rustup target add {}", target.triple));
    }
    let mut build = workspace.cargo();
    build.args(["rustc", "--quiet", "--package", bindings::PACKAGE, "--lib", "--crate-type", target.kind]);
    build.args(["--profile", "mobile", "--no-default-features", "--features", features, "--target", target.triple]);
    let name = target.triple.replace('-', "_");
    if let Some(linker) = &target.linker {
        build.env(format!("CARGO_TARGET_{}_LINKER", name.to_uppercase()), linker);
        build.env(format!("CC_{name}"), linker);
    }
    without_parts_of_sqlite(workspace, &mut build)?;
    build.env("CARGO_ENCODED_RUSTFLAGS", compiler_options());
    build.args(["--", INLINE]).args(target.link.iter().map(|option| format!("-Clink-arg={option}")));
    if !process::succeeds(&mut build) {
        return Err("the library does not build; see above".to_owned());
    }
    let programs = workspace.programs().map_err(|error| error.to_string())?;
    let built = programs.parent().unwrap_or(&programs).join(target.triple).join("mobile").join(&target.file);
    if built.is_file() { Ok(built) } else { Err(format!("{} was not built", built.display())) }
}

/// Options of the compiler for all crates. Panics name their source files: those of dependencies are named without the folders of
/// this machine.
fn compiler_options() -> String {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    home.map(|home| format!("--remap-path-prefix={}=crates", home.join("registry/src").display())).unwrap_or_default()
}

fn is_installed(triple: &str) -> bool {
    let sysroot = Command::new("rustc").args(["--print", "sysroot"]).output();
    sysroot.is_ok_and(|output| {
        let folder = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
        folder.join("lib/rustlib").join(triple).join("lib").is_dir()
    })
}

/// Builds the shared library for this machine.
pub fn shared(workspace: &Workspace, features: &str) -> Result<PathBuf, String> {
    shared_with(workspace, features, LINUX)
}

/// Builds the shared library for the processor of this machine with the options of Android. It can be measured, but not loaded.
pub fn measured(workspace: &Workspace, features: &str) -> Result<PathBuf, String> {
    shared_with(workspace, features, ANDROID)
}

fn shared_with(workspace: &Workspace, features: &str, link: &'static [&'static str]) -> Result<PathBuf, String> {
    let link: &[&str] = if cfg!(target_os = "linux") { link } else { &[] };
    let triple = host().ok_or("unknown system")?;
    build(workspace, &Target { triple, kind: "cdylib", file: bindings::library_name(), linker: None, link }, features)
}

/// Builds the static library for this machine.
pub fn archive(workspace: &Workspace, features: &str) -> Result<PathBuf, String> {
    let (triple, file) = (host().ok_or("unknown system")?, "librezmonitor.a".to_owned());
    build(workspace, &Target { triple, kind: "staticlib", file, linker: None, link: &[] }, features)
}

/// The target of this machine.
fn host() -> Option<&'static str> {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => Some("x86_64-unknown-linux-gnu"),
        ("linux", "aarch64") => Some("aarch64-unknown-linux-gnu"),
        ("macos", "aarch64") => Some("aarch64-apple-darwin"),
        ("macos", "x86_64") => Some("x86_64-apple-darwin"),
        _ => None,
    }
}

/// Copies a shared library without its symbols. `strip`: the program.
pub fn strip(strip: &Path, from: &Path, to: &Path) -> io::Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    if process::succeeds(Command::new(strip).arg("--strip-unneeded").arg("-o").arg(to).arg(from)) {
        return Ok(());
    }
    Err(io::Error::other(format!("{} cannot strip {}", strip.display(), from.display())))
}

/// Makes one object of a static library in which only our symbols are global, and packs it as a library again. An app that
/// links SQLite itself, or the one of the system, then cannot get ours by accident.
pub fn hide_symbols(archive: &Path, out: &Path) -> Result<(), String> {
    let folder = out.parent().ok_or("no folder")?;
    fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    let object = out.with_extension("o");
    let run = |command: &mut Command| {
        let program = command.get_program().to_string_lossy().into_owned();
        if process::succeeds(command) { Ok(()) } else { Err(format!("{program} failed")) }
    };
    if cfg!(target_os = "macos") {
        let list = out.with_extension("symbols");
        fs::write(&list, "_uniffi_*\n_ffi_*\n_rez_monitor_*\n").map_err(|error| error.to_string())?;
        let mut link = Command::new("ld");
        link.args(["-r", "-S", "-exported_symbols_list"]).arg(&list).arg("-force_load").arg(archive);
        run(link.arg("-o").arg(&object))?;
        let _ = fs::remove_file(list);
    } else {
        let mut link = Command::new("ld");
        run(link.args(["-r", "--whole-archive"]).arg(archive).arg("-o").arg(&object))?;
        let mut keep = Command::new("objcopy");
        // Bitcode of the standard library, which only an optimiser of the same version can read.
        keep.args(["--remove-section=.llvmbc", "--remove-section=.llvmcmd", "--strip-debug", "--wildcard"])
            .args(["uniffi_*", "ffi_*", "rez_monitor_*"].map(|ours| format!("--keep-global-symbol={ours}")));
        run(keep.arg(&object))?;
    }
    let _ = fs::remove_file(out);
    run(Command::new("ar").arg("rcs").arg(out).arg(&object))?;
    let _ = fs::remove_file(object);
    Ok(())
}
