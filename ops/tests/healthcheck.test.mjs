import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { freePort, OPS, start, until } from './programs.mjs';

const CHECK = path.join(OPS, 'compose/healthcheck.mjs');

/** Runs the check with a folder for its count. Without `--kill`: this is no container. */
function check(url, folder) {
  const env = { ...process.env, REZ_HEALTH_URL: url, TMPDIR: folder };
  return new Promise((resolve) => {
    execFile(process.execPath, [CHECK], { env }, (error, stdout) => resolve({ code: error ? error.code : 0, stdout }));
  });
}

test('an API that answers is healthy, one that answers 503 is not, and an answer begins the count anew', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rez-health-'));
  let status = 200;
  const server = http.createServer((_, response) => response.writeHead(status).end());
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${server.address().port}/api/health`;
  const nobody = `http://127.0.0.1:${await freePort()}/`;
  const fails = async (text) => {
    const { code, stdout } = await check(nobody, folder);
    assert.equal(code, 1);
    assert.equal(stdout, `${nobody}: no answer (ECONNREFUSED), ${text}\n`);
  };
  try {
    // Longer than an API takes to start.
    for (let i = 0; i < 5; i += 1) await fails('and none since the start');
    assert.deepEqual(await check(url, folder), { code: 0, stdout: `${url}: 200\n` });
    status = 503;
    for (let i = 0; i < 4; i += 1) assert.deepEqual(await check(url, folder), { code: 1, stdout: `${url}: 503\n` });
    await fails('1 of 3');
    await fails('2 of 3');
    assert.deepEqual(await check(url, folder), { code: 1, stdout: `${url}: 503\n` });
    await fails('1 of 3');
  } finally {
    server.close();
    fs.rmSync(folder, { recursive: true });
  }
});

/** As a container: process 1 starts the API and ends with it. The API ignores SIGTERM, answers once, and then hangs. */
const API = `process.on('SIGTERM', () => {}); let answered = false; require('http').createServer((_, response) => {
  if (!answered) response.end(); answered = true; }).listen(0, '127.0.0.1', function () {
  require('fs').writeFileSync(process.env.PORT_FILE, String(this.address().port)); });`;
const PROCESS_1 = `require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(API)}])
  .on('exit', (code, signal) => { console.log('the API ended: ' + signal); process.exit(137); });`;

const allowed = spawnSync('unshare', ['--pid', '--fork', '--mount-proc', '--mount', 'true']).status === 0;

test('an API that has given no answer three times is ended, with all of its container', {
  skip: !allowed && 'namespaces of processes need root on Linux',
}, async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rez-health-'));
  const portFile = path.join(folder, 'port');
  process.env.PORT_FILE = portFile;
  const container = start(
    'unshare',
    '--pid',
    '--fork',
    '--mount',
    '--mount-proc',
    '--kill-child',
    process.execPath,
    '-e',
    PROCESS_1,
  );
  delete process.env.PORT_FILE;
  try {
    const port = await until('the API listens', () => fs.existsSync(portFile) && fs.readFileSync(portFile, 'utf8'));
    const url = `http://127.0.0.1:${port}/api/health`;
    const first = await until('process 1', () => childOf(container.pid));
    const inside = () =>
      new Promise((resolve) => {
        const env = { ...process.env, REZ_HEALTH_URL: url, TMPDIR: folder };
        const args = ['-t', first, '-p', '-m', process.execPath, CHECK, '--kill'];
        execFile('nsenter', args, { env }, (error, stdout) => resolve({ code: error?.code, stdout }));
      });
    assert.equal((await inside()).stdout, `${url}: 200\n`);
    for (const count of [1, 2]) {
      assert.match((await inside()).stdout, new RegExp(`no answer \\(TimeoutError\\), ${count} of 3`));
      assert.ok(container.running);
    }
    await inside();
    await until('the container has ended', () => !container.running);
    assert.match(container.log(), /the API ended: SIGKILL/);
  } finally {
    await container.stop();
    fs.rmSync(folder, { recursive: true });
  }
});

const childOf = (pid) => fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0];
