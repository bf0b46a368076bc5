//! Conditions: facts about the device that are true for a moment only.

use crate::attributes::Value;
use crate::event::encode::Encoder;
use crate::event::field::Field;
use crate::limits;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$item_doc:meta])* $item:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$item_doc])* $item),+
        }

        impl $name {
            /// The spelling in rows.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $($name::$item => $word),+
                }
            }

            /// The inverse of [`Self::as_str`]; `None` for any other text.
            #[must_use]
            pub fn parse(word: &str) -> Option<$name> {
                match word {
                    $($word => Some($name::$item),)+
                    _ => None,
                }
            }
        }
    };
}

words! {
    /// How the device is held.
    Orientation {
        /// Upright.
        Portrait = "portrait",
        /// On its side.
        Landscape = "landscape",
    }
}

words! {
    /// What the device is connected with.
    Connection {
        /// There is no connection.
        None = "none",
        /// A wireless local network.
        Wifi = "wifi",
        /// A mobile network.
        Cellular = "cellular",
        /// A cable.
        Ethernet = "ethernet",
        /// Another device, over Bluetooth.
        Bluetooth = "bluetooth",
        /// Another kind of connection.
        Other = "other",
    }
}

words! {
    /// Generation of the mobile network. The name of the carrier is never recorded: with it an event tells more about a
    /// person than an app needs.
    CarrierTechnology {
        /// GPRS, EDGE, CDMA.
        G2 = "2g",
        /// UMTS, HSPA, EV-DO.
        G3 = "3g",
        /// LTE.
        G4 = "4g",
        /// NR.
        G5 = "5g",
    }
}

/// Facts about the device that are true for a moment only, as the host knows them. Every one is optional.
///
/// [`crate::Monitor::conditions`] sets the last known ones; [`crate::ErrorEvent::conditions`] those of one error. They are
/// written to rows of kind error, crash, hang and app_exit only. An app exit happened before the present run, so that it
/// gets the last known conditions of the run before.
///
/// A number that no device can have is left out and counts as cut: more than 1 PiB ([`limits::DEVICE_BYTES_MAX`]), a battery
/// level outside 0 to 1 or not finite.
///
/// ```
/// use rez_monitor::{Conditions, Connection};
///
/// let now = Conditions {
///     free_memory_bytes: Some(512 << 20),
///     battery: Some(0.35),
///     connection: Some(Connection::Wifi),
///     ..Conditions::default()
/// };
/// # let _ = now;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Conditions {
    /// Memory that an app can still allocate, in bytes.
    pub free_memory_bytes: Option<u64>,
    /// Free internal storage, in bytes.
    pub free_storage_bytes: Option<u64>,
    /// Level of the battery, 0 (empty) to 1 (full).
    pub battery: Option<f64>,
    /// Whether the battery is being charged or is full on external power.
    pub charging: Option<bool>,
    /// Whether the system saves power.
    pub low_power: Option<bool>,
    /// How the device is held.
    pub orientation: Option<Orientation>,
    /// What the device is connected with.
    pub connection: Option<Connection>,
    /// Generation of the mobile network.
    pub carrier_technology: Option<CarrierTechnology>,
    /// Whether the user pays for the bytes of the connection, or has asked to save them.
    pub metered: Option<bool>,
    /// Whether the app is in the foreground.
    pub foreground: Option<bool>,
}

/// Number of members.
const MEMBERS: usize = 10;

