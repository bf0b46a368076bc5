//! `rezq diff`: what a queue recorded against what a server received.

mod names;

use super::args::{SourceArg, done, milliseconds};
use super::line;
use crate::diff::{
    self, Device, DeviceError, Diff, Difference, Explained, Received, Sent, Server, ServerError, arrived,
    open_collector,
};
use crate::render::one_line;
use crate::source::{Ask, Inspect};
use crate::terminal::{CliError, Exit, Output, count};
use serde_json::json;
use std::collections::HashSet;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    source: SourceArg,
    /// Address that `rezq collect` prints, its file, or the folder of `rezq demo --keep`
    #[arg(long, value_name = "URL|FILE")]
    server: String,
    /// Write key of the collector, if it has one
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Route to compare, if several lead to servers of the protocol
    #[arg(long, value_name = "NAME")]
    route: Option<String>,
    /// Protocol by which the events arrived: rez, sentry, mixpanel or otlp; with --by name, all but rez
    #[arg(long, value_name = "NAME", value_parser = protocol)]
    protocol: Option<&'static str>,
    /// Compare each event by its id, or how often each name comes
    #[arg(long, value_enum, default_value_t = By::Id)]
    by: By,
    /// With --by name: only this session of the source, and what the server received meanwhile
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// With --by name: only what happened in this time, such as 90s, 10m, 2h or 1d
    #[arg(long, value_name = "TIME", value_parser = milliseconds)]
    since: Option<i64>,
    /// Print one JSON object per line: each `difference`, each `explained`, then the `diff`
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum By {
    /// The ids of our own queue, which our destinations send along
    Id,
    /// Kind and name, of two libraries side by side
    Name,
}

/// The protocols of a collector.
const PROTOCOLS: [&str; 4] = ["rez", "sentry", "mixpanel", "otlp"];

fn protocol(text: &str) -> Result<&'static str, String> {
    let known = PROTOCOLS.into_iter().find(|known| *known == text);
    known.ok_or_else(|| format!("expected one of {}", PROTOCOLS.join(", ")))
}

pub(super) fn run(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    if args.by == By::Name {
        return names::run(args, output);
    }
    if args.session.is_some() || args.since.is_some() {
        return Err(CliError::usage("--session and --since are for --by name", "events are compared by their ids"));
    }
    match args.protocol {
        None | Some("rez") => of_rez(args, output),
        Some(protocol) => of_vendor(args, protocol, output),
    }
}

/// Compares with what arrived by a vendor's protocol.
fn of_vendor(args: &Args, protocol: &'static str, output: &mut Output) -> Result<Exit, CliError> {
    let collector = open_collector(&args.server, args.key.as_deref())?;
    let source = args.source.open()?;
    let received = arrived(Ask(&*collector), Some(protocol), None)?;
    let sent = Sent::read(Ask(&*source), protocol, args.route.as_deref());
    refuse_damaged(&*source)?;
    let sent = sent?;
    let mut diff = sent.compare(&received);
    if diff.findings.iter().any(|one| one.what == "missing") {
        // What was delivered between both readings is no finding.
        diff = sent.compare(&arrived(Ask(&*collector), Some(protocol), None)?);
    }
    print(&diff, args.json, output);
    Ok(exit(&*source, &diff, sent.unreadable))
}

fn refuse_damaged(source: &dyn Inspect) -> Result<(), CliError> {
    if !source.is_damaged() {
        return Ok(());
    }
    Err(CliError::finding(
        "what a damaged queue has delivered or lost is not known",
        "`rezq salvage` brings its rows back; compare a copy that is whole",
    ))
}

fn exit(source: &dyn Inspect, diff: &Diff, unreadable: u64) -> Exit {
    match done(source) {
        Exit::Done if unreadable > 0 => Exit::Damaged,
        Exit::Done if !diff.findings.is_empty() => Exit::Finding,
        exit => exit,
    }
}

