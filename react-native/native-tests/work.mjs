/**
 * Folders in which the tests install packages: `target/native-tests/<name>`. They are outside of the package, so that an app in one
 * of them finds nothing in the `node_modules` of the repository.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

export const work = path.resolve(import.meta.dirname, '../../target/native-tests');

/** What stays in a folder from run to run: packages, and what Metro has compiled. */
const KEPT = ['node_modules', '.cache'];

/** Thrown if npm has no package: the tests that need it are skipped. */
export class NotInstalled extends Error {}

/** Runs a program, and returns what it prints. Throws with that if it does not end with one of `statuses`. */
export function runs(command, { statuses = [0], ...options } = {}) {
  const [program, ...rest] = command;
  const result = spawnSync(program, rest, { encoding: 'utf8', maxBuffer: 1 << 26, timeout: 600_000, ...options });
  if (result.error) throw result.error;
  if (!statuses.includes(result.status))
    throw new Error(`${command.join(' ')}: ${result.status ?? result.signal}\n${result.stdout}${result.stderr}`);
  return result.stdout;
}

/** Runs npm, which is the only thing here that needs a network. */
export function npm(command, cwd) {
  try {
    return runs(['npm', ...command], { cwd });
  } catch (error) {
    const why = error.message.split('\n').filter((line) => line.startsWith('npm error'));
    throw new NotInstalled(`npm ${command[0]}: ${why.slice(0, 2).join('; ') || error.message}`);
  }
}

/** Copies the sources of a fixture, and installs what its lock file names, unless that is there. Returns the folder. */
export function installed(source, name = path.basename(source)) {
  const folder = path.join(work, name);
  fs.mkdirSync(folder, { recursive: true });
  for (const old of fs.readdirSync(folder).filter((entry) => !KEPT.includes(entry)))
    fs.rmSync(path.join(folder, old), { recursive: true });
  fs.cpSync(source, folder, { recursive: true, filter: (file) => path.basename(file) !== 'node_modules' });
  install(folder);
  return folder;
}

/** Installs what the lock file of a folder names. Returns why npm cannot; false if it is there. */
export function notInstalled(folder) {
  try {
    install(folder);
    return false;
  } catch (error) {
    if (error instanceof NotInstalled) return error.message;
    throw error;
  }
}

/** Installs what the lock file of a folder names, unless that is there: the mark is the one of `cargo xtask react-native`. */
export function install(folder) {
  const lock = fs.readFileSync(path.join(folder, 'package-lock.json'), 'utf8');
  const mark = path.join(folder, 'node_modules/.installed-lock.json');
  if (fs.existsSync(mark) && fs.readFileSync(mark, 'utf8') === lock) return;
  npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'], folder);
  fs.writeFileSync(mark, lock);
}
