//! A transport that fails on request, for tests of an app by hand.

use super::{Completion, Request, Response, Sent, Transport};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

/// Status of a refused request.
const REFUSED: u16 = 503;

/// Time that a slow request waits before it is sent: a user notices it, and the time limits of a request leave room for it.
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
pub(crate) struct FaultSwitch(Arc<AtomicU8>);

impl FaultSwitch {
    pub(crate) fn set(&self, fault: Fault) {
        self.0.store(fault as u8, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> Fault {
        let number = self.0.load(Ordering::Relaxed);
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
            Fault::Slow => {
                let (inner, slow) = (Arc::clone(&self.inner), self.slow);
                // If there is no thread, `done` is dropped, which reports an unknown fate.
                let _ = std::thread::Builder::new().name("rez-slow".to_owned()).spawn(move || {
                    crate::own_thread::mark_ours();
                    std::thread::sleep(slow);
                    inner.send(request, done);
                });
            }
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
    }
}
