//! Items of a purchase under Google's names: an app's `id` and `name` become `item_id` and `item_name`.

use super::super::fields::Notes;
use super::name;
use super::value::plain;
use serde_json::{Map, Value, json};

/// Limit of items in one event.
const ITEMS: usize = 200;

/// Limit of parameters of one item.
const PARAMETERS: usize = 25;

/// Google's placeholder for a missing value.
const NOT_SET: &str = "(not set)";

/// Google's name for an attribute of an event.
pub(super) fn google_name(key: &str) -> &str {
    match key {
        "transactionId" => "transaction_id",
        "searchTerm" => "search_term",
        "contentType" => "content_type",
        "itemId" => "item_id",
        key => key,
    }
}

/// The items of an event; `None` if the value contains none.
pub(super) fn items(value: &Value, notes: &mut Notes) -> Option<Value> {
    let list = match value {
        Value::Array(list) => list.as_slice(),
        Value::Object(_) => std::slice::from_ref(value),
        _ => {
            notes.add("items", "left out: not a list of items");
            return None;
        }
    };
    if list.len() > ITEMS {
        notes.add("items", format!("cut to {ITEMS} items"));
    }
    let items: Vec<Value> = list.iter().take(ITEMS).filter_map(|value| item(value, notes)).collect();
    (!items.is_empty()).then_some(Value::Array(items))
}

/// The items of a purchase that names none: Google counts a purchase only if it has an item.
pub(super) fn placeholder(amount: Option<&Value>) -> Value {
    json!([{"item_id": NOT_SET, "quantity": 1, "price": amount.cloned().unwrap_or_else(|| 0.into())}])
}

fn item(value: &Value, notes: &mut Notes) -> Option<Value> {
    let fields = match value {
        Value::Object(fields) => fields,
        Value::String(_) | Value::Number(_) => {
            notes.add("items", "an item that is a plain value is sent as its `item_id`");
            return Some(json!({"item_id": plain(value, "items", notes)?}));
        }
        _ => {
            notes.add("items", "an item is left out: not an object");
            return None;
        }
    };
    let mut out = Map::new();
    for (key, value) in fields {
        let name = match key.as_str() {
            "id" | "itemId" | "productId" => "item_id",
            "name" | "itemName" | "productName" => "item_name",
            key => key,
        };
        let name = name::parameter(name, notes);
        if out.len() >= PARAMETERS {
            notes.add(key, "left out of its item: too many parameters");
        } else if out.contains_key(&name) || (name != *key && fields.contains_key(&name)) {
            // A field that has Google's name already takes precedence.
            notes.add(key, format!("left out of its item: `{name}` exists already"));
        } else if let Some(value) = plain(value, key, notes) {
            out.insert(name, value);
        }
    }
    if out.is_empty() {
        notes.add("items", "an item is left out: it is empty");
        return None;
    }
    if !out.contains_key("item_id") && !out.contains_key("item_name") {
        notes.add("items", "an item has neither id nor name: its `item_id` is sent as `(not set)`");
        out.insert("item_id".into(), NOT_SET.into());
    }
    Some(Value::Object(out))
}
