/** Folders and files: media, documents, configuration. They are saved where they are. */
import fs from 'node:fs';
import { Failure } from './failure.mjs';
import * as manifest from './manifest.mjs';

export async function prepare(source, { manifestFolder }) {
  const absent = source.paths.find((it) => !fs.existsSync(it));
  if (absent) throw new Failure(`source ${source.name}: ${absent} does not exist`);
  const link = source.paths.find((it) => fs.lstatSync(it).isSymbolicLink());
  if (link) {
    const target = fs.realpathSync(link);
    throw new Failure(
      `source ${source.name}: ${link} is a symbolic link, and only the link would be saved: name ${target}`,
    );
  }
  const before = manifest.last(manifestFolder)?.files;
  const { files, links } = await manifest.list(source.paths, before, source.exclude);
  for (const root of source.paths) {
    const has = (all) => Object.keys(all).some((file) => file.startsWith(`${root}/`));
    if (!before || !has(before) || has(files)) continue;
    throw new Failure(
      `source ${source.name}: ${root} has no file, and had some at the last backup: is its disk mounted? If it is meant to be empty, remove ${manifest.pathIn(manifestFolder)}`,
    );
  }
  const bytes = Object.values(files).reduce((sum, { size }) => sum + size, 0);
  return { paths: source.paths, files, links, counts: { files: Object.keys(files).length, bytes }, versions: {} };
}

/** The SHA-256 of each file is compared by the manifest; there is nothing else to try. */
export async function rehearse() {
  return {};
}
