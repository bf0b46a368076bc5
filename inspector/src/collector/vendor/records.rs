//! The records of a Mixpanel request.

use super::super::body::text;
use super::intake::{Intake, Known};
use super::take::{self, Fields, time};
use crate::received::key_of;
use axum::http::HeaderMap;
use rez_monitor::Kind;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Records of a request.
const RECORDS: usize = 2_000;

/// The alphabet of base64.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Properties that are no attribute of the app.
const OWN: [&str; 6] = ["token", "time", "distinct_id", "mp_lib", "session_id", "ip"];

/// Why a record is not accepted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) field: &'static str,
    pub(super) message: String,
}

fn wrong(field: &'static str, message: &str) -> Wrong {
    Wrong { field, message: format!("'{field}' {message}") }
}

/// Reads the records: JSON, lines of JSON, or the member `data` of a form or of the query, as JSON or base64. Adds the members of a form to
/// the query.
pub(super) fn read(
    body: &[u8],
    headers: &HeaderMap,
    query: &mut BTreeMap<String, String>,
) -> Result<Vec<Value>, String> {
    let body = std::str::from_utf8(body).map_err(|error| format!("the body is no UTF-8: {error}"))?.trim();
    let is_form =
        text(headers, "content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if (is_form || body.starts_with("data=")) && !body.starts_with(['{', '[']) {
        query.extend(form(body));
    }
    let data = query.remove("data");
    let data = data.as_deref().map_or(body, str::trim);
    if data.is_empty() {
        return Err("the body is empty, and there is no `data`".to_owned());
    }
    let decoded;
    let json = if data.starts_with(['{', '[']) {
        data
    } else {
        let bytes = base64(data).ok_or("`data` is neither JSON nor base64")?;
        decoded = String::from_utf8(bytes).map_err(|_| "`data` is base64 of something that is no UTF-8")?;
        decoded.trim()
    };
    let records = match serde_json::from_str(json) {
        Ok(Value::Array(records)) => records,
        Ok(record @ Value::Object(_)) => vec![record],
        Ok(_) => return Err("the records are neither a list nor an object".to_owned()),
        Err(error) => lines(json).ok_or_else(|| format!("the records are no JSON: {error}"))?,
    };
    if records.len() > RECORDS {
        return Err(format!("the request has {} records; the maximum is {RECORDS}", records.len()));
    }
    Ok(records)
}

/// Records of one line each.
fn lines(text: &str) -> Option<Vec<Value>> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| serde_json::from_str(line).ok().filter(Value::is_object)).collect()
}

/// The members of a form.
fn form(text: &str) -> Vec<(String, String)> {
    text.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (decode(name), decode(value))).collect()
}

/// A text with `+` and `%XX`.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (b'%', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16).unwrap_or_default() as u8;
                bytes.push(digit(high) << 4 | digit(low));
                rest = after;
            }
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The user of `Basic ..`.
pub(super) fn basic_user(authorization: &str) -> Option<String> {
    let bytes = base64(authorization.strip_prefix("Basic ")?.trim())?;
    let text = String::from_utf8(bytes).ok()?;
    Some(text.split(':').next().unwrap_or_default().to_owned())
}

/// Base64 with or without padding. In a form a `+` may have become a space.
fn base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    let (mut bytes, mut bits, mut held) = (Vec::with_capacity(text.len()), 0_u32, 0_u32);
    for byte in text.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')) {
        let byte = match byte {
            b' ' | b'-' => b'+',
            b'_' => b'/',
            byte => byte,
        };
        let value = ALPHABET.iter().position(|one| *one == byte)?;
        bits = (bits << 6) | u32::try_from(value).ok()?;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 0xff).ok()?);
        }
    }
    // One character alone is no byte.
    (held < 6).then_some(bytes)
}

