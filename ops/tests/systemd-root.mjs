// Makes the root folder of a systemd in namespaces: `node systemd-root.mjs plan.json`, in a new mount namespace.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const { folder, binds, files } = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const mount = (...args) => execFileSync('mount', args, { stdio: 'inherit' });
const root = path.join(folder, 'root');

mount('--make-rprivate', '/');
// An overlay of an overlay is refused: what is written goes to memory.
const memory = path.join(folder, 'memory');
for (const name of [root, memory]) fs.mkdirSync(name);
mount('-t', 'tmpfs', 'tmpfs', memory);
for (const name of ['upper', 'work']) fs.mkdirSync(path.join(memory, name));
mount('-t', 'overlay', 'overlay', '-o', `lowerdir=/,upperdir=${memory}/upper,workdir=${memory}/work`, root);
mount('-t', 'proc', 'proc', `${root}/proc`);
// Read-only, as in a container: the kernel and the devices are those of this machine.
mount('--bind', `${root}/proc/sys`, `${root}/proc/sys`);
mount('-o', 'remount,bind,ro', `${root}/proc/sys`);
mount('-t', 'sysfs', '-o', 'ro', 'sysfs', `${root}/sys`);
mount('-t', 'cgroup2', 'cgroup2', `${root}/sys/fs/cgroup`);
for (const name of ['run', 'tmp', 'dev']) mount('-t', 'tmpfs', 'tmpfs', path.join(root, name));
for (const name of ['null', 'zero', 'full', 'random', 'urandom', 'tty']) {
  const device = path.join(root, 'dev', name);
  fs.closeSync(fs.openSync(device, 'w'));
  mount('--bind', `/dev/${name}`, device);
}
for (const name of ['shm', 'mqueue', 'hugepages', 'pts']) fs.mkdirSync(path.join(root, 'dev', name));
mount('-t', 'devpts', '-o', 'newinstance,ptmxmode=0666', 'devpts', `${root}/dev/pts`);
fs.symlinkSync('pts/ptmx', `${root}/dev/ptmx`);

// The services of this machine are none of ours.
const units = path.join(root, 'etc/systemd/system');
fs.rmSync(units, { recursive: true, force: true });
fs.rmSync(path.join(root, 'etc/machine-id'), { force: true });
fs.writeFileSync(path.join(root, 'etc/machine-id'), '0123456789abcdef0123456789abcdef\n');
fs.mkdirSync(units, { recursive: true });
for (const [from, to] of Object.entries(binds)) {
  const target = path.join(root, to);
  const isFolder = fs.statSync(from).isDirectory();
  fs.mkdirSync(isFolder ? target : path.dirname(target), { recursive: true });
  if (!isFolder) fs.closeSync(fs.openSync(target, 'a'));
  mount('--bind', from, target);
}
for (const [to, content] of Object.entries(files)) {
  const target = path.join(root, to);
  fs.mkdirSync(path.dirname(target), { recursive: true });
  fs.writeFileSync(target, content);
}
// The users in sysusers.d: at its start systemd makes them only after an update.
execFileSync('systemd-sysusers', [`--root=${root}`], { stdio: 'inherit' });
