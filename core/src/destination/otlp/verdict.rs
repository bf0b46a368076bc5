//! What a response means, and OTLP's partial success in both encodings.

use super::super::response::unsuccessful;
use super::super::server_message::server_message;
use crate::destination::{Action, Batch, RowOutcome, Verdict};
use crate::reason::Reason;
use crate::transport::Response;

/// The verdict on a request that carried `records` log records, spans or data points.
///
/// The protocol forbids resending after any 2xx, so that a body that cannot be read, or is not OTLP's, is success.
pub(super) fn verdict(batch: &Batch<'_>, response: &Response, records: impl FnOnce() -> u64) -> Verdict {
    let mut note = None;
    let action = match response.status {
        200..=299 => {
            let Partial { rejected, message } = partial(response);
            if rejected == 0 {
                let warning = || format!("warning: {}", server_message(&message));
                note = (!message.is_empty()).then(warning);
                Action::Settle(vec![RowOutcome::Delivered; batch.rows.len()])
            } else {
                note = Some(server_message(&format!("{rejected} rejected: {message}")));
                Action::Settle(rejected_rows(batch.rows.len(), rejected, records()))
            }
        }
        415 => Action::Uncompressed,
        _ => {
            unsuccessful(response, "the endpoint refused the credentials", "there is no OTLP endpoint at this address")
        }
    };
    let note = note.or_else(|| (response.status >= 400).then(|| error(response)).flatten());
    Verdict { note, ..Verdict::of(action) }
}

/// A partial success says how many records were rejected, not which. If it is all of them, all rows were rejected. If
/// it is fewer, as many rows are counted as rejected, from the least important end.
fn rejected_rows(rows: usize, rejected: u64, records: u64) -> Vec<RowOutcome> {
    let lost = if rejected >= records { rows } else { usize::try_from(rejected).unwrap_or(rows).min(rows) };
    let mut outcomes = vec![RowOutcome::Delivered; rows];
    outcomes.iter_mut().rev().take(lost).for_each(|outcome| *outcome = RowOutcome::Dropped(Reason::Rejected));
    outcomes
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Partial {
    rejected: u64,
    message: String,
}

/// Media type of a response, in lower case, without its parameters.
fn media_type(response: &Response) -> String {
    let value = response.header("content-type").unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The partial success of a response, in whichever encoding; nothing rejected where the body does not contain one.
fn partial(response: &Response) -> Partial {
    let found = match media_type(response).as_str() {
        "application/x-protobuf" => partial_of_protobuf(&response.body),
        _ => serde_json::from_slice(&response.body).ok().as_ref().and_then(partial_of_json),
    };
    found.unwrap_or_default()
}

fn partial_of_json(json: &serde_json::Value) -> Option<Partial> {
    let partial = match json.as_object()?.get("partialSuccess") {
        None | Some(serde_json::Value::Null) => return Some(Partial::default()),
        Some(partial) => partial.as_object()?,
    };
    let mut found = Partial::default();
    for (key, value) in partial {
        match key.as_str() {
            "rejectedLogRecords" | "rejectedSpans" | "rejectedDataPoints" => {
                let number = value.as_i64().or_else(|| value.as_str()?.parse().ok())?;
                found.rejected = u64::try_from(number).unwrap_or(0);
            }
            "errorMessage" => found.message = value.as_str()?.to_owned(),
            _ => {}
        }
    }
    Some(found)
}

fn partial_of_protobuf(body: &[u8]) -> Option<Partial> {
    let mut found = Partial::default();
    let mut outer = Reader(body);
    while let Some(member) = outer.member()? {
        if let (1, Member::Bytes(partial)) = member {
            let mut inner = Reader(partial);
            while let Some(member) = inner.member()? {
                match member {
                    // A negative `int64` counts as none.
                    (1, Member::Varint(number)) => {
                        found.rejected = i64::try_from(number).map_or(0, |_| number);
                    }
                    (2, Member::Bytes(text)) => found.message = std::str::from_utf8(text).ok()?.to_owned(),
                    (1 | 2, _) => return None,
                    _ => {}
                }
            }
        } else if member.0 == 1 {
            return None;
        }
    }
    Some(found)
}

/// The message of a `google.rpc.Status`, the body of an OTLP error; no payload.
fn error(response: &Response) -> Option<String> {
    if response.cut {
        return None;
    }
    let text = match media_type(response).as_str() {
        "application/json" => {
            let json: serde_json::Value = serde_json::from_slice(&response.body).ok()?;
            json.get("message")?.as_str()?.to_owned()
        }
        "application/x-protobuf" => {
            let mut reader = Reader(&response.body);
            loop {
                if let (2, Member::Bytes(text)) = reader.member()?? {
                    break std::str::from_utf8(text).ok()?.to_owned();
                }
            }
        }
        _ => return None,
    };
    Some(server_message(&text)).filter(|text| !text.is_empty())
}

/// Reads the fields of one protobuf message.
struct Reader<'a>(&'a [u8]);

enum Member<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
    Fixed,
}

impl<'a> Reader<'a> {
    /// The next member with its field number; `Some(None)` at the end, `None` if the bytes are not a message.
    #[expect(clippy::option_option, reason = "the end and a failure are different results")]
    fn member(&mut self) -> Option<Option<(u64, Member<'a>)>> {
        if self.0.is_empty() {
            return Some(None);
        }
        let key = self.varint()?;
        let member = match key & 7 {
            0 => Member::Varint(self.varint()?),
            1 => self.take(8).map(|_| Member::Fixed)?,
            2 => {
                let len = usize::try_from(self.varint()?).ok()?;
                Member::Bytes(self.take(len)?)
            }
            5 => self.take(4).map(|_| Member::Fixed)?,
            _ => return None,
        };
        (key >> 3 != 0).then_some(Some((key >> 3, member)))
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let [byte] = *self.take(1)? else { return None };
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }
}