/// Adds an event.
pub(super) fn event(intake: &mut Intake<'_>, record: &Value, is_import: bool) -> Result<(), Wrong> {
    let name = take::text(record, "event");
    if name.is_empty() {
        return Err(wrong("event", "is required and must be a text"));
    }
    let Some(properties) = record.get("properties").and_then(Value::as_object) else {
        return Err(wrong("properties", "is required and must be an object"));
    };
    let property = |name: &str| properties.get(name).and_then(Value::as_str).unwrap_or_default();
    let at_ms = match properties.get("time") {
        None | Some(Value::Null) => None,
        Some(given @ Value::Number(_)) => Some(time(given).ok_or_else(|| wrong("properties.time", "is no time"))?),
        Some(_) => return Err(wrong("properties.time", "must be a number of seconds or milliseconds since 1970")),
    };
    if is_import {
        if at_ms.is_none() {
            return Err(wrong("properties.time", "is required"));
        }
        if property("$insert_id").is_empty() {
            return Err(wrong("properties.$insert_id", "is required"));
        }
        if !properties.get("distinct_id").is_some_and(Value::is_string) {
            return Err(wrong("properties.distinct_id", "is required and must be a text"));
        }
    } else if property("token").is_empty() {
        return Err(wrong("properties.token", "is required"));
    }
    intake.client([property("mp_lib"), property("$lib_version")].join("/").trim_matches('/'));
    let mut fields = Fields::default();
    fields.text("name", name);
    let attrs: Map<String, Value> = properties
        .iter()
        .filter(|(name, _)| !name.starts_with('$') && !OWN.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    fields.put("attrs", attrs);
    let session = ["session_id", "$session_id", "$mp_session_id"].map(property);
    fields.text("session", session.into_iter().find(|session| !session.is_empty()).unwrap_or_default());
    let user = [property("$user_id"), property("distinct_id")].into_iter().find(|user| !user.is_empty());
    if let Some(user) = user {
        fields.put("user", json!({"id": user}));
    }
    let seconds = properties.get("$duration").and_then(take::number);
    fields.put("duration_us", seconds.map(|seconds| (seconds * 1e6).round() as i64));
    let install = [property("$device_id"), property("distinct_id")].into_iter().find(|id| !id.is_empty());
    let id = property("$insert_id");
    // Mixpanel takes events for the same if all four are equal.
    let [at, user_id] =
        ["time", "distinct_id"].map(|name| properties.get(name).map(Value::to_string).unwrap_or_default());
    let once = if id.is_empty() { String::new() } else { key_of(&[name, &at, &user_id, id]) };
    let known = Known { id, once: &once, install: install.unwrap_or_default(), at_ms };
    intake.add(Kind::Analytics, record, fields, &known);
    Ok(())
}

/// Adds a change of a user's profile.
pub(super) fn update(intake: &mut Intake<'_>, record: &Value) -> Result<(), Wrong> {
    let member = |name: &str| record.get(name).and_then(Value::as_str).unwrap_or_default();
    for name in ["$token", "$distinct_id"] {
        if member(name).is_empty() {
            return Err(wrong(name, "is required and must be a text"));
        }
    }
    let mut fields = change(record)?;
    fields.put("user", json!({"id": member("$distinct_id")}));
    let at_ms = record.get("$time").and_then(time);
    intake.add(Kind::UserProp, record, fields, &Known { install: member("$distinct_id"), at_ms, ..Known::default() });
    Ok(())
}

/// Adds a change of a group's profile.
pub(super) fn group(intake: &mut Intake<'_>, record: &Value) -> Result<(), Wrong> {
    for name in ["$token", "$group_key"] {
        if take::text(record, name).is_empty() {
            return Err(wrong(name, "is required and must be a text"));
        }
    }
    let Some(id) = record.get("$group_id").filter(|id| id.is_number() || id.as_str().is_some_and(|id| !id.is_empty()))
    else {
        return Err(wrong("$group_id", "is required and must be a text or a number"));
    };
    let mut fields = change(record)?;
    fields.put("group", json!({"key": take::text(record, "$group_key"), "id": id}));
    let at_ms = record.get("$time").and_then(time);
    intake.add(Kind::UserProp, record, fields, &Known { at_ms, ..Known::default() });
    Ok(())
}

/// What changes in a profile.
fn change(record: &Value) -> Result<Fields, Wrong> {
    const OPERATIONS: [(&str, &str); 8] = [
        ("$set", "set"),
        ("$set_once", "set_once"),
        ("$add", "increment"),
        ("$append", "append"),
        ("$union", "union"),
        ("$remove", "remove"),
        ("$unset", "unset"),
        ("$delete", "delete"),
    ];
    let found = OPERATIONS.iter().find_map(|(name, op)| Some((*op, record.get(*name)?)));
    let Some((op, value)) = found else {
        return Err(wrong("$set", "or another operation is required"));
    };
    let mut fields = Fields::default();
    fields.text("op", op);
    let names: Vec<&str> = match value {
        Value::Object(members) => members.keys().map(String::as_str).collect(),
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    fields.text("name", &names.join(", "));
    let single = value.as_object().filter(|members| members.len() == 1).and_then(|members| members.values().next());
    fields.put("value", single.unwrap_or(value).clone());
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(body: &str) -> Result<Vec<Value>, String> {
        read(body.as_bytes(), &HeaderMap::new(), &mut BTreeMap::new())
    }

    #[test]
    fn records_are_json_lines_a_form_or_base64() {
        let one = vec![json!({"event": "a b"})];
        for body in [
            r#"{"event":"a b"}"#,
            r#"[{"event":"a b"}]"#,
            "data=%7B%22event%22%3A%22a+b%22%7D&verbose=1",
            "data=eyJldmVudCI6ImEgYiJ9",
            "data=eyJldmVudCI6ImEgYiJ9%3D%3D",
        ] {
            assert_eq!(records(body), Ok(one.clone()), "{body}");
        }
        assert_eq!(records("{\"event\":\"a\"}\n{\"event\":\"b\"}\n").unwrap().len(), 2);
        let mut query = BTreeMap::from([("data".to_owned(), "eyJldmVudCI6ImEgYiJ9".to_owned())]);
        assert_eq!(read(b"", &HeaderMap::new(), &mut query), Ok(one));
        let mut query = BTreeMap::new();
        read(b"data={}&verbose=1", &HeaderMap::new(), &mut query).unwrap();
        assert_eq!(query, BTreeMap::from([("verbose".to_owned(), "1".to_owned())]));
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        for (body, part) in [
            ("", "the body is empty"),
            ("data=", "the body is empty"),
            ("data=%%%", "neither JSON nor base64"),
            ("data=!!!!", "neither JSON nor base64"),
            ("data=A", "neither JSON nor base64"),
            ("data=/////w==", "no UTF-8"),
            ("{\"event\":", "no JSON"),
            ("{\"event\":1}\n7\n", "no JSON"),
        ] {
            let error = records(body).unwrap_err();
            assert!(error.contains(part), "{body}: {error}");
        }
        assert!(records(&json!(vec![json!({}); RECORDS + 1]).to_string()).unwrap_err().contains("2001 records"));
    }

    #[test]
    fn the_user_of_basic_credentials_is_the_token() {
        assert_eq!(basic_user("Basic dG9rZW46").as_deref(), Some("token"));
        assert_eq!((basic_user("Bearer x"), basic_user("Basic !")), (None, None));
    }
}
