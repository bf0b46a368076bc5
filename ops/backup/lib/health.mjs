/** The last step of a recovery: does the service answer? */
import { Failure } from './failure.mjs';

/** Waits until a URL answers with success. */
export async function health(url, { seconds, log }) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    let why;
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(10_000), redirect: 'error' });
      if (response.ok) return log(`${url}: ${response.status}`);
      why = `status ${response.status}`;
    } catch (error) {
      why = error.cause?.message ?? error.message;
    }
    if (Date.now() > end) throw new Failure(`${url} does not answer with success within ${seconds} s: ${why}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
