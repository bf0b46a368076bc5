//! The events of a source and what its ledger says of them.

use crate::queue::Overview;
use crate::received::leaves_a_gap;
use crate::source::{Ask, Event, Query, SourceError};

/// The end of the name of a route to a server of the rez protocol.
const ROUTE: &str = "/rez.batch";

/// The install id of an export without personal data.
const HIDDEN: &str = "masked";

/// What a source has of one route.
#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) overview: Overview,
    /// Name of the route.
    pub(crate) route: String,
    /// Oldest first.
    pub(crate) events: Vec<Event>,
    /// Events that were lost after they had a number, before or on the route, and those that the route does not take.
    pub(crate) lost: u64,
    /// Rows with a wrong checksum, which were left out.
    pub(crate) unreadable: u64,
}

/// Why a source cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DeviceError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error("the queue has no route to a server of the protocol of {0}; its routes are {1}")]
    NoRoute(&'static str, String),
    #[error("the queue has no route `{0}`; its routes are {1}")]
    Unknown(String, String),
    #[error("the queue has several routes to servers of the protocol of {0}: {1}")]
    Routes(&'static str, String),
}

impl Device {
    /// Reads a source. Without a name of the route, there must be one only.
    pub(crate) fn read(ask: Ask<'_>, route: Option<&str>) -> Result<Device, DeviceError> {
        let mut events = Vec::new();
        let unreadable = ask.each(&Query::default(), |event| events.push(event))?;
        events.reverse();
        // After the events, so that the count of numbers covers all of them.
        let overview = ask.overview(false)?;
        let all: Vec<&str> = overview.routes.iter().map(|one| one.route.as_str()).collect();
        let fit: Vec<&str> = match route {
            Some(route) => all.iter().copied().filter(|one| *one == route).collect(),
            None => all.iter().copied().filter(|one| one.ends_with(ROUTE)).collect(),
        };
        let route = match fit.as_slice() {
            [one] => (*one).to_owned(),
            [] => {
                let all = if all.is_empty() { "none".to_owned() } else { all.join(", ") };
                return Err(match route {
                    Some(route) => DeviceError::Unknown(route.to_owned(), all),
                    None => DeviceError::NoRoute("rez", all),
                });
            }
            several => return Err(DeviceError::Routes("rez", several.join(", "))),
        };
        let (drops, _) = ask.drops()?;
        let is_ours = |name: &Option<String>| name.as_ref().is_none_or(|name| *name == route);
        let lost = drops.iter().filter(|lost| is_ours(&lost.route) && leaves_a_gap(&lost.reason)).map(|lost| lost.n);
        let unwanted = overview.routes.iter().filter(|one| one.route == route).map(|one| one.unwanted);
        let lost = lost.chain(unwanted).fold(0, u64::saturating_add);
        Ok(Device { overview, route, events, lost, unreadable })
    }

    /// Whether it is an export without personal data.
    pub(crate) fn is_masked(&self) -> bool {
        self.overview.install == HIDDEN
    }
}
