/**
 * Commands to Redis, from the diagnostics channels of ioredis 6: each is published, and those that failed or were slow are rows.
 *
 * A row has the name of the command, never an argument. A command that waits for a connection is not published before it is sent.
 */
import { channel, subscribe as subscribeTo } from 'node:diagnostics_channel';
import { guarded } from '../../../react-native/src/core/guard';
import { limits } from '../core/limits';
import { warnOnce } from '../core/logger';
import { onClose } from '../core/monitor';
import { requireWith } from '../core/peer';
import { shared } from '../core/shared';
import { publish, type RedisCommand, subscribe } from '../core/signals';
import { errorKind, recordSpan } from '../core/span';

/** What ioredis publishes of a command, and of a transaction. The same object comes with each event. */
interface Published {
  command?: unknown;
  batchMode?: unknown;
  database?: unknown;
  /** What the client gets. */
  result?: unknown;
  /** What it was rejected with. */
  error?: unknown;
}

/** Commands that wait for somebody else: their time says nothing. */
const WAITING = new Set(
  'blpop brpop blmove blmpop brpoplpush bzpopmin bzpopmax bzmpop xread xreadgroup wait waitaof subscribe psubscribe ssubscribe monitor'.split(
    ' ',
  ),
);

/** Commands that read values by their keys, so that a value can be there or not. */
const LOOKUPS = new Set('get getbuffer getdel getex getset hget hmget mget'.split(' '));

/** Commands of ioredis itself at the start of a connection; an older server refuses some of them. */
const OWN = new Set(['client', 'hello', 'info', 'auth', 'readonly']);

/** Errors that ioredis answers itself: it sends the script, or asks the node that has the key. */
const ANSWERED = new Set(['NOSCRIPT', 'MOVED', 'ASK']);

/** Publishes each command as `rez:redis.command`, once in the process whoever calls this. Costs little while nobody subscribes. */
export function publishRedis(): void {
  const known = shared('redis.published', () => ({ publishing: false, began: new WeakMap<object, number>() }));
  if (known.publishing) return;
  known.publishing = true;
  const signals = channel('rez:redis.command');
  const onStart = (command: unknown) => {
    if (signals.hasSubscribers) known.began.set(command as object, performance.now());
  };
  const onEnd = (command: unknown) =>
    guarded(undefined, () => {
      const began = known.began.get(command as object);
      if (began === undefined) return;
      const signal = signalOf(command as Published, performance.now() - began);
      if (!OWN.has(signal.command)) publish('rez:redis.command', signal);
    });
  for (const name of ['ioredis:command', 'ioredis:batch']) {
    subscribeTo(`tracing:${name}:start`, onStart);
    // The promise has settled, either way.
    subscribeTo(`tracing:${name}:asyncEnd`, onEnd);
  }
}

/** Records failed and slow commands until the engine closes. One observer per process. */
export function observeRedis(): void {
  const known = shared('redis', () => ({ observing: false }));
  if (known.observing) return;
  known.observing = true;
  warnIfOld();
  publishRedis();
  const end = subscribe('rez:redis.command', tell);
  onClose(() => {
    known.observing = false;
    end();
  });
}

/** An ioredis before version 6 publishes nothing. Only its `package.json` is read. */
function warnIfOld(): void {
  guarded(undefined, () => {
    const about = 'ioredis/package.json';
    const version = String((requireWith(about)?.(about) as { version?: unknown } | undefined)?.version ?? '');
    if (Number.parseInt(version, 10) < 6) {
      warnOnce(
        `ioredis ${version} does not publish its commands: slow and failed commands to Redis are no rows, and no metric counts them. Install ioredis 6: npm install ioredis@6`,
      );
    }
  });
}

function signalOf({ command, batchMode, database, result, error }: Published, durationMs: number): RedisCommand {
  const name = String(command ?? batchMode ?? '')
    .toLowerCase()
    .slice(0, 40);
  const errorType = error === undefined ? undefined : replyCode(error);
  return {
    command: name,
    durationMs,
    failed: errorType !== undefined && !ANSWERED.has(errorType),
    ...(typeof database === 'number' && { database }),
    ...(errorType !== undefined && { errorType }),
    ...(errorType === undefined && LOOKUPS.has(name) && !isQueued(result) && { hit: isThere(result) }),
  };
}

/** Of several values all must be there. */
function isThere(result: unknown): boolean {
  return Array.isArray(result) ? !result.includes(null) : result !== null;
}

/**
 * Whether a transaction has taken the command: its value comes with the answer to `EXEC`. A value that is this word cannot be told from
 * it, because ioredis does not publish which commands are in a transaction.
 */
function isQueued(result: unknown): boolean {
  return (typeof result === 'string' || Buffer.isBuffer(result)) && result.length === 6 && String(result) === 'QUEUED';
}

function tell({ command, durationMs, failed, errorType, database }: RedisCommand): void {
  const slow = durationMs > limits().slowRedisMs && !WAITING.has(command);
  if (!slow && !failed) return;
  recordSpan({
    name: command,
    op: 'db.redis',
    durationMs,
    failed,
    attrs: {
      'db.system.name': 'redis',
      'db.operation.name': command,
      'db.namespace': database,
      ...(failed && { 'error.type': errorType }),
    },
  });
}

/** The first word of an answer of Redis, `WRONGTYPE`; what follows it holds arguments. */
function replyCode(error: unknown): string {
  const { name, message } = error as { name?: unknown; message?: unknown };
  const [word = ''] = name === 'ReplyError' && typeof message === 'string' ? message.split(' ', 1) : [];
  return /^[A-Z]{2,20}$/.test(word) ? word : errorKind(error);
}
