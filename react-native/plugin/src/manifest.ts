import { AndroidConfig } from 'expo/config-plugins';
import { isOurs } from './options';

type Manifest = AndroidConfig.Manifest.AndroidManifest;

/** Makes `entries` the only meta-data of this plugin in the manifest, so that an option that was removed goes with the next prebuild. */
export function withMetaData(manifest: Manifest, entries: Record<string, string>): Manifest {
  const application = AndroidConfig.Manifest.getMainApplicationOrThrow(manifest);
  const others = (application['meta-data'] ?? []).filter((one) => !isOurs(one.$['android:name']));
  application['meta-data'] = others;
  for (const [name, value] of Object.entries(entries)) {
    AndroidConfig.Manifest.addMetaDataItemToMainApplication(application, name, value);
  }
  return manifest;
}
