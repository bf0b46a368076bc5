//! `cargo xtask size`: builds the library as apps get it and prints its size beside its limit, with what takes the room.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command as Process;

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::app_library;
use crate::bindings;
use crate::kotlin;
use crate::process;
use crate::workspace::Workspace;

/// A selection of features that an app can choose.
struct Variant {
    name: &'static str,
    features: &'static str,
    /// Bytes of the stripped library for x86-64.
    limit: u64,
}

const VARIANTS: [Variant; 3] = [
    Variant { name: "all destinations, reqwest", features: app_library::FEATURES, limit: 3_200_000 },
    Variant { name: "all destinations, host transport", features: "destinations,jni", limit: 1_600_000 },
    Variant { name: "rez only, host transport", features: "rez-monitor/destination-rez,jni", limit: 1_300_000 },
];

/// Groups that are printed for each variant.
const GROUPS: usize = 8;

/// Returns the command line of `size`.
pub fn command_line() -> Command {
    Command::new("size")
        .about("Build the library as apps get it; print its size, its limit and what takes the room")
        .arg(Arg::new("json").long("json").help("Print one JSON object per line instead").action(ArgAction::SetTrue))
}

/// Builds and measures all variants. Returns true if all hold their limit.
pub fn run(workspace: &Workspace, arguments: &ArgMatches) -> io::Result<bool> {
    for program in ["strip", "nm"] {
        if !process::is_installed(Process::new(program).arg("--version")) {
            return Err(io::Error::other(format!("{program} is not installed; install binutils")));
        }
    }
    let mut all_hold = true;
    for variant in &VARIANTS {
        let library = app_library::measured(workspace, variant.features).map_err(io::Error::other)?;
        let bytes = stripped_bytes(&library)?;
        let groups = groups(&library)?;
        let holds = bytes <= variant.limit;
        all_hold &= holds;
        if arguments.get_flag("json") {
            println!("{}", json(variant, bytes, &groups));
        } else {
            print(variant, bytes, holds, &groups);
        }
    }
    let kotlin = Kotlin::measure(workspace)?;
    println!("{}", if arguments.get_flag("json") { kotlin.json() } else { kotlin.to_string() });
    Ok(all_hold)
}

/// What the Kotlin adds to an app, before it is shrunk.
struct Kotlin {
    classes: usize,
    methods: usize,
    bytes: u64,
}

impl Kotlin {
    fn measure(workspace: &Workspace) -> io::Result<Kotlin> {
        let files = bindings::files(&kotlin::compile(workspace)?)?;
        let files: Vec<PathBuf> =
            files.into_iter().filter(|file| file.extension().is_some_and(|it| it == "class")).collect();
        let mut methods = 0;
        for some in files.chunks(200) {
            let output = Process::new("javap").arg("-private").args(some).output()?;
            methods += count_methods(&String::from_utf8_lossy(&output.stdout));
        }
        let bytes = files.iter().filter_map(|file| fs::metadata(file).ok()).map(|file| file.len()).sum();
        Ok(Kotlin { classes: files.len(), methods, bytes })
    }

    fn json(&self) -> String {
        format!("{{\"kotlin_classes\":{},\"methods\":{},\"bytes\":{}}}", self.classes, self.methods, self.bytes)
    }
}

impl std::fmt::Display for Kotlin {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{:<34} {:>9} bytes  {} classes, {} methods", "Kotlin", self.bytes, self.classes, self.methods)
    }
}

/// Methods and constructors in the output of `javap`.
fn count_methods(listing: &str) -> usize {
    listing.lines().filter(|line| line.starts_with("  ") && line.contains('(') && line.ends_with(';')).count()
}

/// The size without symbols. The library itself keeps them: bindings are generated from them.
fn stripped_bytes(library: &Path) -> io::Result<u64> {
    let stripped = library.with_extension("stripped");
    app_library::strip(Path::new("strip"), library, &stripped)?;
    let bytes = fs::metadata(&stripped)?.len();
    fs::remove_file(&stripped)?;
    Ok(bytes)
}

/// Bytes of code and data by crate, the largest first.
fn groups(library: &Path) -> io::Result<Vec<(String, u64)>> {
    let output = Process::new("nm").args(["--print-size", "--defined-only", "--demangle"]).arg(library).output()?;
    let mut groups = BTreeMap::<String, u64>::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        if let Some((group, bytes)) = symbol(line) {
            *groups.entry(group.to_owned()).or_default() += bytes;
        }
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    Ok(groups)
}

