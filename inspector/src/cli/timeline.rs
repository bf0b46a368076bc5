//! `rezq timeline`: one session as a story.

use super::args::{SourceArg, done};
use super::line;
use crate::render;
use crate::source::{Ask, Query};
use crate::terminal::{CliError, Exit, Output};
use crate::timeline::{self, Moment};
use serde_json::{Value, json};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    source: SourceArg,
    /// Id of the session; without it, the session of the newest event
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    let source = args.source.open()?;
    let (session, moments) = story(Ask(&*source), args.session.as_deref())?;
    if args.json {
        for one in &moments {
            output.line(&line("moment", &record(one, &session), &[]));
        }
    } else {
        output.line(&render::timeline(&session, &moments).join("\n"));
    }
    Ok(done(&*source))
}

/// The moments of a session, or of the session of the newest event, and its id.
pub(super) fn story(ask: Ask<'_>, session: Option<&str>) -> Result<(String, Vec<Moment>), CliError> {
    let session = match session {
        Some(session) => session.to_owned(),
        None => latest(ask)?,
    };
    let moments = timeline::story(ask, &session)?;
    if moments.is_empty() {
        return Err(CliError::finding(
            format!("no event of session `{session}` is stored"),
            "`rezq list SOURCE --json` shows the sessions",
        ));
    }
    Ok((session, moments))
}

/// A moment as JSON.
pub(super) fn record(moment: &Moment, session: &str) -> Value {
    let Moment { start_ms, duration_us, word, text, is_bad, id } = moment;
    json!({"start_ms": start_ms, "duration_us": duration_us, "what": word, "text": text, "bad": is_bad, "id": id,
        "session": session})
}

/// The session of the newest event that has one.
fn latest(ask: Ask<'_>) -> Result<String, CliError> {
    let filter = vec![("where", "session != null".to_owned())];
    let newest = ask.list(&Query { filter, limit: 1, ..Query::default() })?.events;
    let session = newest.into_iter().find_map(|event| event.session);
    session.ok_or_else(|| {
        CliError::finding(
            "no stored event has a session",
            "sessions are off in the app, nothing was recorded, or all of it was delivered and this source has only what waits",
        )
    })
}
