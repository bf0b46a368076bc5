/**
 * The app's end of the inspector in developer tools. Everybody who is connected hears every message; `docs/guide/inspect.md` has them:
 *
 * - `who` asks which apps are there, and `app` `{protocol, name, app, new}` says it. `new`: the app has just started.
 * - `request` `{id, to, request}` asks the app of a name, and `answer` `{id, answer}` is the answer. Both are texts, so that a number
 *   keeps all its digits.
 */
import { Platform } from 'react-native';
import { readObject } from '../core/answers';
import { client } from '../core/carrier';
import { readText } from '../core/read';
import { isInspectorAllowed } from '../inspector/allowed';

/** The name of the plugin in every developer tool. */
export const PLUGIN = '@rez/monitor';

const PROTOCOL = 1;
/** How long the engine may take for a question, and for an order: `send_now` waits for servers. Milliseconds. */
const ASK_MS = 10_000;
const TELL_MS = 60_000;
/** Characters of the id of a request. */
const LONGEST_ID = 200;

const NOT_ALLOWED = 'the inspector is off in this app: `init` says `inspector: false`';
const NO_REQUEST = 'the request is no JSON object';
const NO_ENDPOINT = 'only the app itself opens its debug endpoint';

/** How messages of a developer tool come and go. */
export interface Channel {
  send(method: string, payload: object): void;
  onMessage(method: string, listener: (payload: unknown) => void): { remove(): void };
}

/** Announces the app on a channel and answers what comes over it. Returns what ends that. */
export function serve(channel: Channel): () => void {
  // Until the engine is open it has no installation.
  const unnamed = nameOf(Math.random().toString(36).slice(2, 6));
  const names = new Set([unnamed]);

  const announce = async (isNew: boolean) => {
    const about = readObject(await answerTo('{"ask":"about"}'));
    const install = readText(about, 'install');
    const name = install === '' ? unnamed : nameOf(install.slice(-4));
    names.add(name);
    channel.send('app', { protocol: PROTOCOL, name, app: readText(about, 'app'), new: isNew });
  };

  const answer = async (message: unknown) => {
    const [id, to] = [readText(message, 'id'), readText(message, 'to')];
    if (id === '' || id.length > LONGEST_ID || (to !== '' && !names.has(to))) return;
    channel.send('answer', { id, answer: await answerTo(readText(message, 'request')) });
  };

  const listening = [
    channel.onMessage('who', () => attempt(announce(false))),
    channel.onMessage('request', (message) => attempt(answer(message))),
  ];
  attempt(announce(true));
  return () => {
    for (const one of listening) one.remove();
  };
}

/** A channel that has been closed meanwhile throws. Who has asked hears nothing then, and says so. */
function attempt(work: Promise<void>): void {
  work.catch(() => {});
}

function nameOf(unique: string): string {
  return `${Platform.OS}-${unique}`.replace(/[^\w.-]/g, '');
}

/** The answer of the engine, as it gives it. */
async function answerTo(text: string): Promise<string> {
  if (!isInspectorAllowed(undefined)) return JSON.stringify({ error: NOT_ALLOWED });
  const request = readObject(text);
  if (request === undefined) return JSON.stringify({ error: NO_REQUEST });
  // Everybody on the channel would hear its token.
  if ('tell' in request && request.tell === 'endpoint') return JSON.stringify({ error: NO_ENDPOINT });
  return client().inspect(request, 'ask' in request ? ASK_MS : TELL_MS);
}
