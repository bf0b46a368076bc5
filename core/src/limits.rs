//! Every limit of the engine: a named constant with its unit and its reason.
//!
//! Where a user may choose, [`crate::Config`] has a setter and the constant here is its default or bound.

use std::time::Duration;

/// Ring region in bytes. 768 KiB hold about 3,900 events of 200 bytes: 195 ms at 20,000 events a second, while the
/// writer folds every 250 ms or at half-full.
pub const RING_BYTES: usize = 768 * 1024;

/// Space in the ring file for one native crash, in bytes: the crashed thread may hold the
/// append lock, so that the ring itself cannot be used.
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

/// Age cap of a row (default): between the 5 days of Mixpanel's SDKs and the 30 days of Snowplow's.
pub const MAX_AGE: Duration = Duration::from_secs(14 * 24 * 3600);

/// Age cap of a crash: an app that crashes may not be opened again for weeks. Snowplow's SDKs keep every event as long.
pub const MAX_AGE_CRASH: Duration = Duration::from_secs(30 * 24 * 3600);

/// An age above this, in days, means that the clock was wrong: it is longer than every age cap.
pub const AGE_UNKNOWN_DAYS: i64 = 400;

/// Longest wait from a record to the fold while the writer sleeps: at most four transactions a second. A ring that is
/// half full wakes the writer earlier.
pub const FOLD_INTERVAL: Duration = Duration::from_millis(250);

/// Longest wait from a commit to the checkpoint that syncs it: what a power failure may lose. At most 2,880
/// syncs a day, each of which wears the flash and uses the battery.
pub const SYNC_INTERVAL: Duration = Duration::from_secs(30);

/// Critical commits are synced at most this often, five times a second, so that a loop of errors does not
/// sync each one. Fatal ones are always synced.
pub const CRITICAL_SYNC_INTERVAL: Duration = Duration::from_millis(200);

/// WAL pages (4 KiB) at which an idle writer checkpoints: the log stays small, so that the next start reads little.
pub const WAL_PAGES_IDLE: u32 = 64;

/// WAL pages at which any writer checkpoints on a disk with little free space: half of [`LOG_BYTES`], so that the next
/// transaction fits behind them.
pub const WAL_PAGES: u32 = 128;

/// Bytes of the log whose blocks are allocated once and kept: 256 pages with their headers. On a full disk every
/// transaction fits into it (measured: the largest changes 160 pages).
pub const LOG_BYTES: u64 = 258 * 4096;

/// Pages of the log (8 MiB) above which no row is stored while another program's read transaction keeps the log from
/// being restarted: events wait in the ring. Other transactions end at twice as much, so `queue.db` and its log
/// together exceed the size cap by at most 17 MiB. Two seconds at full speed, far longer than a read of the inspector.
pub const HELD_LOG_PAGES: u32 = 2_048;

/// Time after which an unusable folder is tried again: a device that is unlocked or a disk that is freed is noticed
/// soon, and an attempt costs some system calls.
pub const REOPEN_INTERVAL: Duration = Duration::from_secs(60);

/// Dead letters kept for inspection, per route: 100 rows of 1 KiB take 0.5 % of [`QUEUE_BYTES`].
pub const DEAD_LETTERS: usize = 100;

/// How long a dead letter is kept: includes a weekend in which nobody looks.
pub const DEAD_LETTER_AGE: Duration = Duration::from_secs(7 * 24 * 3600);

/// Receipts kept, per route: `why()` explains the events of the last 100 requests.
pub const RECEIPTS: usize = 100;

/// A row for which its destination returned `Later`, although it takes the kind, is offered again after this: a
/// destination that always returns `Later` costs one read of the row a minute.
pub const OFFER_INTERVAL: Duration = Duration::from_secs(60);

/// How long rows wait for a destination that is known but was not declared in this run: a remote configuration that
/// fails for some days loses nothing.
pub const DORMANT_AGE: Duration = Duration::from_secs(7 * 24 * 3600);

/// Events that start a batch in the foreground: as in Mixpanel's SDKs; Segment's send 20.
pub const BATCH_EVENTS: u64 = 50;

/// Age that starts a batch in the foreground: as in Segment's SDK; Datadog's use 3 to 35 s, Mixpanel's 60 s.
pub const BATCH_INTERVAL: Duration = Duration::from_secs(30);

/// Age that starts a batch in the background, where a timer may wake the device: the shortest period of Android's
/// WorkManager.
pub const BACKGROUND_INTERVAL: Duration = Duration::from_secs(15 * 60);

