//! Counts tests in the output of `cargo test`.

use std::ops::AddAssign;

/// Test counts of a lane, or of all lanes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed.
    pub failed: u64,
    /// Tests that were not run.
    pub skipped: u64,
}

impl Tally {
    /// One check that has passed or failed.
    pub fn of(passed: bool) -> Tally {
        if passed { Tally { passed: 1, ..Tally::default() } } else { Tally { failed: 1, ..Tally::default() } }
    }

    /// Prints the result of a lane in the form of `cargo test`, which is parsed below. Returns whether the lane has passed: `ended_well` says
    /// whether its programs did, which can fail for another reason than a test.
    pub fn print(self, ended_well: bool) -> bool {
        let passed = ended_well && self.failed == 0;
        println!("{}", self.line(passed));
        passed
    }

    fn line(self, is_ok: bool) -> String {
        let word = if is_ok { "ok" } else { "FAILED" };
        format!("test result: {word}. {} passed; {} failed; {} ignored", self.passed, self.failed, self.skipped)
    }

    /// Returns the sum.
    pub fn total(self) -> u64 {
        self.passed.saturating_add(self.failed).saturating_add(self.skipped)
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Tally) {
        self.passed = self.passed.saturating_add(other.passed);
        self.failed = self.failed.saturating_add(other.failed);
        self.skipped = self.skipped.saturating_add(other.skipped);
    }
}

/// One test program, or the doc tests of one library.
#[derive(Debug, PartialEq, Eq)]
pub struct Binary {
    /// Its name in the output of cargo: `tests/kill.rs`, `unittests src/lib.rs`, `rez_monitor`.
    pub name: String,
    /// Its crate: `rez_monitor`, `kill`.
    pub crate_name: String,
    /// Its counts. `None` if it ended without a result line.
    pub tally: Option<Tally>,
}

/// Parses the test programs in the output of `cargo test`.
///
/// A test can start its own program as a child process, which also prints a result line. So only the last line of a test
/// program counts. The doc tests of a library run in several programs, so all their lines count.
pub fn binaries(output: &str) -> Vec<Binary> {
    let mut found: Vec<Binary> = Vec::new();
    let mut doc = false;
    for line in output.lines() {
        if let Some((binary, is_doc)) = header(line) {
            found.push(binary);
            doc = is_doc;
        } else if let (Some(tally), Some(binary)) = (result(line), found.last_mut()) {
            match &mut binary.tally {
                Some(sum) if doc => *sum += tally,
                earlier => *earlier = Some(tally),
            }
        }
    }
    found
}

/// Formats the tests per crate, in the order in which the crates first ran: `rez_monitor 310, rez_inspect 42`.
pub fn by_crate(binaries: &[Binary]) -> String {
    let mut crates: Vec<(&str, u64)> = Vec::new();
    for binary in binaries {
        let total = binary.tally.map_or(0, Tally::total);
        match crates.iter_mut().find(|(name, _)| *name == binary.crate_name) {
            Some((_, sum)) => *sum = sum.saturating_add(total),
            None => crates.push((&binary.crate_name, total)),
        }
    }
    let listed: Vec<String> =
        crates.iter().filter(|(_, total)| *total > 0).map(|(name, total)| format!("{name} {total}")).collect();
    listed.join(", ")
}

/// Returns the lines `skipped: name: reason` that the programs printed.
pub fn skipped(output: &str) -> Vec<String> {
    output.lines().filter(|line| line.starts_with("skipped: ")).map(str::to_string).collect()
}

/// Parses `     Running tests/kill.rs (target/debug/deps/kill-0123)` or `   Doc-tests rez_monitor`.
fn header(line: &str) -> Option<(Binary, bool)> {
    if !line.starts_with(' ') {
        return None;
    }
    let text = line.trim_start();
    if let Some(name) = text.strip_prefix("Doc-tests ") {
        return Some((Binary { name: name.to_string(), crate_name: name.to_string(), tally: None }, true));
    }
    let (name, program) = text.strip_prefix("Running ")?.rsplit_once(" (")?;
    let file = program.strip_suffix(')')?.rsplit(['/', '\\']).next()?;
    let crate_name = file.rsplit_once('-').map_or(file, |(crate_name, _)| crate_name);
    Some((Binary { name: name.to_string(), crate_name: crate_name.to_string(), tally: None }, false))
}

