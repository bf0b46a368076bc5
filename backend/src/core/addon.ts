/**
 * Finds the engine: an addon for Node.js, in a package of its own for each platform, as packages of napi-rs are.
 *
 * npm installs the one that fits, because the packages are optional dependencies with `os`, `cpu` and `libc`.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Port } from '../../../react-native/src/native/port';
import { workingFolder } from './folder';

/** What the addon exports. */
interface Addon {
  RezMonitor: new () => Port;
}

/** The engine, or why there is none. */
export type Found = { port: Port; why?: undefined } | { port?: undefined; why: string };

/** The package for this platform: `@rez/monitor-node-linux-x64-gnu`. */
export function platformPackage(): string {
  const libc = process.platform === 'linux' ? (isMusl() ? '-musl' : '-gnu') : '';
  return `@rez/monitor-node-${process.platform}-${process.arch}${libc}`;
}

/** Loads the addon: the file in `REZ_NODE_ADDON` if that is set, else the package for this platform. Never throws. */
export function findEngine(file = process.env.REZ_NODE_ADDON): Found {
  const wanted = file || platformPackage();
  try {
    // Where the app is: the packages are installed beside this one, or beside the bundle that contains it.
    const load = createRequire(import.meta.url);
    const addon = loadFrom(load, wanted) as Partial<Addon>;
    if (typeof addon.RezMonitor !== 'function') return { why: `${wanted} is not the addon of REZ Monitor` };
    return { port: new addon.RezMonitor() };
  } catch (error) {
    return { why: `${wanted} cannot be loaded (${firstLine(error)})` };
  }
}

function loadFrom(load: NodeJS.Require, wanted: string): unknown {
  try {
    return load(wanted);
  } catch (error) {
    const working = workingFolder();
    if (working === undefined || (error as { code?: unknown }).code !== 'MODULE_NOT_FOUND') throw error;
    return createRequire(join(working, 'package.json'))(wanted);
  }
}

/** Whether the C library is musl: only glibc tells its version. */
function isMusl(): boolean {
  // The declaration of Node.js's types lacks the member.
  const report = process.report as (NodeJS.ProcessReport & { excludeNetwork: boolean }) | undefined;
  if (!report) return true;
  const before = report.excludeNetwork;
  // Else the report looks up the name of each address that a socket is connected to, and the process waits for it.
  report.excludeNetwork = true;
  try {
    const { header } = report.getReport() as { header?: { glibcVersionRuntime?: string } };
    return header?.glibcVersionRuntime === undefined;
  } finally {
    report.excludeNetwork = before;
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';
}
