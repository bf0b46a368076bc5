/** Tells the log when an alert does not reach Slack or PagerDuty: nobody else would notice that alerts are silent. */
import { members } from '../../../react-native/src/api/members';
import { isRecord } from '../../../react-native/src/core/guard';
import { read, readList, readNumber, readText } from '../../../react-native/src/core/read';
import { logger, warnOnce } from '../core/logger';
import { client, onClose } from '../core/monitor';
import { shared } from '../core/shared';

/** When delivery is looked at, in milliseconds. A refusal is known by then; a request that hangs is given up after 30 s. */
export const FIRST_LOOK_MS = 15_000;

/** How often it is looked at while alerts wait. */
const NEXT_LOOK_MS = 60_000;

/** Alerts of which the outcome is looked at, the last ones. */
const LOOKED_AT = 20;

/** How long the engine may take to say what became of an alert, in milliseconds. */
const ANSWER_MS = 2_000;

/** The routes of alerts, and what the guide calls their vendors. */
const VENDORS: Readonly<Record<string, string>> = { 'slack.webhook': 'Slack', 'pagerduty.enqueue': 'PagerDuty' };

/** States of an alert that a vendor does not have, and will not get. */
const LOST = ['dead', 'dropped'];

/** States of an alert of which nothing is known yet. */
const WAITING = ['queued', 'in_flight', 'parked'];

interface State {
  /** How often the engine has closed: a look that began before has nothing to say after it. */
  closes: number;
  timer: NodeJS.Timeout | undefined;
  /** The ids of alerts whose outcome is not known, each with the vendors that it was lost for. */
  recent: Map<string, Set<string>>;
  /** What was said of a route last, so that an outage is one line. */
  said: Map<string, string>;
}

const state = () =>
  shared<State>('alert-delivery', () => ({ closes: 0, timer: undefined, recent: new Map(), said: new Map() }));

/** Looks at the delivery of an alert in a while, and until no alert waits. */
export function watchAlert(id: string): void {
  const { recent } = state();
  recent.set(id, new Set());
  for (const [oldest] of recent) {
    if (recent.size <= LOOKED_AT) break;
    recent.delete(oldest);
  }
  lookIn(FIRST_LOOK_MS);
}

function lookIn(waitMs: number): void {
  const known = state();
  if (known.timer !== undefined) return;
  known.timer = setTimeout(() => {
    known.timer = undefined;
    const { closes } = known;
    tellDelivery().then(
      (waits) => waits && known.closes === closes && lookIn(NEXT_LOOK_MS),
      () => undefined,
    );
  }, waitMs);
  // A process must be able to end.
  known.timer.unref();
  onClose(stop);
}

/** Says what holds alerts back, and which are lost. Resolves to whether any wait. */
export async function tellDelivery(): Promise<boolean> {
  const known = state();
  const { closes } = known;
  const engine = client();
  const status = engine.status()?.status;
  // The engine has closed.
  if (status === undefined) return false;
  const waits = tellRoutes(status, known.said);
  for (const [id, lost] of [...known.recent]) {
    const { routes } = await engine.why(id, ANSWER_MS);
    if (known.closes !== closes) return false;
    let isWaiting = false;
    for (const route of readList(routes, 100)) {
      const vendor = vendorOf(route);
      const state = readText(route, 'state');
      if (vendor === undefined) continue;
      if (WAITING.includes(state)) isWaiting = true;
      if (!LOST.includes(state) || lost.has(vendor)) continue;
      lost.add(vendor);
      const { note, reason, status } = members(route as Fate, 'note', 'reason', 'status');
      logger.error(`Failed to send ${vendor} alert`, { error: note ?? reason, status, eventId: id });
    }
    if (!isWaiting) known.recent.delete(id);
  }
  return waits;
}

/** What became of an event at a destination. */
interface Fate {
  note?: string;
  reason?: string;
  status?: number;
}

/** Whether alerts wait. An outage is told once, and again when its cause changes. */
function tellRoutes(status: object, said: Map<string, string>): boolean {
  let waits = false;
  let routes = 0;
  for (const route of readList(read(status, 'routes'), 100)) {
    const vendor = vendorOf(route);
    if (vendor === undefined) continue;
    routes += 1;
    const name = readText(route, 'route');
    const held = read(route, 'held');
    const hasFailed = isRecord(held) && (readNumber(held, 'failures') > 0 || read(route, 'stopped') === true);
    if (readList(read(route, 'waiting'), 8).some((count) => count !== 0)) waits = true;
    if (!hasFailed) said.delete(name);
    else if (said.get(name) !== readText(held, 'code')) {
      said.set(name, readText(held, 'code'));
      logger.error(`Failed to send ${vendor} alert`, { error: readText(held, 'why'), destination: name.split('/')[0] });
    }
  }
  if (routes === 0) {
    warnOnce('alerts are stored and nobody is told: set SLACK_WEBHOOK_URL or PAGERDUTY_INTEGRATION_KEY.');
  }
  return waits;
}

/** The vendor of a route, `<destination>/<route>`; undefined if it takes more than alerts. */
function vendorOf(route: unknown): string | undefined {
  const name = readText(route, 'route');
  return VENDORS[name.slice(name.lastIndexOf('/') + 1)];
}

/** The engine closes. What waits is told of after its next start. */
function stop(): void {
  const known = state();
  known.closes += 1;
  clearTimeout(known.timer);
  known.timer = undefined;
  known.recent.clear();
  known.said.clear();
}
