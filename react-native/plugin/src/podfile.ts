const BEGIN = '  # @rez/monitor begin: pods that autolinking does not find';
const END = '  # @rez/monitor end';

/** The Swift library, which React Native's pod depends on, from the package itself. */
const PODS = `${BEGIN}
  rez_monitor = File.join(File.dirname(\`node --print "require.resolve('@rez/monitor/package.json')"\`), 'vendor/RezMonitor')
  pod 'RezMonitorCore', :path => rez_monitor
  pod 'RezMonitor', :path => rez_monitor
${END}`;

const ANCHOR = /^.*use_native_modules!.*$/m;

/**
 * Adds the pods after `use_native_modules!`, or replaces those of an earlier version. A second call changes nothing.
 *
 * @throws Error with one sentence if the text has no such line.
 */
export function withPods(podfile: string): string {
  const start = podfile.indexOf(BEGIN);
  const end = podfile.indexOf(END, start);
  if (start >= 0 && end >= 0) return podfile.slice(0, start) + PODS + podfile.slice(end + END.length);
  if (!ANCHOR.test(podfile)) {
    throw new Error(
      `@rez/monitor: plugin: the Podfile has no line with use_native_modules!: add these lines by hand:\n${PODS}`,
    );
  }
  return podfile.replace(ANCHOR, (line) => `${line}\n${PODS}`);
}
