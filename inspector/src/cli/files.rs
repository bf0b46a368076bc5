//! `rezq salvage`, `doctor`, `sql`, `export` and `import`.

use super::args::done;
use super::line;
use crate::files::{self, Diagnosis, FileError, Query, Source, SqlError};
use crate::source::{self, Masked};
use crate::terminal::{CliError, Exit, Output, bytes, count, lines, table};
use crate::web;
use clap::ValueEnum;
use rez_monitor::inspect;
use serde_json::{Map, Value, json};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Rows of a query that are printed as a table.
const TABLE_ROWS: usize = 1_000;

/// Longest cell of such a table, in characters.
const CELL_CHARS: usize = 120;

const SOURCE: &str =
    "Folder with queue.db, queue.db under any name, an export (.rezq), or the folder of `rezq demo --keep`";

#[derive(Debug, clap::Args)]
pub(super) struct SalvageArgs {
    /// Queue folder, quarantine, or a damaged queue.db under any name
    #[arg(value_name = "PATH")]
    path: PathBuf,
    /// The export to write
    #[arg(short, long, value_name = "OUT.rezq")]
    output: PathBuf,
    /// Keep personal data
    #[arg(long)]
    unmasked: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct DoctorArgs {
    #[arg(value_name = "SOURCE", help = SOURCE)]
    source: PathBuf,
    /// Print one JSON object per line: each `finding`, each `fact`, then the `doctor`
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = view_help())]
pub(super) struct SqlArgs {
    #[arg(value_name = "SOURCE", help = SOURCE)]
    source: PathBuf,
    /// One statement that only reads
    #[arg(value_name = "QUERY")]
    query: String,
    /// Time after which the query is stopped
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    time_limit: u64,
    /// Print one JSON object per line: each `row`
    #[arg(long)]
    json: bool,
}

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

