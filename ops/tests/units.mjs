/** The units of `ops/systemd`, read from the files. */
import fs from 'node:fs';
import path from 'node:path';
import { OPS } from './programs.mjs';

export const SYSTEMD = path.join(OPS, 'systemd');
export const SYSTEM = path.join(SYSTEMD, 'system');

/** Every file of the folder, by its path below it. */
export function unitFiles() {
  return fs
    .readdirSync(SYSTEM, { recursive: true })
    .filter((name) => fs.statSync(path.join(SYSTEM, name)).isFile())
    .sort();
}

export const text = (name) => fs.readFileSync(path.join(SYSTEM, name), 'utf8');

/** The settings of a unit: pairs of a name and a value, with continued lines joined. */
export function settings(name) {
  return text(name)
    .replaceAll('\\\n', '')
    .split('\n')
    .filter((line) => /^\w+=/.test(line))
    .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1).trim()]);
}

/** All values of a setting. */
export const values = (name, setting) =>
  settings(name)
    .filter(([key]) => key === setting)
    .map(([, value]) => value);

export const services = () => unitFiles().filter((name) => name.endsWith('.service'));
export const timers = () => unitFiles().filter((name) => name.endsWith('.timer'));
