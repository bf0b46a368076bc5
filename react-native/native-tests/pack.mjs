/** The file that `npm pack` makes, built once per run of the tests. */
import fs from 'node:fs';
import path from 'node:path';
import { runs, work } from './work.mjs';

const root = path.resolve(import.meta.dirname, '..');
const RESULT = 'REZ_PACKED';

/**
 * Builds and packs as `npm publish` does, except that the native libraries may be missing: `cargo xtask package` builds them. The
 * test processes get the result from {@link packed}.
 */
export function pack() {
  const folder = path.join(work, 'packed');
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  runs(['npm', 'run', '--silent', 'build'], { cwd: root });
  runs([process.execPath, 'vendor.mjs', '--allow-missing'], { cwd: root });
  const command = ['npm', 'pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const [{ filename, files, size, unpackedSize }] = JSON.parse(runs(command, { cwd: root }));
  process.env[RESULT] = path.join(folder, 'packed.json');
  fs.writeFileSync(
    process.env[RESULT],
    JSON.stringify({ file: path.join(folder, filename), files, size, unpackedSize }),
  );
  return packed();
}

/** `{file, files: [{path, size}], size, unpackedSize}` */
export function packed() {
  const result = process.env[RESULT];
  if (result === undefined) throw new Error('run this test by `node native-tests/run.mjs`, which packs the package');
  return JSON.parse(fs.readFileSync(result, 'utf8'));
}

/** Puts the package where `npm install` of the file would put it. */
export function unpack(folder) {
  const target = path.join(folder, 'node_modules/@rez/monitor');
  fs.rmSync(target, { recursive: true, force: true });
  fs.mkdirSync(target, { recursive: true });
  runs(['tar', 'xzf', packed().file, '-C', target, '--strip-components', '1']);
  return target;
}
