/** A web page has no native side. */
import type { Spec } from './NativeRezMonitor';

export type { Spec };

const none: Spec | null = null;
export default none;
