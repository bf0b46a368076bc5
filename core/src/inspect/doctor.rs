//! What is wrong with a queue, and what mends it. A running app and the files of a queue answer in this form, with the same sentences.

use super::health::{free_bytes, quarantines};
use crate::limits;
use crate::phrases::number;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::path::Path;

/// Free space below which the app handles its disk as nearly full.
const SCARCE_BYTES: u64 = 8 * limits::LOG_BYTES;

/// A clock of the device may be wrong by this much.
pub const CLOCK_MS: i64 = 10 * 60 * 1000;

/// What mends a clock.
pub const CLOCK: &str = "check the clock of the device";

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The part that was examined.
    pub area: Cow<'static, str>,
    /// What is wrong.
    pub text: String,
    /// The command or the action that mends it. In a command, `SOURCE` is the source that was examined.
    pub mend: String,
    /// Data is damaged, or lost.
    pub damage: bool,
}

/// A part that is in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// The part.
    pub area: Cow<'static, str>,
    /// Its state.
    pub text: String,
}

/// The result of an examination.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// What is in order.
    pub facts: Vec<Fact>,
}

impl Diagnosis {
    /// Whether data is damaged or lost.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        self.findings.iter().any(|finding| finding.damage)
    }

    /// Adds a part that is in order.
    pub fn fact(&mut self, area: &'static str, text: impl Into<String>) {
        self.facts.push(Fact { area: area.into(), text: text.into() });
    }

    /// Adds something that is wrong.
    pub fn finding(&mut self, area: &'static str, text: impl Into<String>, mend: impl Into<String>) {
        self.findings.push(Finding { area: area.into(), text: text.into(), mend: mend.into(), damage: false });
    }

    /// Adds data that is damaged or lost.
    pub fn damage(&mut self, area: &'static str, text: impl Into<String>, mend: impl Into<String>) {
        self.findings.push(Finding { area: area.into(), text: text.into(), mend: mend.into(), damage: true });
    }

    /// Adds how many of all rows have a wrong checksum. `salvage` is the command that looks for older copies of them.
    pub fn checksums(&mut self, damaged: u64, all: u64, salvage: &str) {
        match damaged {
            0 => self.fact("checksums", format!("{} with the right checksum", rows(all))),
            damaged => self.damage(
                "checksums",
                format!("{} of {} with a wrong checksum: the app counts and deletes them", number(damaged), rows(all)),
                format!("{salvage} looks for older copies of them"),
            ),
        }
    }

    /// Adds whether the balance holds. `status` is the command that prints it.
    pub fn balance(&mut self, holds: bool, status: &str) {
        if holds {
            self.fact("balance", "every event is accounted for");
        } else {
            self.finding(
                "balance",
                "events are not accounted for",
                format!("{status} shows the line that does not hold"),
            );
        }
    }

    /// Adds the damaged queues that wait for their recovery beside this one.
    pub fn quarantine(&mut self, home: &Path) {
        match quarantines(home) {
            Ok(found) if found.is_empty() => self.fact("quarantine", "there is none"),
            Ok(found) => found.iter().for_each(|one| {
                let what = one.rows.map(|n| format!(" with {}", rows(u64::from(n)))).unwrap_or_default();
                let text = format!("a damaged queue{what} waits for its recovery in {}", one.folder.display());
                let mend = format!("open the app, or `rezq salvage {} -o OUT.rezq`", one.folder.display());
                self.finding("quarantine", text, mend);
            }),
            Err(error) => self.finding("quarantine", format!("it cannot be read: {error}"), "check its permissions"),
        }
    }

    /// Adds the free space of the disk.
    pub fn disk(&mut self, home: &Path) {
        match free_bytes(home) {
            Some(free) if free < SCARCE_BYTES => {
                let text = format!("{} bytes are free: the app evicts rows before it stores new ones", number(free));
                self.finding("disk", text, "free disk space");
            }
            Some(free) => self.fact("disk", format!("{} bytes are free", number(free))),
            None => {}
        }
    }
}

/// `1 row`, `1,200 rows`.
#[must_use]
pub fn rows(n: u64) -> String {
    format!("{} {}", number(n), if n == 1 { "row" } else { "rows" })
}
