/** What went wrong, where, and what to do: printed without a stack. The exit code is 1 unless told otherwise. */
export class Failure extends Error {
  constructor(message, { code = 1, cause } = {}) {
    super(message, { cause });
    this.code = code;
  }
}

export const EXIT = { ok: 0, failed: 1, usage: 2, busy: 75 };
