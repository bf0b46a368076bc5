//! `rezq export`: one file for a ticket.

use super::args::done;
use super::line;
use super::opened::{SOURCE, ended, open, written};
use crate::files::{self, FileError};
use crate::received::is_received;
use crate::source::{self, Ask, Event, Inspect, Masked};
use crate::terminal::{CliError, Exit, Output, bytes, count};
use crate::web;
use clap::ValueEnum;
use rez_monitor::inspect;
use serde_json::{Map, Value, json};
use std::io::Write as _;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(super) struct ExportArgs {
    #[arg(value_name = "SOURCE", help = SOURCE)]
    source: PathBuf,
    /// The file to write; without it, ndjson and csv go to standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Form of the export
    #[arg(long, value_enum, default_value_t = Format::Rezq)]
    format: Format,
    /// Keep personal data
    #[arg(long)]
    unmasked: bool,
    /// Most events of a page, the newest
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    limit: usize,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One compressed file with the whole queue
    Rezq,
    /// One JSON object per event
    Ndjson,
    /// A table of the events
    Csv,
    /// The inspector's page with the newest events, for a browser
    Html,
}

/// Runs `rezq export`.
pub(super) fn run(args: &ExportArgs, output: &mut Output) -> Result<Exit, CliError> {
    if args.format == Format::Html {
        return page(args, output);
    }
    if let Some(source) = collected(&args.source)? {
        return received(args, source, output);
    }
    let source = open(&args.source, args.json, output)?;
    match (args.format, &args.output) {
        (Format::Rezq, Some(file)) => {
            let exported = files::export(&source, file, args.unmasked)?;
            output.line(&if args.json { line("export", &exported, &[]) } else { written(&exported) });
        }
        (Format::Rezq, None) => return Err(no_file()),
        (format, None) => {
            let snapshot = files::snapshot(&source, args.unmasked)?;
            stream(&snapshot, format, &mut |line| output.line(line))?;
        }
        (format, Some(file)) => {
            let snapshot = files::snapshot(&source, args.unmasked)?;
            to_file(file, snapshot.masked, args.json, output, |write| stream(&snapshot, format, write))?;
        }
    }
    Ok(ended(&source))
}

/// Writes lines to a new file. `lines` returns how many events they are.
fn to_file(
    file: &Path,
    masked: bool,
    as_json: bool,
    output: &mut Output,
    lines: impl FnOnce(&mut dyn FnMut(&str)) -> Result<u64, CliError>,
) -> Result<(), CliError> {
    let failed = |error| CliError::from(FileError::unwritable(file, error));
    let (rows, _) = files::create(file, |new| {
        let mut writer = std::io::BufWriter::new(new);
        let mut result = Ok(());
        let rows = lines(&mut |line| {
            if result.is_ok() {
                result = writeln!(writer, "{line}");
            }
        })?;
        result.and_then(|()| writer.flush()).map_err(failed)?;
        Ok::<u64, CliError>(rows)
    })?;
    output.line(&if as_json {
        line("export", &json!({"file": file, "rows": rows, "masked": masked}), &[])
    } else {
        format!("{} events in {}", count(rows), file.display())
    });
    Ok(())
}

/// The source, if it is what a collector received.
fn collected(path: &Path) -> Result<Option<Box<dyn Inspect>>, CliError> {
    let argument = path.to_string_lossy();
    // No other address is that of a collector, and asking a device for its queue copies it.
    if !argument.starts_with("http://") && !is_received(path) {
        return Ok(None);
    }
    let source = source::open(&argument)?;
    Ok(Ask(&*source).is_collector()?.then_some(source))
}

