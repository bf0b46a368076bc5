//! Slack: alerts as messages of an incoming webhook.
//!
//! Slack has no key by which it recognises a second copy, and a person who reads an alert twice looks for two troubles. The route is
//! therefore at-most-once. See ADR 0045.

mod message;
mod verdict;

use super::fields::Notes;
use super::settings::{base_url, encoder, request, stable_hash};
use super::{Backoff, Batch, Destination, DestinationError, Note, RouteSpec, Stamp, Verdict, Want};
use crate::kind::{Kind, Purpose};
use crate::limits;
use crate::row::Row;
use crate::transport::{Request, Response};

/// Raised when the body for the same rows changes.
const VERSION: u32 = 1;

/// The footer of the guide.
const FOOTER: &str = "REZ API Monitoring";

const ROUTES: &[RouteSpec] = &[RouteSpec {
    name: "slack.webhook",
    at_most_once: true,
    // Each alert is a message of its own, so that a refusal is about one alert.
    max_events: 1,
    max_bytes: limits::ROW_BYTES,
    backoff: Backoff::STANDARD,
    // Slack does not document compressed requests.
    gzip: false,
    reports_losses: false,
    adds_losses: false,
}];

/// An incoming webhook of Slack.
#[derive(Clone)]
pub struct Slack {
    url: String,
    footer: String,
    key_hash: u64,
}

/// Builds a [`Slack`].
#[derive(Clone)]
pub struct SlackBuilder {
    webhook: String,
    footer: String,
}

impl Slack {
    /// A builder with the URL of the webhook, as Slack shows it: `https://hooks.slack.com/services/T…/B…/…`. Who knows it can post to
    /// the channel, so it is a secret. Another host is accepted, for Slack's GovSlack and for a relay of the team; `http` is allowed to
    /// a loopback address only.
    #[must_use]
    pub fn builder(webhook: impl Into<String>) -> SlackBuilder {
        SlackBuilder { webhook: webhook.into(), footer: FOOTER.to_owned() }
    }

    /// What Slack gets of a kind, as Markdown for the user guide.
    #[must_use]
    pub fn becomes(kind: Kind) -> &'static str {
        match kind {
            Kind::Alert => "message with one attachment",
            _ => "not sent",
        }
    }
}

impl SlackBuilder {
    /// Sets the small text under each message. Default: `REZ API Monitoring`.
    #[must_use]
    pub fn footer(mut self, footer: impl Into<String>) -> Self {
        self.footer = footer.into();
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// [`DestinationError`] names the invalid setting.
    pub fn build(self) -> Result<Slack, DestinationError> {
        let part = "webhook URL";
        if self.webhook.is_empty() {
            return Err(DestinationError::Empty { part });
        }
        let url = base_url(&self.webhook, &[])?;
        let path = url.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map(|(_, path)| path);
        match path {
            None => Err(DestinationError::Form { part, why: "it ends after the host; copy the whole URL from Slack" }),
            Some(path) if path.starts_with("triggers/") || path.starts_with("workflows/") => {
                Err(DestinationError::Form {
                    part,
                    why: "it starts a workflow, which takes other requests; create an incoming webhook in Slack",
                })
            }
            Some(_) => Ok(Slack { key_hash: stable_hash(&[&url]), url, footer: self.footer }),
        }
    }
}

impl std::fmt::Debug for Slack {
    /// Without the URL, which is a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slack").field("footer", &self.footer).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for SlackBuilder {
    /// Without the URL, which is a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SlackBuilder").field("footer", &self.footer).finish_non_exhaustive()
    }
}

impl Destination for Slack {
    fn routes(&self) -> &'static [RouteSpec] {
        ROUTES
    }

    fn purposes(&self) -> &[Purpose] {
        &[Purpose::Monitoring]
    }

    fn key_hash(&self) -> u64 {
        self.key_hash
    }

    fn wants(&self, _route: &RouteSpec, row: &Row) -> Want {
        if row.kind == Kind::Alert { Want::Yes } else { Want::No }
    }

    fn encode(&self, _route: &RouteSpec, batch: &Batch<'_>, _stamp: &Stamp<'_>) -> Request {
        let message = batch.rows.first().map(|row| message::of(row, &self.footer, &mut Notes::default()));
        request(&self.url, &[("Content-Type", "application/json")], message.unwrap_or_default().to_string())
    }

    fn notes(&self, _route: &RouteSpec, row: &Row) -> Vec<Note> {
        let mut notes = Notes::default();
        message::of(row, &self.footer, &mut notes);
        notes.0
    }

    fn recognizes(&self, response: &Response) -> bool {
        verdict::is_ok(response)
    }

    fn verdict(&self, _route: &RouteSpec, batch: &Batch<'_>, response: &Response) -> Verdict {
        verdict::of(batch.rows.len(), response)
    }

    fn encoder(&self) -> u32 {
        encoder("slack", VERSION, self.footer.as_bytes())
    }
}

#[cfg(test)]
mod tests;
