//! The body of a Sentry request: a line of JSON, then for each item a line of JSON and its payload.

use serde_json::{Map, Value};

/// Items of a request.
const ITEMS: usize = 1_000;

/// A body that was read.
#[derive(Debug, PartialEq)]
pub(super) struct Envelope<'a> {
    pub(super) header: Value,
    pub(super) items: Vec<Item<'a>>,
}

/// An item.
#[derive(Debug, PartialEq)]
pub(super) struct Item<'a> {
    pub(super) kind: String,
    pub(super) header: Value,
    pub(super) payload: &'a [u8],
}

/// Reads a body, or says what is wrong with it.
pub(super) fn read(body: &[u8]) -> Result<Envelope<'_>, String> {
    let header = header(body)?;
    let (_, mut rest) = split(body);
    let mut items = Vec::new();
    while !rest.is_empty() {
        let (line, after) = split(rest);
        // Empty lines between items and at the end.
        if line.is_empty() {
            rest = after;
            continue;
        }
        let place = items.len() + 1;
        if place > ITEMS {
            return Err(format!("the envelope has more than {ITEMS} items"));
        }
        let header = object(line).map_err(|error| format!("the header of item {place} is {error}"))?;
        let kind = header.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        if kind.is_empty() {
            return Err(format!("the header of item {place} has no `type`"));
        }
        let (payload, after) = match header.get("length") {
            None | Some(Value::Null) => split(after),
            Some(length) => {
                let length = length.as_u64().and_then(|length| usize::try_from(length).ok());
                let length = length.ok_or_else(|| format!("the `length` of item {place} is no number"))?;
                let cut = || format!("item {place} ({kind}) has {} bytes, and its header says {length}", after.len());
                let (payload, after) = after.split_at_checked(length).ok_or_else(cut)?;
                match after {
                    [] => (payload, after),
                    [b'\n', after @ ..] => (payload, after),
                    _ => return Err(format!("item {place} ({kind}) does not end where its header says")),
                }
            }
        };
        items.push(Item { kind, header, payload });
        rest = after;
    }
    Ok(Envelope { header, items })
}

/// Reads the header, whatever follows.
pub(super) fn header(body: &[u8]) -> Result<Value, String> {
    object(split(body).0).map_err(|error| format!("the header of the envelope is {error}"))
}

/// The first line, and what follows.
fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(at) => (bytes.get(..at).unwrap_or_default(), bytes.get(at + 1..).unwrap_or_default()),
        None => (bytes, &[]),
    }
}

fn object(line: &[u8]) -> Result<Value, String> {
    let members: Map<String, Value> =
        serde_json::from_slice(line).map_err(|error| format!("no JSON object: {error}"))?;
    Ok(Value::Object(members))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_read_by_their_length_or_to_the_end_of_the_line() {
        let body =
            b"{}\n{\"type\":\"a\",\"length\":3}\nx\ny\n{\"type\":\"b\"}\nto the end\n\n{\"type\":\"c\",\"length\":0}\n";
        let envelope = read(body).unwrap();
        let items: Vec<(&str, &[u8])> = envelope.items.iter().map(|item| (item.kind.as_str(), item.payload)).collect();
        assert_eq!(items, [("a", b"x\ny".as_slice()), ("b", b"to the end"), ("c", b"")]);
    }

    #[test]
    fn a_body_that_is_cut_at_any_byte_is_an_error_or_ends_with_a_whole_item() {
        let body = b"{\"event_id\":\"1\"}\n{\"type\":\"event\",\"length\":9}\n{\"a\":\"b\"}\n";
        for end in 0..body.len() {
            if let Ok(envelope) = read(&body[..end]) {
                assert!(envelope.items.is_empty() || envelope.items[0].payload.len() == 9, "{end}");
            }
        }
        for (body, part) in [
            ("", "the header of the envelope is no JSON object"),
            ("[]\n", "the header of the envelope"),
            ("{}\n{}\n", "item 1 has no `type`"),
            ("{}\n{\"type\":\"x\",\"length\":-1}\n", "`length` of item 1"),
            ("{}\n{\"type\":\"x\",\"length\":\"9\"}\n", "`length` of item 1"),
            ("{}\n{\"type\":\"x\",\"length\":18446744073709551615}\nabc", "its header says 18446744073709551615"),
            ("{}\n{\"type\":\"x\",\"length\":1}\nabc", "does not end where"),
        ] {
            let error = read(body.as_bytes()).unwrap_err();
            assert!(error.contains(part), "{body}: {error}");
        }
    }
}
