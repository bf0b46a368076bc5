/**
 * A complete sink of a team that has neither MongoDB nor a Collector: a function, answers and lost events over SQLite. Any number of
 * processes share the file.
 */
import { DatabaseSync } from 'node:sqlite';
import type { LostTotal, Row, Sink, StoredAnswer } from '../../src/ingest';

/** The sink, and how tests read what it stored. */
export interface SqliteSink extends Sink {
  ids(project: string): string[];
  rows(project: string): Row[];
  totals(): LostTotal[];
  close(): void;
}

export function sqliteSink(file: string, now: () => number = Date.now): SqliteSink {
  const db = new DatabaseSync(file);
  db.exec(`PRAGMA busy_timeout = 20000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS event (project TEXT, id TEXT, json TEXT, PRIMARY KEY (project, id)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS answer (project TEXT, key TEXT, at INTEGER, ids TEXT, body TEXT, PRIMARY KEY (project, key));
    CREATE TABLE IF NOT EXISTS lost (project TEXT, install TEXT, epoch INTEGER, kind TEXT, reason TEXT, count INTEGER,
      PRIMARY KEY (project, install, epoch, kind, reason))`);
  const insert = db.prepare('INSERT OR IGNORE INTO event VALUES (?, ?, ?)');
  const lose = db.prepare(`INSERT INTO lost VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET count = max(count, excluded.count)`);
  const answer = db.prepare('SELECT ids, body FROM answer WHERE project = ? AND key = ? AND at > ?');
  const keep = db.prepare(
    'INSERT INTO answer VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET at = excluded.at, ids = excluded.ids, body = excluded.body WHERE at <= ?',
  );
  const transaction = <T>(work: () => T): T => {
    db.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      db.exec('COMMIT');
      return result;
    } catch (error) {
      db.exec('ROLLBACK');
      throw error;
    }
  };
  const dayAgo = () => now() - 24 * 3600 * 1000;
  const find = (project: string, key: string) => answer.get(project, key, dayAgo()) as StoredAnswer | undefined;
  return {
    async store(rows) {
      const stored = (row: Row) => insert.run(row.project, row.id, JSON.stringify(row)).changes === 1;
      return { duplicates: transaction(() => rows.filter((row) => !stored(row)).map(({ id }) => id)) };
    },
    async lost(totals) {
      transaction(() => {
        for (const { project, install, epoch, kind, reason, count } of totals) {
          lose.run(project, install, epoch, kind, reason, count);
        }
      });
    },
    answers: {
      find: async (project, key) => find(project, key),
      async keep(project, key, { ids, body }) {
        keep.run(project, key, now(), ids, body, dayAgo());
        return find(project, key) ?? { ids, body };
      },
    },
    ids: (project) =>
      (db.prepare('SELECT id FROM event WHERE project = ? ORDER BY id').all(project) as { id: string }[]).map(
        ({ id }) => id,
      ),
    rows: (project) =>
      (db.prepare('SELECT json FROM event WHERE project = ? ORDER BY id').all(project) as { json: string }[]).map(
        ({ json }) => JSON.parse(json),
      ),
    totals: () =>
      db.prepare('SELECT * FROM lost ORDER BY project, install, epoch, kind, reason').all() as unknown as LostTotal[],
    close: () => db.close(),
  };
}