#[derive(Debug, clap::Args)]
pub(super) struct ImportArgs {
    /// The export
    #[arg(value_name = "FILE.rezq")]
    file: PathBuf,
    /// A new or empty folder
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

fn view_help() -> String {
    let columns: String = files::VIEW.iter().map(|(name, what)| format!("  {name:<9}{what}\n")).collect();
    format!("Columns of the view `inspect`:\n{columns}\nExample: SELECT kind, count(*) FROM inspect GROUP BY kind")
}

/// Runs `rezq salvage`.
pub(super) fn salvage(args: &SalvageArgs, output: &mut Output) -> Result<Exit, CliError> {
    let salvaged = files::salvage(&args.path, &args.output, args.unmasked)?;
    if args.json {
        output.line(&line("salvage", &salvaged, &[]));
    } else {
        salvaged.lines().iter().for_each(|line| output.line(line));
        output.line(&written(&salvaged.export));
    }
    Ok(Exit::Done)
}

/// Runs `rezq export`.
pub(super) fn export(args: &ExportArgs, output: &mut Output) -> Result<Exit, CliError> {
    if args.format == Format::Html {
        return page(args, output);
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
            let failed = |error| CliError::from(FileError::unwritable(file, error));
            let (rows, _) = files::create(file, |new| {
                let mut writer = std::io::BufWriter::new(new);
                let mut result = Ok(());
                let rows = stream(&snapshot, format, &mut |line| {
                    if result.is_ok() {
                        result = writeln!(writer, "{line}");
                    }
                })?;
                result.and_then(|()| writer.flush()).map_err(failed)?;
                Ok::<u64, CliError>(rows)
            })?;
            let written = json!({"file": file, "rows": rows, "masked": snapshot.masked});
            output.line(&if args.json {
                line("export", &written, &[])
            } else {
                format!("{} events in {}", count(rows), file.display())
            });
        }
    }
    Ok(ended(&source))
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
    if format == Format::Csv {
        write(&files::VIEW.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(","));
    }
    Ok(snapshot.events(|event| match format {
        Format::Csv => {
            let cells = files::VIEW.iter().map(|(name, _)| csv(event.get(*name).unwrap_or(&Value::Null)));
            write(&cells.collect::<Vec<_>>().join(","));
        }
        _ => write(&line("event", &event, &[])),
    })?)
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

/// Runs `rezq import`.
pub(super) fn import(args: &ImportArgs, output: &mut Output) -> Result<Exit, CliError> {
    let info = files::import(&args.file, &args.folder)?;
    if args.json {
        output.line(&line("import", &json!({"folder": args.folder, "export": info}), &[]));
    } else {
        let hidden = if info.masked { "personal data is hidden" } else { "with personal data" };
        let made = inspect::time(info.made_ms);
        output.line(&format!("{}: made {made} from {}, {hidden}", args.folder.display(), info.source));
    }
    Ok(Exit::Done)
}

/// Runs `rezq doctor`.
pub(super) fn doctor(args: &DoctorArgs, output: &mut Output) -> Result<Exit, CliError> {
    if args.source.to_str().is_some_and(source::is_address) {
        let hint = "pass a copy of the folder; `rezq status SOURCE` asks the app itself";
        return Err(CliError::usage("doctor examines the files of a queue, and this is the address of an app", hint));
    }
    let source = Source::open(&args.source)?;
    let diagnosis = files::doctor(&source, jiff::Timestamp::now().as_millisecond())?;
    let Diagnosis { findings, facts } = &diagnosis;
    let damaged = diagnosis.is_damaged();
    for finding in findings {
        output.line(&if args.json {
            line("finding", finding, &[])
        } else {
            format!("✗ {}: {}\n  {}", finding.area, finding.text, finding.mend)
        });
    }
    for fact in facts {
        output.line(&if args.json { line("fact", fact, &[]) } else { format!("✓ {}: {}", fact.area, fact.text) });
    }
    if args.json {
        output.line(&line("doctor", &json!({"findings": findings.len(), "damaged": damaged}), &[]));
    }
    Ok(match (findings.is_empty(), damaged) {
        (_, true) => Exit::Damaged,
        (false, false) => Exit::Finding,
        (true, false) => Exit::Done,
    })
}

/// Runs `rezq sql`.
pub(super) fn sql(args: &SqlArgs, output: &mut Output) -> Result<Exit, CliError> {
    let source = open(&args.source, args.json, output)?;
    let query = Query::open(&source, Duration::from_secs(args.time_limit)).map_err(CliError::from)?;
    let mut shown: Vec<Vec<String>> = Vec::new();
    let mut rows = 0;
    let columns = query.run(&args.query, |columns, values| {
        rows += 1;
        if args.json {
            let row: Map<String, Value> = columns.iter().cloned().zip(values).collect();
            output.line(&line("row", &json!({ "row": row }), &[]));
        } else if rows <= TABLE_ROWS {
            shown.push(values.iter().map(cell).collect());
        }
        args.json || rows <= TABLE_ROWS
    })?;
    if !args.json {
        let mut table = table(&columns.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
        table.add_rows(shown);
        output.line(lines(&table).trim_end());
        output.line(&match rows {
            1 => "1 row".to_owned(),
            rows if rows > TABLE_ROWS => {
                format!("the first {} rows; add LIMIT, or --json for all", count(TABLE_ROWS as u64))
            }
            rows => format!("{} rows", count(rows as u64)),
        });
    }
    Ok(ended(&source))
}

fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let is_long = text.chars().count() > CELL_CHARS;
    let shown = text.chars().filter(|c| !c.is_control()).take(if is_long { CELL_CHARS - 1 } else { CELL_CHARS });
    shown.chain(is_long.then_some('…')).collect()
}

/// Opens a source and says what a person must know about it.
fn open(path: &Path, json: bool, output: &mut Output) -> Result<Source, CliError> {
    let (source, notes) = match path.to_str().filter(|text| source::is_address(text)) {
        Some(address) => {
            let app = source::open(address)?;
            // An address contains a token.
            let name = address.strip_prefix("adb:").unwrap_or("app");
            (Source::of_bytes(&app.snapshot()?, name)?, app.notes())
        }
        None => (Source::open(path)?, Vec::new()),
    };
    for note in notes.iter().chain(source.notes()) {
        if json {
            output.line(&line("note", &json!({ "text": note }), &[]));
        } else {
            eprintln!("rezq: {note}");
        }
    }
    Ok(source)
}

fn ended(source: &Source) -> Exit {
    if source.salvage().is_some() { Exit::Damaged } else { Exit::Done }
}

fn written(exported: &files::Exported) -> String {
    let files::Exported { file, bytes: size, rows, masked, removed, .. } = exported;
    let hidden = if *masked { "personal data is hidden" } else { "with personal data" };
    let removed = match removed {
        0 => String::new(),
        n => format!("; {} with a wrong checksum left out", count(*n)),
    };
    format!("{}: {} rows, {}, {hidden}{removed}", file.display(), count(*rows), bytes(*size))
}

impl From<FileError> for CliError {
    fn from(error: FileError) -> CliError {
        let hint = error.hint();
        CliError::open(error, hint)
    }
}

impl From<SqlError> for CliError {
    fn from(error: SqlError) -> CliError {
        match error {
            SqlError::File(error) => error.into(),
            SqlError::TooLong(_) => CliError::usage(error, "narrow the query, or raise --time-limit"),
            SqlError::Refused(_) => CliError::usage(error, ""),
            _ => CliError::usage(error, "`rezq sql --help` lists the columns of the view `inspect`"),
        }
    }
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

    #[test]
    fn a_cell_of_a_table_is_one_line_of_limited_length() {
        assert_eq!(cell(&json!("a\u{1b}[31m\nb")), "a[31mb");
        assert_eq!(cell(&json!("é".repeat(500))).chars().count(), CELL_CHARS);
    }
}
