//! What the interface knows and shows.

use super::layout::{Areas, NARROW};
use super::list::List;
use super::message::{About, Effect, Job};
use super::page::Page;
use crate::queue::{Overview, total};
use crate::render;
use crate::timeline::Moment;
use std::time::Duration;

/// What is shown below the head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Screen {
    /// The list of events.
    #[default]
    Events,
    /// One event.
    Event,
    /// The session of an event.
    Timeline,
    /// The balance.
    Status,
    /// The losses.
    Drops,
}

/// Something in front of the screen. Any key removes it, but those that scroll if it is longer than the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Overlay {
    /// The keys.
    Help,
    /// Sentences.
    Lines(&'static str, Vec<String>),
    /// The question whether to delete an event.
    Drop(Target),
    /// The question how requests are to fail.
    Fault,
}

/// An event that a key acts on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) id: String,
    pub(super) name: String,
}

/// What is typed at the foot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Input {
    pub(super) what: Asked,
    pub(super) text: String,
}

/// What the typed text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// The fuzzy search.
    Search,
    /// Conditions.
    Conditions,
    /// The name of a moment.
    Mark,
}

/// A message at the foot, until the next key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Notice {
    pub(super) text: String,
    pub(super) is_bad: bool,
}

/// Why the source does not answer. It ends with the next answer of the same form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) job: Job,
    pub(super) text: String,
}

/// One event with its text.
#[derive(Clone, Debug)]
pub(super) struct Detail {
    pub(super) target: Target,
    pub(super) session: Option<String>,
    pub(super) page: Page,
}

/// A session with its text.
#[derive(Clone, Debug)]
pub(super) struct Story {
    pub(super) session: String,
    pub(super) moments: Vec<Moment>,
    pub(super) cursor: usize,
    /// The event at which the session was opened. The cursor goes there when the session was read.
    pub(super) at: Option<String>,
    pub(super) page: Page,
}

impl Story {
    /// Brings the moment under the cursor into sight; with the first one, the head of the session.
    pub(super) fn reach(&mut self, rows: usize) {
        let line = if self.cursor == 0 { 0 } else { self.cursor + render::HEAD };
        self.page.reach(line, rows);
    }
}

/// What the interface knows and shows.
#[derive(Debug)]
pub(super) struct State {
    /// Columns and rows of the terminal.
    pub(super) size: (u16, u16),
    /// Without it, nothing is told by color. No state is told by color alone.
    pub(super) is_colored: bool,
    /// The source, as it was passed.
    pub(super) source: String,
    /// What a person must know about the source.
    pub(super) notes: Vec<String>,
    pub(super) about: About,
    /// Why the source does not answer.
    pub(super) trouble: Option<Trouble>,
    /// How long the source has not answered yet, if that is long.
    pub(super) busy: Option<Duration>,
    pub(super) overview: Option<Overview>,
    /// The fault in effect: the app's requests fail.
    pub(super) fault: Option<String>,
    pub(super) list: List,
    pub(super) screen: Screen,
    /// Where an event was opened.
    pub(super) opened_from: Screen,
    pub(super) detail: Option<Detail>,
    pub(super) story: Option<Story>,
    pub(super) status: Page,
    pub(super) drops: Page,
    pub(super) overlay: Option<Overlay>,
    /// The first row in sight of what is in front of the screen.
    pub(super) overlay_top: usize,
    pub(super) input: Option<Input>,
    pub(super) notice: Option<Notice>,
}

impl State {
    /// The state before the first answer.
    pub(super) fn new(source: &str, notes: Vec<String>, size: (u16, u16), is_colored: bool) -> State {
        State {
            size,
            is_colored,
            source: source.to_owned(),
            notes,
            about: About::default(),
            trouble: None,
            busy: None,
            overview: None,
            fault: None,
            list: List::new(),
            screen: Screen::default(),
            opened_from: Screen::default(),
            detail: None,
            story: None,
            status: Page::default(),
            drops: Page::default(),
            overlay: None,
            overlay_top: 0,
            input: None,
            notice: None,
        }
    }

