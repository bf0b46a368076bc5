/** What is known of the machine and the runtime, once per process. `docs/guide/device.md` says where each destination shows it. */
import { readFileSync } from 'node:fs';
import { arch, release, totalmem, type } from 'node:os';

/** The facts of this process. Never throws. */
export function factsOfServer(): Record<string, unknown> {
  return {
    framework: { name: 'node', version: process.versions.node },
    ...operatingSystem(),
    architecture: arch(),
    // A limit of the container, where there is one.
    memory_bytes: Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY),
    time_zone: new Intl.DateTimeFormat().resolvedOptions().timeZone,
  };
}

/** Name and version of the distribution, which says more than the kernel: `Debian GNU/Linux`, `12`. */
function operatingSystem(): { os_name: string; os_version: string } {
  try {
    const lines = readFileSync('/etc/os-release', 'utf8').split('\n');
    const of = (name: string) =>
      lines
        .find((line) => line.startsWith(`${name}=`))
        ?.slice(name.length + 1)
        .replaceAll('"', '');
    const [name, version] = [of('NAME'), of('VERSION_ID')];
    if (name && version) return { os_name: name, os_version: version };
  } catch {
    // Not Linux.
  }
  return { os_name: type(), os_version: release() };
}
