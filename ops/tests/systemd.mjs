/**
 * A real systemd as process 1 of its own namespaces, over a copy of this machine's files that is thrown away. It needs root, and a
 * kernel that lets it mount.
 */
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { until } from './programs.mjs';

const SYSTEMD = '/lib/systemd/systemd';

/** Why it cannot be started; false if it can. */
export function systemdMissing() {
  if (process.platform !== 'linux' || !fs.existsSync(SYSTEMD)) return `no ${SYSTEMD}: install the package systemd`;
  if (process.getuid() !== 0) return 'a systemd in namespaces needs root';
  if (!cgroups()) return 'no cgroup2 is mounted';
  try {
    execFileSync(
      'unshare',
      ['--mount', '--pid', '--fork', '--cgroup', '--net', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'],
      {
        stdio: 'pipe',
      },
    );
    fs.accessSync(cgroups(), fs.constants.W_OK);
  } catch (error) {
    return `a systemd in namespaces is not allowed here: ${String(error.stderr ?? error.message).trim()}`;
  }
  return false;
}

/** Where the cgroups of version 2 are. */
function cgroups() {
  const mounts = fs.readFileSync('/proc/self/mounts', 'utf8').split('\n');
  return mounts.map((line) => line.split(' ')).find(([, , type]) => type === 'cgroup2')?.[1];
}

/** `binds`: from a path of this machine to one in the new root. `files`: content by path in the new root. `unit`: what is started. */
export async function boot({ binds = {}, files = {}, unit }) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rez-systemd-'));
  const group = path.join(cgroups(), path.basename(folder));
  fs.mkdirSync(group);
  const plan = path.join(folder, 'plan.json');
  fs.writeFileSync(plan, JSON.stringify({ folder, binds, files }));
  const root = path.join(folder, 'root');
  const log = path.join(folder, 'console.log');
  const out = fs.openSync(log, 'w');
  // The group first, so that the new namespace of cgroups begins there. Not chroot: in one the kernel refuses
  // PrivateUsers=. Shared, as process 1 has it on a host: what systemd mounts for a credential is seen by the service.
  const inside = [
    'ip link set lo up; "$1" "$2" "$3" && cd "$4" && pivot_root . mnt && umount -l mnt && mount --make-rshared /',
    'exec env -i container=rez PATH=/usr/bin:/usr/sbin "$5" --unit="$6" --log-target=journal',
  ].join(' && ');
  const namespaces = '--mount --pid --fork --kill-child --cgroup --uts --ipc --net';
  const command = `echo $$ > "$0/cgroup.procs" && exec unshare ${namespaces} sh -c '${inside}' "$@"`;
  const mounts = path.join(import.meta.dirname, 'systemd-root.mjs');
  // A test that is killed leaves no systemd.
  const child = spawn(
    'setpriv',
    ['--pdeathsig', 'KILL', 'sh', '-c', command, group, 'sh', process.execPath, mounts, plan, root, SYSTEMD, unit],
    {
      stdio: ['ignore', out, out],
    },
  );
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const console_ = () => fs.readFileSync(log, 'utf8');
  let pid;

  /** Runs a program inside, and returns what it prints. */
  const run = (...args) =>
    execFileSync('nsenter', ['-t', String(pid), '-m', '-p', '-n', '-i', '-u', '-r', '-w', ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  /** Properties of a unit. */
  const show = (name, ...properties) => {
    const lines = run('systemctl', 'show', name, `--property=${properties.join(',')}`)
      .trim()
      .split('\n');
    return Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
  };
  const stop = async () => {
    kill();
    await ended;
    process.off('exit', kill);
    fs.closeSync(out);
    await until('the processes are gone', () => removeGroup(group));
    fs.rmSync(folder, { recursive: true, force: true });
  };
  try {
    await until('systemd is up', () => {
      if (child.exitCode !== null) throw new Error(console_());
      pid ??= process1(child.pid);
      return /running|degraded|starting/.test(run('sh', '-c', 'systemctl is-system-running || true'));
    });
  } catch (error) {
    const text = console_();
    await stop();
    throw new Error(`${error.message}\n${text}`);
  }
  return { run, show, stop, console: console_ };
}

/** The process 1 of the namespace that a process has made. */
function process1(parent) {
  const [first] = fs.readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(' ');
  if (!first || fs.readFileSync(`/proc/${first}/comm`, 'utf8').trim() !== 'systemd') throw new Error('no systemd yet');
  return first;
}

/** Removes a group of processes with those in it; false while one has processes. */
function removeGroup(folder) {
  if (!fs.existsSync(folder)) return true;
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeGroup(path.join(folder, entry.name));
  }
  fs.rmdirSync(folder);
  return true;
}
