/** Writes the dashboards: `node generate.mjs`, or compares them: `node generate.mjs --check`. `npm ci` installs what it needs. */
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { api } from './api.mjs';
import { mobile } from './mobile.mjs';

const { values } = parseArgs({ options: { check: { type: 'boolean' } } });
for (const [name, dashboard] of Object.entries({ api, mobile })) {
  const file = path.join(import.meta.dirname, 'dashboards', `${name}.json`);
  const text = `${JSON.stringify(dashboard.build(), null, 2)}\n`;
  if (!values.check) fs.writeFileSync(file, text);
  else if (!fs.existsSync(file) || fs.readFileSync(file, 'utf8') !== text) {
    console.error(`ops/grafana/dashboards/${name}.json is not what ${name}.mjs makes: run cargo xtask ops dashboards`);
    process.exitCode = 1;
  }
}
