//! What Slack's answers mean. Slack says in one word of plain text what is wrong: with the message, or with the webhook.

use super::super::response::unsuccessful;
use super::super::{Action, RowOutcome, Verdict};
use crate::reason::Reason;
use crate::transport::Response;

/// Words that say that the webhook, its channel or its workspace takes no messages. They come with 400, 403, 404 and 410.
const WEBHOOK: [&str; 12] = [
    "action_prohibited",
    "channel_is_archived",
    "channel_not_found",
    "invalid_token",
    "no_active_hooks",
    "no_service",
    "no_service_id",
    "no_team",
    "posting_to_general_channel_denied",
    "team_disabled",
    "token_revoked",
    "user_not_found",
];

pub(super) fn of(rows: usize, response: &Response) -> Verdict {
    let word = word(response);
    let wait = response.retry_after();
    let action = match response.status {
        200..=299 => Action::Settle(vec![RowOutcome::Delivered; rows]),
        // Slack itself says that it failed, or is not available.
        500 if word == Some("rollup_error") => Action::Outage(wait),
        503 => Action::Outage(wait),
        // A gateway gave up. The message may stand in the channel.
        status @ (408 | 425 | 500..=599) => Action::Ambiguous(format!("status {status}")),
        400..=499 if word.is_some_and(|word| WEBHOOK.contains(&word)) => {
            Action::Stop(format!("Slack refuses the webhook: {} ({})", word.unwrap_or_default(), response.status))
        }
        status @ (400 | 402 | 406..=409 | 411..=428 | 430..=499) => {
            let why = word.map_or_else(|| format!("status {status}"), str::to_owned);
            Action::Settle(vec![RowOutcome::Dead(Reason::Rejected, why); rows])
        }
        _ => unsuccessful(response, "Slack refuses the webhook", "there is no webhook at this address"),
    };
    let note = word.filter(|_| !(200..=299).contains(&response.status)).map(str::to_owned);
    Verdict { note, ..Verdict::of(action) }
}

/// Whether it is Slack's answer to a message that it has posted.
pub(super) fn is_ok(response: &Response) -> bool {
    response.status == 200 && word(response) == Some("ok")
}

/// The word in the body; `None` if the body is something else, such as the page of a proxy.
fn word(response: &Response) -> Option<&str> {
    let text = std::str::from_utf8(&response.body).ok()?.trim();
    let is_word = (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    is_word.then_some(text)
}
