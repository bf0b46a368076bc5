//! Builds a request from rows: consent, encoding, compression. A panic in an encoder is caught: it affects its batch,
//! not the thread.

use super::outcome::RequestEnd;
use crate::destination::{Action, Batch, Destination, Granted, RouteSpec, Stamp, Verdict, Want, intercepted};
use crate::kind::{Kind, Purpose};
use crate::row::Row;
use crate::transport::{Request, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// gzip level: measured as the best compromise of size and time for row JSON.
const LEVEL: u32 = 3;

/// Which rows a route takes now.
#[derive(Clone)]
pub(crate) struct Filter {
    pub(crate) name: String,
    pub(crate) destination: Arc<dyn Destination>,
    pub(crate) spec: &'static RouteSpec,
    pub(crate) granted: Granted,
    /// The purposes that the user denied, as opposed to not answered yet.
    pub(crate) denied: Granted,
    /// Kinds under a limit of the server.
    pub(crate) limited: Vec<Kind>,
}

impl Filter {
    /// Whether the route takes this row into a batch; `cut` is the first row of the batch and the number of its rows.
    /// It runs on the writer's thread and never panics.
    pub(crate) fn take(&self, cut: &mut Option<(Row, usize)>, row: &Row) -> Want {
        let want = self.want(row);
        if want != Want::Yes {
            return want;
        }
        let Some((first, taken)) = cut else {
            *cut = Some((row.clone(), 1));
            return Want::Yes;
        };
        let fits = catch_unwind(AssertUnwindSafe(|| self.destination.fits(self.spec, first, *taken, row)));
        if !fits.unwrap_or(false) {
            return Want::Next;
        }
        *taken = taken.saturating_add(1);
        Want::Yes
    }

    /// Whether the route takes this row.
    fn want(&self, row: &Row) -> Want {
        let want = catch_unwind(AssertUnwindSafe(|| wants(&self.name, &*self.destination, self.spec, row)));
        match want.unwrap_or(Want::Later) {
            Want::Yes if self.limited.contains(&row.kind) => Want::Later,
            Want::Yes if !allowed(self.destination.purposes(), row, self.granted) => {
                // A row that waits for the user's answer may be sent later; one that was denied is never sent.
                let Granted { monitoring, analytics } = self.denied;
                let perhaps = Granted { monitoring: !monitoring, analytics: !analytics };
                if allowed(self.destination.purposes(), row, perhaps) { Want::Later } else { Want::No }
            }
            want => want,
        }
    }

    /// The kinds of which the route takes no row now, but may later.
    pub(crate) fn closed(&self) -> Vec<Kind> {
        Kind::ALL.into_iter().filter(|kind| self.is_closed(*kind)).collect()
    }

    /// Whether rows of this kind wait: for the end of a limit, or for the user to answer about consent. Rows of a purpose
    /// that the user refused do not wait, they are never sent.
    fn is_closed(&self, kind: Kind) -> bool {
        let purposes = self.destination.purposes();
        let Granted { monitoring, analytics } = self.denied;
        let unless_denied = Granted { monitoring: !monitoring, analytics: !analytics };
        let serves = |granted| kind.purposes().iter().any(|own| purposes.contains(own) && is_granted(*own, granted));
        let pending = !serves(self.granted) && serves(unless_denied);
        pending || self.limited.contains(&kind)
    }
}

/// Whether a destination takes a row at all, now or later.
pub(crate) fn wants(name: &str, destination: &dyn Destination, spec: &RouteSpec, row: &Row) -> Want {
    let targeted = row.targets.is_empty() || row.targets.iter().any(|target| target == name);
    let everything = Granted { monitoring: true, analytics: true };
    if !targeted || row.is_paused_for(name) || !allowed(destination.purposes(), row, everything) {
        return Want::No;
    }
    destination.wants(spec, row)
}

/// Whether one of the row's purposes is among the destination's, is granted, and was not denied when the event was
/// recorded.
pub(crate) fn allowed(purposes: &[Purpose], row: &Row, granted: Granted) -> bool {
    let serves = |purpose: &&Purpose| purposes.contains(purpose) && is_granted(**purpose, granted);
    let mut served = row.kind.purposes().iter().filter(serves).peekable();
    served.peek().is_some() && {
        let denied = if row.kind.purposes().len() > 1 { row.denied() } else { None };
        served.any(|purpose| Some(*purpose) != denied)
    }
}

/// Whether a purpose is granted.
pub(crate) fn is_granted(purpose: Purpose, granted: Granted) -> bool {
    match purpose {
        Purpose::Monitoring => granted.monitoring,
        Purpose::Analytics => granted.analytics,
    }
}

/// Builds the request, compressed where the route supports it.
///
/// # Errors
/// The encoder panicked.
pub(crate) fn build(
    destination: &dyn Destination,
    spec: &RouteSpec,
    batch: &Batch<'_>,
    stamp: &Stamp<'_>,
    compress: bool,
) -> Result<Request, String> {
    let encoded = catch_unwind(AssertUnwindSafe(|| destination.encode(spec, batch, stamp)));
    let mut request = encoded.map_err(|_| "the encoder failed on these events".to_owned())?;
    if spec.gzip && compress && !request.body.is_empty() {
        // The gzip header contains no time, so that the same body gives the same bytes.
        let mut gzip = GzEncoder::new(Vec::with_capacity(request.body.len() / 4), Compression::new(LEVEL));
        if gzip.write_all(&request.body).is_ok()
            && let Ok(body) = gzip.finish()
        {
            request.body = body;
            request.headers.push(("Content-Encoding".into(), "gzip".into()));
        }
    }
    Ok(request)
}

/// What a response means.
pub(crate) fn read(
    destination: &dyn Destination,
    spec: &RouteSpec,
    batch: &Batch<'_>,
    response: &Response,
) -> RequestEnd {
    let is_own = || catch_unwind(AssertUnwindSafe(|| destination.recognizes(response))).unwrap_or(false);
    if let Some(what) = intercepted(response)
        && !is_own()
    {
        return RequestEnd::Intercepted(response.status, what);
    }
    let verdict = catch_unwind(AssertUnwindSafe(|| destination.verdict(spec, batch, response)));
    let failed = |_| Verdict::of(Action::Ambiguous("the destination panicked while it read the response".to_owned()));
    RequestEnd::Responded(response.status, verdict.unwrap_or_else(failed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_sent_only_for_a_granted_purpose_of_both_its_kind_and_the_destination() {
        let granted = |monitoring, analytics| Granted { monitoring, analytics };
        let (monitoring, both) = ([Purpose::Monitoring], Purpose::ALL);
        for (purposes, kind, granted, expected) in [
            (&monitoring[..], Kind::Error, granted(true, false), true),
            (&monitoring[..], Kind::Error, granted(false, true), false),
            (&monitoring[..], Kind::Analytics, granted(true, true), false),
            (&both[..], Kind::Analytics, granted(true, true), true),
            (&both[..], Kind::Analytics, granted(true, false), false),
            (&monitoring[..], Kind::Session, granted(true, false), true),
            (&monitoring[..], Kind::Session, granted(false, true), false),
            (&both[..], Kind::Session, granted(false, true), true),
            (&both[..], Kind::Session, granted(false, false), false),
        ] {
            assert_eq!(allowed(purposes, &row(kind, None), granted), expected, "{purposes:?} {kind:?} {granted:?}");
        }
    }

    #[test]
    fn a_purpose_that_was_denied_at_the_time_stays_denied_for_the_row() {
        let (monitoring, analytics) = (&[Purpose::Monitoring][..], &[Purpose::Analytics][..]);
        let everything = Granted { monitoring: true, analytics: true };
        let row = row(Kind::ScreenView, Some(Purpose::Analytics));
        assert!(allowed(monitoring, &row, everything));
        assert!(!allowed(analytics, &row, everything));
        assert!(allowed(&Purpose::ALL, &row, everything));
        assert!(!allowed(&Purpose::ALL, &row, Granted { monitoring: false, analytics: true }));
    }

    #[test]
    fn the_end_of_a_row_of_one_purpose_is_not_read_as_a_denial() {
        // The fold never appends the member to such a row, so it is data of the app.
        let row = row(Kind::Error, Some(Purpose::Monitoring));
        assert!(allowed(&[Purpose::Monitoring], &row, Granted { monitoring: true, analytics: true }));
    }

    #[test]
    fn a_kind_is_closed_exactly_when_its_rows_wait() {
        let states = [(false, false), (false, true), (true, false)];
        let destination: Arc<dyn Destination> = Arc::new(
            crate::destination::Rez::builder("https://rez.example.com", "key").purposes(&Purpose::ALL).build().unwrap(),
        );
        for ((monitoring, no_monitoring), (analytics, no_analytics)) in
            states.into_iter().flat_map(|one| states.into_iter().map(move |other| (one, other)))
        {
            let filter = Filter {
                name: "main".to_owned(),
                spec: &destination.routes()[0],
                destination: Arc::clone(&destination),
                granted: Granted { monitoring, analytics },
                denied: Granted { monitoring: no_monitoring, analytics: no_analytics },
                limited: vec![Kind::ApiCall],
            };
            let closed = filter.closed();
            for kind in Kind::ALL {
                let waits = filter.want(&row(kind, None)) == Want::Later;
                assert_eq!(closed.contains(&kind), waits, "{kind:?} {:?} {:?}", filter.granted, filter.denied);
            }
        }
    }

    fn row(kind: Kind, denied: Option<Purpose>) -> Row {
        let mut json = r#"{"name":"Cart"}"#.to_owned();
        if let Some(purpose) = denied {
            crate::row::push_denied(&mut json, purpose);
        }
        let id = crate::EventId::from_bytes([7; 16]);
        Row { seq: 1, id, kind, run: 1, wall_ms: 0, mono_ms: 0, targets: Vec::new(), json }
    }
}
