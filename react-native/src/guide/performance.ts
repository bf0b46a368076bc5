/** `frontend/utils/performance.ts` of the guide. */
import { trackInteraction } from '../api/analytics';
import { addBreadcrumb, captureMessage } from '../api/capture';
import { newSpan, trackImageLoad, trackScreenLoad } from '../api/timing';
import { carrier, client, shared } from '../core/carrier';
import { guarded, quietly } from '../core/guard';
import { describe } from '../core/json';

/** Durations above these are slow, in milliseconds. */
const SLOW_SCREEN_MS = 3_000;
const SLOW_API_MS = 5_000;
const SLOW_IMAGE_MS = 2_000;

/** Metrics that are kept: a key for each id in an endpoint would fill memory. The oldest goes first. */
const MOST = 1_000;

class PerformanceMonitor {
  private get metrics(): Map<string, number> {
    return shared('guide.metrics', () => new Map<string, number>());
  }

  /** Begins a screen load; call the result when it has loaded. Each call measures from the beginning; the first is recorded. */
  trackScreenLoad(screenName: string): () => void {
    const load = guarded(undefined, () => trackScreenLoad(screenName));
    return () => {
      quietly(() => {
        const loadTime = Math.round(load?.finish() ?? 0);
        this.keep(`screen_${screenName}_load`, loadTime);
        addBreadcrumb({ category: 'performance', message: `${screenName} loaded`, level: 'info', data: { loadTime } });
        if (loadTime > SLOW_SCREEN_MS) console.warn(`Slow screen load: ${screenName} took ${loadTime}ms`);
      });
    };
  }

  /** An API call that began at `startTime` (`Date.now()`) ends. Returns its duration in milliseconds. */
  trackAPICall(endpoint: string, startTime: number): number {
    const duration = guarded(Number.NaN, () => Date.now() - startTime);
    quietly(() => {
      this.keep(`api_${endpoint}`, duration);
      const path = withoutQuery(endpoint);
      addBreadcrumb({ category: 'api', message: `API call to ${path}`, level: 'info', data: { duration } });
      if (duration > SLOW_API_MS) console.warn(`Slow API call: ${path} took ${duration}ms`);
      // The call is recorded already where HTTP calls are; a slow one that is recorded here gets its message from the engine.
      if (!carrier().recordsNetwork) recordCall(path, startTime, duration);
      else if (duration > SLOW_API_MS) {
        const performance = { duration, endpoint: path };
        captureMessage(`Slow API: ${path}`, { level: 'warning', context: { performance } });
      }
    });
    return duration;
  }

  /** An image load that began at `startTime` ends. It leaves no metric. */
  trackImageLoad(imageUrl: string, startTime: number): void {
    quietly(() => {
      const duration = Date.now() - startTime;
      if (duration >= 0) trackImageLoad(imageUrl, duration);
      if (duration > SLOW_IMAGE_MS) console.warn(`Slow image load: ${withoutQuery(imageUrl)} took ${duration}ms`);
    });
  }

  /** The last duration of each screen (`screen_<name>_load`) and endpoint (`api_<endpoint>`), in milliseconds. */
  getMetrics(): Record<string, number> {
    const metrics: Record<string, number> = {};
    for (const [name, value] of this.metrics) {
      // A name such as `__proto__` would change the object instead.
      Object.defineProperty(metrics, name, { value, enumerable: true, configurable: true, writable: true });
    }
    return metrics;
  }

  clearMetrics(): void {
    this.metrics.clear();
    client().clearMetrics();
  }

  /** The user does something with a component. Never pass what the user typed. */
  trackInteraction(action: string, component: string): void {
    quietly(() => {
      addBreadcrumb({ category: 'user.action', message: `${action} on ${component}`, level: 'info' });
      trackInteraction(action, component);
    });
  }

  private keep(name: string, value: number): void {
    const { metrics } = this;
    metrics.delete(name);
    metrics.set(name, value);
    for (const oldest of metrics.keys()) {
      if (metrics.size <= MOST) break;
      metrics.delete(oldest);
    }
  }
}

/** The address without what can be a key to it. A line of the console becomes a breadcrumb, whose text the engine keeps. */
function withoutQuery(url: unknown): string {
  return describe(url).replace(/[?#][\s\S]*$/, '');
}

function recordCall(url: string, startMs: number, duration: number): void {
  // A start that is no time, or in the future, is not a duration.
  if (!(duration >= 0)) return;
  client().record({
    kind: 'api_call',
    url,
    endpoint: url,
    trace: newSpan(),
    start_ms: startMs,
    duration_us: duration * 1_000,
  });
}

export const performanceMonitor = new PerformanceMonitor();