/// Losses alone, without a row to send them with, are reported at most this often: 144 requests a day.
pub const LOSSES_INTERVAL: Duration = Duration::from_secs(600);

/// Immediate requests for lanes 0 and 1: at most one per destination in this time, so that a loop of errors causes
/// at most 12 requests a minute.
pub const IMMEDIATE_INTERVAL: Duration = Duration::from_secs(5);

/// Most events in one batch: as in Datadog's Android SDK. A bisect of so many takes 9 steps.
pub const BATCH_MAX_EVENTS: usize = 500;

/// Most bytes of row JSON in one batch: uncompressed they take 28 s at 300 kbit/s, within [`REQUEST_TIMEOUT`].
pub const BATCH_MAX_BYTES: usize = 1024 * 1024;

/// Lanes 0 and 1 are tried at least this often, whatever the hints are: a hint of the host can be wrong.
pub const HINT_DELAY_CRITICAL: Duration = Duration::from_secs(15 * 60);

/// Low power delays lanes 2 and 3 by at most this: a device that is always in low power still reports once
/// a day.
pub const HINT_DELAY: Duration = Duration::from_secs(24 * 3600);

/// Time to connect: covers three retransmissions of a lost SYN (after 1, 3 and 7 s).
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Time for a whole request: [`BATCH_MAX_BYTES`] at 300 kbit/s take 28 s.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Longest `Retry-After` accepted: a wrong one must not stop a route for weeks. bitdrift's SDK has the same limit.
pub const RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);

/// Bytes of a response that are read: the largest useful one names 500 rejected rows.
pub const RESPONSE_BYTES: usize = 1024 * 1024;

/// Requests a bisect may cost, per route and hour: two batches of 500 events need 9 steps each.
pub const BISECT_REQUESTS_PER_HOUR: u32 = 20;

/// 5xx responses to the same batch after which it is suspected to be poison, if another request of the route succeeded
/// meanwhile; otherwise the server has an outage.
pub const OUTAGES_BEFORE_BISECT: u32 = 5;

/// Attempts on the same batch without a response that can be understood, after which it is bisected. With
/// [`UNCLEAR_AGE`]: the later of the two counts, so that neither a bad hour nor an app that is rarely open loses a
/// batch.
pub const UNCLEAR_ATTEMPTS: u32 = 20;

/// See [`UNCLEAR_ATTEMPTS`].
pub const UNCLEAR_AGE: Duration = Duration::from_secs(24 * 3600);

/// Attempts without any response after which a part of a batch that is bisected counts as refused: one broken
/// connection proves nothing about the events.
pub const LOST_BEFORE_REFUSED: u32 = 3;

/// `flush` ignores a wait of our own choice at most once in this time, per route: apps call it after each event.
pub const FLUSH_INTERVAL: Duration = Duration::from_secs(5);

/// Longest wait of our own choice in test mode (see [`crate::ConfigBuilder::test_mode`]): a test sees a retry within seconds, and a
/// server that is down gets one request a second.
pub const TEST_WAIT: Duration = Duration::from_secs(1);

/// How far after the call a given time may be: further ahead, the clock that gave it was wrong. Covers every time zone
/// mistaken for UTC.
pub const TIME_AHEAD: Duration = Duration::from_secs(24 * 3600);

/// How far before the call a given time may be: the age cap of a crash, the oldest event that is kept.
pub const TIME_BEHIND: Duration = Duration::from_secs(30 * 24 * 3600);

/// Attributes of one event: Datadog's limit.
pub const ATTRIBUTES: usize = 128;

/// Depth of nested attribute values: bounds the recursion, and with it the stack, of every encoder.
pub const ATTRIBUTE_DEPTH: usize = 5;

/// Bytes of one text value (message, URL, attribute), after which it is truncated. Sentry's limit for a message.
pub const TEXT_BYTES: usize = 8192;

/// Bytes of a name (screen, event, attribute key, tag), after which it is truncated. Sentry's limit for a tag value
/// and a release.
pub const NAME_BYTES: usize = 200;

/// Bytes of the title of an alert, after which it is truncated: PagerDuty's limit for a summary.
pub const TITLE_BYTES: usize = 1024;

/// Bytes of one text among the facts, after which it is truncated: no real model or version is longer, and a run with
/// all facts fits one page of the database.
pub const FACT_BYTES: usize = 100;

/// Most bytes that memory or storage of a device can have: 1 PiB. A larger number is a mistake and is left out.
pub const DEVICE_BYTES_MAX: u64 = 1 << 50;

