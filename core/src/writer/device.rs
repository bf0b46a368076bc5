//! The anonymous id of a device: it keeps several users of one device apart.
//!
//! Until a user is identified, the anonymous id is the install id and is not in any row. A new one is created when an
//! identified user logs out or another one logs in, so that the actions of the next user are not attributed to the first.

use crate::id::IdKey;
use serde_json::json;
use std::collections::BTreeMap;

/// Scope key of the anonymous id, as JSON text; absent = the install id.
pub(super) const ANONYMOUS: &str = "anonymous";

/// Scope key of an unkeyed hash of the user who was identified last, as JSON text.
pub(super) const NAMED: &str = "anonymous_named";

/// Both are kept across runs.
pub(super) const KEPT: [&str; 2] = [ANONYMOUS, NAMED];

/// Domain of random bits (see [`IdKey::bits`]).
const DOMAIN: u64 = 0x616e_6f6e_796d_0000;

/// The scope changes when the user becomes `user`: keys and new values.
pub(super) fn user_changed(
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
        // Two changes can have one time, and never make one device of two.
        let last = scope.get(ANONYMOUS).map_or(0, |id| crate::hash::stable_hash(&[id]));
        let number = at_us.unsigned_abs() ^ last;
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
        let change = |(at, user): (usize, &Option<&str>)| {
            for (part, value) in user_changed(&scope, *user, key, at as i64) {
                match value {
                    Some(value) => scope.insert(part.to_owned(), value),
                    None => scope.remove(part),
                };
            }
            scope.get(ANONYMOUS).cloned()
        };
        users.iter().enumerate().map(change).collect()
    }

    #[test]
    fn a_device_without_an_identified_user_keeps_the_install_id() {
        assert_eq!(after(&[None, None, Some(""), Some("a"), Some("a")]), vec![None; 5]);
    }

    #[test]
    fn changes_at_the_same_time_create_different_ids() {
        let key = Some(IdKey::from_bytes([7; 16]));
        let mut scope = BTreeMap::new();
        let mut ids = Vec::new();
        for user in [Some("a"), None, Some("b"), None, Some("b"), None, Some("c"), Some("d")] {
            for (part, value) in user_changed(&scope, user, key, 5) {
                match value {
                    Some(value) => scope.insert(part.to_owned(), value),
                    None => scope.remove(part),
                };
            }
            ids.extend(scope.get(ANONYMOUS).cloned());
        }
        ids.dedup();
        let mut distinct = ids.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!((ids.len(), distinct.len()), (4, 4), "{ids:?}");
    }

    #[test]
    fn a_logout_or_another_user_creates_a_new_anonymous_id() {
        let ids = after(&[Some("a"), None, None, Some("b"), Some("b"), Some("c"), None]);
        assert_eq!(ids[0], None);
        assert!(ids[1].is_some() && ids[1] == ids[2], "a new id, once");
        assert_eq!(ids[3], ids[1], "the anonymous user is identified as b");
        assert_eq!(ids[4], ids[3]);
        assert!(ids[5] != ids[4] && ids[6] != ids[5]);
        let id = ids[1].as_deref().unwrap().trim_matches('"');
        assert_eq!(uuid::Uuid::try_parse(id).unwrap().get_version_num(), 4);
    }
}