/// Exports what a collector received.
fn received(args: &ExportArgs, source: Box<dyn Inspect>, output: &mut Output) -> Result<Exit, CliError> {
    if args.format == Format::Rezq {
        let hint = "pass --format ndjson, csv or html; its file can be copied while no collector runs";
        return Err(CliError::usage("an export of this form is a queue, and this is what a collector received", hint));
    }
    let source = if args.unmasked { source } else { Box::new(Masked::new(source)) };
    let mut events = Vec::new();
    Ask(&*source).each(&crate::source::Query::default(), |event| events.push(columns(event)))?;
    events.reverse();
    let write = |write: &mut dyn FnMut(&str)| {
        head(args.format, write);
        let n = events.len() as u64;
        events.into_iter().for_each(|event| one(args.format, event, write));
        Ok(n)
    };
    match &args.output {
        Some(file) => to_file(file, !args.unmasked, args.json, output, write)?,
        None => drop(write(&mut |line| output.line(line))?),
    }
    Ok(done(&*source))
}

/// An event with the columns of the view `inspect`.
fn columns(event: Event) -> Map<String, Value> {
    let routes: Map<String, Value> = event.routes.into_iter().map(|one| (one.route, one.state.into())).collect();
    let ts = inspect::time(event.wall_ms);
    let row = json!({"seq": event.seq, "id": event.id, "kind": event.kind, "lane": event.lane, "name": event.name, "level": event.level,
        "wall_ms": event.wall_ms, "ts": ts, "session": event.session, "bytes": event.bytes, "state": event.state,
        "routes": routes, "json": event.json});
    if let Value::Object(row) = row { row } else { Map::new() }
}

fn no_file() -> CliError {
    CliError::usage("an export is a file", "pass the file to write with -o")
}

/// Writes the page of the inspector with what the source answers.
fn page(args: &ExportArgs, output: &mut Output) -> Result<Exit, CliError> {
    let file = args.output.as_deref().ok_or_else(no_file)?;
    let source = source::open(&args.source.to_string_lossy())?;
    let source = if args.unmasked { source } else { Box::new(Masked::new(source)) };
    let ((), size) = files::create(file, |mut new| {
        let page = web::saved(&*source, args.limit).map_err(|error| CliError::open(error, ""))?;
        new.write_all(page.as_bytes()).map_err(|error| CliError::from(FileError::unwritable(file, error)))
    })?;
    let hidden = if args.unmasked { "with personal data" } else { "personal data is hidden" };
    output.line(&if args.json {
        line("export", &json!({"file": file, "bytes": size, "masked": !args.unmasked}), &[])
    } else {
        format!("{}: {}, {hidden}; open it in a browser", file.display(), bytes(size))
    });
    Ok(done(&*source))
}

/// Prints the events, oldest first.
fn stream(snapshot: &files::Snapshot, format: Format, write: &mut dyn FnMut(&str)) -> Result<u64, CliError> {
    head(format, write);
    Ok(snapshot.events(|event| one(format, event, write))?)
}

fn head(format: Format, write: &mut dyn FnMut(&str)) {
    if format == Format::Csv {
        write(&files::VIEW.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(","));
    }
}

fn one(format: Format, event: Map<String, Value>, write: &mut dyn FnMut(&str)) {
    match format {
        Format::Csv => {
            let cells = files::VIEW.iter().map(|(name, _)| csv(event.get(*name).unwrap_or(&Value::Null)));
            write(&cells.collect::<Vec<_>>().join(","));
        }
        _ => write(&line("event", &event, &[])),
    }
}

/// A cell of RFC 4180. Spreadsheets run a text that begins like a formula, so it gets an apostrophe.
fn csv(value: &Value) -> String {
    let text = match value {
        Value::Null => return String::new(),
        Value::String(text) if text.starts_with(['=', '+', '-', '@', '\t', '\r']) => format!("'{text}"),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_of_csv_is_quoted_and_never_a_formula() {
        assert_eq!(csv(&json!("plain")), "plain");
        assert_eq!(csv(&json!("a \"b\", c\nd")), "\"a \"\"b\"\", c\nd\"");
        assert_eq!(csv(&json!("=cmd()")), "'=cmd()");
        assert_eq!((csv(&json!(-5)), csv(&Value::Null)), ("-5".to_owned(), String::new()));
    }
}
