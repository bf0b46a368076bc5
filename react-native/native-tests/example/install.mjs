import { install, NotInstalled } from '../work.mjs';

/** Installs the packages of a folder. Why they are missing; false if they are there. */
export function missing(folder) {
  try {
    install(folder);
    return false;
  } catch (error) {
    if (error instanceof NotInstalled) return error.message;
    throw error;
  }
}
