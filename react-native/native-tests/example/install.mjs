/** Installs what the lock file of a folder names, unless that is there: the mark is the one of `cargo xtask react-native`. */
import fs from 'node:fs';
import path from 'node:path';
import { NotInstalled, npm } from '../work.mjs';

/** Why a folder's packages are missing; false if they are there. */
export function missing(folder) {
  const lock = fs.readFileSync(path.join(folder, 'package-lock.json'), 'utf8');
  const mark = path.join(folder, 'node_modules/.installed-lock.json');
  if (fs.existsSync(mark) && fs.readFileSync(mark, 'utf8') === lock) return false;
  try {
    npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'], folder);
  } catch (error) {
    if (error instanceof NotInstalled) return error.message;
    throw error;
  }
  fs.writeFileSync(mark, lock);
  return false;
}