/// Parses `test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s`.
fn result(line: &str) -> Option<Tally> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let mut tally = Tally::default();
    for part in counts.split("; ") {
        let Some((number, what)) = part.split_once(' ') else { continue };
        let Ok(number) = number.parse::<u64>() else { continue };
        match what {
            "passed" => tally.passed = number,
            "failed" => tally.failed = number,
            "ignored" => tally.skipped = number,
            _ => {}
        }
    }
    Some(tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(passed: u64, failed: u64, skipped: u64) -> Option<Tally> {
        Some(Tally { passed, failed, skipped })
    }

    #[test]
    fn a_result_that_is_printed_is_the_one_that_is_read() {
        for (printed, ok) in [(Tally { passed: 5, failed: 0, skipped: 2 }, true), (Tally::of(false), false)] {
            assert_eq!(result(&printed.line(ok)), Some(printed));
        }
        assert!(Tally::of(true).print(true));
        assert!(!Tally::of(true).print(false));
        assert!(!Tally::of(false).print(true));
    }

    #[test]
    fn each_program_is_counted_once() {
        let output = "   Compiling a v0.1.0\n    Finished `dev` profile\n     Running unittests src/lib.rs (target/debug/deps/a-1)\n\nrunning 3 tests\ntest x ... ok\n\ntest result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\n     Running tests/kill.rs (target/debug/deps/kill-2)\ntest result: FAILED. 4 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s\n";
        let found = binaries(output);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].name.as_str(), found[0].tally), ("unittests src/lib.rs", tally(2, 0, 1)));
        assert_eq!((found[1].name.as_str(), found[1].tally), ("tests/kill.rs", tally(4, 1, 0)));
    }

    #[test]
    fn the_result_line_of_a_child_process_is_not_counted() {
        let output = "     Running tests/fork.rs (target/debug/deps/fork-2)\ntest result: ok. 1 passed; 0 failed; 0 ignored\ntest result: ok. 7 passed; 0 failed; 0 ignored\n";
        assert_eq!(binaries(output)[0].tally, tally(7, 0, 0));
    }

    #[test]
    fn all_programs_of_the_doc_tests_of_a_library_are_counted() {
        let output = "   Doc-tests rez_monitor\ntest result: ok. 3 passed; 0 failed; 0 ignored\ntest result: ok. 2 passed; 0 failed; 1 ignored\n";
        assert_eq!(
            binaries(output),
            [Binary { name: "rez_monitor".to_string(), crate_name: "rez_monitor".to_string(), tally: tally(5, 0, 1) }]
        );
    }

    #[test]
    fn a_program_that_crashes_has_no_result() {
        let output = "     Running tests/a.rs (target/debug/deps/a-1)\nrunning 2 tests\nerror: test failed (signal: 11)\n     Running tests/b.rs (target/debug/deps/b-1)\ntest result: ok. 1 passed; 0 failed; 0 ignored\n";
        let found = binaries(output);
        assert_eq!(found[0].tally, None);
        assert_eq!(found[1].tally, tally(1, 0, 0));
    }

    #[test]
    fn the_tests_of_a_crate_are_added_up() {
        let output = "     Running unittests src/lib.rs (target/debug/deps/rez_inspect-1)\ntest result: ok. 3 passed; 0 failed\n     Running unittests src/main.rs (target/debug/deps/rezq-2)\ntest result: ok. 0 passed; 0 failed\n   Doc-tests rez_inspect\ntest result: ok. 2 passed; 1 failed\n";
        assert_eq!(by_crate(&binaries(output)), "rez_inspect 6");
    }

    #[test]
    fn skipped_tests_are_listed() {
        let output = "test a ... ignored, no go\nskipped: a: no go\nnot skipped: b\ntest result: ok. 0 passed; 0 failed; 1 ignored\n";
        assert_eq!(skipped(output), ["skipped: a: no go"]);
    }

    #[test]
    fn output_of_a_test_is_not_parsed_as_a_header() {
        assert_eq!(binaries("Running away (from it)\ntest result: ok. 1 passed; 0 failed; 0 ignored\n"), []);
    }
}
