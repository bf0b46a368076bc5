// Copies the Kotlin and the Swift library, and the licences, into the package, before npm packs it. `npm run prepack` calls it.
import fs from 'node:fs';
import path from 'node:path';

const repository = path.resolve(import.meta.dirname, '..');

const ANDROID = ['consumer-rules.pro', 'src/main/AndroidManifest.xml', 'src/main/kotlin', 'src/main/jniLibs'];
const IOS = ['Package.swift', 'RezMonitor.podspec', 'RezMonitorCore.podspec', 'RezMonitorFFI.xcframework', 'Sources'];
const LICENCES = ['LICENSE-APACHE', 'LICENSE-MIT'];
/** What `cargo xtask package` builds: without it the package has no library for that platform. */
const BUILT = ['src/main/jniLibs', 'RezMonitorFFI.xcframework'];

/** Returns what is missing because it was not built. */
export function vendor(target) {
  fs.rmSync(target, { recursive: true, force: true });
  const missing = [];
  const copy = (from, to, names) => {
    for (const name of names) {
      const source = path.join(from, name);
      if (BUILT.includes(name) && !fs.existsSync(source)) missing.push(path.relative(repository, source));
      else fs.cpSync(source, path.join(target, to, name), { recursive: true });
    }
  };
  copy(path.join(repository, 'android/monitor'), 'android', ANDROID);
  copy(path.join(repository, 'ios'), 'RezMonitor', IOS);
  copy(repository, '.', LICENCES);
  const { version } = JSON.parse(fs.readFileSync(path.join(import.meta.dirname, 'package.json'), 'utf8'));
  for (const name of IOS.filter((file) => file.endsWith('.podspec')))
    setVersion(path.join(target, 'RezMonitor', name), version);
  trimPackage(path.join(target, 'RezMonitor/Package.swift'));
  return missing;
}

/** In the repository a podspec reads the version from Cargo.toml, which is not in the package. */
function setVersion(podspec, version) {
  const text = fs.readFileSync(podspec, 'utf8');
  const changed = text.replace(/spec\.version = .*/, `spec.version = '${version}'`);
  if (changed === text) throw new Error(`${podspec}: no line spec.version`);
  fs.writeFileSync(podspec, changed);
}

/** Without the targets whose folders are not in the package. */
function trimPackage(manifest) {
  const text = fs.readFileSync(manifest, 'utf8');
  const start = text.indexOf('        .executableTarget(name: "Sample"');
  const end = text.indexOf('    ],\n    swiftLanguageModes');
  if (start < 0 || end < start) throw new Error(`${manifest}: the targets of tests are not where they were`);
  fs.writeFileSync(manifest, text.slice(0, start) + text.slice(end));
}

if (process.argv[1] === import.meta.filename) {
  const missing = vendor(path.join(import.meta.dirname, 'vendor'));
  if (missing.length > 0) {
    console.error(`vendor: not built: ${missing.join(', ')}. Run \`cargo xtask package\` and copy its output there.`);
    if (!process.argv.includes('--allow-missing')) process.exitCode = 1;
  }
}
