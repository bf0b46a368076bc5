//! `rezq timeline`: one session as a story.

use super::args::{SourceArg, done};
use super::line;
use crate::source::{Ask, Event, Query};
use crate::terminal::{CliError, Exit, Output, millis};
use crate::timeline::{Moment, moments};
use rez_monitor::inspect;
use serde_json::json;

/// Characters of the longest bar.
const BAR: usize = 30;

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
    let ask = Ask(&*source);
    let session = match &args.session {
        Some(session) => session.clone(),
        None => latest(ask)?,
    };
    let filter = vec![("session", session.clone())];
    let events: Vec<Event> = ask.list(&Query { filter, json: true, ..Query::default() })?.events;
    let moments = moments(&events);
    if moments.is_empty() {
        return Err(CliError::finding(
            format!("no event of session `{session}` is stored"),
            "`rezq list SOURCE --json` shows the sessions",
        ));
    }
    if args.json {
        for one in &moments {
            let Moment { start_ms, duration_us, word, text, is_bad, id } = one;
            let moment = json!({"start_ms": start_ms, "duration_us": duration_us, "what": word, "text": text, "bad": is_bad,
                "id": id, "session": session});
            output.line(&line("moment", &moment, &[]));
        }
    } else {
        output.line(&text(&session, &moments));
    }
    Ok(done(&*source))
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

fn text(session: &str, moments: &[Moment]) -> String {
    let first = moments.first().map_or(0, |moment| moment.start_ms);
    let longest = moments.iter().filter_map(|moment| moment.duration_us).max().unwrap_or(1).max(1);
    let mut out = format!("session {session}, from {}\n", inspect::time(first));
    for Moment { start_ms, duration_us, word, text, is_bad, .. } in moments {
        let at = start_ms.saturating_sub(first) as f64 / 1e3;
        let mark = if *is_bad { "!" } else { " " };
        let bar = duration_us.map(|us| {
            let length = (us as f64 / longest as f64 * BAR as f64).ceil().clamp(1.0, BAR as f64) as usize;
            format!("  {} {}", "█".repeat(length), millis(us))
        });
        out.push_str(&format!("\n{at:>9.3} s {mark} {word:<8} {text}{}", bar.unwrap_or_default()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_bars_and_what_is_bad_is_marked() {
        let moment = |start_ms, duration_us, word: &str, is_bad| Moment {
            start_ms,
            duration_us,
            word: word.to_owned(),
            text: "x".to_owned(),
            is_bad,
            id: String::new(),
        };
        let out = text(
            "s1",
            &[
                moment(0, Some(400_000), "screen", false),
                moment(1_250, Some(1), "call", true),
                moment(2_000, None, "tap", false),
            ],
        );
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!(lines[2], format!("    0.000 s   screen   x  {} 400 ms", "█".repeat(BAR)));
        assert_eq!(lines[3], "    1.250 s ! call     x  █ 0.0 ms");
        assert_eq!(lines[4], "    2.000 s   tap      x");
    }
}
