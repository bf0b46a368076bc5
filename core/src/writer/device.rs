//! The device's own id for users who are not named: one device, several people, and none of them taken for another.
//!
//! Until somebody is named, it is the id of the installation and stands in no row. It is made anew when a named user
//! goes or another one comes, so that what the next person does is not laid at the first one's door.

use crate::id::IdKey;
use serde_json::json;
use std::collections::BTreeMap;

/// Part of the scope: the id, as JSON text; absent = the installation's own.
pub(super) const ANONYMOUS: &str = "anonymous";

/// Part of the scope: a keyless hash of the user who was named last on this device, as JSON text.
pub(super) const NAMED: &str = "anonymous_named";

/// Both outlive a run.
pub(super) const KEPT: [&str; 2] = [ANONYMOUS, NAMED];

/// Domain of random bits (see [`IdKey::bits`]).
const DOMAIN: u64 = 0x616e_6f6e_796d_0000;

/// What changes in the scope when the user becomes `user`: parts and their new values.
pub(super) fn turn(
    scope: &BTreeMap<String, String>,
    user: Option<&str>,
    key: Option<IdKey>,
    at_us: i64,
) -> Vec<(&'static str, Option<String>)> {
    let named = user.filter(|id| !id.is_empty()).map(|id| format!("\"{:08x}\"", crc32fast::hash(id.as_bytes())));
    let before = scope.get(NAMED);
    if before == named.as_ref() {
        return Vec::new();
    }
    let mut changes = Vec::new();
    if before.is_some()
        && let Some(key) = key
    {
        let number = at_us.unsigned_abs();
        let high = (key.bits(DOMAIN, number) & !0xf000) | 0x4000;
        let low = (key.bits(DOMAIN + 1, number) >> 2) | (0b10 << 62);
        changes.push((ANONYMOUS, Some(json!(uuid::Uuid::from_u64_pair(high, low).to_string()).to_string())));
    }
    changes.push((NAMED, named));
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(users: &[Option<&str>]) -> Vec<Option<String>> {
        let key = Some(IdKey::from_bytes([7; 16]));
        let mut scope = BTreeMap::new();
        let turn = |(at, user): (usize, &Option<&str>)| {
            for (part, value) in turn(&scope, *user, key, at as i64) {
                match value {
                    Some(value) => scope.insert(part.to_owned(), value),
                    None => scope.remove(part),
                };
            }
            scope.get(ANONYMOUS).cloned()
        };
        users.iter().enumerate().map(turn).collect()
    }

    #[test]
    fn a_device_without_a_named_user_keeps_the_installations_id() {
        assert_eq!(after(&[None, None, Some(""), Some("a"), Some("a")]), vec![None; 5]);
    }

    #[test]
    fn when_a_named_user_goes_or_another_comes_the_device_is_somebody_new() {
        let ids = after(&[Some("a"), None, None, Some("b"), Some("b"), Some("c"), None]);
        assert_eq!(ids[0], None);
        assert!(ids[1].is_some() && ids[1] == ids[2], "a reset, once");
        assert_eq!(ids[3], ids[1], "who was anonymous is now known as b");
        assert_eq!(ids[4], ids[3]);
        assert!(ids[5] != ids[4] && ids[6] != ids[5]);
        let id = ids[1].as_deref().unwrap().trim_matches('"');
        assert_eq!(uuid::Uuid::try_parse(id).unwrap().get_version_num(), 4);
    }
}
