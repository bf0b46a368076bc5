/** Answers, lost events and known ids in MongoDB: for `mongoSink`, and beside any other sink. */
import { DUPLICATE_KEY } from '../../drivers/mongodb-codes';
import type { LostTotal } from '../batch';
import { DEDUPE_MS, REPLAY_MS } from '../limits';
import {
  type Collection,
  codeOf,
  DURABLE,
  databaseOf,
  expire,
  isUncertain,
  type MongoLike,
  once,
  writeErrors,
} from './mongo-driver';
import type { Seen } from './seen';
import type { Answers, StoredAnswer } from './sink';

/** Keeps answers for 24 hours. */
export function mongoAnswers(mongo: MongoLike, name = 'rez_answers', now: () => number = Date.now): Answers {
  const answers = expiring(mongo, name, REPLAY_MS);
  const current = async (_id: string) => {
    const found = await (await answers()).findOne({ _id });
    const at = found?.at instanceof Date ? found.at.getTime() : 0;
    // MongoDB deletes later than it is asked to.
    return { found, answer: at > now() - REPLAY_MS ? (found as unknown as StoredAnswer) : undefined };
  };
  return {
    find: async (project, key) => (await current(idOf(project, key))).answer,
    async keep(project, key, { ids, body }) {
      const _id = idOf(project, key);
      const document = { _id, at: new Date(now()), ids, body };
      const collection = await answers();
      try {
        await collection.insertOne(document, DURABLE);
        return document;
      } catch (error) {
        if (codeOf(error) !== DUPLICATE_KEY) throw error;
      }
      const { found, answer } = await current(_id);
      if (answer !== undefined) return answer;
      await collection.replaceOne({ _id, at: found?.at ?? null }, document, DURABLE);
      return (await current(_id)).answer ?? document;
    },
  };
}

/** Keeps the maximum of each total of lost events. */
export function mongoLost(mongo: MongoLike, name = 'rez_lost'): (totals: readonly LostTotal[]) => Promise<void> {
  const collection = once(async () => (await databaseOf(mongo)).collection(name));
  return async (totals) => {
    const operations = totals.map(({ project, install, epoch, kind, reason, count }) => ({
      updateOne: {
        filter: { _id: idOf(project, install, epoch, kind, reason) },
        update: { $max: { count }, $setOnInsert: { project, install, epoch, kind, reason } },
        upsert: true,
      },
    }));
    const write = async () => (await collection()).bulkWrite(operations, { ordered: false, ...DURABLE });
    try {
      await write();
    } catch (error) {
      // Two instances have made the same document at once: it is there now.
      if (!areThere(error)) throw error;
      await write();
    }
  };
}

/** Remembers the ids of events for 32 days: for a sink that cannot recognise them itself. */
export function mongoSeen(mongo: MongoLike, name = 'rez_seen', now: () => number = Date.now): Seen {
  const collection = expiring(mongo, name, DEDUPE_MS);
  return {
    async known(project, ids) {
      const _ids = ids.map((id) => idOf(project, id));
      const found = await (await collection()).find({ _id: { $in: _ids } }, { projection: { id: 1 } }).toArray();
      return new Set(found.map(({ id }) => String(id)));
    },
    async add(project, ids) {
      const at = new Date(now());
      const documents = ids.map((id) => ({ _id: idOf(project, id), id, at }));
      try {
        await (await collection()).insertMany(documents, { ordered: false, ...DURABLE });
      } catch (error) {
        if (!areThere(error)) throw error;
      }
    },
  };
}

/** A collection whose documents MongoDB deletes after a time. */
function expiring(mongo: MongoLike, name: string, ms: number): () => Promise<Collection> {
  return once(async () => {
    const collection = (await databaseOf(mongo)).collection(name);
    await expire(collection, name, 'at', ms / 1000);
    return collection;
  });
}

/** Whether all that failed is that some documents are there already. */
function areThere(error: unknown): boolean {
  const failed = writeErrors(error);
  return failed.length > 0 && failed.every(({ code }) => code === DUPLICATE_KEY) && !isUncertain(error);
}

/** A key of several parts, none of which can run into the next. */
function idOf(...parts: readonly unknown[]): string {
  return JSON.stringify(parts);
}
