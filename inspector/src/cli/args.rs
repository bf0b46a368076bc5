//! Arguments that several commands have: the source, and which events.

use crate::source::{self, Ask, Inspect, Query};
use crate::terminal::{CliError, Exit};
use rez_monitor::Kind;
use rez_monitor::inspect::Conditions;

#[derive(Debug, clap::Args)]
pub(super) struct SourceArg {
    /// Folder with queue.db, queue.db under any name, an export (.rezq), the folder of `rezq demo --keep`,
    /// the file of `rezq collect`, adb:PACKAGE, expo:PORT of an app behind `npx expo start`, http://127.0.0.1:PORT/?token=TOKEN
    /// of a running app, or http://127.0.0.1:PORT of a running collector
    #[arg(value_name = "SOURCE")]
    pub(super) source: String,
}

impl SourceArg {
    pub(super) fn open(&self) -> Result<Box<dyn Inspect>, CliError> {
        Ok(source::open(&self.source)?)
    }
}

/// A source, and how to print what it answers.
#[derive(Debug, clap::Args)]
pub(super) struct Common {
    #[command(flatten)]
    pub(super) source: SourceArg,
    /// Print one JSON object per line
    #[arg(long)]
    pub(super) json: bool,
}

/// The exit code of a command that found nothing wrong. What a person must know about the source goes to standard error.
pub(super) fn done(source: &dyn Inspect) -> Exit {
    source.notes().iter().for_each(|note| eprintln!("rezq: {note}"));
    if source.is_damaged() { Exit::Damaged } else { Exit::Done }
}

/// Which events.
#[derive(Debug, Default, clap::Args)]
pub(super) struct FilterArgs {
    /// Only this kind, such as error or api_call
    #[arg(long, value_parser = kind)]
    pub(super) kind: Option<Kind>,
    /// Only this lane: crash, critical, normal or bulk
    #[arg(long, value_parser = ["crash", "critical", "normal", "bulk"])]
    pub(super) lane: Option<String>,
    /// Only this state: queued, dead, dropped, delivered or settled
    #[arg(long, value_parser = ["queued", "dead", "dropped", "delivered", "settled"])]
    pub(super) state: Option<String>,
    /// Only events of this name; `*` stands for any text
    #[arg(long)]
    pub(super) name: Option<String>,
    /// Only this level
    #[arg(long)]
    pub(super) level: Option<String>,
    /// Only the session with this id
    #[arg(long, value_name = "ID")]
    pub(super) session: Option<String>,
    /// Only what this installation sent, at a collector
    #[arg(long, value_name = "ID")]
    pub(super) install: Option<String>,
    /// Only what happened in this time, such as 90s, 10m, 2h or 1d
    #[arg(long, value_name = "TIME", value_parser = milliseconds)]
    pub(super) since: Option<i64>,
    /// Only what was stored after the latest mark
    #[arg(long)]
    pub(super) since_mark: bool,
    /// Only events whose JSON contains this text
    #[arg(long)]
    pub(super) text: Option<String>,
    /// Only events for which these conditions hold, such as 'attrs.status>=500, endpoint ~ */pay'
    #[arg(long = "where", value_name = "CONDITIONS")]
    pub(super) conditions: Option<String>,
}

