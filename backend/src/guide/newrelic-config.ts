/** Reads the `newrelic.js` that the agent of New Relic reads, as it is. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { guarded, isRecord } from '../../../react-native/src/core/guard';
import { describe } from '../../../react-native/src/core/json';
import { read, readList, readText } from '../../../react-native/src/core/read';

/** What is taken from the file. The agent's variables of the environment precede it, as they do for the agent. */
export interface NewRelicConfig {
  /** The first name; empty if there is none. */
  app: string;
  licenseKey: string;
  /** Whether the agent would run. */
  enabled: boolean;
  allowAllHeaders: boolean;
  exclude: string[];
}

const NAMES = ['newrelic.js', 'newrelic.cjs', 'newrelic.mjs'];

/** Rules that are read. */
const RULES = 1_000;

/**
 * The configuration in `file`, or in the first `newrelic.js` of `NEW_RELIC_HOME` and the working directory. A text: what is wrong, in one
 * sentence. Never throws.
 */
export function readNewRelicConfig(
  file: string | null | undefined,
  environment: NodeJS.ProcessEnv,
): NewRelicConfig | string {
  const path = guarded(undefined, () => (file == null ? find(environment) : resolve(file)));
  if (path === undefined) return 'there is no newrelic.js in NEW_RELIC_HOME or the working directory.';
  let loaded: unknown;
  try {
    loaded = createRequire(path)(path);
  } catch (error) {
    return `${path} cannot be loaded (${describe(error).split('\n', 1)[0]}). Correct it; in a package of type "module" it is named newrelic.cjs.`;
  }
  const config = read(loaded, 'config');
  if (!isRecord(config)) return `${path} does not export \`config\`.`;
  const attributes = read(config, 'attributes');
  const excluded = readList(read(attributes, 'exclude'), RULES).filter((rule) => typeof rule === 'string');
  return {
    app: (environment.NEW_RELIC_APP_NAME || firstText(read(config, 'app_name'))).split(/[;,]/, 1)[0]?.trim() ?? '',
    licenseKey: (environment.NEW_RELIC_LICENSE_KEY || readText(config, 'license_key')).trim(),
    enabled: ![false, 'false'].includes((environment.NEW_RELIC_ENABLED ?? read(config, 'agent_enabled')) as string),
    allowAllHeaders: read(config, 'allow_all_headers') === true,
    exclude: read(attributes, 'enabled') === false ? ['*'] : excluded,
  };
}

function find({ NEW_RELIC_HOME }: NodeJS.ProcessEnv): string | undefined {
  const folders = [...(NEW_RELIC_HOME ? [resolve(NEW_RELIC_HOME)] : []), process.cwd()];
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find((path) => existsSync(path));
}

function firstText(value: unknown): string {
  return typeof value === 'string' ? value : String(readList(value, 1).find((one) => typeof one === 'string') ?? '');
}
