/** Asks before data is replaced. */
import readline from 'node:readline/promises';
import { EXIT, Failure } from './failure.mjs';

/** Fails unless the person at the terminal types this word. */
export async function confirm(question, word, { yes, input = process.stdin, output = process.stderr }) {
  if (yes) return;
  if (!input.isTTY) {
    throw new Failure('no terminal to ask at, and no --yes: nothing was changed', { code: EXIT.usage });
  }
  const terminal = readline.createInterface({ input, output });
  const answer = await terminal.question(`${question}\nType ${word} to go on: `);
  terminal.close();
  if (answer.trim() !== word) throw new Failure(`that is not ${word}: nothing was changed`);
}
