//! Every limit of the engine: a named constant with its unit and its reason.
//!
//! Where a user may choose, [`crate::Config`] has a setter and the constant here is its default or bound.

use std::time::Duration;

/// Ring region in bytes. 768 KiB hold about 3,900 events of 200 bytes: 195 ms at 20,000 events a second, while the
/// writer folds every 250 ms or at half-full.
pub const RING_BYTES: usize = 768 * 1024;

/// Room in the ring file for one native crash, in bytes.
pub const RESERVE_BYTES: usize = 16 * 1024;

/// Largest body of a ring record in bytes, after cutting: 24 of them fit the ring.
pub const RECORD_BYTES: usize = 32 * 1024;

/// Largest row in bytes of JSON with its trail: the cap of our own endpoint, under every vendor's.
pub const ROW_BYTES: usize = 64 * 1024;

/// Largest breadcrumb in bytes of JSON: 100 of them leave room for the error in [`ROW_BYTES`] most of the time.
pub const CRUMB_BYTES: usize = 1024;

/// Breadcrumbs kept. The same number as Sentry's SDKs.
pub const CRUMBS: usize = 100;

/// Size cap of the queue in bytes (default). Mixpanel's minimum; Datadog allows 512 MB, Glean 50 MB.
pub const QUEUE_BYTES: u64 = 20 * 1024 * 1024;

/// Age cap of a row (default).
pub const MAX_AGE: Duration = Duration::from_secs(14 * 24 * 3600);

/// Age cap of a crash.
pub const MAX_AGE_CRASH: Duration = Duration::from_secs(30 * 24 * 3600);

/// An age over this is a broken clock, in days.
pub const AGE_UNKNOWN_DAYS: i64 = 400;

/// Longest wait from a record to the fold while the writer sleeps.
pub const FOLD_INTERVAL: Duration = Duration::from_millis(250);

/// Longest wait from a commit to the checkpoint that syncs it: what a power failure may lose.
pub const SYNC_INTERVAL: Duration = Duration::from_secs(30);

/// Critical commits are synced at most this often; fatal ones always.
pub const CRITICAL_SYNC_INTERVAL: Duration = Duration::from_millis(200);

/// WAL pages (4 KiB) at which an idle writer checkpoints.
pub const WAL_PAGES_IDLE: u32 = 64;

/// WAL pages at which any writer checkpoints on a disk with little free space: half of [`LOG_BYTES`], so that the next
/// transaction fits behind them.
pub const WAL_PAGES: u32 = 128;

/// Bytes of the log whose blocks are allocated once and kept: 256 pages with their headers. On a full disk every
/// transaction fits into it (measured: the largest changes 160 pages).
pub const LOG_BYTES: u64 = 258 * 4096;

/// How long an unusable folder is left alone.
pub const REOPEN_INTERVAL: Duration = Duration::from_secs(60);

/// Dead letters kept for QA, per route.
pub const DEAD_LETTERS: usize = 100;

/// How long a dead letter is kept.
pub const DEAD_LETTER_AGE: Duration = Duration::from_secs(7 * 24 * 3600);

/// Receipts kept, per route.
pub const RECEIPTS: usize = 100;

/// A row of a kind that its destination takes, but for which the destination answered `Later`, is offered again after this.
pub const ASK_AGAIN: Duration = Duration::from_secs(60);

/// How long rows wait for a destination that is known but was not declared in this run.
pub const DORMANT_AGE: Duration = Duration::from_secs(7 * 24 * 3600);

/// Events that start a batch in the foreground.
pub const BATCH_EVENTS: u64 = 50;

/// Age that starts a batch in the foreground.
pub const BATCH_INTERVAL: Duration = Duration::from_secs(30);

/// Age that starts a batch in the background, where a timer may wake the device.
pub const BACKGROUND_INTERVAL: Duration = Duration::from_secs(15 * 60);

/// Losses alone, without a row to go along with, are reported at most this often.
pub const LOSSES_INTERVAL: Duration = Duration::from_secs(600);

/// Immediate requests for lanes 0 and 1: at most one per destination in this time.
pub const IMMEDIATE_INTERVAL: Duration = Duration::from_secs(5);

/// Most events in one cut.
pub const CUT_EVENTS: usize = 500;

/// Most bytes of row JSON in one cut.
pub const CUT_BYTES: usize = 1024 * 1024;

