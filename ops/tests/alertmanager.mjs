/** The configuration of Alertmanager, and copies of it for a live run. */
import fs from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { OPS } from './programs.mjs';

export const ALERTMANAGER = path.join(OPS, 'alertmanager');
export const CONFIG = path.join(ALERTMANAGER, 'alertmanager.yml');

/** The configuration as a value, with its anchors resolved. */
export const config = () => parse(fs.readFileSync(CONFIG, 'utf8'), { merge: true });

/** Returns every object in a value. */
function* objects(value) {
  if (value === null || typeof value !== 'object') return;
  if (!Array.isArray(value)) yield value;
  for (const inner of Object.values(value)) yield* objects(inner);
}

/** The files in which secrets are expected, by their key in the configuration. */
export const secrets = () =>
  [...objects(config())].flatMap((object) =>
    Object.entries(object).filter(([key]) => /_(url|key|password)_file$/.test(key)),
  );
