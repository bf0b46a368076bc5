// The app of this suite. The packed package is copied into it, since Metro follows no link out of its root.
import { createRequire } from 'node:module';
import path from 'node:path';
import { unpack } from '../pack.mjs';

export const app = import.meta.dirname;

/** The `require` of the app. */
export const require = createRequire(path.join(app, 'package.json'));

/** A debug id: a UUID of version 5. */
export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

export const install = () => unpack(app);
