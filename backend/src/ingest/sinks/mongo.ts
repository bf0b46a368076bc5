/**
 * MongoDB as a sink. Needs no transaction, so it runs on a single server too.
 *
 * The order of the writes makes a kill at any point harmless: rows, then lost events, then the answer, then the response. A client that
 * got no response sends the rows again; the unique index makes them duplicates, which an answer accounts for. All writes wait for the
 * majority: a row that another instance has just inserted is then durable as well when the answer, a later write, is.
 */
import { members } from '../../../../react-native/src/api/members';
import { DUPLICATE_KEY } from '../../drivers/mongodb-codes';
import type { LostTotal } from '../batch';
import type { Row } from '../event';
import { DEDUPE_MS } from '../limits';
import { mongoAnswers, mongoLost } from './mongo-answers';
import {
  type Collection,
  DURABLE,
  databaseOf,
  expire,
  isUncertain,
  type MongoLike,
  once,
  writeErrors,
} from './mongo-driver';
import type { Sink, Stored } from './sink';
import { storable } from './storable';

/** Options of {@link mongoSink}. */
export interface MongoOptions {
  /** Collection of the events. Default `rez_events`; answers and lost events are in `<name>_answers` and `<name>_lost`. */
  readonly collection?: string;
  /** Days after which MongoDB deletes an event, at least 32: an event that comes again later is refused as too old. Default: never. */
  readonly keepDays?: number;
}

/** Codes of errors that come again with the same document. Servers of MongoDB's protocol differ in what they can hold. */
const PERMANENT: ReadonlySet<number> = new Set([
  2, // BadValue
  9, // FailedToParse
  14, // TypeMismatch
  52, // DollarPrefixedFieldName
  57, // DottedFieldName
  121, // DocumentValidationFailure
  10334, // BSONObjectTooLarge
  17280, // KeyTooLong
]);

/**
 * Stores events in a collection with a unique index on project and id.
 *
 * @param mongo a `Db` or `MongoClient` of the driver, a mongoose connection, or a function that returns one of them
 */
export function mongoSink(mongo: MongoLike, options: MongoOptions = {}): Sink {
  const { collection = 'rez_events', keepDays } = members(options, 'collection', 'keepDays');
  if (keepDays !== undefined && !(keepDays * 24 * 3600 * 1000 >= DEDUPE_MS)) {
    throw new RangeError('mongoSink: `keepDays` must be at least 32, the time for which ids are remembered');
  }
  const events = once(async () => {
    const events = (await databaseOf(mongo)).collection(collection);
    // Without this index an event would be stored twice: nothing is stored before it is there.
    await events.createIndex({ project: 1, id: 1 }, { unique: true, name: 'rez_project_id' });
    if (keepDays !== undefined) await expire(events, collection, 'received_at', keepDays * 24 * 3600);
    return events;
  });
  const lost = mongoLost(mongo, `${collection}_lost`);
  return {
    store: async (rows) => store(await events(), rows),
    lost: (totals: readonly LostTotal[]) => lost(totals),
    answers: mongoAnswers(mongo, `${collection}_answers`),
  };
}

/** Inserts rows. One that is there does not stop the others; one that cannot be a document is stored with its fields as a text. */
async function store(events: Collection, rows: readonly Row[]): Promise<Stored> {
  const { duplicates, refused } = await insert(events, rows.map(asDocument));
  if (refused.size === 0) return { duplicates };
  const odd = rows.filter(({ id }) => refused.has(id));
  const again = await insert(events, odd.map(asText));
  const left = [...again.refused].map(([id, code]) => ({ id, message: `MongoDB refuses the document (code ${code})` }));
  return { duplicates: [...duplicates, ...again.duplicates], refused: left };
}

interface Inserted {
  duplicates: string[];
  /** Ids of rows that are refused with these bytes, each with the code of the error. */
  refused: Map<string, number>;
}

async function insert(events: Collection, documents: readonly Stamped[]): Promise<Inserted> {
  const done: Inserted = { duplicates: [], refused: new Map() };
  try {
    await events.insertMany(documents, { ordered: false, ...DURABLE });
  } catch (error) {
    const failed = writeErrors(error);
    // Without errors of single documents the whole command failed.
    if (failed.length === 0 || isUncertain(error)) throw error;
    for (const { code, index } of failed) {
      const id = documents[index]?.id;
      if (id !== undefined && code === DUPLICATE_KEY) done.duplicates.push(id);
      else if (id !== undefined && PERMANENT.has(code)) done.refused.set(id, code);
      else throw error;
    }
  }
  return done;
}

type Stamped = Record<string, unknown> & Pick<Row, 'id'>;

function asDocument({ fields, resource, sdk, ...row }: Row): Stamped {
  return { ...row, sdk: storable(sdk), resource: storable(resource), fields: storable(fields) };
}

function asText({ fields, resource, sdk, ...row }: Row): Stamped {
  return { ...row, json: JSON.stringify({ sdk, resource, fields }) };
}
