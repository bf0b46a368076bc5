/** The working directory, which can be removed while the process runs: asking for it then throws. */
import { guarded } from '../../../react-native/src/core/guard';

/** The working directory. Undefined: it has been removed. */
export function workingFolder(): string | undefined {
  return guarded(undefined, () => process.cwd());
}
