//! The keys.

/// What the help shows: keys, and what they do.
pub(super) const KEYS: [(&str, &str); 22] = [
    ("j k, \u{2193} \u{2191}", "next, previous event or line"),
    ("h l, \u{2190} \u{2192}", "move a table sideways"),
    ("PgDn PgUp", "one page down, up"),
    ("g G", "newest, oldest event; begin, end of a text"),
    ("Enter", "open the event"),
    ("Esc", "back; remove search and conditions"),
    ("/", "search, with gaps: pbt finds PayButton"),
    ("f", "conditions, such as status >= 500"),
    ("1 to 6", "all, queued, dead, dropped, delivered, settled"),
    ("e t s d", "events, timeline, status, drops"),
    ("w", "why the event waits, or what became of it"),
    ("y", "copy the event's JSON to the clipboard"),
    ("r", "read again"),
    ("q, Ctrl+Z", "quit; stop, until the shell goes on with `fg`"),
    ("", ""),
    ("", "With a running app:"),
    ("S", "send now"),
    ("m", "mark a moment"),
    ("x", "let requests fail: offline, refuse, slow, none"),
    ("R", "queue a dead letter again"),
    ("D", "delete the event"),
    ("?", "these keys"),
];

/// The keys at the foot, the most needed first.
pub(super) const HINTS: &str =
    "? keys  q quit  Enter open  / search  f conditions  1-6 state  t timeline  s status  d drops  w why  y copy";

/// The same where a session is shown.
pub(super) const TIMELINE_HINTS: &str =
    "? keys  q quit  Enter open  Esc back  w why  y copy  h l sideways  e events  s status  d drops";

/// The same where a text is shown.
pub(super) const PAGE_HINTS: &str =
    "? keys  q quit  Esc back  j k scroll  w why  y copy  e events  t timeline  s status  d drops";