impl FilterArgs {
    /// The query. A filter that cannot be read is shown with a caret under the place.
    pub(super) fn query(&self) -> Result<Query, CliError> {
        let mut filter = Vec::new();
        filter.extend(self.kind.map(|kind| ("kind", kind.as_str().to_owned())));
        let members = [
            ("lane", &self.lane),
            ("state", &self.state),
            ("level", &self.level),
            ("session", &self.session),
            ("install", &self.install),
            ("text", &self.text),
        ];
        filter.extend(members.into_iter().filter_map(|(name, text)| Some((name, text.clone()?))));
        let name = self.name.as_ref().map(|name| {
            let operator = if name.contains('*') { "~" } else { "=" };
            format!("name {operator} \"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
        });
        if let Some(conditions) = &self.conditions {
            Conditions::parse(conditions).map_err(|error| CliError::usage(error, ""))?;
        }
        let conditions: Vec<String> =
            name.into_iter().chain(self.conditions.clone()).filter(|text| !text.trim().is_empty()).collect();
        filter.extend((!conditions.is_empty()).then(|| ("where", conditions.join(", "))));
        let now = jiff::Timestamp::now().as_millisecond();
        Ok(Query {
            filter,
            since_ms: self.since.map(|since| now.saturating_sub(since)),
            since_mark: self.since_mark,
            ..Query::default()
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        let texts = [
            &self.lane,
            &self.state,
            &self.name,
            &self.level,
            &self.session,
            &self.install,
            &self.text,
            &self.conditions,
        ];
        self.kind.is_none() && texts.iter().all(|text| text.is_none()) && self.since.is_none() && !self.since_mark
    }
}

pub(super) fn kind(text: &str) -> Result<Kind, String> {
    Kind::parse(text).ok_or_else(|| format!("expected one of {}", Kind::ALL.map(Kind::as_str).join(", ")))
}

/// Reads a time such as `10m` as milliseconds.
pub(super) fn milliseconds(text: &str) -> Result<i64, String> {
    let wrong = || "expected a number with a unit, such as 500ms, 90s, 10m, 2h or 1d".to_owned();
    let span: jiff::Span = text.parse().map_err(|_| wrong())?;
    let relative = jiff::SpanRelativeTo::days_are_24_hours();
    let ms = span.total((jiff::Unit::Millisecond, relative)).map_err(|_| wrong())?;
    if ms < 0.0 { Err(wrong()) } else { Ok(ms as i64) }
}

/// The id of the event that a person means by its id, the start of its id, or its sequence number.
pub(super) fn event_id(ask: Ask<'_>, event: &str) -> Result<String, CliError> {
    if event.parse::<rez_monitor::EventId>().is_ok() {
        return Ok(event.to_owned());
    }
    let condition = if !event.is_empty() && event.bytes().all(|byte| byte.is_ascii_digit()) {
        format!("seq = {event}")
    } else if event.len() >= 4 && event.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-') {
        format!("id ~ {event}*")
    } else {
        return Err(CliError::usage(
            format!("`{event}` is no id and no sequence number"),
            "copy one from `rezq list`; of an id, at least its first 4 characters",
        ));
    };
    let query = Query { filter: vec![("where", condition)], limit: 2, ..Query::default() };
    match &ask.list(&query)?.events[..] {
        [one] => Ok(one.id.clone()),
        [] => Err(CliError::finding(
            format!("no event `{event}` is in the queue or among the events stored lately"),
            "`rezq drops` counts the events that were lost, by reason",
        )),
        _ => Err(CliError::usage(format!("several ids begin with `{event}`"), "pass more of it")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_unit() {
        assert_eq!(
            ["500ms", "90s", "10m", "2h", "1d"].map(milliseconds),
            [500, 90_000, 600_000, 7_200_000, 86_400_000].map(Ok)
        );
        for wrong in ["", "10", "x", "-5m", "1mo"] {
            assert!(milliseconds(wrong).unwrap_err().contains("10m"), "{wrong}");
        }
    }

    #[test]
    fn an_unknown_kind_is_rejected_with_the_list_of_kinds() {
        assert_eq!(kind("error"), Ok(Kind::Error));
        assert!(kind("Error").unwrap_err().contains("screen_load"));
    }

    #[test]
    fn a_name_is_a_condition_and_a_star_in_it_stands_for_any_text() {
        let args = |name: &str, conditions: &str| FilterArgs {
            name: Some(name.to_owned()),
            conditions: Some(conditions.to_owned()),
            ..FilterArgs::default()
        };
        let filter = |args: &FilterArgs| args.query().unwrap().filter;
        assert_eq!(filter(&args("/pay", "")), [("where", "name = \"/pay\"".to_owned())]);
        assert_eq!(filter(&args("a\"*", "n>1")), [("where", "name ~ \"a\\\"*\", n>1".to_owned())]);
        assert!(FilterArgs::default().is_empty() && !args("x", "").is_empty());
        let error = args("x", "n >").query().unwrap_err();
        assert!(error.to_string().ends_with("n >\n     ^"), "{error}");
    }
}
