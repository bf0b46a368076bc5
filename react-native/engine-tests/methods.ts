/** The methods of the native module with their parameters, and what each answers where there is no engine. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Port } from '../src/native/port';

export type Method = keyof Port;

export interface Signature {
  name: Method;
  parameters: { name: string; type: string }[];
  returns: string;
}

/** The signatures in the specification, which React Native generates its code from. */
export function specification(): Signature[] {
  const text = readFileSync(join(__dirname, '../src/specs/NativeRezMonitor.ts'), 'utf8');
  const found = [...text.matchAll(/^ {2}(\w+)\((.*)\): (.+);$/gm)];
  return found.map(([, name, parameters, returns]) => ({
    name: name as Method,
    parameters: (parameters ?? '')
      .split(', ')
      .filter((one) => one)
      .map((one) => ({ name: one.split(': ')[0] ?? '', type: one.split(': ')[1] ?? '' })),
    returns: returns ?? '',
  }));
}

/** Arguments of the types of the signature. */
export function someArguments({ parameters }: Signature): unknown[] {
  return parameters.map(({ type }) => ({ string: '{}', boolean: true, number: 10 })[type]);
}

/** Calls a method with arguments of any type. */
export function call(port: Port, name: Method, args: unknown[]): unknown {
  return (port[name] as (...args: unknown[]) => unknown)(...args);
}

const A_SENTENCE = expect.stringMatching(/\w+ \w+/);
const AN_ERROR = { error: A_SENTENCE };
const WITH_ERROR: Method[] = ['open', 'flush', 'why', 'inspect', 'lastRun'];
const EMPTY: Partial<Record<Method, string>> = {
  traceHeaders: '{}',
  status: '',
  metrics: '[]',
  takeLog: '[]',
  close: '',
};

/** Fails unless this is what the method answers where there is no engine. */
export function expectNoEngine({ name, returns }: Signature, answer: unknown): void {
  if (returns === 'boolean') expect([name, answer]).toEqual([name, false]);
  else if (WITH_ERROR.includes(name)) expect([name, JSON.parse(String(answer))]).toEqual([name, AN_ERROR]);
  else expect([name, answer]).toEqual([name, EMPTY[name] ?? A_SENTENCE]);
}
