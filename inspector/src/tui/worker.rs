//! Asks the source, on a thread of its own: the screen does not wait for a slow app.

use super::message::{About, Answer, Job, Told};
use crate::source::{Ask, Inspect, SourceError};
use crate::timeline::story;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SendError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Between two looks for changes. The look is one pragma while nothing changes.
const INTERVAL: Duration = Duration::from_millis(200);

/// The same while the source does not answer.
const INTERVAL_OF_TROUBLE: Duration = Duration::from_secs(1);

/// How long the end of the program waits for an answer.
const GRACE: Duration = Duration::from_millis(500);

/// The thread that asks.
pub(super) struct Worker {
    /// `None` when the worker is dropped.
    jobs: Option<Sender<Job>>,
    /// When the question was put that has no answer yet.
    asked: Arc<Mutex<Option<Instant>>>,
    thread: JoinHandle<()>,
}

impl Worker {
    /// Starts the thread.
    pub(super) fn start(source: Arc<dyn Inspect>, say: impl Fn(Answer) + Send + 'static) -> std::io::Result<Worker> {
        let (jobs, waiting) = channel();
        let asked = Arc::new(Mutex::new(None));
        let asker = Asker { source, asked: Arc::clone(&asked), seen: None };
        let thread = std::thread::Builder::new().name("rezq-source".to_owned());
        let thread = thread.spawn(move || asker.work(&waiting, say))?;
        Ok(Worker { jobs: Some(jobs), asked, thread })
    }

    /// Whether the thread has ended, which is a fault of `rezq`.
    pub(super) fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// Has the source asked. An error means that the thread has ended.
    pub(super) fn ask(&self, job: Job) -> Result<(), SendError<Job>> {
        match &self.jobs {
            Some(jobs) => jobs.send(job),
            None => Err(SendError(job)),
        }
    }

    /// How long the source has had for the question that it is answering.
    pub(super) fn busy(&self) -> Duration {
        let asked = *self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.map(|asked| asked.elapsed()).unwrap_or_default()
    }
}