impl Conditions {
    /// Names of all conditions, as in rows.
    #[doc(hidden)]
    pub const NAMES: &'static [&'static str; MEMBERS] = &[
        "free_memory_bytes",
        "free_storage_bytes",
        "battery",
        "charging",
        "low_power",
        "orientation",
        "connection",
        "carrier_technology",
        "metered",
        "foreground",
    ];

    fn values(&self) -> [Option<Value<'static>>; MEMBERS] {
        [
            self.free_memory_bytes.map(Value::from),
            self.free_storage_bytes.map(Value::from),
            self.battery.map(Value::from),
            self.charging.map(Value::from),
            self.low_power.map(Value::from),
            self.orientation.map(|word| word.as_str().into()),
            self.connection.map(|word| word.as_str().into()),
            self.carrier_technology.map(|word| word.as_str().into()),
            self.metered.map(Value::from),
            self.foreground.map(Value::from),
        ]
    }

    /// The conditions without impossible numbers, and how many of those there were.
    fn checked(mut self) -> (Conditions, u64) {
        let before = self.values().iter().flatten().count();
        for bytes in [&mut self.free_memory_bytes, &mut self.free_storage_bytes] {
            *bytes = bytes.filter(|bytes| *bytes <= limits::DEVICE_BYTES_MAX);
        }
        self.battery = self.battery.filter(|level| (0.0..=1.0).contains(level));
        let left_out = before - self.values().iter().flatten().count();
        (self, left_out as u64)
    }

    /// Adds them to a record; nothing if there are none.
    pub(crate) fn encode_into(&self, encoder: &mut Encoder<'_>) {
        let (checked, left_out) = self.checked();
        encoder.count_cut(left_out);
        let mut entries = [("", Value::Null); MEMBERS];
        let mut len = 0;
        for (name, value) in Self::NAMES.iter().copied().zip(checked.values()) {
            if let (Some(value), Some(place)) = (value, entries.get_mut(len)) {
                *place = (name, value);
                len += 1;
            }
        }
        if let Some(entries) = entries.get(..len).filter(|entries| !entries.is_empty()) {
            encoder.field(Field::Conditions, Value::Map(entries));
        }
    }

    /// Reads them from a JSON object as it is in rows. A member of another type, an unknown word and an unknown member are
    /// left out; `None` if the value is no object.
    #[must_use]
    pub fn from_json(json: &serde_json::Value) -> Option<Conditions> {
        let members = json.as_object()?;
        let get = |name: &str| members.get(name);
        let text = |name: &str| get(name).and_then(serde_json::Value::as_str);
        let bytes = |name: &str| get(name).and_then(whole);
        let flag = |name: &str| get(name).and_then(serde_json::Value::as_bool);
        Some(Conditions {
            free_memory_bytes: bytes("free_memory_bytes"),
            free_storage_bytes: bytes("free_storage_bytes"),
            battery: get("battery").and_then(serde_json::Value::as_f64),
            charging: flag("charging"),
            low_power: flag("low_power"),
            orientation: text("orientation").and_then(Orientation::parse),
            connection: text("connection").and_then(Connection::parse),
            carrier_technology: text("carrier_technology").and_then(CarrierTechnology::parse),
            metered: flag("metered"),
            foreground: flag("foreground"),
        })
    }
}

/// A number of bytes. JavaScript knows only floating-point numbers: one that is too large becomes `u64::MAX`, which
/// [`Conditions::checked`] leaves out and counts.
fn whole(json: &serde_json::Value) -> Option<u64> {
    json.as_u64().or_else(|| {
        let number = json.as_f64()?;
        Some(if number >= 0.0 && number <= limits::DEVICE_BYTES_MAX as f64 { number as u64 } else { u64::MAX })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::decode::{Body, Raw};
    use serde_json::json;

    fn encoded(conditions: Conditions) -> (Option<usize>, u64) {
        let mut buffer = [0u8; 1024];
        let mut encoder = Encoder::new(&mut buffer, 1, 2);
        conditions.encode_into(&mut encoder);
        let len = encoder.finish();
        let body = Body::decode(&buffer[..len]).unwrap();
        let members = match body.get(Field::Conditions) {
            Some(Raw::Map(count, _)) => Some(usize::from(count)),
            None => None,
            Some(other) => panic!("{other:?}"),
        };
        (members, body.get(Field::Cut).and_then(Raw::i64).map_or(0, |cut| cut as u64))
    }

    fn full() -> serde_json::Value {
        json!({"free_memory_bytes": 1024, "free_storage_bytes": 2048, "battery": 0.5, "charging": true,
            "low_power": false, "orientation": "landscape", "connection": "cellular", "carrier_technology": "5g",
            "metered": true, "foreground": false})
    }

    #[test]
    fn no_condition_is_no_field_and_each_one_is_a_member() {
        assert_eq!(encoded(Conditions::default()), (None, 0));
        assert_eq!(encoded(Conditions::from_json(&full()).unwrap()), (Some(MEMBERS), 0));
    }

    #[test]
    fn impossible_numbers_are_left_out_and_counted() {
        for level in [f64::NAN, -0.01, 1.01, f64::INFINITY] {
            assert_eq!(encoded(Conditions { battery: Some(level), ..Conditions::default() }), (None, 1), "{level}");
        }
        let huge =
            Conditions { free_memory_bytes: Some(u64::MAX), free_storage_bytes: Some(0), ..Conditions::default() };
        assert_eq!(encoded(huge), (Some(1), 1));
        for bytes in [json!(1e30), json!(-1), json!(-0.5)] {
            let read = Conditions::from_json(&json!({ "free_memory_bytes": bytes })).unwrap();
            assert_eq!(encoded(read), (None, 1), "{bytes}");
        }
    }

    #[test]
    fn members_of_another_type_and_unknown_words_are_left_out() {
        let odd = json!({"free_memory_bytes": "much", "battery": "full", "charging": 1, "orientation": "up",
            "connection": ["wifi"], "carrier_technology": "Jio", "carrier": "Jio", "foreground": true});
        let read = Conditions::from_json(&odd).unwrap();
        assert_eq!(read, Conditions { foreground: Some(true), ..Conditions::default() });
        assert_eq!(Conditions::from_json(&json!(7)), None);
        let names: Vec<&str> = Conditions::NAMES.to_vec();
        assert!(full().as_object().unwrap().keys().all(|name| names.contains(&name.as_str())));
    }
}
