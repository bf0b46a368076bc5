//! Tells listeners that something changed. While somebody listens, one task asks the source for its version.

use super::state::{PROBLEM, Seen, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// How soon a browser asks again, in milliseconds.
const RETRY_MS: u64 = 100;

/// Waits for another version than `known`, and responds with it as a server-sent event. The response ends there: the browser
/// repeats the request with the new id, so no change between two requests is missed, and a slow listener collects nothing.
pub(super) async fn next(state: &Arc<State>, known: &str) -> Response {
    let mut seen = state.changes.seen.subscribe();
    if !state.changes.is_polling.swap(true, Ordering::SeqCst) {
        tokio::spawn(poll(Arc::clone(state)));
    }
    let changed = seen.wait_for(|seen| *seen != Seen::Nothing && seen.id() != known);
    let event = match tokio::time::timeout(state.timing.hold, changed).await {
        Ok(Ok(seen)) => match &*seen {
            Seen::Problem(error) => event(PROBLEM, PROBLEM, &json!({ "problem": error })),
            version => event("version", version.id(), &json!({ "version": version.id() })),
        },
        // A comment: the browser asks again with the id it has.
        _ => format!("retry: {RETRY_MS}\n: no change\n\n"),
    };
    ([(header::CONTENT_TYPE, "text/event-stream")], event).into_response()
}

fn event(name: &str, id: &str, data: &Value) -> String {
    format!("retry: {RETRY_MS}\nid: {id}\nevent: {name}\ndata: {data}\n\n")
}

/// Asks for the version until nobody listens.
async fn poll(state: Arc<State>) {
    loop {
        let answer = state.ask(r#"{"ask":"version"}"#.to_owned()).await;
        state.changes.seen.send_if_modified(|seen| {
            let new = Seen::read(&answer);
            let is_new = *seen != new;
            *seen = new;
            is_new
        });
        tokio::time::sleep(state.timing.poll).await;
        if state.changes.seen.receiver_count() == 0 {
            state.changes.is_polling.store(false, Ordering::SeqCst);
            // A listener that came between the two lines found the task running.
            if state.changes.seen.receiver_count() == 0 || state.changes.is_polling.swap(true, Ordering::SeqCst) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_of_data() {
        let text = event(PROBLEM, PROBLEM, &json!({ "problem": "two\nlines" }));
        assert_eq!(text, "retry: 100\nid: problem\nevent: problem\ndata: {\"problem\":\"two\\nlines\"}\n\n");
    }
}
