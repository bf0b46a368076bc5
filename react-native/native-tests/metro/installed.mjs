// The app of this suite. The packed package is copied into it, since Metro follows no link out of its root.
import { createRequire } from 'node:module';
import path from 'node:path';
import { unpack } from '../pack.mjs';

export const app = import.meta.dirname;

/** The `require` of the app. */
export const require = createRequire(path.join(app, 'package.json'));

export const install = () => unpack(app);
