//! Name and version of the operating system of a run, shared by the vendors.

use crate::row::Run;

/// `Android 15` is a name and a version; `linux` is a name.
fn split_os(os: &str) -> (&str, Option<&str>) {
    match os.trim().rsplit_once(' ') {
        Some((name, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => (name.trim(), Some(version)),
        _ => (os.trim(), None),
    }
}

/// Name and version of the system of a run.
pub(super) fn system(run: &Run) -> (&str, Option<&str>) {
    match &run.facts.os_name {
        Some(name) => (name, run.facts.os_version.as_deref()),
        None => split_os(&run.os),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operating_system_is_split_into_name_and_version() {
        assert_eq!(split_os("Android 15"), ("Android", Some("15")));
        assert_eq!(split_os("Windows Server 2025"), ("Windows Server", Some("2025")));
        assert_eq!(split_os("linux"), ("linux", None));
        assert_eq!(split_os("Red Hat"), ("Red Hat", None));
        assert_eq!(split_os(""), ("", None));
    }
}
