/** The tools that check the packed package, and the React Native versions that its types are compiled against. `run.mjs` prepares both. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { unpack } from '../pack.mjs';
import { installed, npm, runs, work } from '../work.mjs';
import { versions } from './versions.mjs';

export const tools = path.join(work, 'tools');

/** An app without a program: the package beside the declarations and the scripts of one version of React Native. */
export const appOf = (version) => path.join(work, `react-native-${version}`);

export function prepare() {
  installed(path.join(import.meta.dirname, 'tools'));
  for (const version of versions) {
    const app = appOf(version.reactNative);
    fetched(app, 'react-native', version.reactNative, version.integrity);
    fetched(app, '@react-native/virtualized-lists', version.reactNative, version.lists);
    // The types of React.
    for (const name of ['@types', 'csstype'])
      fs.cpSync(path.join(tools, 'node_modules', name), path.join(app, 'node_modules', name), { recursive: true });
    unpack(app);
  }
}

/** What the tests read of React Native: an installation with all that it depends on would be ten times as large. */
const READ = /\.d\.ts$|^package\.json$|^scripts\/(codegen|spm)\//;

/** Puts a part of a package into an app, unless it is there. Its content is the one that was committed. */
function fetched(app, name, version, integrity) {
  const target = path.join(app, 'node_modules', name);
  const mark = path.join(target, '.integrity');
  if (fs.existsSync(mark) && fs.readFileSync(mark, 'utf8') === integrity) return;
  const part = path.join(work, 'part');
  fs.rmSync(part, { recursive: true, force: true });
  fs.mkdirSync(part, { recursive: true });
  const [{ filename }] = JSON.parse(npm(['pack', `${name}@${version}`, '--json', '--pack-destination', part], work));
  const file = path.join(part, filename);
  const found = `sha512-${createHash('sha512').update(fs.readFileSync(file)).digest('base64')}`;
  if (found !== integrity) throw new Error(`${name}@${version}: ${found} instead of the committed ${integrity}`);
  runs(['tar', 'xzf', file, '-C', part]);
  const whole = path.join(part, 'package');
  const filter = (entry) => fs.statSync(entry).isDirectory() || READ.test(path.relative(whole, entry));
  fs.rmSync(target, { recursive: true, force: true });
  fs.cpSync(whole, target, { recursive: true, filter });
  fs.rmSync(part, { recursive: true });
  fs.writeFileSync(mark, integrity);
}
