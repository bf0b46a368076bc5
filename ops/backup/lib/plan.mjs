/** Which snapshot of which source is restored; for restore and drill. */
import fs from 'node:fs';
import { Failure } from './failure.mjs';
import * as manifest from './manifest.mjs';
import { size } from './table.mjs';

/** Finds a snapshot with its manifest. The repositories are tried in their order: the first may be what was lost. */
export async function locate(source, { repositories, host, id, at, log }) {
  const errors = [];
  for (const repository of repositories) {
    try {
      await repository.open();
      const snapshot = await repository.find({ host, source: source.name, id, at });
      return { source, repository, snapshot, saved: await manifest.read(repository, snapshot) };
    } catch (error) {
      errors.push(error.message);
      if (repositories.length > 1) log(`${source.name}: ${error.message}`);
    }
  }
  throw new Failure(errors.join('; '));
}

/** The bytes of a manifest. */
export const bytesOf = ({ files }) => Object.values(files).reduce((sum, it) => sum + it.size, 0);

/** Fails if a folder has less space than this. */
export function needSpace(folder, bytes, what) {
  const { bavail, bsize } = fs.statfsSync(folder);
  const free = bavail * bsize;
  if (free >= bytes) return;
  throw new Failure(`${what} needs ${size(bytes)} in ${folder}, which has ${size(free)} left: nothing was restored`);
}
