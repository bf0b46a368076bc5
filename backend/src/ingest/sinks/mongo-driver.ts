/** What the sinks use of MongoDB's driver. It is the app's: the package neither imports nor installs one. */

import { warnOnce } from '../../core/logger';

/** A `Db` or `MongoClient` of the driver, a mongoose connection, or a function that returns one of them. */
export type MongoLike = object | (() => object | Promise<object>);

/** Waits until a write survives the loss of a server and of power. */
export const DURABLE = { writeConcern: { w: 'majority', j: true } } as const;

type Document = Record<string, unknown>;

/** A collection of the driver. */
export interface Collection {
  createIndex(keys: Document, options: Document): Promise<unknown>;
  insertOne(document: Document, options: Document): Promise<unknown>;
  insertMany(documents: readonly Document[], options: Document): Promise<unknown>;
  bulkWrite(operations: readonly Document[], options: Document): Promise<unknown>;
  findOne(filter: Document): Promise<Document | null>;
  find(filter: Document, options: Document): { toArray(): Promise<Document[]> };
  replaceOne(filter: Document, document: Document, options: Document): Promise<{ matchedCount: number }>;
}

interface Database {
  collection(name: string): Collection;
}

/** The database of what the app gave. A mongoose connection has one when it is connected. */
export async function databaseOf(mongo: MongoLike): Promise<Database> {
  const given = typeof mongo === 'function' ? await (mongo as () => object)() : mongo;
  const { db, collection } = given as { db?: unknown; collection?: unknown };
  if (typeof db === 'function') return (given as { db(): Database }).db();
  if (typeof db === 'object' && db !== null) return db as Database;
  if (typeof collection === 'function' && !('readyState' in given)) return given as Database;
  throw new Error('MongoDB is not connected');
}

/** Does work once, and again at the next call if it failed. */
export function once<T>(work: () => Promise<T>): () => Promise<T> {
  let done: Promise<T> | undefined;
  return () => {
    done ??= work().catch((error: unknown) => {
      done = undefined;
      throw error;
    });
    return done;
  };
}

/** The errors of single documents in what a bulk operation threw. */
export function writeErrors(error: unknown): readonly { code: number; index: number }[] {
  const { writeErrors: found } = (error ?? {}) as { writeErrors?: unknown };
  if (found == null) return [];
  return (Array.isArray(found) ? found : [found]) as { code: number; index: number }[];
}

/** Whether the majority has not confirmed what was written beside the errors of single documents. */
export function isUncertain(error: unknown): boolean {
  const { result } = (error ?? {}) as { result?: { getWriteConcernError?: () => unknown } };
  return result?.getWriteConcernError?.() !== undefined;
}

/** Lets MongoDB delete documents after a time. Without the index old documents cost space, not correctness: then a warning says so. */
export async function expire(collection: Collection, name: string, member: string, seconds: number): Promise<void> {
  try {
    const options = { name: `rez_${member}`, expireAfterSeconds: Math.round(seconds) };
    await collection.createIndex({ [member]: 1 }, options);
  } catch (error) {
    warnOnce(
      `ingest: ${name} has no TTL index (code ${codeOf(error)}): delete its documents by \`${member}\` yourself`,
    );
  }
}

/** The code of an error of the server. */
export function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null)?.code;
}
