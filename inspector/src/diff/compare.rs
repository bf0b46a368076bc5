//! Both sides, event by event and number by number.

use super::device::Device;
use super::members::{Member, differing};
use super::server::Received;
use crate::received::{epoch_of, seq_of};
use crate::source::Event;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Ranges of numbers that are told.
const RANGES: usize = 20;

/// A finding.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Difference {
    /// `missing`, `duplicate`, `extra` or `different`.
    pub(crate) what: &'static str,
    /// The event; `None` for a range of numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    /// Its number, or the first one of the range.
    pub(crate) seq: u64,
    /// How many events.
    pub(crate) events: u64,
    /// Kind and name.
    pub(crate) name: String,
    /// The member that differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) member: Option<String>,
    /// What the device has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) device: Option<Value>,
    /// What the server has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) server: Option<Value>,
    /// A sentence about it.
    pub(crate) text: String,
}

/// An event that is not at the server, and the ledger says why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Explained {
    pub(crate) id: String,
    pub(crate) seq: u64,
    pub(crate) name: String,
    /// What became of it.
    pub(crate) text: String,
}

/// The result.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Diff {
    pub(crate) route: String,
    /// The installation whose events were compared.
    pub(crate) install: String,
    /// Events of the source, and of this installation at the server.
    pub(crate) device: u64,
    pub(crate) server: u64,
    /// Events of other installations at the server, which were not compared.
    pub(crate) others: u64,
    /// On both sides and without a difference.
    pub(crate) same: u64,
    /// Of these, those that the device will send once more, because no answer has reached it.
    pub(crate) unconfirmed: u64,
    /// Not sent yet.
    pub(crate) waiting: u64,
    /// Numbers that the server lacks, that the source no longer has, and that the counts of losses explain.
    pub(crate) explained_numbers: u64,
    pub(crate) explained: Vec<Explained>,
    pub(crate) findings: Vec<Difference>,
}

/// Compares. `arrived_since`: ids that the server received meanwhile.
pub(crate) fn compare(device: &Device, received: &[Received], arrived_since: &HashSet<String>) -> Diff {
    let install = install_of(device, received);
    let ours: Vec<&Received> = received.iter().filter(|one| one.install == install).collect();
    let mut diff = Diff {
        route: device.route.clone(),
        device: device.events.len() as u64,
        server: ours.len() as u64,
        others: received.len().saturating_sub(ours.len()) as u64,
        install,
        ..Diff::default()
    };
    let mut by_id: HashMap<&str, Vec<&Received>> = HashMap::new();
    ours.iter().for_each(|one| by_id.entry(one.id.as_str()).or_default().push(one));
    for event in &device.events {
        event_at(&mut diff, device, event, by_id.get(event.id.as_str()).map(Vec::as_slice), arrived_since);
    }
    let extra = extras(&mut diff, device, &ours);
    numbers(&mut diff, device, &ours, &extra);
    diff.findings.sort_by_key(|one| one.seq);
    diff
}

/// The installation of the source. An export without personal data has none: it is the one whose events are in it.
fn install_of(device: &Device, received: &[Received]) -> String {
    if !device.is_masked() {
        return device.overview.install.clone();
    }
    let ids: HashSet<&str> = device.events.iter().map(|event| event.id.as_str()).collect();
    let found = received.iter().find(|one| ids.contains(one.id.as_str()));
    found.map(|one| one.install.clone()).unwrap_or_default()
}

fn event_at(
    diff: &mut Diff,
    device: &Device,
    event: &Event,
    received: Option<&[&Received]>,
    arrived_since: &HashSet<String>,
) {
    let route = event.routes.iter().find(|one| one.route == device.route);
    let state = route.map_or("", |one| one.state.as_str());
    let text = route.map(|one| one.text.clone()).unwrap_or_default();
    let name = format!("{} {}", event.kind, event.name);
    let finding = || Difference {
        id: Some(event.id.clone()),
        seq: event.seq,
        events: 1,
        name: name.clone(),
        ..Difference::default()
    };
    let Some(received) = received else {
        match state {
            "queued" | "parked" | "in_flight" => diff.waiting += 1,
            "delivered" if !arrived_since.contains(&event.id) => {
                let text = format!("{text}, and the server does not have it");
                diff.findings.push(Difference { what: "missing", text, ..finding() });
            }
            "dead" | "dropped" | "paused" => {
                diff.explained.push(Explained { id: event.id.clone(), seq: event.seq, name, text });
            }
            _ => {}
        }
        return;
    };
    if received.len() > 1 {
        let text = format!("the server has it {} times", received.len());
        diff.findings.push(Difference { what: "duplicate", events: received.len() as u64 - 1, text, ..finding() });
    }
    let mut members: Vec<Member> =
        received.iter().take(1).flat_map(|one| differing(event, &one.event, device.is_masked())).collect();
    if state == "dead" {
        members.push(Member { path: "state".to_owned(), device: Some(text.into()), server: Some("stored".into()) });
    }
    if members.is_empty() {
        diff.same += 1;
        diff.unconfirmed += u64::from(matches!(state, "queued" | "parked" | "in_flight"));
    }
    for Member { path, device, server } in members {
        let text =
            format!("{path} is {} on the device and {} at the server", told(device.as_ref()), told(server.as_ref()));
        diff.findings.push(Difference { what: "different", member: Some(path), device, server, text, ..finding() });
    }
}