impl Drop for Worker {
    /// Ends the thread, and waits for it a little: it closes the source and removes its temporary files. A slow app is not waited for.
    fn drop(&mut self) {
        drop(self.jobs.take());
        let end = Instant::now() + GRACE;
        while !self.thread.is_finished() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

struct Asker {
    source: Arc<dyn Inspect>,
    asked: Arc<Mutex<Option<Instant>>>,
    /// The version that was seen last. An error is told once, and so is its end.
    seen: Option<Result<u64, SourceError>>,
}

impl Asker {
    fn work(mut self, jobs: &Receiver<Job>, say: impl Fn(Answer)) {
        let mut waiting = VecDeque::new();
        let mut look = Instant::now();
        loop {
            if waiting.is_empty() {
                match jobs.recv_timeout(look.saturating_duration_since(Instant::now())) {
                    Ok(job) => waiting.push_back(job),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
            waiting.extend(jobs.try_iter());
            if Instant::now() >= look {
                if let Some(answer) = self.look() {
                    say(answer);
                }
                look = Instant::now() + if matches!(self.seen, Some(Err(_))) { INTERVAL_OF_TROUBLE } else { INTERVAL };
            }
            let Some(job) = waiting.pop_front() else { continue };
            if waiting.iter().any(|later| job.is_replaced_by(later)) {
                continue;
            }
            let answer = self.timed(|source| answer(source, job));
            if let Err(error) = &answer.result
                && error.is_silence()
            {
                // The next look that is answered tells that the source is back.
                self.seen = Some(Err(error.clone()));
            }
            say(answer);
        }
    }

    /// Looks for a change.
    fn look(&mut self) -> Option<Answer> {
        let version = self.timed(|source| Ask(source).version());
        let is_news = match &self.seen {
            None => version.is_err(),
            Some(seen) => *seen != version,
        };
        self.seen = Some(version.clone());
        is_news.then(|| Answer { job: Job::Version, result: version.map(|_| Told::Changed) })
    }

    fn timed<T>(&self, ask: impl FnOnce(&dyn Inspect) -> T) -> T {
        let set = |asked| *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = asked;
        set(Some(Instant::now()));
        let answer = ask(&*self.source);
        set(None);
        answer
    }
}

/// Puts one question to the source.
pub(super) fn answer(source: &dyn Inspect, job: Job) -> Answer {
    let result = told(Ask(source), &job);
    Answer { job, result }
}

fn told(ask: Ask<'_>, job: &Job) -> Result<Told, SourceError> {
    Ok(match job {
        Job::About => {
            let answer = ask.raw(&json!({"ask": "about"}))?;
            let app = answer.get("app").and_then(Value::as_str).unwrap_or_default().to_owned();
            Told::About(About { app, can: texts(&answer, "can") })
        }
        Job::Version => ask.version().map(|_| Told::Changed)?,
        Job::Events(query) => {
            let page = ask.list(query)?;
            Told::Events { events: page.events, has_more: page.before.is_some(), unreadable: page.unreadable }
        }
        Job::Status => {
            let (overview, fault) = ask.overview_and_fault(false)?;
            Told::Status(overview, fault)
        }
        Job::Show(id) | Job::Copy(id) => Told::Shown(Box::new(ask.show(id)?.0)),
        Job::Why(id) => Told::Lines(texts(&ask.raw(&json!({"ask": "why", "id": id}))?, "lines")),
        Job::Session(session) => Told::Session(story(ask, session)?),
        Job::Drops => {
            let (drops, answer) = ask.drops()?;
            Told::Drops(drops, answer.get("refused").cloned().unwrap_or_default())
        }
        Job::SendNow => {
            let answer = ask.raw(&json!({"tell": "send_now"}))?;
            let destinations = answer.get("destinations").and_then(Value::as_array).into_iter().flatten();
            let text = |one: &Value| one.get("text").and_then(Value::as_str).unwrap_or_default().to_owned();
            Told::Lines(destinations.map(text).collect())
        }
        Job::Mark(text) => ask.raw(&json!({"tell": "mark", "text": text})).map(|_| Told::Done(1))?,
        Job::Fault(fault) => {
            let answer = ask.raw(&json!({"tell": "fault", "fault": fault}))?;
            Told::Fault(answer.get("fault").and_then(Value::as_str).unwrap_or_default().to_owned())
        }
        Job::Requeue(id) => Told::Done(count(&ask.raw(&json!({"tell": "requeue", "ids": [id]}))?, "requeued")),
        Job::Drop(id) => Told::Done(count(&ask.raw(&json!({"tell": "drop", "ids": [id]}))?, "dropped")),
    })
}

fn texts(answer: &Value, member: &str) -> Vec<String> {
    let texts = answer.get(member).and_then(Value::as_array).into_iter().flatten();
    texts.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn count(answer: &Value, member: &str) -> u64 {
    answer.get(member).and_then(Value::as_u64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Query;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const WAIT: Duration = Duration::from_secs(60);

    /// Answers from a list, one after another; the last one again and again. An empty one is an error of the file.
    struct Says(Vec<&'static str>, AtomicUsize);

    impl Inspect for Says {
        fn try_inspect(&self, _: &str) -> Result<String, SourceError> {
            let at = self.1.fetch_add(1, Ordering::SeqCst).min(self.0.len() - 1);
            match self.0[at] {
                "" => Err(crate::files::FileError::Missing("shop".into()).into()),
                answer => Ok(answer.to_owned()),
            }
        }
    }

    fn told_by(answers: Vec<&'static str>) -> (Worker, Receiver<Answer>) {
        let (say, told) = channel();
        let source = Arc::new(Says(answers, AtomicUsize::new(0)));
        (Worker::start(source, move |answer| drop(say.send(answer))).unwrap(), told)
    }

    #[test]
    fn a_change_a_failure_and_its_end_are_told_once() {
        let (first, second) = (r#"{"version":1}"#, r#"{"version":2}"#);
        let (_worker, told) = told_by(vec![first, first, second, "", "", second, second]);
        let next = || told.recv_timeout(WAIT).unwrap().result.map(|_| ()).map_err(|error| error.to_string());
        assert_eq!(next(), Ok(()));
        assert!(next().unwrap_err().contains("shop"));
        assert_eq!(next(), Ok(()));
    }

    #[test]
    fn a_question_that_a_later_one_replaces_is_not_asked_and_nothing_told_is_left_out() {
        let show = |id: &str| Job::Show(id.to_owned());
        assert!(show("a").is_replaced_by(&show("b")) && !show("a").is_replaced_by(&Job::Status));
        assert!(!Job::Mark("a".to_owned()).is_replaced_by(&Job::Mark("b".to_owned())));
        assert!(!Job::Requeue("a".to_owned()).is_replaced_by(&Job::Requeue("b".to_owned())));
    }

    #[test]
    fn an_answer_of_another_form_is_an_error() {
        let source = Says(vec!["{}"], AtomicUsize::new(0));
        for job in [Job::Version, Job::Events(Query::default()), Job::Show("x".to_owned()), Job::Drops] {
            let error = answer(&source, job.clone()).result.unwrap_err().to_string();
            assert!(error.contains("use the version of rezq"), "{job:?}: {error}");
        }
        let refusal = Says(vec![r#"{"error": "no"}"#], AtomicUsize::new(0));
        assert_eq!(answer(&refusal, Job::SendNow).result.unwrap_err(), SourceError::Refused("no".to_owned()));
    }
}
