//! The feature flags that the app evaluated: the last value of each, in the order of their last change.

use crate::event::decode::Raw;
use crate::limits::FLAGS;
use crate::privacy::Rules;
use crate::writer::row_json;
use serde_json::{Value, json};

/// The flags as a JSON array of `{"flag", "result"}` after `name` was evaluated to `result`. `None` if nothing changed.
pub(super) fn evaluated(flags: Option<&str>, rules: Rules, name: &str, result: Raw<'_>) -> Option<String> {
    let mut flags: Vec<Value> = flags.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
    let name = rules.text(name);
    let result: Value = serde_json::from_str(&row_json::keyed(rules, &name, result)).ok()?;
    let before = flags.iter().position(|known| known["flag"] == *name);
    if before.and_then(|at| flags.get(at)).is_some_and(|known| known["result"] == result) {
        return None;
    }
    if let Some(at) = before {
        flags.remove(at);
    }
    flags.push(json!({"flag": name, "result": result}));
    let excess = flags.len().saturating_sub(FLAGS);
    flags.drain(..excess);
    Some(Value::Array(flags).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(evaluations: &[(&str, Raw<'_>)]) -> Vec<String> {
        let mut flags = None;
        for (name, result) in evaluations {
            flags = evaluated(flags.as_deref(), Rules::default(), name, *result).or(flags);
        }
        let flags: Vec<Value> = serde_json::from_str(&flags.unwrap_or_default()).unwrap();
        flags.iter().map(|flag| format!("{}={}", flag["flag"].as_str().unwrap(), flag["result"])).collect()
    }

    #[test]
    fn a_flag_keeps_its_last_value_and_moves_to_the_end_when_it_changes() {
        let seen = [
            ("new_cart", Raw::Bool(true)),
            ("price", Raw::Str("b")),
            ("new_cart", Raw::Bool(true)),
            ("new_cart", Raw::Bool(false)),
        ];
        assert_eq!(after(&seen[..3]), ["new_cart=true", "price=\"b\""]);
        assert_eq!(after(&seen), ["price=\"b\"", "new_cart=false"]);
    }

    #[test]
    fn of_ten_thousand_flags_the_last_hundred_are_kept() {
        let names: Vec<String> = (0..10_000).map(|n| format!("flag_{n}")).collect();
        let seen: Vec<_> = names.iter().map(|name| (name.as_str(), Raw::Bool(true))).collect();
        let kept = after(&seen[9_000..]);
        assert_eq!((kept.len(), kept[0].as_str(), kept[99].as_str()), (100, "flag_9900=true", "flag_9999=true"));
    }
}
