//! `rezq ring`.

use super::line;
use crate::files;
use crate::terminal::{CliError, Exit, Output, bytes, count, lines, table};
use rez_monitor::inspect::{self, RingView};
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(super) struct RingArgs {
    /// Folder with ring.bin, or the file
    #[arg(value_name = "PATH")]
    path: PathBuf,
    /// Print one JSON object per line: each `record`, then the `ring`
    #[arg(long)]
    json: bool,
}

/// Runs `rezq ring`.
pub(super) fn ring(args: &RingArgs, output: &mut Output) -> Result<Exit, CliError> {
    let path = files::ring_file(&args.path)?;
    let view = inspect::ring(&path).map_err(|error| {
        CliError::open(
            format!("cannot read {}: {error}", path.display()),
            "pass the folder of a queue, or its ring.bin; the next start of the app makes a new ring",
        )
    })?;
    if args.json {
        for record in view.crash.iter().chain(&view.records) {
            output.line(&line("record", record, &[]));
        }
        let mut ring = serde_json::to_value(&view).unwrap_or_default();
        if let Some(members) = ring.as_object_mut() {
            members.insert("records".to_owned(), view.records.len().into());
            members.insert("crash".to_owned(), view.crash.is_some().into());
        }
        output.line(&line("ring", &ring, &[]));
    } else {
        output.line(&ring_text(&view));
    }
    Ok(if view.damage.is_empty() { Exit::Done } else { Exit::Damaged })
}

fn ring_text(view: &RingView) -> String {
    let mut out = String::new();
    let mut table = table(&["record", "time", "what", "events", "bytes", ""], &[3, 4]);
    for record in view.crash.iter().chain(&view.records) {
        let ticket = if record.ticket == 0 { "reserve".to_owned() } else { record.ticket.to_string() };
        let time = record.wall_ms.map(inspect::time).unwrap_or_default();
        let (events, size) = (record.events.to_string(), record.bytes.to_string());
        table.add_row([ticket, time, record.what.clone(), events, size, record.title.clone()]);
    }
    if table.row_iter().next().is_some() {
        out.push_str(&lines(&table));
        out.push('\n');
    }
    let state = if view.closed { "closed cleanly" } else { "in use, or the app ended without closing it" };
    out.push_str(&format!(
        "{} waiting, {} of {}; {} records and {} events so far; {state}\n",
        count(view.records.len() as u64),
        bytes(view.waiting_bytes),
        bytes(view.capacity),
        count(view.last_ticket),
        count(view.last_total)
    ));
    if let Some(superblock) = &view.superblock {
        let [monitoring, analytics] = superblock.consent;
        out.push_str(&format!(
            "epoch {}, folded up to record {}, {} rows in the queue for {} routes\n",
            superblock.epoch,
            count(superblock.fold_ticket),
            count(u64::from(superblock.rows)),
            superblock.routes
        ));
        out.push_str(&format!("consent: monitoring {monitoring}, analytics {analytics}\n"));
        for (what, ticket) in &superblock.pending_erasures {
            out.push_str(&format!("an erasure of {what} up to record {ticket} is not finished\n"));
        }
        for (epoch, reason, kind, n) in &superblock.losses {
            out.push_str(&format!("not reported yet: epoch {epoch}, {kind}, {reason} {}\n", count(*n)));
        }
        if let Some(found) = superblock.carving {
            out.push_str(&format!("a damaged queue is being recovered: {} rows so far\n", count(u64::from(found))));
        }
    }
    for (reason, kind, n) in &view.refused {
        out.push_str(&format!("refused at the call: {kind}, {reason} {}\n", count(*n)));
    }
    for damage in &view.damage {
        out.push_str(&format!("✗ {damage}\n"));
    }
    out.trim_end().to_owned()
}
