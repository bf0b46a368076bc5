/** What there is: snapshots, and the last results. */
import path from 'node:path';
import { MANIFEST } from './manifest.mjs';
import { readState } from './metrics.mjs';
import { duration, moment, size, table } from './table.mjs';

/** Returns the table, and the errors of the repositories that cannot be read. */
export async function snapshots({ repositories, sources, host }) {
  const rows = [];
  const errors = [];
  for (const repository of repositories) {
    let all = [];
    try {
      all = await repository.snapshots({ host });
    } catch (error) {
      errors.push(error.message);
    }
    for (const it of all) {
      if (sources.some(({ name }) => name === it.source)) {
        rows.push([
          repository.name,
          it.source,
          it.short,
          moment(it.time),
          it.host,
          it.paths.filter((file) => path.basename(file) !== MANIFEST).join(', '),
        ]);
      }
    }
  }
  return { text: table(['repository', 'source', 'snapshot', 'taken', 'host', 'paths'], rows), errors };
}

export function status({ settings, now }) {
  const state = readState(settings);
  const age = (ms) => (ms ? duration((now().getTime() - ms) / 1000) : 'never');
  const rows = settings.sources.flatMap(({ name }) =>
    settings.repositories.map((repository) => {
      const it = state.runs[name]?.repositories[repository.name];
      return [name, repository.name, age(it?.lastSuccess), size(it?.bytes), it ? (it.error ?? 'ok') : 'never run'];
    }),
  );
  const checks = settings.repositories.map(({ name }) => {
    const it = state.checks[name];
    return [name, age(it?.lastSuccess), it ? (it.error ?? 'ok') : 'never run'];
  });
  return [
    table(['source', 'repository', 'last saved', 'size', 'last result'], rows),
    table(['repository', 'last checked', 'result'], checks),
    `last drill that restored everything: ${age(state.drill?.lastSuccess)}`,
  ].join('\n\n');
}
