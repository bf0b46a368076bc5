/** What the app config passes to the plugin. */
export interface PluginOptions {
  /**
   * Starts the engine before JavaScript on Android, so that the app start and early crashes are recorded. `init` of JavaScript
   * joins it and adds the destinations. Default: false. Without it, `settings` has no effect.
   */
  autoStart?: boolean;
  /** Settings of that start, by their names in `docs/guide/configure.md` in `camelCase`. */
  settings?: Record<string, string | number | boolean | readonly string[]>;
}

const PREFIX = 'app.rez.monitor.';
const AUTO_START = `${PREFIX}auto_start`;

/** The settings that the Android library reads from the manifest (`docs/guide/android.md`), without those that name a destination. */
const SETTINGS = [
  'app',
  'release',
  'dist',
  'environment',
  'debug',
  'inspector',
  'testMode',
  'testSeed',
  'nativeCrashes',
  'mappingId',
  'consentMonitoring',
  'consentAnalytics',
  'traceTargets',
  'recordedHeaders',
  'capBytes',
  'sessions',
  'sessionBackgroundMs',
  'maskUser',
  'maskIp',
  'hangs',
  'hangMs',
  'errors',
  'exits',
  'appStart',
  'appStartMaxMs',
  'screens',
  'screenMaxMs',
  'network',
  'frames',
  'frozenFrameMs',
  'breadcrumbLifecycle',
  'breadcrumbNavigation',
  'breadcrumbNetwork',
  'breadcrumbSystem',
  'deviceHints',
  'backgroundUpload',
];

/**
 * The meta-data of the manifest.
 *
 * @throws Error with one sentence if an option is unknown. Destinations are unknown: their keys would be readable in the app config and in
 * the manifest. `init` of JavaScript declares them.
 */
export function metaData(options: PluginOptions): Record<string, string> {
  for (const name of Object.keys(options)) {
    if (name !== 'autoStart' && name !== 'settings')
      throw wrong(`\`${name}\` is no option: use autoStart and settings`);
  }
  const { autoStart = false, settings = {} } = options;
  if (typeof autoStart !== 'boolean') throw wrong('`autoStart`: use true or false');
  const entries: Record<string, string> = autoStart ? { [AUTO_START]: 'true' } : {};
  for (const [name, value] of Object.entries(settings)) {
    if (!SETTINGS.includes(name)) {
      throw wrong(
        `\`settings.${name}\` cannot be set here: use one of ${SETTINGS.join(', ')}; pass destinations and keys to \`init\``,
      );
    }
    if (autoStart) entries[metaName(name)] = text(name, value);
  }
  return entries;
}

function text(name: string, value: unknown): string {
  const isList = Array.isArray(value) && value.every((one) => typeof one === 'string' && !one.includes(','));
  if (isList) return (value as string[]).join(',');
  if (typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)) return String(value);
  throw wrong(`\`settings.${name}\`: use a text, a number, true, false, or a list of texts without commas`);
}

function metaName(setting: string): string {
  return PREFIX + setting.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Whether the plugin writes meta-data of this name. */
export function isOurs(name: string): boolean {
  return name === AUTO_START || SETTINGS.some((setting) => metaName(setting) === name);
}

function wrong(sentence: string): Error {
  return new Error(`@rez/monitor: plugin: ${sentence}`);
}
