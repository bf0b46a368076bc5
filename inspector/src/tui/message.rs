//! What the parts of the interface say to each other.

use crate::queue::Overview;
use crate::source::{Event, Lost, Query, Shown, SourceError};
use crate::timeline::Moment;
use ratatui::crossterm::event::KeyEvent;
use serde_json::Value;
use std::time::Duration;

/// Something that happened.
#[derive(Debug)]
pub(super) enum Message {
    /// A key was pressed.
    Key(KeyEvent),
    /// A text was pasted.
    Paste(String),
    /// The terminal has this many columns and rows.
    Resize(u16, u16),
    /// The source answered.
    Answer(Box<Answer>),
    /// The source has been asked this long ago and has not answered yet.
    Busy(Duration),
    /// A signal asks the program to end, or the terminal is gone.
    End,
}

/// What the state wants to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Ask the source.
    Ask(Job),
    /// Put this text on the clipboard.
    Copy(String),
    /// Stop, as every program does on Ctrl+Z, until the shell goes on with it.
    Stop,
    /// End.
    Quit,
}

/// A question to the source, or something that it is told to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Job {
    /// What the source is and can do.
    About,
    /// Whether something has changed. The worker asks it by itself.
    Version,
    /// A list of events.
    Events(Query),
    /// The balance.
    Status,
    /// Everything about an event.
    Show(String),
    /// The JSON of an event, for the clipboard.
    Copy(String),
    /// Why an event waits, or what became of it.
    Why(String),
    /// The events of a session.
    Session(String),
    /// The losses.
    Drops,
    /// Send what waits.
    SendNow,
    /// Name a moment.
    Mark(String),
    /// Let requests fail, or no longer.
    Fault(&'static str),
    /// Queue a dead letter again.
    Requeue(String),
    /// Delete an event.
    Drop(String),
}

impl Job {
    /// Whether a later job of the same form makes this one unnecessary.
    pub(super) fn is_replaced_by(&self, later: &Job) -> bool {
        let reads = matches!(self, Job::Events(_) | Job::Status | Job::Show(_) | Job::Session(_) | Job::Drops);
        reads && std::mem::discriminant(self) == std::mem::discriminant(later)
    }
}

/// An answer to a job.
#[derive(Debug)]
pub(super) struct Answer {
    /// The job.
    pub(super) job: Job,
    /// What the source answered.
    pub(super) result: Result<Told, SourceError>,
}

/// What a source answered.
#[derive(Debug)]
pub(super) enum Told {
    /// To [`Job::About`].
    About(About),
    /// To [`Job::Version`]: something has changed, or the source answers again.
    Changed,
    /// To [`Job::Events`], newest first.
    Events {
        /// The events.
        events: Vec<Event>,
        /// Whether there are older ones.
        has_more: bool,
        /// Rows with a wrong checksum, which are left out.
        unreadable: u64,
    },
    /// To [`Job::Status`]: the balance, and the fault in effect.
    Status(Overview, String),
    /// To [`Job::Fault`]: the fault in effect.
    Fault(String),
    /// To [`Job::Show`] and [`Job::Copy`].
    Shown(Box<Shown>),
    /// To [`Job::Session`].
    Session(Vec<Moment>),
    /// To [`Job::Drops`]: the losses, and what was refused at the call.
    Drops(Vec<Lost>, Value),
    /// To [`Job::Why`] and [`Job::SendNow`]: sentences.
    Lines(Vec<String>),
    /// To [`Job::Mark`], [`Job::Requeue`] and [`Job::Drop`]: how many events there are now, are queued again, or deleted.
    Done(u64),
}

/// What a source is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct About {
    /// The release of the app.
    pub(super) app: String,
    /// What it can be told.
    pub(super) can: Vec<String>,
}
