//! The trace id and span id of a row, for the vendors that show traces: recorded with the row, or derived from its id.

use crate::json::Json;
use crate::kind::Kind;
use crate::row::Row;
#[cfg(feature = "destination-otlp")]
use crate::trace::share::trace_share;

/// Ids of W3C Trace Context. Neither `trace` nor `span` is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TraceIds {
    pub(crate) trace: [u8; 16],
    pub(crate) span: [u8; 8],
    pub(crate) parent: Option<[u8; 8]>,
}

/// The ids stored in a row: its own span for an API call, the surrounding span for any other kind.
pub(crate) fn recorded(fields: &Json<'_>) -> Option<TraceIds> {
    let trace = fields.get("trace")?;
    Some(TraceIds {
        trace: hex(trace.text("trace_id")?)?,
        span: hex(trace.text("span_id")?)?,
        parent: trace.text("parent").and_then(hex),
    })
}

/// The span of a timed row. A row without ids of its own gets them from the event's id, so that a repeated request has
/// the same ones: during a screen load it is a child of that screen, otherwise the root of a trace.
pub(crate) fn of_row(row: &Row, fields: &Json<'_>) -> TraceIds {
    let [_, _, _, _, _, _, _, _, low @ ..] = *row.id.as_bytes();
    match recorded(fields) {
        Some(ids) if belongs_to_screen(&ids, row, fields) => {
            TraceIds { trace: ids.trace, span: low, parent: Some(ids.span) }
        }
        Some(ids) => ids,
        None => TraceIds { trace: *row.id.as_bytes(), span: low, parent: None },
    }
}

/// Whether a destination with this rate keeps the trace of the row.
#[cfg(feature = "destination-otlp")]
pub(crate) fn keeps(row: &Row, rate: f64) -> bool {
    if rate >= 1.0 && !row.json.contains("\"sampled\"") {
        return true;
    }
    let fields = Json::of(row);
    match fields.get("trace").and_then(|trace| trace.get("sampled")) {
        Some(Json::Bool(sampled)) => *sampled,
        _ => trace_share(u128::from_be_bytes(of_row(row, &fields).trace)) < rate,
    }
}

/// Whether the ids are those of the loading screen rather than of the row. The engine derives a screen's view id from
/// its trace, which tells the two apart.
fn belongs_to_screen(ids: &TraceIds, row: &Row, fields: &Json<'_>) -> bool {
    let Some(view) = fields.get("view") else { return false };
    let mut id = ids.trace;
    id.iter_mut().skip(8).zip(ids.span).for_each(|(byte, span)| *byte ^= span);
    if view.text("id") != Some(uuid::Uuid::from_bytes(id).to_string().as_str()) {
        return false;
    }
    row.kind != Kind::ScreenLoad || fields.text("name") != view.text("name")
}

/// The bytes of a hexadecimal number; `None` for zero.
fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    bytes.iter().any(|byte| *byte != 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EventId;

    fn row(kind: Kind, json: &str) -> Row {
        let id = "019f0c1e-7c1e-7a53-9b0e-3b6a3f0d9c11".parse::<EventId>().unwrap();
        Row { seq: 1, id, kind, run: 1, wall_ms: 0, mono_ms: 0, targets: Vec::new(), json: json.to_owned() }
    }

    fn span(row: &Row) -> TraceIds {
        of_row(row, &Json::of(row))
    }

    const TRACE: &str = r#""trace":{"trace_id":"000102030405060708090a0b0c0d0e0f","span_id":"1111111111111111"}"#;
    /// The view of the screen with that trace: its id is the trace id combined with the span id.
    const VIEW: &str = r#""view":{"id":"00010203-0405-0607-1918-1b1a1d1c1f1e","name":"Cart"}"#;

    #[test]
    fn a_row_with_ids_of_its_own_keeps_them() {
        let span = span(&row(Kind::ApiCall, &format!("{{{TRACE}}}")));
        assert_eq!((span.span, span.parent), ([0x11; 8], None));
    }

    #[test]
    fn a_timing_during_a_screen_load_is_a_child_of_the_screen() {
        let of_id = [0x9b, 0x0e, 0x3b, 0x6a, 0x3f, 0x0d, 0x9c, 0x11];
        for kind in [Kind::ImageLoad, Kind::ApiCall, Kind::LongTask] {
            let span = span(&row(kind, &format!("{{{TRACE},{VIEW}}}")));
            assert_eq!((span.span, span.parent), (of_id, Some([0x11; 8])), "{kind:?}");
        }
        let other = span(&row(Kind::ScreenLoad, &format!(r#"{{"name":"Sheet",{TRACE},{VIEW}}}"#)));
        assert_eq!(other.parent, Some([0x11; 8]));
        let own = span(&row(Kind::ScreenLoad, &format!(r#"{{"name":"Cart",{TRACE},{VIEW}}}"#)));
        assert_eq!((own.span, own.parent), ([0x11; 8], None));
    }

    #[test]
    fn without_a_trace_the_ids_derive_from_the_events_id() {
        for json in ["{}", r#"{"trace":{"trace_id":"00","span_id":"zz"}}"#, r#"{"trace":7}"#] {
            let row = row(Kind::ImageLoad, json);
            let span = span(&row);
            assert_eq!(&span.trace, row.id.as_bytes());
            assert_eq!(span.parent, None);
        }
    }
}
