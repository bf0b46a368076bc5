/** App, release and device of a run as attributes of OTLP's resource, under the names that the engine uses. */
import type { Json } from '../../batch';
import type { Row } from '../../event';
import { Attributes, type KeyValue, part, text } from './attributes';

/** Facts with the attribute of each. */
const FACTS = {
  os_build: 'os.build_id',
  manufacturer: 'device.manufacturer',
  brand: 'app.device.brand',
  family: 'app.device.family',
  memory_bytes: 'app.device.memory',
  storage_bytes: 'app.device.storage',
  screen_width_px: 'app.device.screen.width',
  screen_height_px: 'app.device.screen.height',
  emulator: 'app.device.emulator',
  rooted: 'app.device.rooted',
  locale: 'app.locale',
  time_zone: 'app.time_zone',
  app_version: 'app.version',
  app_build: 'app.build',
  app_id: 'app.id',
  install_source: 'app.install.source',
  start_kind: 'app.start.kind',
} as const;

const LANGUAGES: Readonly<Record<string, string>> = {
  'react-native': 'webjs',
  expo: 'webjs',
  node: 'nodejs',
  android: 'java',
  ios: 'swift',
};

const ARCHITECTURES: readonly [string, readonly string[]][] = [
  ['arm64', ['arm64', 'arm64-v8a', 'arm64e', 'aarch64']],
  ['arm32', ['armeabi-v7a', 'armeabi', 'armv7', 'armv7s', 'arm']],
  ['amd64', ['x86_64', 'x86-64', 'x64', 'amd64']],
  ['x86', ['x86', 'i386', 'i686']],
];

/** The attributes of the run of a row. */
export function resourceOf({ resource, install, sdk, project }: Row): KeyValue[] {
  const a = new Attributes();
  const facts = part(resource, 'facts');
  const framework = part(facts, 'framework');
  const { name, version } = release(text(resource, 'release'));
  a.text('service.name', text(resource, 'app') || name);
  a.text('service.version', version);
  a.text('service.instance.id', text(resource, 'run'));
  a.text('deployment.environment.name', text(resource, 'environment'));
  system(a, resource, facts);
  a.text('device.model.identifier', text(resource, 'device'));
  a.text('host.arch', architecture(text(facts, 'architecture')));
  a.text('app.build_id', text(resource, 'dist') ?? text(facts, 'app_build'));
  for (const [fact, key] of Object.entries(FACTS)) a.any(key, facts[fact]);
  a.float('app.device.screen.density', facts.density);
  a.text('process.runtime.name', text(framework, 'name'));
  a.text('process.runtime.version', text(framework, 'version'));
  a.text('app.installation.id', install);
  a.text('telemetry.sdk.name', text(sdk, 'name'));
  a.text('telemetry.sdk.language', LANGUAGES[text(framework, 'name') ?? ''] ?? 'rust');
  a.text('telemetry.sdk.version', text(sdk, 'version'));
  a.text('rez.project', project);
  return a.list;
}

/** `shop@1.4.0+77` is version `1.4.0+77` of `shop`. A release without a name is a version. */
function release(given = ''): { name: string | undefined; version: string | undefined } {
  const at = given.lastIndexOf('@');
  if (at < 0 || at === given.length - 1) return { name: undefined, version: given || undefined };
  return { name: given.slice(0, at) || undefined, version: given.slice(at + 1) };
}

/** `Android 15` is a name and a version; `linux` is a name. */
function system(a: Attributes, resource: Json, facts: Json): void {
  const os = (text(resource, 'os') ?? '').trim();
  const space = os.lastIndexOf(' ');
  const first = os.charCodeAt(space + 1);
  const split = space > 0 && first >= 0x30 && first <= 0x39;
  const name = text(facts, 'os_name');
  a.text('os.name', name ?? ((split ? os.slice(0, space).trim() : os) || undefined));
  a.text('os.version', name === undefined ? (split ? os.slice(space + 1) : undefined) : text(facts, 'os_version'));
}

function architecture(given: string | undefined): string | undefined {
  const lower = given?.toLowerCase();
  return ARCHITECTURES.find(([, all]) => all.includes(lower ?? ''))?.[0] ?? given;
}