/// The group and the size of a line of `nm`: address, size in hexadecimal, type, name.
fn symbol(line: &str) -> Option<(&str, u64)> {
    let mut parts = line.splitn(4, ' ');
    let (_, size, kind, name) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let bytes = u64::from_str_radix(size, 16).ok()?;
    if matches!(kind, "b" | "B") {
        // Zeros, which take no room in the file.
        return None;
    }
    Some((group(name), bytes))
}

/// The crate of a symbol. C has no namespaces, so its symbols are told apart by their prefixes.
fn group(name: &str) -> &str {
    if name.starts_with("ring_core_") {
        return "ring";
    }
    if ["uniffi_", "ffi_", "UNIFFI_", "Java_"].iter().any(|prefix| name.starts_with(prefix)) {
        return "rezmonitor";
    }
    if !name.contains("::") {
        return "SQLite and other C";
    }
    let path = name.trim_start_matches(['<', '&', '*', '(', '[']);
    let path = ["dyn ", "mut ", "const "].iter().fold(path, |path, word| path.strip_prefix(word).unwrap_or(path));
    path.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').next().unwrap_or(path)
}

fn print(variant: &Variant, bytes: u64, holds: bool, groups: &[(String, u64)]) {
    let held = if holds { "holds" } else { "misses" };
    println!("{:<34} {:>9} bytes  limit {:>9}  {held}", variant.name, bytes, variant.limit);
    for (name, bytes) in groups.iter().take(GROUPS) {
        println!("    {name:<30} {bytes:>9}");
    }
    let rest: u64 = groups.iter().skip(GROUPS).map(|(_, bytes)| bytes).sum();
    println!("    {:<30} {rest:>9}", "other crates");
}

/// Names are ours or of crates, so no character of them needs an escape.
fn json(variant: &Variant, bytes: u64, groups: &[(String, u64)]) -> String {
    let groups: Vec<String> = groups.iter().map(|(name, bytes)| format!("\"{name}\":{bytes}")).collect();
    format!(
        "{{\"variant\":\"{}\",\"bytes\":{bytes},\"limit\":{},\"by_crate\":{{{}}}}}",
        variant.name,
        variant.limit,
        groups.join(",")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_belong_to_the_crate_of_their_path() {
        for (name, expected) in [
            ("rez_monitor::store::Store::lease", "rez_monitor"),
            ("<rez_monitor::Level as core::fmt::Debug>::fmt", "rez_monitor"),
            ("<&mut serde_json::ser::Serializer<W,F> as serde::Serializer>::serialize_str", "serde_json"),
            ("core::ptr::drop_in_place<rusqlite::Error>", "core"),
            ("<dyn core::any::Any>::is::h1234", "core"),
            ("sqlite3VdbeExec", "SQLite and other C"),
            ("balance", "SQLite and other C"),
            ("ring_core_0_17_14__ChaCha20_ctr32", "ring"),
            ("uniffi_rezmonitor_fn_func_open", "rezmonitor"),
            ("Java_app_rez_monitor_internal_Native_submit", "rezmonitor"),
        ] {
            assert_eq!(group(name), expected, "{name}");
        }
    }

    #[test]
    fn zeros_and_symbols_without_a_size_do_not_count() {
        assert_eq!(symbol("0000000000001000 00000000000000ff t core::fmt::write"), Some(("core", 255)));
        assert_eq!(symbol("0000000000001000 00000000000000ff b core::zeros"), None);
        assert_eq!(symbol("0000000000001000 T _init"), None);
        assert_eq!(symbol(""), None);
    }

    #[test]
    fn methods_and_constructors_are_counted_and_fields_are_not() {
        let listing = "Compiled from \"A.kt\"\npublic final class a.A {\n  private final int n;\n  public a.A(int);\n  \
                       public final int n() throws java.io.IOException;\n  static {};\n}\n";
        assert_eq!(count_methods(listing), 2);
    }

    #[test]
    fn json_has_the_variant_its_size_and_its_crates() {
        let groups = [("core".to_owned(), 3), ("SQLite and other C".to_owned(), 2)];
        assert_eq!(
            json(&VARIANTS[1], 7, &groups),
            "{\"variant\":\"all destinations, host transport\",\"bytes\":7,\"limit\":1600000,\
             \"by_crate\":{\"core\":3,\"SQLite and other C\":2}}"
        );
    }
}
