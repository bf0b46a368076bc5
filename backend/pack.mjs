// Lays out what npm publishes: the package, and a package with the addon for the platform of this machine.
//
// The addons are optional dependencies, of which npm installs the one that fits. They are named here and not in `package.json`: there,
// `npm ci` would look for packages that are published later than this one is tested.
import fs from 'node:fs';
import path from 'node:path';

const LICENCES = ['LICENSE-APACHE', 'LICENSE-MIT'];
const ADDON = 'rez_monitor_node.node';

/** The platforms that have an addon, by the end of the package's name. */
export const PLATFORMS = {
  'linux-x64-gnu': { os: ['linux'], cpu: ['x64'], libc: ['glibc'] },
  'linux-x64-musl': { os: ['linux'], cpu: ['x64'], libc: ['musl'] },
  'linux-arm64-gnu': { os: ['linux'], cpu: ['arm64'], libc: ['glibc'] },
  'linux-arm64-musl': { os: ['linux'], cpu: ['arm64'], libc: ['musl'] },
  'darwin-x64': { os: ['darwin'], cpu: ['x64'] },
  'darwin-arm64': { os: ['darwin'], cpu: ['arm64'] },
  'win32-x64': { os: ['win32'], cpu: ['x64'] },
};

const here = import.meta.dirname;

/** Lays out both packages in `out`. Returns their folders. */
export function pack(addon, platform, out) {
  const fits = PLATFORMS[platform];
  if (fits === undefined)
    throw new Error(`${platform}: no such platform; use one of ${Object.keys(PLATFORMS).join(', ')}`);
  const { private: _, devDependencies, scripts, ...about } = read(path.join(here, 'package.json'));
  const ofPlatform = (name) => `${about.name}-${name}`;
  const main = path.join(out, 'monitor-node');
  const own = path.join(out, platform);
  for (const folder of [main, own]) {
    fs.rmSync(folder, { recursive: true, force: true });
    fs.mkdirSync(folder, { recursive: true });
    for (const licence of LICENCES) fs.copyFileSync(path.join(here, '..', licence), path.join(folder, licence));
  }
  for (const name of ['lib', 'README.md']) fs.cpSync(path.join(here, name), path.join(main, name), { recursive: true });
  const addons = Object.fromEntries(Object.keys(PLATFORMS).map((name) => [ofPlatform(name), about.version]));
  write(main, { ...about, optionalDependencies: addons });
  fs.copyFileSync(addon, path.join(own, ADDON));
  write(own, {
    name: ofPlatform(platform),
    version: about.version,
    description: `The engine of ${about.name} for ${platform}.`,
    license: about.license,
    main: ADDON,
    files: [ADDON, ...LICENCES],
    engines: about.engines,
    ...fits,
  });
  return { main, own };
}

function read(file) {
  return JSON.parse(fs.readFileSync(file, 'utf8'));
}

function write(folder, about) {
  fs.writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(about, null, 2)}\n`);
}

if (process.argv[1] === import.meta.filename) {
  const [addon, platform, out] = process.argv.slice(2);
  if (!out) throw new Error('usage: node pack.mjs <addon> <platform> <folder>');
  for (const folder of Object.values(pack(addon, platform, out))) console.log(folder);
}
