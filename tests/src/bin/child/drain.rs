//! Sends everything, also what waits in damaged files.

use super::{Args, WAIT, print_line};
use rez_monitor::Monitor;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Returns true if no damaged file waits to be carved, which happens in the background.
fn carved(folder: &std::path::Path) -> bool {
    let Ok(aside) = std::fs::read_dir(folder.join("quarantine")) else { return true };
    !aside.flatten().any(|entry| entry.path().is_dir())
}

/// Flushes until no event is left, also in damaged files, then closes.
pub fn flush(args: &Args, monitor: &Monitor) {
    drain(args, monitor);
    monitor.clone().close(WAIT);
}

/// Flushes until nothing is left, not even in a damaged file.
pub fn drain(args: &Args, monitor: &Monitor) {
    let end = Instant::now() + Duration::from_secs(args.number("flush_s", 60));
    let folder = PathBuf::from(monitor.status().folder);
    // A file may be set aside or carved to its end during a flush, whose report then lacks its rows. So nothing may be left
    // twice in a row.
    let mut empty = false;
    let left = loop {
        let carved_before = carved(&folder);
        let report = monitor.flush(Duration::from_secs(10));
        let left = report.as_ref().ok().map(|all| all.iter().map(|one| one.left).sum::<u64>());
        let empty_before = std::mem::replace(&mut empty, carved_before && left == Some(0) && carved(&folder));
        let done = empty && empty_before;
        if done || Instant::now() > end {
            if !done {
                print_line(&format!("report {report:?} {:?}", monitor.status()));
            }
            break left.filter(|left| done || *left > 0);
        }
    };
    print_line(&format!("left {}", left.map_or("unknown".to_owned(), |n| n.to_string())));
}
