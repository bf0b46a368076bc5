//! Names within Google's rules: `^[A-Za-z][A-Za-z0-9_]*$`, a maximum length, and no reserved name.

use super::super::fields::Notes;

/// Limit of the name of an event or parameter, in characters.
pub(super) const NAME: usize = 40;

/// Limit of the name of a user property, in characters.
pub(super) const PROPERTY_NAME: usize = 24;

/// Reserved prefixes. `_` and `gtag.` are reserved too, but a repaired name never starts with them.
const PREFIXES: &[&str] = &["firebase_", "ga_", "google_"];

/// Prefix that makes a reserved name acceptable.
const PREFIX: &str = "x_";

/// Reserved event names: the union of the lists in Google's documentation, which differ by page.
const EVENTS: &[&str] = &[
    "ad_activeview",
    "ad_click",
    "ad_exposure",
    "ad_impression",
    "ad_query",
    "ad_reward",
    "adunit_exposure",
    "app_background",
    "app_clear_data",
    "app_exception",
    "app_remove",
    "app_store_refund",
    "app_store_subscription_cancel",
    "app_store_subscription_convert",
    "app_store_subscription_renew",
    "app_update",
    "app_upgrade",
    "error",
    "first_open",
    "first_visit",
    "in_app_purchase",
    "notification_dismiss",
    "notification_foreground",
    "notification_open",
    "notification_receive",
    "os_update",
    "session_start",
    "session_start_with_rollout",
    "user_engagement",
];

/// The name of an event.
pub(super) fn event(name: &str, notes: &mut Notes) -> String {
    let reserved = |name: &str| EVENTS.contains(&name) || name.starts_with("dynamic_link_");
    repaired(name, "name", NAME, reserved, notes)
}

/// The name of a parameter.
pub(super) fn parameter(name: &str, notes: &mut Notes) -> String {
    repaired(name, name, NAME, |_| false, notes)
}

/// The name of a user property.
pub(super) fn property(name: &str, notes: &mut Notes) -> String {
    repaired(name, name, PROPERTY_NAME, |_| false, notes)
}

fn repaired(name: &str, field: &str, most: usize, reserved: impl Fn(&str) -> bool, notes: &mut Notes) -> String {
    let mut good: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let letters = good.find(|c: char| c.is_ascii_alphabetic());
    good = match letters {
        // Leading underscores are dropped; leading digits carry meaning and are kept behind a prefix.
        Some(at) if good.get(..at).is_some_and(|lead| lead.bytes().all(|byte| byte == b'_')) => good.split_off(at),
        _ => format!("{PREFIX}{good}"),
    };
    if reserved(&good) || PREFIXES.iter().any(|prefix| good.starts_with(prefix)) {
        good.insert_str(0, PREFIX);
    }
    good.truncate(most);
    if good != name {
        notes.add(field, format!("sent as `{good}`"));
    }
    good
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_valid_name_is_unchanged_and_an_invalid_one_is_repaired_with_a_note() {
        for (name, sent) in [
            ("view_item", "view_item"),
            ("Bill Upload", "Bill_Upload"),
            ("bill-upload", "bill_upload"),
            ("_hidden", "hidden"),
            ("__", "x___"),
            ("", "x_"),
            ("3d_touch", "x_3d_touch"),
            ("_3d", "x__3d"),
            ("caf\u{e9}", "caf_"),
            ("\u{1f6d2}cart", "cart"),
            ("error", "x_error"),
            ("session_start", "x_session_start"),
            ("dynamic_link_app_open", "x_dynamic_link_app_open"),
            ("ga_x", "x_ga_x"),
            ("firebase_x", "x_firebase_x"),
            ("google_x", "x_google_x"),
            ("gtag.x", "gtag_x"),
            ("_ga_x", "x_ga_x"),
        ] {
            let mut notes = Notes::default();
            assert_eq!(event(name, &mut notes), sent, "{name}");
            assert_eq!(notes.0.is_empty(), name == sent, "{name}");
        }
        let mut notes = Notes::default();
        assert_eq!(event(&"a".repeat(60), &mut notes).len(), NAME);
        assert_eq!(property(&"a".repeat(60), &mut notes).len(), PROPERTY_NAME);
        assert_eq!(parameter("error", &mut notes), "error");
    }
}
