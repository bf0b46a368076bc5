//! A transport that fails on request, for tests of an app by hand.

use super::{Completion, Request, Response, Sent, Transport};
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Status of a refused request.
const REFUSED: u16 = 503;

/// Time that a slow request waits before it is sent: a user notices it, and half of the time limit for connecting is left.
const SLOW: Duration = Duration::from_secs(5);

/// How requests fail. See `docs/guide/inspect.md`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Fault {
    #[default]
    None,
    Offline,
    Refuse,
    Slow,
}

impl Fault {
    pub(crate) const ALL: [Fault; 4] = [Fault::None, Fault::Offline, Fault::Refuse, Fault::Slow];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Fault::None => "none",
            Fault::Offline => "offline",
            Fault::Refuse => "refuse",
            Fault::Slow => "slow",
        }
    }
}

/// The fault in effect. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct FaultSwitch(Arc<State>);

#[derive(Debug, Default)]
struct State {
    fault: AtomicU8,
    /// Counts the times at which delayed requests were given up.
    given_up: AtomicU32,
}

impl FaultSwitch {
    pub(crate) fn set(&self, fault: Fault) {
        self.0.fault.store(fault as u8, Ordering::Relaxed);
    }

    /// Gives up the requests that wait for their time: they are not sent. For an engine that closes, and when data is erased.
    pub(crate) fn give_up(&self) {
        self.0.given_up.fetch_add(1, Ordering::AcqRel);
    }

    fn given_up(&self) -> u32 {
        self.0.given_up.load(Ordering::Acquire)
    }

    pub(crate) fn get(&self) -> Fault {
        let number = self.0.fault.load(Ordering::Relaxed);
        Fault::ALL.into_iter().find(|fault| *fault as u8 == number).unwrap_or_default()
    }
}

/// Sends through another transport, unless a fault is in effect.
pub(crate) struct Faulty {
    inner: Arc<dyn Transport>,
    switch: FaultSwitch,
    slow: Duration,
}

impl Faulty {
    pub(crate) fn new(inner: Arc<dyn Transport>, switch: FaultSwitch) -> Faulty {
        Faulty { inner, switch, slow: SLOW }
    }

    /// Sends a request later, from a thread of its own.
    fn delay(&self, request: Request, done: Completion) {
        let (inner, slow, switch) = (Arc::clone(&self.inner), self.slow, self.switch.clone());
        let (before, waiting) = (switch.given_up(), Arc::new(Mutex::new(Some((request, done)))));
        let take = |waiting: &Mutex<Option<(Request, Completion)>>| {
            waiting.lock().unwrap_or_else(PoisonError::into_inner).take()
        };
        let later = Arc::clone(&waiting);
        let thread = std::thread::Builder::new().name("rez-slow".to_owned()).spawn(move || {
            crate::own_thread::mark_ours();
            std::thread::sleep(slow);
            let Some((request, done)) = take(&later) else { return };
            if switch.given_up() == before {
                inner.send(request, done);
            } else {
                done.finish(Sent::NotSent("given up while the fault switch `slow` delayed it".to_owned()));
            }
        });
        if thread.is_err()
            && let Some((_, done)) = take(&waiting)
        {
            done.finish(Sent::NotSent("no thread for the fault switch `slow`".to_owned()));
        }
    }
}

impl Transport for Faulty {
    fn send(&self, request: Request, done: Completion) {
        match self.switch.get() {
            Fault::None => self.inner.send(request, done),
            Fault::Offline => done.finish(Sent::NotSent("the fault switch `offline` is on".to_owned())),
            Fault::Refuse => {
                let body = b"the fault switch `refuse` is on".to_vec();
                done.finish(Sent::Response(Response { status: REFUSED, body, ..Response::default() }));
            }
            Fault::Slow => self.delay(request, done),
        }
    }

    fn reports_connect(&self) -> bool {
        self.inner.reports_connect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::{Report, ReportSink};
    use std::sync::mpsc::{Receiver, channel};

    /// Accepts everything.
    struct Accepts;

    impl Transport for Accepts {
        fn send(&self, _: Request, done: Completion) {
            done.finish(Sent::Response(Response { status: 200, ..Response::default() }));
        }

        fn reports_connect(&self) -> bool {
            true
        }
    }

    fn sent(faulty: &Faulty) -> Receiver<Report> {
        let (tell, told) = channel();
        let sink: ReportSink = Arc::new(move |report| tell.send(report).unwrap());
        let request = Request { url: "https://in.example.com".to_owned(), headers: Vec::new(), body: Vec::new() };
        faulty.send(request, Completion::new(sink, 1));
        told
    }

    #[test]
    fn each_fault_ends_a_request_in_its_own_way_and_none_leaves_it_alone() {
        let switch = FaultSwitch::default();
        let slow = Duration::from_millis(50);
        let faulty = Faulty { slow, ..Faulty::new(Arc::new(Accepts), switch.clone()) };
        assert!(faulty.reports_connect());
        let status = |report: Report| match report {
            Report::Finished(1, Sent::Response(response)) => response.status,
            Report::Finished(1, Sent::NotSent(why)) => {
                assert!(why.contains("`offline`"), "{why}");
                0
            }
            other => panic!("{other:?}"),
        };
        for (fault, expected) in [(Fault::None, 200), (Fault::Offline, 0), (Fault::Refuse, 503), (Fault::None, 200)] {
            switch.set(fault);
            assert_eq!(status(sent(&faulty).recv().unwrap()), expected, "{fault:?}");
        }
        switch.set(Fault::Slow);
        let begun = std::time::Instant::now();
        assert_eq!(status(sent(&faulty).recv().unwrap()), 200);
        assert!(begun.elapsed() >= slow);
        let told = sent(&faulty);
        switch.give_up();
        let report = told.recv().unwrap();
        assert!(matches!(&report, Report::Finished(1, Sent::NotSent(why)) if why.contains("given up")), "{report:?}");
    }
}
