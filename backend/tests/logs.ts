/** A logger of the app that keeps its lines. */
import type { Fields, Logger } from '../src/core/logger';

export interface Line {
  level: string;
  message: string;
  fields: Fields;
}

export interface Lines extends Logger {
  readonly lines: Line[];
  /** The members of the lines with a message. */
  of(message: string): Fields[];
}

export function newLogger(): Lines {
  const lines: Line[] = [];
  const keep =
    (level: string) =>
    (message: string, fields: Fields = {}) =>
      void lines.push({ level, message, fields });
  return {
    lines,
    of: (message) => lines.filter((line) => line.message === message).map(({ fields }) => fields),
    debug: keep('debug'),
    info: keep('info'),
    warn: keep('warn'),
    error: keep('error'),
  };
}
