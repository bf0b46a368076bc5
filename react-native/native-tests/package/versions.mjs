/** The versions of React Native that the package is checked against. */
import fs from 'node:fs';
import path from 'node:path';

/** `{reactNative, expo, strictApi, integrity, lists}`; `lists` is the integrity of `@react-native/virtualized-lists`, which has types. */
export const versions = JSON.parse(fs.readFileSync(path.join(import.meta.dirname, 'react-native.json'), 'utf8'));

/** Those whose generator of the iOS registry can be called alone: before 0.81 it is one script, which runs in an app only. */
export const registered = versions.filter(({ reactNative }) => !reactNative.startsWith('0.79.'));

/** The one whose SwiftPM script is run. */
export const swiftPackage = '0.88.1';