/// Most pixels of one side of a screen. A larger number is a mistake and is left out.
pub const SCREEN_PX_MAX: u32 = 100_000;

/// Changes of release and facts in one run. Each is a row of up to 4 KiB. A real app changes its language or its
/// release a few times; a program that changes a fact in a loop must not fill the queue.
pub const RUN_CHANGES: u32 = 100;

/// Stack frames of one error: Sentry's limit. The innermost ones are kept.
pub const FRAMES: usize = 50;

/// Frames of a native crash. A deep recursion has thousands, and a server groups crashes by the innermost ones.
pub const NATIVE_FRAMES: usize = 64;

/// Causes of one error: deeper chains repeat themselves.
pub const CAUSES: usize = 10;

/// Bytes of all causes of an error: they leave room for its attributes.
pub const CAUSES_BYTES: usize = 12 * 1024;

/// Threads of one error or hang: most apps run fewer.
pub const THREADS: usize = 64;

/// Stack frames of a cause or of a thread; the innermost ones are kept.
pub const SIDE_FRAMES: usize = 30;

/// Feature flags that are remembered; the flag that was evaluated longest ago goes first. The number of Sentry's SDKs.
pub const FLAGS: usize = 100;

/// Elements of one list or map inside an attribute: 64 elements of 1 KiB fill [`ROW_BYTES`].
pub const ELEMENTS: usize = 64;

/// Names in `metrics()`; further ones count as `other`. A name takes 3.7 KiB of memory, so all take at most 740 KiB.
pub const METRIC_NAMES: usize = 200;

/// Properties of the user whose last value the engine remembers; further ones are sent and not remembered.
pub const PROPERTIES: usize = 200;

/// Super properties: Mixpanel accepts 255 properties of an event, those of the app and of the engine included.
pub const SUPER_PROPERTIES: usize = 64;

/// Bytes of all super properties as JSON: an event with them stays far below [`ROW_BYTES`].
pub const SUPER_BYTES: usize = 8 * 1024;

/// Destinations that can be paused at the same time, twice as many as a configuration can have: every row that is recorded
/// meanwhile names them.
pub const PAUSED: usize = 64;

/// Subjects about which a request to the delivery thread is kept until that is started: each destination has two.
pub const FOR_DELIVERY: usize = 256;

/// Timed events that run at the same time; the one that was started first is dropped.
pub const TIMED_EVENTS: usize = 100;

/// Bytes of the attributes of a view as JSON: every row of the view repeats them.
pub const VIEW_BYTES: usize = 4 * 1024;

/// Named times of a view.
pub const VIEW_TIMINGS: usize = 32;

/// Child spans in the row of a screen load or a span: 100 spans of 300 bytes fill [`CHILDREN_BYTES`].
pub const CHILD_SPANS: usize = 100;

/// Bytes of JSON of the child spans in one row: half of [`ROW_BYTES`], so that the span itself fits beside them.
pub const CHILDREN_BYTES: usize = ROW_BYTES / 2;

/// Bytes of a row that its children leave for user, tags and contexts.
pub const SCOPE_BYTES: usize = 8 * 1024;

/// Spans in progress that collect their children: an app that starts more does not end them.
pub const OPEN_SPANS: usize = 32;

/// Bytes of the attributes of a span in progress, encoded: half of [`RECORD_BYTES`].
pub const STORED_ATTRS_BYTES: usize = RECORD_BYTES / 2;

/// A screen load is slow above this (default): between Android vitals' limits for a warm start (2 s) and a cold start
/// (5 s).
pub const SLOW_SCREEN: Duration = Duration::from_millis(3_000);

/// An API call is slow above this (default): a call whose SYN is lost twice (sent again after 1 and 3 s) stays below it.
pub const SLOW_API: Duration = Duration::from_millis(5_000);

/// An image load is slow above this (default): an image of 200 KiB takes 1.6 s at 1 Mbit/s.
pub const SLOW_IMAGE: Duration = Duration::from_millis(2_000);

/// Time in the background after which a session ends (default). The value of Sentry's mobile SDKs.
pub const SESSION_BACKGROUND: Duration = Duration::from_secs(30);

/// Longest time in the background that a configuration can allow. GA4 allows at most 7 h 55 min.
pub const SESSION_BACKGROUND_MAX: Duration = Duration::from_secs(24 * 3600);

/// Ended runs that are remembered, for exits that the system reports later. Android remembers 16 exits of a process.
pub const ENDED_RUNS: usize = 16;