/// Events that the device did not record: with a number that it has not given, or has given to another event.
fn extras<'a>(diff: &mut Diff, device: &Device, ours: &[&'a Received]) -> HashSet<&'a str> {
    let by_seq: HashMap<u64, &Event> = device.events.iter().map(|event| (event.seq, event)).collect();
    let ids: HashSet<&str> = device.events.iter().map(|event| event.id.as_str()).collect();
    let last = seq_of(device.overview.epoch, device.overview.numbered);
    let mut extra = HashSet::new();
    for one in ours.iter().filter(|one| !ids.contains(one.id.as_str())) {
        let text = match by_seq.get(&one.seq) {
            _ if one.seq > last => format!("the device has given the numbers up to {last} only"),
            Some(event) => format!("the device has given its number to {} {}", event.kind, event.id),
            None => continue,
        };
        if extra.insert(one.id.as_str()) {
            let (id, name) =
                (Some(one.id.clone()), format!("{} {}", one.kind, rez_monitor::inspect::title(&one.event)));
            diff.findings.push(Difference {
                what: "extra",
                id,
                seq: one.seq,
                events: 1,
                name,
                text,
                ..Difference::default()
            });
        }
    }
    extra
}

/// Numbers between the first and the last one at the server that neither side has. The counts of losses explain some of them.
fn numbers(diff: &mut Diff, device: &Device, ours: &[&Received], extra: &HashSet<&str>) {
    let mut epochs: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    let is_told = |event: &&Event| {
        let state = event.routes.iter().find(|one| one.route == device.route).map(|one| one.state.as_str());
        state.is_some_and(|state| state != "passed")
    };
    let told: HashSet<u64> = device.events.iter().filter(is_told).map(|event| event.seq).collect();
    let at_server = ours.iter().filter(|one| !extra.contains(one.id.as_str())).map(|one| one.seq);
    at_server.for_each(|seq| epochs.entry(epoch_of(seq)).or_default().push(seq));
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for seqs in epochs.values_mut() {
        let (Some(first), Some(last)) = (seqs.iter().min().copied(), seqs.iter().max().copied()) else { continue };
        seqs.extend(told.iter().copied().filter(|seq| *seq > first && *seq < last));
        seqs.sort_unstable();
        let pairs = seqs.iter().zip(seqs.iter().skip(1));
        ranges.extend(pairs.filter(|(one, next)| *next - *one > 1).map(|(one, next)| (one + 1, next - 1)));
    }
    let gone = ranges.iter().fold(0, |sum: u64, (from, to)| sum.saturating_add(to - from + 1));
    let named = device.events.iter().flat_map(|event| &event.routes);
    let named =
        named.filter(|one| one.route == device.route && matches!(one.state.as_str(), "dropped" | "paused")).count();
    let lost = device.lost.saturating_sub(named as u64);
    diff.explained_numbers = gone.min(lost);
    if let Some((first, _)) = ranges.first().filter(|_| gone > lost) {
        // Which of them were lost is not known.
        let range = |(from, to): &(u64, u64)| if from == to { from.to_string() } else { format!("{from} to {to}") };
        let more = if ranges.len() > RANGES { " and more" } else { "" };
        let all = ranges.iter().take(RANGES).map(range).collect::<Vec<_>>().join(", ");
        diff.findings.push(Difference {
            what: "missing",
            seq: *first,
            events: gone - lost,
            name: format!("numbers {all}{more}"),
            text: format!("neither side has them, and losses explain {lost} of {gone}"),
            ..Difference::default()
        });
    }
}

fn told(value: Option<&Value>) -> String {
    const CHARS: usize = 80;
    let text = value.map_or_else(|| "missing".to_owned(), Value::to_string);
    if text.chars().count() > CHARS { text.chars().take(CHARS).chain(['…']).collect() } else { text }
}
