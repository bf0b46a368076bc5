/** Questions to what the process depends on, each with a limit of time. */
import { durationOf, limits } from '../core/limits';

/** Fails by throwing, by rejecting or by being late. */
export type Check = () => unknown;

/** What became of a check. */
export type Checked = { healthy: true; value: unknown } | { healthy: false };

/** Runs checks beside each other. One that still hangs is not started again: its callers wait for the same answer. */
export class Checks {
  private readonly running = new Map<Check, Promise<Checked>>();

  /** The limit in milliseconds. Without one: `limits().checkMs` of the moment in which a check begins. */
  constructor(private readonly limitMs?: number) {}

  /** Resolves after the limit at the latest, and never rejects. */
  async run(check: Check): Promise<Checked> {
    let timer: NodeJS.Timeout | undefined;
    const limitMs = durationOf(this.limitMs, limits().checkMs);
    const late = new Promise<Checked>((resolve) => {
      timer = setTimeout(() => resolve({ healthy: false }), limitMs);
    });
    const checked = await Promise.race([this.started(check), late]);
    clearTimeout(timer);
    return checked;
  }

  private started(check: Check): Promise<Checked> {
    const known = this.running.get(check);
    if (known) return known;
    const fresh = outcome(check).finally(() => this.running.delete(check));
    this.running.set(check, fresh);
    return fresh;
  }
}

async function outcome(check: Check): Promise<Checked> {
  try {
    return { healthy: true, value: await check() };
  } catch {
    // What it says may hold a password of a connection; the log of the app has it.
    return { healthy: false };
  }
}
