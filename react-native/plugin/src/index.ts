/** The Expo config plugin: `"plugins": [["@rez/monitor", { "autoStart": true }]]`. No key of a destination is ever written. */
import { type ConfigPlugin, createRunOncePlugin, withAndroidManifest, withPodfile } from 'expo/config-plugins';
import { withMetaData } from './manifest';
import { metaData, type PluginOptions } from './options';
import { withPods } from './podfile';

export type { PluginOptions } from './options';

const withRezMonitor: ConfigPlugin<PluginOptions | undefined> = (config, options) => {
  // Before any file is written.
  const entries = metaData(options ?? {});
  const android = withAndroidManifest(config, (mod) => {
    mod.modResults = withMetaData(mod.modResults, entries);
    return mod;
  });
  return withPodfile(android, (mod) => {
    mod.modResults.contents = withPods(mod.modResults.contents);
    return mod;
  });
};

export default createRunOncePlugin(withRezMonitor, '@rez/monitor');
