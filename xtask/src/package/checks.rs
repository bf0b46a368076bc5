//! Checks of files that need no tool of the platform: exported symbols, alignment, classes that rules name.

use std::path::Path;
use std::process::Command;

/// Prefixes of the symbols that a library may export: UniFFI's functions, the JNI functions and the C functions.
const OURS: [&str; 5] = ["uniffi_", "ffi_", "Java_app_rez_monitor_internal_", "JNI_OnLoad", "rez_monitor_"];

/// The alignment of pages that Android 15 asks for, in bytes.
pub const PAGE: u64 = 16 * 1024;

/// A library exports our functions and nothing else, least of all SQLite's. `dynamic`: a shared library.
pub fn exports(library: &Path, dynamic: bool) -> Result<String, String> {
    let mut nm = Command::new("nm");
    nm.args(["--defined-only", "--extern-only", "--format=posix"]);
    if dynamic {
        nm.arg("--dynamic");
    }
    let symbols = output(nm.arg(library))?;
    let names = symbols.lines().filter_map(|line| line.split(' ').next());
    let names: Vec<&str> = names.map(|name| name.trim_start_matches('_')).filter(|name| !name.is_empty()).collect();
    let names: Vec<&str> = names.into_iter().filter(|name| !name.ends_with(':') && !name.contains('[')).collect();
    count_exports(&names)
}

fn count_exports(names: &[&str]) -> Result<String, String> {
    let is_ours = |name: &&&str| OURS.iter().any(|prefix| name.to_lowercase().starts_with(&prefix.to_lowercase()));
    let foreign: Vec<&str> = names.iter().filter(|name| !is_ours(name)).copied().collect();
    if let Some(first) = foreign.first() {
        return Err(format!("exports {} symbols that are not ours, {first} among them", foreign.len()));
    }
    if names.is_empty() {
        return Err("exports nothing".to_owned());
    }
    Ok(format!("exports {} functions, all ours", names.len()))
}

/// All segments that are loaded are aligned to 16 KiB.
pub fn page_alignment(library: &Path) -> Result<String, String> {
    alignment(&output(Command::new("readelf").args(["--program-headers", "--wide"]).arg(library))?)
}

/// The last column of each `LOAD` line of `readelf`.
fn alignment(headers: &str) -> Result<String, String> {
    let loads = headers.lines().map(str::trim).filter(|line| line.starts_with("LOAD"));
    let aligned: Vec<u64> = loads
        .filter_map(|line| line.split_whitespace().last())
        .filter_map(|hex| u64::from_str_radix(hex.trim_start_matches("0x"), 16).ok())
        .collect();
    match aligned.iter().min() {
        None => Err("has no segment to load".to_owned()),
        Some(least) if least % PAGE != 0 => Err(format!("is aligned to {least} bytes instead of {PAGE}")),
        Some(_) => Ok(format!("{} segments are aligned to 16 KiB", aligned.len())),
    }
}

/// Every class of ours that a ProGuard rule keeps is among `classes` (`app/rez/..class`). A name with `*` needs one match.
pub fn kept_classes(rules: &str, classes: &[String]) -> Result<String, String> {
    let names = rules.lines().filter_map(|line| line.trim().strip_prefix("-keep"));
    let words = names.flat_map(|line| line.split(|letter: char| letter.is_whitespace() || "{};,()".contains(letter)));
    let ours: Vec<&str> = words.filter(|word| word.starts_with("app.rez.monitor")).collect();
    for name in &ours {
        let path = name.replace('.', "/");
        let fits = |class: &str| match (path.split_once('*'), class.strip_suffix(".class")) {
            (Some((start, end)), Some(class)) => {
                class.starts_with(start)
                    && class.ends_with(end.trim_start_matches('*'))
                    && class.len() >= path.len() - 1
            }
            (None, Some(class)) => class == path,
            (_, None) => false,
        };
        if !classes.iter().any(|class| fits(class)) {
            return Err(format!("keeps {name}, which does not exist"));
        }
    }
    if ours.is_empty() {
        Err("keep no class of ours".to_owned())
    } else {
        Ok(format!("{} rules name our classes", ours.len()))
    }
}

/// The output of a program.
pub fn output(command: &mut Command) -> Result<String, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    match command.output() {
        Ok(output) if output.status.success() => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        Ok(output) => Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim())),
        Err(error) => Err(format!("{program}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_that_exports_sqlite_is_found() {
        assert!(
            count_exports(&["uniffi_rezmonitor_fn_func_open", "Java_app_rez_monitor_internal_Native_open"]).is_ok()
        );
        assert!(count_exports(&["uniffi_a", "sqlite3_open"]).unwrap_err().contains("sqlite3_open"));
        assert!(count_exports(&[]).is_err());
    }

    #[test]
    fn every_segment_counts_for_the_alignment() {
        let headers = |second: &str| {
            format!(
                "  LOAD 0x000000 0x0 0x0 0x1 0x1 R   0x4000\n  LOAD 0x1 0x0 0x0 0x1 0x1 R E {second}\n  NOTE 0x0 0x4\n"
            )
        };
        assert!(alignment(&headers("0x4000")).is_ok());
        assert!(alignment(&headers("0x10000")).is_ok());
        assert!(alignment(&headers("0x1000")).unwrap_err().contains("4096"));
        assert!(alignment("").is_err());
    }

    #[test]
    fn a_rule_for_a_class_that_does_not_exist_is_found() {
        let classes = ["app/rez/monitor/internal/Native.class".to_owned()];
        assert!(kept_classes("-keep class app.rez.monitor.internal.Native { *; }", &classes).is_ok());
        assert!(kept_classes("-keep class app.rez.monitor.internal.** { *; }", &classes).is_ok());
        assert!(kept_classes("-keep class app.rez.monitor.internal.*tive { *; }", &classes).is_ok());
        assert!(kept_classes("-keep class app.rez.monitor.internal.*Lib { *; }", &classes).is_err());
        assert!(kept_classes("-keep class app.rez.monitor.Native { *; }", &classes).is_err());
        assert!(kept_classes("-dontwarn java.awt.*", &classes).is_err());
    }
}
