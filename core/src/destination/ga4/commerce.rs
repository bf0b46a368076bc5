//! Items of a shop, in Google's words: the guide's app says `id` and `name`, Google reads `item_id` and `item_name`.

use super::super::write::{Notes, cut};
use super::encode::VALUE;
use super::name;
use serde_json::{Map, Value, json};

/// Most items in one event.
const ITEMS: usize = 200;

/// Most parameters of one item.
const PARAMETERS: usize = 25;

/// Google's own words for what nobody said.
const NOT_SET: &str = "(not set)";

/// Google's word for a parameter of an event.
pub(super) fn google(key: &str) -> &str {
    match key {
        "transactionId" => "transaction_id",
        "searchTerm" => "search_term",
        "contentType" => "content_type",
        "itemId" => "item_id",
        key => key,
    }
}

/// The items of an event; `None` if they are none.
pub(super) fn items(value: &Value, notes: &mut Notes) -> Option<Value> {
    let list = match value {
        Value::Array(list) => list.as_slice(),
        Value::Object(_) => std::slice::from_ref(value),
        _ => {
            notes.add("items", "left out: no list of items");
            return None;
        }
    };
    if list.len() > ITEMS {
        notes.add("items", format!("cut to {ITEMS} items"));
    }
    let items: Vec<Value> = list.iter().take(ITEMS).filter_map(|value| item(value, notes)).collect();
    (!items.is_empty()).then_some(Value::Array(items))
}

/// An item for money of which nobody said what it was for: Google counts a purchase only with one.
pub(super) fn unknown(amount: Option<&Value>) -> Value {
    json!([{"item_id": NOT_SET, "quantity": 1, "price": amount.cloned().unwrap_or_else(|| 0.into())}])
}

fn item(value: &Value, notes: &mut Notes) -> Option<Value> {
    let fields = match value {
        Value::Object(fields) => fields,
        Value::String(_) | Value::Number(_) => {
            notes.add("items", "an item that is a plain value was sent as its `item_id`");
            return Some(json!({"item_id": plain(value, "items", notes)?}));
        }
        _ => {
            notes.add("items", "an item was left out: no object");
            return None;
        }
    };
    let mut out = Map::new();
    for (key, value) in fields {
        let word = match key.as_str() {
            "id" | "itemId" | "productId" => "item_id",
            "name" | "itemName" | "productName" => "item_name",
            key => key,
        };
        let word = name::parameter(word, notes);
        if out.len() >= PARAMETERS {
            notes.add(key, "left out of its item: too many parameters");
        } else if out.contains_key(&word) || (word != *key && fields.contains_key(&word)) {
            // What the app itself called by Google's word wins.
            notes.add(key, format!("left out of its item: there is a `{word}` already"));
        } else if let Some(value) = plain(value, key, notes) {
            out.insert(word, value);
        }
    }
    if out.is_empty() {
        notes.add("items", "an item was left out: it says nothing");
        return None;
    }
    if !out.contains_key("item_id") && !out.contains_key("item_name") {
        notes.add("items", "an item has neither id nor name: `(not set)` stands for them");
        out.insert("item_id".into(), NOT_SET.into());
    }
    Some(Value::Object(out))
}

/// A value Google takes: a number or a text of at most 100 characters.
pub(super) fn plain(value: &Value, field: &str, notes: &mut Notes) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Number(_) => Some(value.clone()),
        Value::String(text) => Some(cut(text, VALUE, field, notes).into()),
        Value::Bool(flag) => Some(if *flag { "true" } else { "false" }.into()),
        nested => {
            notes.add(field, "sent as text: Google takes no nested values");
            Some(cut(&nested.to_string(), VALUE, field, notes).into())
        }
    }
}
