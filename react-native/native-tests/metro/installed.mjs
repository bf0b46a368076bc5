// Puts the package into the app's packages: a copy of what `npm pack` takes, since Metro follows no link out of its root.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

export const app = import.meta.dirname;
const root = path.resolve(app, '../..');

/** The `require` of the app. */
export const require = createRequire(path.join(app, 'package.json'));

export function install() {
  const lib = path.join(root, 'lib/commonjs/index.js');
  if (!fs.existsSync(lib)) throw new Error(`${lib} is missing: npm run build in ${root}`);
  const target = path.join(app, 'node_modules/@rez/monitor');
  fs.rmSync(target, { recursive: true, force: true });
  for (const name of ['package.json', 'lib', 'metro']) {
    fs.cpSync(path.join(root, name), path.join(target, name), { recursive: true });
  }
}
