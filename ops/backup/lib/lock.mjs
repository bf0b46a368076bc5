/**
 * One lock for run, restore, drill and check. It is a listening socket, so that the system releases it when the process ends,
 * however it ends: a file with a process id would stay after SIGKILL.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { EXIT, Failure } from './failure.mjs';

/** The address. Linux and Windows forget it with the process; elsewhere it is a file. */
function address(stateFolder) {
  const real = fs.realpathSync(stateFolder);
  const name = `rez-backup-${createHash('sha256').update(real).digest('hex').slice(0, 16)}`;
  if (process.platform === 'linux') return `\0${name}`;
  if (process.platform === 'win32') return `\\\\.\\pipe\\${name}`;
  return path.join(real, 'lock.socket');
}

function listen(at, holder) {
  return new Promise((resolve, reject) => {
    const server = net.createServer((socket) => {
      socket.on('error', () => {});
      socket.end(JSON.stringify(holder));
    });
    server.once('error', reject);
    server.listen(at, () => {
      server.unref();
      resolve(server);
    });
  });
}

/** Who holds the lock; undefined if nobody answers. */
function ask(at) {
  return new Promise((resolve) => {
    const socket = net.connect(at).setEncoding('utf8').setTimeout(2000);
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('timeout', () => socket.destroy());
    socket.on('error', () => resolve(undefined));
    socket.on('close', () => {
      try {
        resolve(JSON.parse(text));
      } catch {
        resolve(text ? {} : undefined);
      }
    });
  });
}

/** Takes the lock until the process ends. A second one is an error with exit code 75. */
export async function lock(stateFolder, command, now) {
  const at = address(stateFolder);
  const holder = { command, pid: process.pid, since: now.toISOString() };
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await listen(at, holder);
    } catch (error) {
      if (error.code !== 'EADDRINUSE') throw error;
    }
    const other = await ask(at);
    const isFile = at.startsWith('/');
    if (other || attempt === 2 || !isFile) {
      const who = other?.pid ? `${other.command}, process ${other.pid}, since ${other.since}` : 'it does not say which';
      throw new Failure(`another rez-backup runs with the state folder ${stateFolder} (${who}): wait for its end`, {
        code: EXIT.busy,
      });
    }
    fs.rmSync(at, { force: true });
  }
}
