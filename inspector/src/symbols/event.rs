//! What an event says about the files that belong to it.

use super::named::{number, text};
use serde_json::Value;

/// A library of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Image {
    /// Name of its file.
    pub(super) name: String,
    /// Its first address in memory.
    pub(super) from: u64,
    /// Its length.
    pub(super) size: u64,
    /// Its build id in hexadecimal digits, or what Sentry makes of it; see [`same_build`].
    pub(super) build_id: String,
}

/// The ids of an event.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct About {
    /// Its libraries.
    pub(super) images: Vec<Image>,
    /// Ids of R8's mapping, as R8 writes them into the names of source files.
    pub(super) mappings: Vec<String>,
    /// Ids that the app gave its mapping.
    pub(super) mapping_uuids: Vec<String>,
    /// Debug ids of bundles, by the file of a frame.
    pub(super) bundles: Vec<(String, String)>,
    /// Id of the update of `expo-updates`.
    pub(super) update: String,
    /// `java`, `javascript`, `native` or another one.
    pub(super) language: String,
    /// The innermost frame is the instruction that was running, and no place behind a call.
    pub(super) is_exact: bool,
}

/// What R8 writes as the name of the source file.
const MAP_ID: &str = "r8-map-id-";

/// What an event can have of each; a text of an app is no reason to look for thousands of files.
const MOST: usize = 64;

impl About {
    pub(super) fn of(event: &Value) -> About {
        let contexts = event.get("contexts");
        let of_app = contexts.and_then(|contexts| contexts.get("debug_images"));
        let all = [event.get("debug_images"), of_app].into_iter().flatten().filter_map(Value::as_object).flatten();
        let (mut images, mut mapping_uuids) = (Vec::new(), Vec::new());
        for (name, image) in all.take(MOST) {
            if text(image, "type") == "proguard" {
                let id = [text(image, "uuid"), text(image, "debug_id")].into_iter().find(|id| !id.is_empty());
                mapping_uuids.extend(id.map(plain));
            } else {
                let id = [text(image, "code_id"), text(image, "debug_id")].into_iter().find(|id| !id.is_empty());
                let build_id = id.map(plain).unwrap_or_default();
                let from = address(image.get("image_addr"));
                images.push(Image { name: name.clone(), from, size: address(image.get("image_size")), build_id });
            }
        }
        let ids = contexts.and_then(|contexts| contexts.get("debug_ids")).and_then(Value::as_object);
        let bundles = ids.into_iter().flatten().take(MOST);
        let update = event.get("tags").map_or("", |tags| text(tags, "expo.updates.update_id"));
        let mut about = About {
            images,
            mapping_uuids,
            bundles: bundles.map(|(file, id)| (file.clone(), plain(id.as_str().unwrap_or_default()))).collect(),
            update: plain(update),
            language: text(event, "language").to_owned(),
            is_exact: text(event, "mechanism") == "signal",
            mappings: Vec::new(),
        };
        about.add_mappings(event);
        for list in ["causes", "threads"] {
            let parts = event.get(list).and_then(Value::as_array);
            parts.into_iter().flatten().for_each(|part| about.add_mappings(part));
        }
        about
    }

    fn add_mappings(&mut self, owner: &Value) {
        let frames = owner.get("frames").and_then(Value::as_array);
        for id in frames.into_iter().flatten().filter_map(mapping_id) {
            if self.mappings.len() < MOST && !self.mappings.iter().any(|known| known == id) {
                self.mappings.push(id.to_owned());
            }
        }
    }

    /// The language of a frame.
    pub(super) fn language<'a>(&'a self, frame: &'a Value) -> &'a str {
        let own = text(frame, "language");
        match (own, &self.language[..]) {
            ("", "") if frame.get("address").is_some() => "native",
            // What no face has set, as in the file of a collector: only JavaScript has columns.
            ("", "") if number(frame, "column") > 0 => "javascript",
            ("", "") if !text(frame, "module").is_empty() => "java",
            ("", language) => language,
            (own, _) => own,
        }
    }
}

/// The id of R8's mapping in the name of the source file of a frame.
pub(super) fn mapping_id(frame: &Value) -> Option<&str> {
    text(frame, "file").strip_prefix(MAP_ID).filter(|id| !id.is_empty())
}

/// An id in small letters without hyphens.
pub(super) fn plain(id: &str) -> String {
    id.trim().chars().filter(|c| *c != '-').map(|c| c.to_ascii_lowercase()).collect()
}

/// Whether the build id of a file is that of an image, which may have the GUID only: the first 16 bytes, the first three numbers of
/// which are little-endian.
pub(super) fn same_build(file: &str, image: &str) -> bool {
    file == image || (image.len() == 32 && guid(file).is_some_and(|guid| guid == image))
}

fn guid(build_id: &str) -> Option<String> {
    let digits = format!("{build_id:0<32}");
    let pair = |at: usize| digits.get(at * 2..at * 2 + 2);
    let order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    order.into_iter().map(pair).collect()
}

/// A number, or a text such as `0x7500001000`.
fn address(value: Option<&Value>) -> u64 {
    let of_text = |text: &str| match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    };
    value.and_then(|value| value.as_u64().or_else(|| value.as_str().and_then(of_text))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_event_says_which_files_belong_to_it() {
        let about = About::of(&json!({
            "language": "java",
            "frames": [{"file": "r8-map-id-ab12"}, {"file": "Cart.kt"}],
            "causes": [{"frames": [{"file": "r8-map-id-ab12"}, {"file": "r8-map-id-cd"}]}],
            "debug_images": {"libapp.so": {"type": "elf", "image_addr": "0x1000", "image_size": 64, "code_id": "AB"}},
            "contexts": {
                "debug_images": {"mapping": {"type": "proguard", "uuid": "85314830-023F-4cf1-a267-535f4e37bb17"}},
                "debug_ids": {"app:///main.jsbundle": "85314830-023f-4cf1-a267-535f4e37bb17"},
            },
            "tags": {"expo.updates.update_id": "E5314830-023F-4cf1-a267-535f4e37bb17"},
        }));
        let image = Image { name: "libapp.so".to_owned(), from: 4096, size: 64, build_id: "ab".to_owned() };
        assert_eq!(about.images, [image]);
        assert_eq!(about.mappings, ["ab12", "cd"]);
        assert_eq!(about.mapping_uuids, ["85314830023f4cf1a267535f4e37bb17"]);
        assert_eq!(about.bundles[0].1, "85314830023f4cf1a267535f4e37bb17");
        assert_eq!(about.update, "e5314830023f4cf1a267535f4e37bb17");
    }

    #[test]
    fn an_event_of_another_form_has_no_ids() {
        let members = ["frames", "causes", "threads", "contexts", "debug_images", "tags", "language"];
        for wrong in [json!(7), json!("x"), json!([1, {"frames": [1]}]), json!({"a": 1, "b": {"image_addr": -1}})] {
            let event: Value = members.iter().map(|name| ((*name).to_owned(), wrong.clone())).collect();
            let about = About::of(&event);
            assert!(about.mappings.is_empty() && about.bundles.is_empty() && about.update.is_empty(), "{wrong}");
        }
        assert_eq!(About::of(&json!([])), About::default());
    }

    #[test]
    fn a_build_is_known_by_its_build_id_or_by_the_guid_of_it() {
        let id = "000102030405060708090a0b0c0d0e0f10111213";
        assert!(same_build(id, id) && same_build(id, &plain("03020100-0504-0706-0809-0a0b0c0d0e0f")));
        assert!(!same_build(id, &id[..32]) && !same_build("é", "00") && !same_build("", "00"));
    }
}
