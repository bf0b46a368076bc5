/** Every limit of the receiving side, with its reason. Those of the protocol are also what the local collector applies. */

const DAY_MS = 24 * 3600 * 1000;

/** Largest body in bytes, unpacked: the client never sends more. */
export const MAX_BYTES = 1024 * 1024;

/** Most events of a batch. */
export const MAX_EVENTS = 500;

/** Largest event in bytes: a row of 64 KiB, and 1 KiB for the members that the protocol adds to it. */
export const MAX_EVENT_BYTES = 65 * 1024;

/** Deepest nesting of an event. The engine cuts attributes at 5 levels, and MongoDB refuses documents of more than 100. */
export const MAX_DEPTH = 64;

/** What a packed body may have more than an unpacked one: gzip makes what it cannot pack larger by its header and 5 bytes per 16 KiB. */
export const PACKED_EXTRA_BYTES = 1024;

/** Largest `resource` or `sdk` of a batch in bytes. A sink stores it with each row; every fact about a device takes less than 4 KiB. */
export const MAX_RESOURCE_BYTES = 16 * 1024;

/**
 * Packed bodies up to this size are unpacked at once: one of 60 events takes 30 us so and 100 us by a thread, as `node bench/unpack.mjs`
 * measures. What it unpacks to is limited all the same, to about a millisecond.
 */
export const SYNC_BYTES = 8 * 1024;

/** Longest id of a batch or an installation in characters: they become keys of a database. */
export const MAX_ID_CHARS = 128;

/** Longest reason or kind of a lost event. */
export const MAX_WORD_CHARS = 40;

/** Most entries of `lost`: every kind with every reason. */
export const MAX_LOST = 1_000;

/** Largest age of an event by its corrected time: a device keeps one for at most 30 days. */
export const MAX_AGE_MS = 31 * DAY_MS;

/** How long a sink must remember the id of an event: longer than the age at which the event is refused. */
export const DEDUPE_MS = 32 * DAY_MS;

/** An age above this means a wrong clock: no device keeps an event for so long. */
export const AGE_UNKNOWN_MS = 400 * DAY_MS;

/** How long an answer is repeated to the same `Idempotency-Key`. */
export const REPLAY_MS = DAY_MS;

/** Time for a body to arrive. The client gives up after 30 s in all. */
export const BODY_MS = 15_000;

/** Time for the sink, and for a function that looks up a key. With that of the body it is below the 30 s of the client. */
export const SINK_MS = 10_000;

/** Time after which a sink that does not end is no longer counted as work: it will not end at all. */
export const STUCK_MS = 60_000;

/** Batches at once. Each is up to 1 MiB of JSON, which is several MiB as objects. */
export const CONCURRENT = 32;

/**
 * Bytes of bodies that are arriving, in this process: 64 of the largest. Slow clients take no place of a batch, and what they have sent is
 * all that they cost.
 */
export const ARRIVING_BYTES = 64 * 1024 * 1024;

/** What is read of the answer of a Collector. Its message is some hundred bytes. */
export const ANSWER_BYTES = 64 * 1024;

/** What is read of a refused request, so that the client gets the answer before the connection ends: in bytes and milliseconds. */
export const DISCARD_BYTES = 16 * 1024 * 1024;
export const DISCARD_MS = 5_000;

/** `Retry-After` of an overload is a random number of seconds up to this, so that clients do not return together. */
export const RETRY_SECONDS = 5;

/** One line about a failure that repeats in this time. */
export const LOG_INTERVAL_MS = 10_000;
