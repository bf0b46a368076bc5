/** Codes of MongoDB's errors. */

/** A document that a unique index refuses. */
export const DUPLICATE_KEY = 11000;
