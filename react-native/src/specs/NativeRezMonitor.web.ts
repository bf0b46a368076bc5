/** A web page has no native side. What shows the page, such as a desktop shell, can supply an engine before the bundle runs. */
import type { Spec } from './NativeRezMonitor.js';

export type { Spec };

const supplied = (globalThis as { __REZ_MONITOR_ENGINE__?: Spec }).__REZ_MONITOR_ENGINE__ ?? null;
export default supplied;
