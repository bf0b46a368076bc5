//! What a message changes, and what is to be done then.

use super::input;
use super::message::{Answer, Effect, Job, Message, Told};
use super::state::{Overlay, Screen, State, Trouble};
use crate::render;
use std::mem::discriminant;

/// The state after a message, and what is to be done.
pub(super) fn update(state: &mut State, message: Message) -> Vec<Effect> {
    let mut effects = match message {
        Message::Key(key) => input::key(state, key),
        Message::Paste(text) => {
            input::paste(state, &text);
            Vec::new()
        }
        Message::Resize(width, height) => {
            state.size = (width, height);
            Vec::new()
        }
        Message::Answer(answer) => answered(state, *answer),
        Message::Busy(time) => {
            state.busy = Some(time);
            Vec::new()
        }
        Message::End => vec![Effect::Quit],
    };
    let rows = state.areas().rows();
    if state.list.fit(rows) {
        effects.push(Effect::Ask(Job::Events(state.list.query())));
    }
    effects.extend(beside(state));
    effects
}

/// On a wide screen, the event under the cursor stands beside the list.
fn beside(state: &mut State) -> Option<Effect> {
    if state.screen != Screen::Events || !state.areas().is_wide {
        return None;
    }
    let target = state.target()?;
    if state.detail.as_ref().is_some_and(|detail| detail.target.id == target.id) {
        return None;
    }
    Some(state.open(target))
}

fn answered(state: &mut State, Answer { job, result }: Answer) -> Vec<Effect> {
    state.busy = None;
    match result {
        Ok(told) => {
            if state.trouble.as_ref().is_some_and(|trouble| discriminant(&trouble.job) == discriminant(&job)) {
                state.trouble = None;
            }
            return took(state, job, told);
        }
        // Asked again by itself, until it is answered.
        Err(error) if error.is_silence() && matches!(job, Job::Version | Job::About | Job::Events(_) | Job::Status) => {
            state.trouble = Some(Trouble { job, text: error.to_string() });
        }
        Err(error) => failed(state, &job, error.to_string()),
    }
    Vec::new()
}

/// The source answers that it cannot do this, does not know the event, or does not answer.
fn failed(state: &mut State, job: &Job, sentence: String) {
    match (job, &mut state.detail) {
        (Job::Show(id), Some(detail)) if detail.target.id == *id => detail.page.set(&sentence),
        (Job::Events(query), _) if *query == state.list.query() => {
            state.list.is_read = true;
            state.warn(sentence);
        }
        (Job::Show(_) | Job::Events(_), _) => {}
        (Job::Drops, _) => state.drops.set(&sentence),
        _ => state.warn(sentence),
    }
}

fn took(state: &mut State, job: Job, told: Told) -> Vec<Effect> {
    match (job, told) {
        (_, Told::About(about)) => state.about = about,
        (_, Told::Changed) => return state.refresh(),
        // An answer to an earlier query is of no use.
        (Job::Events(query), Told::Events { events, has_more, unreadable }) if query == state.list.query() => {
            state.list.set(events, has_more, unreadable);
        }
        (_, Told::Status(overview, fault)) => {
            state.has_fault(fault);
            state.status.set(&render::status(&overview));
            state.overview = Some(overview);
        }
        (Job::Copy(_), Told::Shown(shown)) => {
            let json = serde_json::to_string_pretty(&shown.json).unwrap_or_default();
            return vec![Effect::Copy(json)];
        }
        (_, Told::Shown(shown)) => {
            if let Some(detail) = &mut state.detail
                && detail.target.id == shown.event.id
            {
                detail.page.set(&render::event(&shown));
                detail.session.clone_from(&shown.event.session);
            }
        }
        (Job::Session(session), Told::Session(moments)) => {
            let (_, rows) = state.areas().text();
            if let Some(story) = &mut state.story
                && story.session == session
            {
                let none = || "no screen, call, tap or error of this session is stored".to_owned();
                let lines = render::timeline(&session, &moments).join("\n");
                story.page.set(&if moments.is_empty() { none() } else { lines });
                story.moments = moments;
                let at = story.at.take();
                let place = at.and_then(|id| story.moments.iter().position(|moment| moment.id == id));
                story.cursor = place.unwrap_or(story.cursor).min(story.moments.len().saturating_sub(1));
                story.reach(rows);
            }
        }
        (_, Told::Drops(drops, refused)) => state.drops.set(&render::drops(&drops, &refused)),
        (Job::SendNow, Told::Lines(lines)) => {
            let none = vec!["the app has no destination".to_owned()];
            state.notice = None;
            state.show(Overlay::Lines("send now", if lines.is_empty() { none } else { lines }));
            return state.refresh();
        }
        (_, Told::Fault(fault)) => {
            let text = if fault == "none" { "requests no longer fail".to_owned() } else { format!("fault `{fault}`") };
            state.say(text);
            state.has_fault(fault);
            return state.refresh();
        }
        (_, Told::Lines(lines)) => state.show(Overlay::Lines("why", lines)),
        (job, Told::Done(n)) => {
            match (&job, n) {
                (Job::Mark(text), _) => state.say(format!("marked `{text}`")),
                (Job::Requeue(_), 0) => state.warn("not queued again: the event is no dead letter"),
                (Job::Requeue(_), _) => state.say("queued again"),
                (_, 0) => state.warn("not deleted: its request may have been sent, or it is no longer in the queue"),
                _ => state.say("deleted, and counted as cleared_by_user"),
            }
            return state.refresh();
        }
        _ => {}
    }
    Vec::new()
}