/// Compares with what arrived by our own protocol, member by member and number by number.
fn of_rez(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    let server = Server::new(&args.server, args.key.as_deref())?;
    let source = args.source.open()?;
    // The server first: each of its events was recorded before the source is read.
    let received = server.events()?;
    let device = Device::read(Ask(&*source), args.route.as_deref());
    refuse_damaged(&*source)?;
    let device = device?;
    let mut diff = diff::compare(&device, &received, &HashSet::new());
    if diff.findings.iter().any(|one| one.what == "missing") {
        // What was delivered between both readings is no finding.
        let later = server.events()?.into_iter().map(|Received { id, .. }| id).collect();
        diff = diff::compare(&device, &received, &later);
    }
    print(&diff, args.json, output);
    Ok(exit(&*source, &diff, device.unreadable))
}

fn print(diff: &Diff, as_json: bool, output: &mut Output) {
    let Diff { route, install, device, server, others, same, unconfirmed, waiting, explained_numbers, .. } = diff;
    let sum = |what: &str| {
        diff.findings.iter().filter(|one| one.what == what).fold(0, |sum: u64, one| sum.saturating_add(one.events))
    };
    let different: HashSet<_> = diff.findings.iter().filter(|one| one.what == "different").map(|one| &one.id).collect();
    let [missing, duplicate, extra, different] =
        [sum("missing"), sum("duplicate"), sum("extra"), different.len() as u64];
    if as_json {
        diff.findings.iter().for_each(|one| output.line(&line("difference", one, &[])));
        diff.explained.iter().for_each(|one| output.line(&line("explained", one, &[])));
        let totals = json!({"route": route, "install": install, "device": device, "server": server, "others": others,
            "same": same, "unconfirmed": unconfirmed, "waiting": waiting, "explained": diff.explained.len(),
            "explained_numbers": explained_numbers, "missing": missing, "duplicate": duplicate, "extra": extra,
            "different": different});
        return output.line(&line("diff", &totals, &[]));
    }
    for Difference { what, id, name, text, .. } in &diff.findings {
        let id = id.as_ref().map(|id| format!("{id}  ")).unwrap_or_default();
        output.line(&one_line(&format!("✗ {what:<9}  {id}{name}: {text}")));
    }
    for Explained { id, name, text, .. } in &diff.explained {
        output.line(&one_line(&format!("  explained  {id}  {name}: {text}")));
    }
    if *explained_numbers > 0 {
        let n = count(*explained_numbers);
        output.line(&format!("  explained  {n} of the numbers that the source no longer has: counted in `rezq drops`"));
    }
    output.line(&format!("{route}: {} here, {} at the server", events(*device), events(*server)));
    if *others > 0 {
        output.line(&format!("{} of other installations at the server are not compared", events(*others)));
    }
    if *unconfirmed > 0 {
        output.line(&format!(
            "{} at the server will come once more: no answer has reached the device",
            events(*unconfirmed)
        ));
    }
    let mark = if diff.findings.is_empty() { "✓" } else { "✗" };
    let [same, waiting, missing] = [*same, *waiting, missing].map(count);
    let [duplicate, extra, different] = [duplicate, extra, different].map(count);
    output.line(&format!(
        "{mark} {same} the same, {waiting} waiting; {missing} missing, {duplicate} duplicate, {extra} extra, {different} different"
    ));
}

fn events(n: u64) -> String {
    format!("{} {}", count(n), if n == 1 { "event" } else { "events" })
}

impl From<ServerError> for CliError {
    fn from(error: ServerError) -> CliError {
        match error {
            ServerError::Address(_) | ServerError::Key => CliError::usage(error, ""),
            ServerError::File(_) => CliError::open(error, "pass the file of `rezq collect`, or its address"),
            error => CliError::open(error, ""),
        }
    }
}

impl From<DeviceError> for CliError {
    fn from(error: DeviceError) -> CliError {
        match error {
            DeviceError::Source(error) => error.into(),
            DeviceError::Routes(..) | DeviceError::Unknown(..) => {
                CliError::usage(error, "pass one of them with --route")
            }
            DeviceError::NoRoute(..) => CliError::usage(
                error,
                "pass the protocol with --protocol; --by name compares two libraries that share no ids",
            ),
        }
    }
}