/// Reports of exits that are remembered, so that one that comes again is no second event.
pub const EXIT_REPORTS: usize = 2 * ENDED_RUNS;

/// Ended runs whose state (user, screen, breadcrumbs) is kept for an event about their end that is still to come. A start uses it
/// within seconds, so more means a crash loop.
pub const UNCLEAN_RUNS: usize = 4;

/// Bytes of an event about the end of a run that are left for what the system says about it. The rest of the row is the state of
/// the run.
pub const EXIT_BYTES: usize = 8 * 1024;

/// How long a start waits for a host that reports the exits of earlier runs.
pub const EXIT_REPORT_WAIT: Duration = Duration::from_secs(10);

/// A crash that comes this soon after another one of the same run is the same one, reported by another source: React Native throws a
/// fatal error of JavaScript again in Java, where the handler of the process ends it.
pub const SAME_CRASH: Duration = Duration::from_secs(10);

/// Sessions of earlier runs that wait for their end. A run ends them in its first second, so more means a crash loop.
pub const UNFINISHED_SESSIONS: usize = 100;

/// Errors of one fingerprint, or messages of one text, stored in [`COLLAPSE_WINDOW`]; further ones are collapsed, so
/// that a loop of errors does not evict other events.
pub const COLLAPSE_AFTER: u32 = 10;

/// Window of [`COLLAPSE_AFTER`]: an error that lasts is stored again every minute.
pub const COLLAPSE_WINDOW: Duration = Duration::from_secs(60);

/// Window in which the same alert is stored once (default): a person has looked by then, and a trouble that lasts is told again.
pub const ALERT_WINDOW: Duration = Duration::from_secs(300);

/// Longest window that a configuration can set: an alert that is still true after a day is told again.
pub const ALERT_WINDOW_MAX: Duration = Duration::from_secs(24 * 3600);

/// Alerts whose window the next process continues. A window more is about 40 bytes that each new alert writes again.
pub const ALERT_WINDOWS: usize = 100;

/// Longest wait of `fatal()`: short beside the 5 s after which Android reports that the app hangs.
pub const FATAL_WAIT: Duration = Duration::from_millis(500);

/// Longest wait for a hook; then its event is dropped. The ring fills while the writer waits: at 1,000 events a second
/// it holds 3.9 s.
pub const HOOK_WAIT: Duration = Duration::from_secs(1);

/// Rows of one read that must fail their checksum before the file is suspected: a single flipped bit costs one row.
pub const STORM_ROWS: usize = 5;

/// Share of a read, in percent, above which the file is taken for damaged as a whole.
pub const STORM_PERCENT: usize = 1;

/// Quarantines in [`QUARANTINE_WINDOW`] after which the run stays in memory: more of them mean that the device or
/// another program damages the files.
pub const QUARANTINES: usize = 3;

/// Window of [`QUARANTINES`].
pub const QUARANTINE_WINDOW: Duration = Duration::from_secs(7 * 24 * 3600);

/// The logger gets a message about the same thing at most once in this time: a fault that repeats must not hide others.
pub const LOGGER_INTERVAL: Duration = Duration::from_secs(60);

/// Messages that wait for a slow logger: enough for one of each kind and some destinations.
pub const LOGGER_QUEUE: usize = 64;

/// Longest message to the logger in bytes: what fits Android's log line several times over.
pub const LOGGER_TEXT_BYTES: usize = 600;

/// Destinations and other subjects whose messages have a rate limit of their own.
pub const LOGGER_SUBJECTS: usize = 128;

/// Time without reaching a server after which the logger hears of it: shorter gaps are usual on a phone.
pub const UNREACHABLE_AFTER: Duration = Duration::from_secs(300);

/// Time after the start from which the logger hears of a consent that is not answered and of a missing destination: an
/// app asks and configures in the first minute.
pub const UNANSWERED_AFTER: Duration = Duration::from_secs(60);

/// Stored events that are kept for an inspector after they were delivered, in memory and in `recent.ndjson`. Only while inspection is on.
pub const RECENT_EVENTS: usize = 1_000;

/// Bytes of their JSON.
pub const RECENT_BYTES: usize = 1024 * 1024;

/// Most events in one answer of an app to an inspector, and the number without a limit in the request.
pub const LIST_EVENTS: usize = 100;

/// Most events in one answer of a file, which no app waits for.
pub const LIST_EVENTS_OF_FILE: usize = 2_000;
