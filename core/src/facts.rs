//! Facts about device, system and app: what the host knows of them, shared by all rows of a run.

use crate::event::StartKind;
use crate::event::encode::ELLIPSIS;
use crate::limits;
use crate::privacy::Rules;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// What the app was written with: `react-native`, `expo`, `android`, `ios`, `node` ...
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Framework {
    /// Its name, in lower case.
    pub name: String,
    /// Its version, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

macro_rules! facts {
    ($($(#[$doc:meta])* $name:ident: $kind:ty $(as $convert:ident)?),+ $(,)?) => {
        /// Facts about device, system and app, as the host knows them. Every fact is optional. The engine collects none of
        /// them itself.
        ///
        /// Set them with [`crate::ConfigBuilder::facts`], and replace them with [`crate::Monitor::set_facts`]. They are stored
        /// once per run and not in each row, so they cost nothing per event.
        ///
        /// Texts are trimmed, lose their control characters, are cut to 100 bytes, and obey the privacy rules. An empty text
        /// counts as not set. A number that no device can have is left out: more than 1 PiB
        /// ([`limits::DEVICE_BYTES_MAX`]), 0 bytes, a side of the screen of 0 or more than 100,000 pixels, a density
        /// outside 0.1 to 20 or not finite.
        ///
        /// No fact identifies a person. There is no field for the name of the device, an advertising id, a serial number, or
        /// the name of the carrier.
        ///
        /// ```
        /// use rez_monitor::Facts;
        ///
        /// let facts = Facts::new()
        ///     .manufacturer("Google")
        ///     .model("Pixel 9")
        ///     .os_name("Android")
        ///     .os_version("15")
        ///     .memory_bytes(12_884_901_888_u64)
        ///     .locale("en-IN");
        /// # let _ = facts;
        /// ```
        #[derive(Clone, Debug, Default, PartialEq, Serialize)]
        #[non_exhaustive]
        pub struct Facts {
            $(
                $(#[$doc])*
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $name: Option<$kind>
            ),+
        }

        impl Facts {
            /// Names of all facts, as in the row of the run.
            #[doc(hidden)]
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),+];

            /// Facts of these members. Others are ignored.
            pub(crate) fn from_members(mut members: Map<String, Value>) -> Facts {
                Facts { $($name: take(&mut members, stringify!($name))),+ }
            }

            $(
                $(#[$doc])*
                #[must_use]
                pub fn $name(mut self, $name: impl Into<$kind>) -> Facts {
                    self.$name = Some($name.into());
                    self
                }
            )+
        }
    };
}

facts! {
    /// Maker of the device: `Samsung`, `Apple`.
    manufacturer: String,
    /// Brand under which the device is sold, if it is not the maker's name: `Redmi`.
    brand: String,
    /// Model of the device: `Pixel 9`, `iPhone17,2`.
    model: String,
    /// Family of the device: `Pixel`, `iPhone`, `iPad`.
    family: String,
    /// Architecture of the processor: `arm64-v8a`, `arm64`, `x86_64`.
    architecture: String,
    /// Memory of the device in bytes.
    memory_bytes: u64,
    /// Internal storage of the device in bytes.
    storage_bytes: u64,
    /// Width of the screen in physical pixels, in the natural orientation of the device.
    screen_width_px: u32,
    /// Height of the screen in physical pixels, in the natural orientation of the device.
    screen_height_px: u32,
    /// Physical pixels per logical pixel: `2.625`, `3`. On Android 1 is 160 dpi.
    density: f64,
    /// Whether this is an emulator or simulator.
    emulator: bool,
    /// Whether the device is rooted or has a jailbreak.
    rooted: bool,
    /// Language and region that the app uses: `en-IN`.
    locale: String,
    /// Time zone, as its IANA name: `Asia/Kolkata`.
    time_zone: String,
    /// Name of the system: `Android`, `iOS`. Takes the place of [`crate::ConfigBuilder::os`].
    os_name: String,
    /// Version of the system: `15`, `18.2.1`.
    os_version: String,
    /// Build of the system: `AP4A.250205.002`, `22D72`.
    os_build: String,
    /// Version of the app for its users: `2.4.1`. The release may say more than this.
    app_version: String,
    /// Build of the app: `77`.
    app_build: String,
    /// Identifier of the app: its package name or bundle identifier.
    app_id: String,
    /// Where the app was installed from: `com.android.vending`, `app_store`, `testflight`.
    install_source: String,
    /// How the app was started.
    start_kind: StartKind,
    /// What the app was written with.
    framework: Framework,
}

impl Facts {
    /// No facts.
    #[must_use]
    pub fn new() -> Facts {
        Facts::default()
    }

    /// Whether no fact is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Facts::default()
    }

    /// The facts within their limits; see [`Facts`].
    pub(crate) fn checked(mut self) -> Facts {
        self.change_texts(|text| *text = clean(text, limits::FACT_BYTES));
        if let Some(framework) = &mut self.framework {
            framework.name.make_ascii_lowercase();
        }
        self.framework = self.framework.filter(|framework| !framework.name.is_empty());
        for bytes in [&mut self.memory_bytes, &mut self.storage_bytes] {
            *bytes = bytes.filter(|bytes| (1..=limits::DEVICE_BYTES_MAX).contains(bytes));
        }
        for side in [&mut self.screen_width_px, &mut self.screen_height_px] {
            *side = side.filter(|side| (1..=limits::SCREEN_PX_MAX).contains(side));
        }
        self.density = self.density.filter(|density| (0.1..=20.0).contains(density));
        self
    }

    /// Applies the privacy rules to each text.
    pub(crate) fn scrub(&mut self, rules: Rules) {
        self.change_texts(|text| {
            if let std::borrow::Cow::Owned(scrubbed) = rules.text(text) {
                *text = scrubbed;
            }
        });
    }

    /// Dots per inch of the screen. Only on Android does the density say so: 1 is 160 dpi.
    #[cfg(any(feature = "destination-mixpanel", feature = "destination-sentry"))]
    pub(crate) fn dpi(&self) -> Option<i64> {
        let android = self.os_name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case("android"));
        self.density.filter(|_| android).map(|density| (density * 160.0).round() as i64)
    }

    /// Name and version of the system in one text, if the name is set.
    pub(crate) fn os(&self) -> Option<String> {
        let name = self.os_name.as_deref()?;
        Some(self.os_version.as_deref().map_or_else(|| name.to_owned(), |version| format!("{name} {version}")))
    }

    /// Changes each text. A text that is empty afterwards is not set.
    fn change_texts(&mut self, change: impl Fn(&mut String)) {
        let texts = [
            &mut self.manufacturer,
            &mut self.brand,
            &mut self.model,
            &mut self.family,
            &mut self.architecture,
            &mut self.locale,
            &mut self.time_zone,
            &mut self.os_name,
            &mut self.os_version,
            &mut self.os_build,
            &mut self.app_version,
            &mut self.app_build,
            &mut self.app_id,
            &mut self.install_source,
        ];
        let change_one = |place: &mut Option<String>| {
            place.iter_mut().for_each(&change);
            *place = place.take().filter(|text| !text.is_empty());
        };
        texts.into_iter().for_each(change_one);
        if let Some(framework) = &mut self.framework {
            change(&mut framework.name);
            change_one(&mut framework.version);
        }
    }
}

/// The text without control characters and surrounding spaces, cut to `most` bytes. As in any text of the engine an ellipsis
/// marks the cut: the privacy rules then know that a secret at the end may not be whole.
pub(crate) fn clean(text: &str, most: usize) -> String {
    let mut clean: String = text.chars().filter(|letter| !letter.is_control()).collect();
    clean.truncate(clean.trim_end().len());
    clean.drain(..clean.len() - clean.trim_start().len());
    if clean.len() > most {
        clean.truncate(clean.floor_char_boundary(most - ELLIPSIS.len().min(most)));
        clean.push_str(ELLIPSIS);
    }
    clean
}

/// A fact, or nothing where another build wrote a value of another type: one such fact must not cost the run.
fn take<T: serde::de::DeserializeOwned>(members: &mut Map<String, Value>, name: &str) -> Option<T> {
    serde_json::from_value(members.remove(name)?).ok()
}

// By hand: derived, it is 17 KB for each format.
impl<'de> Deserialize<'de> for Facts {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Map::deserialize(from).map(Facts::from_members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_are_cleaned_and_cut_and_empty_ones_are_not_set() {
        let facts = Facts::new()
            .manufacturer(" Goo\ngle\u{7} ")
            .brand(" \t")
            .model("é".repeat(80))
            .framework(Framework { name: "React-Native".into(), version: Some(" ".into()) })
            .checked();
        assert_eq!(facts.manufacturer.as_deref(), Some("Google"));
        assert_eq!(facts.brand, None);
        assert_eq!(facts.model, Some("é".repeat(48) + "…"));
        assert_eq!(facts.framework, Some(Framework { name: "react-native".into(), version: None }));
        let nameless = Facts::new().framework(Framework { name: "\n".into(), version: Some("1".into()) });
        assert!(nameless.checked().is_empty());
    }

    #[test]
    fn numbers_that_no_device_can_have_are_left_out() {
        for impossible in [0, (1 << 50) + 1, u64::MAX] {
            assert!(Facts::new().memory_bytes(impossible).storage_bytes(impossible).checked().is_empty());
        }
        for impossible in [0u32, 100_001, u32::MAX] {
            assert!(Facts::new().screen_width_px(impossible).screen_height_px(impossible).checked().is_empty());
        }
        for impossible in [f64::NAN, f64::INFINITY, -3.0, 0.0, 20.1] {
            assert!(Facts::new().density(impossible).checked().is_empty(), "{impossible}");
        }
        let real = Facts::new().memory_bytes(1u64).storage_bytes(1u64 << 50).screen_width_px(100_000u32).density(2.625);
        assert_eq!(real.clone().checked(), real);
    }

    #[test]
    fn a_fact_of_another_type_or_build_costs_only_itself() {
        let text = json!({"model": 7, "locale": "hi-IN", "memory_bytes": "much", "density": null, "later": [1],
            "start_kind": "lukewarm", "framework": {"version": "1"}});
        assert_eq!(serde_json::from_value::<Facts>(text).unwrap(), Facts::new().locale("hi-IN"));
    }

    #[test]
    fn facts_are_read_as_written() {
        let facts = Facts::new()
            .model("Pixel 9")
            .memory_bytes(12u64 << 30)
            .density(2.625)
            .rooted(false)
            .start_kind(StartKind::Warm)
            .framework(Framework { name: "expo".into(), version: Some("53".into()) });
        let text = serde_json::to_string(&facts).unwrap();
        assert_eq!(
            text,
            r#"{"model":"Pixel 9","memory_bytes":12884901888,"density":2.625,"rooted":false,"start_kind":"warm","framework":{"name":"expo","version":"53"}}"#
        );
        assert_eq!(serde_json::from_str::<Facts>(&text).unwrap(), facts);
        assert_eq!(serde_json::to_string(&Facts::new()).unwrap(), "{}");
    }

    #[test]
    fn every_text_is_scrubbed() {
        let secret = || Facts::NAMES.iter().map(|name| ((*name).to_owned(), json!("ask a@b.example"))).collect();
        let mut facts: Facts = serde_json::from_value(serde_json::Value::Object(secret())).unwrap();
        facts.framework = Some(Framework { name: "ask a@b.example".into(), version: Some("ask a@b.example".into()) });
        facts.scrub(Rules::default());
        let text = serde_json::to_string(&facts).unwrap();
        assert_eq!(text.matches("[email]").count(), 16, "{text}");
        assert!(!text.contains("a@b.example"), "{text}");
    }

    #[test]
    fn the_facts_of_real_devices_pass_the_privacy_rules_unchanged() {
        let phone = Facts::new()
            .manufacturer("samsung")
            .brand("Redmi")
            .model("SM-S918B/DS")
            .family("Galaxy S23 Ultra")
            .architecture("arm64-v8a")
            .locale("mr-Deva-IN")
            .time_zone("America/Argentina/Buenos_Aires")
            .os_name("iPadOS")
            .os_version("18.2.1")
            .os_build("UP1A.231005.007.S918BXXS7CXK5")
            .app_version("2.4.1-rc.1")
            .app_build("2024110712345678")
            .app_id("app.rez.shop.debug")
            .install_source("com.xiaomi.mipicks")
            .framework(Framework { name: "react-native".into(), version: Some("0.81.4-nightly-20250905".into()) });
        let mut scrubbed = phone.clone().checked();
        scrubbed.scrub(Rules { mask_ip: true });
        assert_eq!(scrubbed, phone);
    }
}
