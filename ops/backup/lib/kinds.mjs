import * as files from './files.mjs';
import * as mongodb from './mongodb.mjs';
import * as redis from './redis.mjs';

/** What each kind of source can do. `prepare`: make it ready to be saved. `rehearse`: use what was restored, harming nothing. */
export const KINDS = { files, mongodb, redis };
