//! Writes `docs/privacy.md` from the engine's own tables; with `--check` it only says whether the file is up to date.

use rez_monitor::{Kind, Purpose, Reason, fields_of_kind, limits};
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// Destinations of this build and the purposes they serve.
const DESTINATIONS: [(&str, &[Purpose]); 1] = [("rez", &Purpose::ALL)];

/// What rows of every kind are stamped with, and breadcrumbs, with where it comes from.
const STAMPED: [(&str, &str, &str); 10] = [
    ("id, wall_ms, mono_ms", "every event", "made at the call: an id without personal data, and two clocks"),
    ("run", "every event", "app, release, dist, environment, system, device model, boot: from `Config`"),
    ("session", "every event but `session`", "a random id, new after 30 s in the background"),
    ("user", "every event while a user is set", "id, email, username, extra: as given, masked with `mask_user`"),
    ("tags, contexts", "every event while set", "as the app set them, after the rules"),
    ("view", "every event while a screen is known", "id, name, start, loading time, frames and counts of the screen"),
    ("trace, child_of", "timed calls and what happens in them", "random ids"),
    ("children", "`screen_load`", "up to 100 calls and images loaded meanwhile"),
    ("trail", "`crash`, `error`, `hang`, `app_exit`", "up to 100 breadcrumbs, after the rules"),
    ("cut, collapsed_before", "where it applies", "counts of what was left out"),
];

fn main() -> ExitCode {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/privacy.md");
    let page = page();
    if std::env::args().any(|arg| arg == "--check") {
        if std::fs::read_to_string(&path).is_ok_and(|found| found == page) {
            return ExitCode::SUCCESS;
        }
        eprintln!("docs/privacy.md is not what the code says: run `cargo run -p rez-monitor-tests --bin gen-docs`");
        return ExitCode::FAILURE;
    }
    match std::fs::write(&path, page) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("docs/privacy.md cannot be written: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The whole page.
fn page() -> String {
    let mut page = String::from(
        "# What leaves the device, where to, why, and how long it is kept\n\n\
         Generated from the code by `gen-docs`; do not edit. `guide/privacy.md` explains consent and the rules.\n\n\
         ## Fields by kind\n\n\
         | kind | field | destination | purpose | kept at most | lane |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    for kind in Kind::ALL {
        let names: Vec<&str> = kind.purposes().iter().copied().map(purpose).collect();
        let to: Vec<&str> = DESTINATIONS
            .iter()
            .filter(|(_, serves)| kind.purposes().iter().any(|purpose| serves.contains(purpose)))
            .map(|(name, _)| *name)
            .collect();
        let age = if kind == Kind::Crash { limits::MAX_AGE_CRASH } else { limits::MAX_AGE };
        for field in fields_of_kind(kind) {
            row(&mut page, &[kind.as_str(), field, &to.join(", "), &names.join(" or "), &days(age), &lane(kind)]);
        }
    }
    page.push_str("\n## Fields of every kind\n\n| field | on | what |\n| --- | --- | --- |\n");
    for (field, on, what) in STAMPED {
        row(&mut page, &[field, on, what]);
    }
    page.push_str("\n## How long\n\n| what | kept at most |\n| --- | --- |\n");
    let kept = [
        ("rows, by default (`max_age`)", days(limits::MAX_AGE)),
        ("crashes", days(limits::MAX_AGE_CRASH)),
        ("the whole queue, by default (`cap_bytes`)", format!("{} MiB", limits::QUEUE_BYTES / (1024 * 1024))),
        ("rows only a removed destination waits for", days(limits::DORMANT_AGE)),
        ("dead letters", format!("{}, {} a route", days(limits::DEAD_LETTER_AGE), limits::DEAD_LETTERS)),
        ("receipts: ids and answers, no content", format!("{} a route", limits::RECEIPTS)),
        ("breadcrumbs on the device", limits::CRUMBS.to_string()),
        ("all of it, after `forget_user` or a denied consent", "erased at once".to_owned()),
    ];
    for (what, long) in &kept {
        row(&mut page, &[what, long]);
    }
    page.push_str(
        "\nA row goes as soon as every destination that wants it has it.\n\n\
         ## Why something was not delivered\n\n| reason | what it means |\n| --- | --- |\n",
    );
    for reason in Reason::ALL {
        row(&mut page, &[reason.as_str(), reason.meaning()]);
    }
    page
}

fn row(page: &mut String, cells: &[&str]) {
    // Writing to a string cannot fail.
    let _ = writeln!(page, "| {} |", cells.join(" | "));
}

fn purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Monitoring => "monitoring",
        Purpose::Analytics => "analytics",
    }
}

fn lane(kind: Kind) -> String {
    (kind.lane() as u8).to_string()
}

fn days(age: Duration) -> String {
    format!("{} days", age.as_secs() / (24 * 3600))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_privacy_page_is_what_the_code_says() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/privacy.md");
        assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), page());
    }

    #[test]
    fn every_kind_and_every_reason_is_on_the_page() {
        let page = page();
        for kind in Kind::ALL {
            assert!(page.contains(&format!("| {} |", kind.as_str())), "{kind:?}");
        }
        for reason in Reason::ALL {
            assert!(page.contains(&format!("| {reason} |")), "{reason:?}");
        }
    }
}
