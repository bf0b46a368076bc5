/** What the app says at the start, and what the environment says where the app is silent. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { members, readable } from '../../../react-native/src/api/members';
import { defined } from '../../../react-native/src/core/guard';
import { readList } from '../../../react-native/src/core/read';
import { workingFolder } from './folder';
import type { Limits } from './limits';

/** A destination of `docs/guide/configure.md`: where the queue is delivered. */
export interface Destination {
  /** Its identity across starts: letters, digits, `-`, `_`, `.`. */
  name: string;
  kind: 'rez' | 'sentry' | 'datadog' | 'mixpanel' | 'ga4' | 'otlp' | 'slack' | 'pagerduty';
  /** The other members are those of its kind. */
  [member: string]: unknown;
}

/** Every member is optional. */
export interface Options {
  /**
   * Where the queue is stored: a local folder of this service that survives a restart. Default: `REZ_FOLDER`, else `rez-monitor` in
   * `STATE_DIRECTORY` (which systemd sets for `StateDirectory=`), else `.rez-monitor` in the working directory. Of several processes
   * each gets a folder beside it (`.1`, `.2`, ..).
   */
  folder?: string;
  /** The name of the service. Default: `REZ_APP`, else `name` in the `package.json` of the working directory, else `node`. */
  app?: string;
  /** Default: `REZ_RELEASE`, else the name and `version` of that file: `rezapp-api@2.4.1`. */
  release?: string;
  /** Default: `REZ_ENVIRONMENT`, else `NODE_ENV`. */
  environment?: string;
  /** Where the queue is delivered, besides what the environment names. */
  destinations?: readonly Destination[];
  /** The app's logger: winston, pino or an object with `info`, `warn` and `error`. Default: the console, for warnings and errors. */
  logger?: unknown;
  /** From which duration on something is slow. */
  limits?: Partial<Limits>;
  /** Other settings of the engine, see `docs/guide/configure.md`. */
  settings?: Readonly<Record<string, unknown>>;
}

/** Who the service is. */
export interface Identity {
  app: string;
  release: string;
  environment?: string;
}

/** Who the service is: by the options, else by the environment, else by the `package.json` of the working directory. */
export function identityOf(options: Options, environment: NodeJS.ProcessEnv): Identity {
  const about = packageOf(workingFolder());
  const app = options.app || environment.REZ_APP || about.name || 'node';
  return {
    app,
    release: options.release || environment.REZ_RELEASE || `${app}@${about.version || '0.0.0'}`,
    ...defined({
      environment: options.environment || environment.REZ_ENVIRONMENT || environment.NODE_ENV || undefined,
    }),
  };
}

/** Destinations that are read of the options, as many as the engine takes. */
const DESTINATIONS = 32;

/** The options that can be read: a member that is null, or throws when it is read, is absent. Never throws. */
export function readOptions(given: Options | null | undefined): Options {
  const names = ['folder', 'app', 'release', 'environment', 'destinations', 'logger', 'limits', 'settings'] as const;
  return members(given, ...names);
}

/** The destinations of the options; none if they are no list. */
export function destinationsOf({ destinations }: Options): Destination[] {
  return readList(destinations, DESTINATIONS) as Destination[];
}

/**
 * The settings of the engine, without destinations. A server has no user who is asked for consent, no session and no foreground.
 *
 * What the engine says to a developer is a line of the app's logger (`debug`). That would switch on the inspector and the test mode of
 * apps, which a server does not have.
 *
 * @param environment that of the process
 */
export function settingsOf(options: Options, environment: NodeJS.ProcessEnv): Record<string, unknown> {
  return {
    folder: options.folder || environment.REZ_FOLDER || defaultFolder(environment),
    ...identityOf(options, environment),
    consentMonitoring: 'granted',
    consentAnalytics: 'granted',
    sessions: false,
    uncleanExits: 'ignored',
    debug: true,
    inspector: false,
    testMode: false,
    ...given(readable(options.settings ?? {})?.copy),
  };
}

/** The members that are not null. */
function given(settings: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null));
}

/** The destinations whose keys the environment holds, under the names that the guide gives them. */
export function fromEnvironment(environment: NodeJS.ProcessEnv): Destination[] {
  const { SENTRY_DSN, SLACK_WEBHOOK_URL, PAGERDUTY_INTEGRATION_KEY, REZ_ENDPOINT, REZ_WRITE_KEY } = environment;
  const found: Destination[] = [];
  if (SENTRY_DSN) found.push({ name: 'sentry', kind: 'sentry', dsn: SENTRY_DSN });
  if (SLACK_WEBHOOK_URL) found.push({ name: 'slack', kind: 'slack', key: SLACK_WEBHOOK_URL });
  if (PAGERDUTY_INTEGRATION_KEY) found.push({ name: 'pagerduty', kind: 'pagerduty', key: PAGERDUTY_INTEGRATION_KEY });
  if (REZ_ENDPOINT) found.push({ name: 'rez', kind: 'rez', endpoint: REZ_ENDPOINT, key: REZ_WRITE_KEY ?? '' });
  return found;
}

/** Empty if nothing says where: the working directory has been removed. */
function defaultFolder({ STATE_DIRECTORY }: NodeJS.ProcessEnv): string {
  // systemd lists several folders with a colon between them.
  const state = STATE_DIRECTORY?.split(':', 1)[0];
  if (state) return join(state, 'rez-monitor');
  const working = workingFolder();
  return working === undefined ? '' : join(working, '.rez-monitor');
}

/** Name and version of the app. Both empty if its `package.json` cannot be read. */
function packageOf(folder: string | undefined): { name: string; version: string } {
  try {
    if (folder === undefined) return { name: '', version: '' };
    const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, unknown>;
    // The scope of a name is the team's, and a slash is no part of a release.
    const short = typeof name === 'string' ? name.replace(/^@[^/]*\//, '') : '';
    return { name: short, version: typeof version === 'string' ? version : '' };
  } catch {
    return { name: '', version: '' };
  }
}
