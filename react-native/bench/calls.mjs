// Measures the calls of one bundle of `peer.mjs`, and prints the medians in nanoseconds of processor time as JSON.
import { readFileSync } from 'node:fs';

/** Fewer than the messages that Sentry's transport keeps while they are on their way. */
const CALLS = 20;
const ROUNDS = 400;

new Function(readFileSync(process.argv[2], 'utf8'))();
const { calls } = globalThis;
calls.init();

/**
 * The median of one call, until what it has recorded is with the native side. Processor time, since a message of Sentry waits for
 * timers on its way.
 */
async function median(run, arrives) {
  const all = [];
  for (let round = 0; round < ROUNDS; round++) {
    const goal = globalThis.received + CALLS;
    const start = process.cpuUsage();
    for (let call = 0; call < CALLS; call++) run(round * CALLS + call);
    // A timer: turning on the spot would be counted as the SDK's work.
    do await new Promise((resolve) => setTimeout(resolve, 1));
    while (arrives && globalThis.received < goal);
    const { user, system } = process.cpuUsage(start);
    all.push(((user + system) * 1_000) / CALLS);
  }
  return all.sort((a, b) => a - b)[ROUNDS >> 1];
}

const deadline = setTimeout(() => {
  console.error(`messages did not arrive: ${globalThis.received}`);
  process.exit(1);
}, 120_000);
const breadcrumbNs = await median(calls.breadcrumb, false);
const messageNs = await median(calls.message, calls.countsMessages);
clearTimeout(deadline);
console.log(JSON.stringify({ breadcrumbNs, messageNs }));
// The timers of an SDK would keep the process.
process.exit(0);
