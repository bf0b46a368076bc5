//! An event that came, accepted or rejected.

use rez_monitor::{EventId, Kind};
use serde_json::{Map, Value};

/// The protocol of our own batches.
pub(crate) const REZ: &str = "rez";

/// Who sent a request, and when it came.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    /// `rez`, `sentry`, `mixpanel` or `otlp`.
    pub(crate) protocol: &'static str,
    /// A hash of the key, so that the file does not contain it.
    pub(crate) project: String,
    /// Name and version of the library that sent it; empty = it did not say.
    pub(crate) client: String,
    /// Empty for the protocols without one.
    pub(crate) batch_id: String,
    pub(crate) received_ms: i64,
}

/// Why an event was not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: &'static str,
    pub(crate) field: String,
    pub(crate) message: String,
}

/// An event that came.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    /// Its own id. Empty if it has none.
    pub(crate) id: String,
    /// What an event that comes again has in common with the first; empty = its id.
    pub(crate) once: String,
    /// The device; empty = it did not say.
    pub(crate) install: String,
    pub(crate) seq: Option<u64>,
    pub(crate) kind: Kind,
    /// Time by the clock of the device.
    pub(crate) ts_ms: i64,
    /// Time by the clock of the collector.
    pub(crate) time_ms: i64,
    pub(crate) boot: Option<String>,
    pub(crate) mono_ms: Option<i64>,
    /// As sent: JSON, or the text of what is none.
    pub(crate) text: String,
    /// The fields of our kinds, if the event is of another protocol.
    pub(crate) fields: Option<Map<String, Value>>,
    pub(crate) refusal: Option<Refusal>,
    /// What a tracking plan says about it.
    pub(crate) findings: Vec<Value>,
}

impl Arrival {
    #[cfg(any(feature = "cli", test))]
    /// An event of another protocol, accepted, without id, device and time.
    pub(crate) fn of(kind: Kind, original: &Value, fields: Map<String, Value>, received_ms: i64) -> Arrival {
        Arrival {
            id: String::new(),
            once: String::new(),
            install: String::new(),
            seq: None,
            kind,
            ts_ms: received_ms,
            time_ms: received_ms,
            boot: None,
            mono_ms: None,
            text: original.to_string(),
            fields: Some(fields),
            refusal: None,
            findings: Vec::new(),
        }
    }

    /// What an event that comes again has in common with the first.
    pub(crate) fn once(&self) -> &str {
        if self.once.is_empty() { &self.id } else { &self.once }
    }

    /// Whether an inspector can ask for it by its own id, unless another project has that id: the same event can also come by another
    /// protocol, and what was rejected can come again.
    pub(crate) fn has_own_key(&self, sender: &Sender) -> bool {
        sender.protocol == REZ && self.refusal.is_none()
    }

    /// The id by which an inspector asks for it if its own is not to be used. `place` tells what has no id apart.
    pub(crate) fn key(&self, sender: &Sender, place: usize) -> String {
        let place = format!("{} {} {place}", sender.batch_id, sender.received_ms);
        match (&self.refusal, self.once()) {
            (None, id) if !id.is_empty() => key_of(&[sender.protocol, &sender.project, id]),
            (_, id) => key_of(&[sender.protocol, &sender.project, id, &place, &self.text]),
        }
    }
}

/// An id that is a function of the parts: FNV-1a of 128 bits, as a UUID of version 8.
pub(crate) fn key_of(parts: &[&str]) -> String {
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0xff]));
    let hash = bytes.fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(PRIME)
    });
    let mask = (0xf_u128 << 76) | (0b11_u128 << 62);
    let version_8 = (0x8_u128 << 76) | (0b10_u128 << 62);
    EventId::from_bytes(((hash & !mask) | version_8).to_be_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_uuid_of_version_8_that_depends_on_each_part() {
        let key = key_of(&["sentry", "p", "1"]);
        assert!(key.parse::<EventId>().is_ok());
        assert_eq!((key.as_bytes()[14], &key), (b'8', &key_of(&["sentry", "p", "1"])));
        assert!(matches!(key.as_bytes()[19], b'8' | b'9' | b'a' | b'b'), "{key}");
        for other in [["sentry", "p1", ""], ["sentry", "p", "2"], ["otlp", "p", "1"]] {
            assert_ne!(key_of(&other), key);
        }
    }

    #[test]
    fn a_rejected_event_has_another_key_than_the_accepted_one_of_the_same_id() {
        let sender = Sender {
            protocol: REZ,
            project: String::new(),
            client: String::new(),
            batch_id: "b".to_owned(),
            received_ms: 7,
        };
        let id = "019f0c1e-7c1e-7a53-9b0e-3b6a3f0d9c11";
        let good = Arrival { id: id.to_owned(), ..Arrival::of(Kind::Log, &Value::Null, Map::new(), 7) };
        let refusal = Refusal { code: "too_old", field: "ts".to_owned(), message: "old".to_owned() };
        let bad = Arrival { refusal: Some(refusal), ..good.clone() };
        assert_eq!((good.has_own_key(&sender), bad.has_own_key(&sender)), (true, false));
        assert_ne!(bad.key(&sender, 0), id);
        assert_ne!(bad.key(&sender, 0), bad.key(&sender, 1));
        let vendor = Sender { protocol: "sentry", ..sender };
        assert!(!good.has_own_key(&vendor));
        assert_ne!(good.key(&vendor, 0), id);
        assert_eq!(good.key(&vendor, 0), good.key(&vendor, 1), "the same event, sent again");
    }
}