    /// What is asked first.
    pub(super) fn start(&self) -> Vec<Effect> {
        [Job::About, Job::Events(self.list.query()), Job::Status].map(Effect::Ask).into()
    }

    /// Everything in sight, asked again.
    pub(super) fn refresh(&self) -> Vec<Effect> {
        let mut jobs = vec![Job::About, Job::Events(self.list.query()), Job::Status];
        if let Some(detail) = self.detail.as_ref().filter(|_| self.shows_event()) {
            jobs.push(Job::Show(detail.target.id.clone()));
        }
        match (self.screen, &self.story) {
            (Screen::Timeline, Some(story)) => jobs.push(Job::Session(story.session.clone())),
            (Screen::Drops, _) => jobs.push(Job::Drops),
            _ => {}
        }
        jobs.into_iter().map(Effect::Ask).collect()
    }

    /// The areas of the screen.
    pub(super) fn areas(&self) -> Areas {
        Areas::new(self.size, 4 + u16::from(self.list.is_filtered()) + u16::from(self.is_narrow()))
    }

    /// Whether the lanes have a line of their own.
    pub(super) fn is_narrow(&self) -> bool {
        self.size.0 < NARROW
    }

    /// Shows an event as soon as it is read.
    pub(super) fn open(&mut self, target: Target) -> Effect {
        let id = target.id.clone();
        self.detail = Some(Detail { target, session: None, page: Page::wrapped() });
        Effect::Ask(Job::Show(id))
    }

    /// Whether an event is in sight: opened, or beside the list.
    pub(super) fn shows_event(&self) -> bool {
        self.screen == Screen::Event || (self.screen == Screen::Events && self.areas().is_wide)
    }

    /// The text in sight.
    pub(super) fn page(&mut self) -> Option<&mut Page> {
        match self.screen {
            Screen::Events => None,
            Screen::Event => self.detail.as_mut().map(|detail| &mut detail.page),
            Screen::Timeline => self.story.as_mut().map(|story| &mut story.page),
            Screen::Status => Some(&mut self.status),
            Screen::Drops => Some(&mut self.drops),
        }
    }

    /// The event that keys act on.
    pub(super) fn target(&self) -> Option<Target> {
        match self.screen {
            Screen::Events => {
                self.list.selected().map(|event| Target { id: event.id.clone(), name: event.name.clone() })
            }
            Screen::Event => self.detail.as_ref().map(|detail| detail.target.clone()),
            Screen::Timeline => {
                let moment = self.story.as_ref().and_then(|story| story.moments.get(story.cursor));
                moment.map(|moment| Target { id: moment.id.clone(), name: moment.text.clone() })
            }
            Screen::Status | Screen::Drops => None,
        }
    }

    /// Remembers the fault in effect.
    pub(super) fn has_fault(&mut self, fault: String) {
        self.fault = Some(fault).filter(|fault| fault != "none");
    }

    /// Shows something in front of the screen.
    pub(super) fn show(&mut self, overlay: Overlay) {
        (self.overlay, self.overlay_top) = (Some(overlay), 0);
    }

    /// Says something at the foot.
    pub(super) fn say(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice { text: text.into(), is_bad: false });
    }

    /// Says at the foot what went wrong.
    pub(super) fn warn(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice { text: text.into(), is_bad: true });
    }
}

/// What has become of the events, over all kinds and routes: names and counts.
pub(super) fn sums(overview: &Overview) -> [(&'static str, u64); 5] {
    let routes =
        |count: fn(&crate::queue::RouteBalance) -> u64| overview.routes.iter().map(count).fold(0, u64::saturating_add);
    let early = overview.kinds.iter().map(|kind| total(&kind.dropped)).fold(0, u64::saturating_add);
    [
        ("waiting", routes(|route| route.queued.saturating_add(route.in_flight))),
        ("dead", routes(|route| route.dead)),
        ("dropped", routes(|route| total(&route.dropped)).saturating_add(early)),
        ("delivered", routes(|route| route.delivered)),
        ("refused", total(&overview.refused)),
    ]
}
