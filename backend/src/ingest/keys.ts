/** Who may send: a write key names a project. */
import { createHmac, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/**
 * Write keys with the project of each, or a function that looks one up. The function returns `undefined` for a key that it does not
 * know; if it throws, the client is told to come again.
 */
export type Keys =
  | Readonly<Record<string, string>>
  | ReadonlyMap<string, string>
  | ((key: string) => string | undefined | Promise<string | undefined>);

/** The project of a key. */
export type FindProject = (key: string) => string | undefined | Promise<string | undefined>;

/** Checks the keys. Throws if they cannot be used: a programming error, at the start of the app. */
export function projectFinder(keys: Keys | undefined): FindProject {
  if (typeof keys === 'function') return keys;
  const entries = keys instanceof Map ? [...keys] : Object.entries(keys ?? {});
  if (entries.length === 0) throw new TypeError('rezIngest: `keys` is empty: give a map of write key to project');
  for (const [key, project] of entries) {
    if (typeof project !== 'string' || project === '') throw new TypeError('rezIngest: a project in `keys` is no text');
    if (key === '') throw new TypeError(`rezIngest: the write key of the project ${project} is empty`);
  }
  // The time of a look-up depends on the digest, which nobody can choose without the secret: it says nothing about a key.
  const secret = randomBytes(32);
  const digest = (key: string) => createHmac('sha256', secret).update(key).digest('base64');
  const projects = new Map(entries.map(([key, project]) => [digest(key), project]));
  return (key) => projects.get(digest(key));
}

/** The key of `Authorization: Bearer`. */
export function writeKey(req: IncomingMessage): string | undefined {
  const header = req.headers.authorization ?? '';
  const scheme = header.slice(0, 7).toLowerCase();
  const key = header.slice(7).trim();
  return scheme === 'bearer ' && key !== '' ? key : undefined;
}
