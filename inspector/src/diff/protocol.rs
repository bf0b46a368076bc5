//! The events of a queue, and those of them that arrived by a vendor's protocol. They carry the queue's ids.

use super::arrived::{own_id, rejection};
use super::compare::{Diff, Difference, Explained};
use super::device::DeviceError;
use crate::queue::Overview;
use crate::source::{Ask, Event, Query};
use std::collections::{BTreeSet, HashMap};

/// Kinds of which a protocol sends no id.
const WITHOUT_ID: [(&str, &str); 4] =
    [("sentry", "session"), ("mixpanel", "user_prop"), ("otlp", "metric"), ("otlp", "frames")];

/// What a queue has for one destination.
#[derive(Debug)]
pub(crate) struct Sent {
    protocol: &'static str,
    /// Name of the destination.
    destination: String,
    overview: Overview,
    /// Oldest first.
    events: Vec<Event>,
    pub(crate) unreadable: u64,
}

impl Sent {
    /// Reads a source. Without a name of the route, there must be one destination of this protocol only.
    pub(crate) fn read(ask: Ask<'_>, protocol: &'static str, route: Option<&str>) -> Result<Sent, DeviceError> {
        let mut events = Vec::new();
        let unreadable = ask.each(&Query::default(), |event| events.push(event))?;
        events.reverse();
        let overview = ask.overview(false)?;
        let all: Vec<&str> = overview.routes.iter().map(|one| one.route.as_str()).collect();
        let of = |name: &&str| {
            let (destination, rest) = name.split_once('/')?;
            rest.starts_with(&format!("{protocol}.")).then(|| destination.to_owned())
        };
        let mut fit: BTreeSet<String> = all.iter().filter_map(of).collect();
        if let Some(route) = route {
            let wanted = route.split('/').next().unwrap_or_default();
            fit.retain(|destination| destination == wanted);
        }
        let told = |names: &[&str]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let destination = match (fit.pop_first(), fit.is_empty(), route) {
            (Some(one), true, _) => one,
            (Some(first), false, _) => {
                let names: Vec<&str> = std::iter::once(first.as_str()).chain(fit.iter().map(String::as_str)).collect();
                return Err(DeviceError::Routes(protocol, told(&names)));
            }
            (None, _, Some(route)) => return Err(DeviceError::Unknown(route.to_owned(), told(&all))),
            (None, ..) => return Err(DeviceError::NoRoute(protocol, told(&all))),
        };
        Ok(Sent { protocol, destination, overview, events, unreadable })
    }

    /// Compares with what arrived.
    pub(crate) fn compare(&self, arrived: &[Event]) -> Diff {
        let mut by_id: HashMap<String, Vec<&Event>> = HashMap::new();
        for one in arrived {
            if let Some(id) = own_id(one) {
                by_id.entry(id).or_default().push(one);
            }
        }
        let mut diff = Diff {
            route: format!("{}, by the protocol of {}", self.destination, self.protocol),
            install: self.overview.install.clone(),
            ..Diff::default()
        };
        for event in &self.events {
            self.event(&mut diff, event, by_id.get(&event.id).map(Vec::as_slice));
        }
        let ours = self.events.iter().filter_map(|event| by_id.get(&event.id)).map(|all| all.len() as u64);
        diff.server = ours.sum();
        diff.others = (arrived.len() as u64).saturating_sub(diff.server);
        diff
    }

    fn event(&self, diff: &mut Diff, event: &Event, arrived: Option<&[&Event]>) {
        let prefix = format!("{}/", self.destination);
        let mut routes = event.routes.iter().filter(|route| route.route.starts_with(&prefix));
        let Some(route) = routes.find(|route| route.state != "passed") else { return };
        diff.device += 1;
        let name = format!("{} {}", event.kind, event.name);
        let finding = |what, text: String| Difference {
            what,
            id: Some(event.id.clone()),
            seq: event.seq,
            events: 1,
            name: name.clone(),
            text,
            ..Difference::default()
        };
        let is_waiting = matches!(route.state.as_str(), "queued" | "parked" | "in_flight");
        let Some(arrived) = arrived else {
            let explained = |text: String| Explained { id: event.id.clone(), seq: event.seq, name: name.clone(), text };
            match route.state.as_str() {
                _ if is_waiting => diff.waiting += 1,
                "delivered" if WITHOUT_ID.contains(&(self.protocol, event.kind.as_str())) => {
                    let text =
                        format!("{}; this protocol sends no id of it, so that it cannot be looked up", route.text);
                    diff.explained.push(explained(text));
                }
                "delivered" => {
                    diff.findings.push(finding("missing", format!("{}, and the server does not have it", route.text)));
                }
                _ => diff.explained.push(explained(route.text.clone())),
            }
            return;
        };
        let (accepted, rejected): (Vec<&&Event>, Vec<&&Event>) =
            arrived.iter().partition(|one| rejection(one).is_none());
        if accepted.len() > 1 {
            let text = format!("the server has it {} times", accepted.len());
            diff.findings.push(Difference { events: accepted.len() as u64 - 1, ..finding("duplicate", text) });
        }
        let why = rejected.iter().find_map(|one| rejection(one));
        match (accepted.is_empty(), why, route.state.as_str()) {
            (true, Some(why), state) if state != "dead" => {
                let text = format!("{}, and the server rejected it: {why}", route.text);
                diff.findings.push(Difference { member: Some("state".to_owned()), ..finding("different", text) });
            }
            (true, ..) => {
                diff.explained.push(Explained { id: event.id.clone(), seq: event.seq, name, text: route.text.clone() })
            }
            (false, _, "dead") => {
                let text = format!("{}, and the server accepted it", route.text);
                diff.findings.push(Difference { member: Some("state".to_owned()), ..finding("different", text) });
            }
            (false, ..) => {
                diff.same += 1;
                diff.unconfirmed += u64::from(is_waiting);
            }
        }
    }
}