/// Lanes 0 and 1 are tried at least this often, whatever the hints say.
pub const HINT_DELAY_CRITICAL: Duration = Duration::from_secs(15 * 60);

/// Low power delays lanes 2 and 3 by at most this.
pub const HINT_DELAY: Duration = Duration::from_secs(24 * 3600);

/// Time to connect.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Time for a whole request.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Longest `Retry-After` believed.
pub const RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);

/// Bytes of an answer that are read: the largest useful one names 500 rejected rows.
pub const ANSWER_BYTES: usize = 1024 * 1024;

/// Requests a bisect may cost, per route and hour.
pub const BISECT_REQUESTS_PER_HOUR: u32 = 20;

/// 5xx answers to the same batch after which it is suspected to be poison.
pub const OUTAGES_BEFORE_BISECT: u32 = 5;

/// Attempts on the same batch without an answer that can be understood, after which it is bisected. With
/// [`UNCLEAR_AGE`]: the later of the two counts, so that neither a bad hour nor an app that is rarely open loses a
/// batch.
pub const UNCLEAR_ATTEMPTS: u32 = 20;

/// See [`UNCLEAR_ATTEMPTS`].
pub const UNCLEAR_AGE: Duration = Duration::from_secs(24 * 3600);

/// Attempts without any answer after which a part of a batch that is bisected counts as refused: one broken connection
/// says nothing about the events.
pub const LOST_BEFORE_REFUSED: u32 = 3;

/// `flush` ignores a wait of our own choice at most once in this time, per route: apps call it after each event.
pub const FLUSH_INTERVAL: Duration = Duration::from_secs(5);

/// Attributes of one event.
pub const ATTRIBUTES: usize = 128;

/// Depth of nested attribute values.
pub const ATTRIBUTE_DEPTH: usize = 5;

/// Bytes of one text value (message, URL, attribute), after which it is cut. Sentry's limit for a message.
pub const TEXT_BYTES: usize = 8192;

/// Bytes of a name (screen, event, attribute key, tag), after which it is cut.
pub const NAME_BYTES: usize = 200;

/// Stack frames of one error.
pub const FRAMES: usize = 50;

/// Elements of one list or map inside an attribute.
pub const ELEMENTS: usize = 64;

/// Names in `metrics()`; the rest goes under `other`.
pub const METRIC_NAMES: usize = 200;

/// Child spans inside a screen load's row.
pub const CHILD_SPANS: usize = 100;

/// A screen load is slow above this (default; the guide's threshold).
pub const SLOW_SCREEN: Duration = Duration::from_millis(3_000);

/// An API call is slow above this (default; the guide's threshold).
pub const SLOW_API: Duration = Duration::from_millis(5_000);

/// An image load is slow above this (default; the guide's threshold).
pub const SLOW_IMAGE: Duration = Duration::from_millis(2_000);

/// Time in the background after which a session ends (default).
pub const SESSION_BACKGROUND: Duration = Duration::from_secs(30);

/// Longest time in the background that a configuration can allow: a session longer than a day says nothing.
pub const SESSION_BACKGROUND_MAX: Duration = Duration::from_secs(24 * 3600);

/// Sessions of earlier runs that wait for their end. A run ends them in its first second, so more means a crash loop.
pub const UNFINISHED_SESSIONS: usize = 100;

/// Errors of one fingerprint, or messages of one text, stored in [`COLLAPSE_WINDOW`]; further ones are collapsed.
pub const COLLAPSE_AFTER: u32 = 10;

/// Window of [`COLLAPSE_AFTER`].
pub const COLLAPSE_WINDOW: Duration = Duration::from_secs(60);

/// Longest wait of `fatal()`.
pub const FATAL_WAIT: Duration = Duration::from_millis(500);

/// Longest wait for a hook; then its event is dropped.
pub const HOOK_WAIT: Duration = Duration::from_secs(1);

/// Rows of one read that must fail their checksum before the file is suspected: a single flipped bit costs one row.
pub const STORM_ROWS: usize = 5;

/// Share of a read, in percent, above which the file is taken for damaged as a whole.
pub const STORM_PERCENT: usize = 1;

/// Quarantines in [`QUARANTINE_WINDOW`] after which the run stays in memory.
pub const QUARANTINES: usize = 3;

/// Window of [`QUARANTINES`].
pub const QUARANTINE_WINDOW: Duration = Duration::from_secs(7 * 24 * 3600);
