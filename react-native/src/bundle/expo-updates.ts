/**
 * What `expo-updates` knows about the update that runs.
 *
 * It is read from the native module that Expo registers in the global object: an import would make Metro fail in an app without it.
 */
import type { Attributes } from '../core/items';
import { isObject, read, readText } from '../core/read';

export interface UpdateFacts {
  tags: Record<string, string>;
  context: Attributes;
}

/** Tags and context of the update. Undefined: there is no `expo-updates`. The names are those of Sentry's package. */
export function updateFacts(): UpdateFacts | undefined {
  const module = read(read(read(globalThis, 'expo'), 'modules'), 'ExpoUpdates');
  if (!isObject(module)) return undefined;
  const tags: Record<string, string> = {};
  const add = (name: string, value: string) => {
    if (value !== '') tags[`expo.updates.${name}`] = value;
  };
  // The app reads it from the package in lower case, iOS writes it in upper case.
  add('update_id', readText(module, 'updateId').toLowerCase());
  add('channel', readText(module, 'channel'));
  add('runtime_version', readText(module, 'runtimeVersion'));
  const context: Record<string, unknown> = {};
  for (const [name, member, type] of CONTEXT) {
    const value = read(module, member);
    if (typeof value === type && value !== '') context[name] = value;
  }
  return { tags, context };
}

const CONTEXT = [
  ['is_enabled', 'isEnabled', 'boolean'],
  ['is_embedded_launch', 'isEmbeddedLaunch', 'boolean'],
  ['is_emergency_launch', 'isEmergencyLaunch', 'boolean'],
  ['emergency_launch_reason', 'emergencyLaunchReason', 'string'],
  ['launch_duration', 'launchDuration', 'number'],
  ['created_at', 'commitTime', 'string'],
] as const;
