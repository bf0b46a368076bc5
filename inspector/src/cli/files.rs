//! `rezq salvage`, `sql` and `import`.

use super::line;
use super::opened::{SOURCE, ended, open, written};
use crate::files::{self, FileError, Query, SqlError};
use crate::terminal::{CliError, Exit, Output, count, lines, table};
use rez_monitor::inspect;
use serde_json::{Map, Value, json};
use std::path::PathBuf;
use std::time::Duration;

/// Rows of a query that are printed as a table.
const TABLE_ROWS: usize = 1_000;

/// Longest cell of such a table, in characters.
const CELL_CHARS: usize = 120;

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
    fn a_cell_of_a_table_is_one_line_of_limited_length() {
        assert_eq!(cell(&json!("a\u{1b}[31m\nb")), "a[31mb");
        assert_eq!(cell(&json!("é".repeat(500))).chars().count(), CELL_CHARS);
    }
}
