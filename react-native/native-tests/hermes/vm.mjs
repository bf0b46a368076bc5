// The Hermes virtual machine of npm (0.12.0, from 2022): the poorest engine that the package has to run on.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';

const here = import.meta.dirname;
/** The package. Its build in `lib` is what runs. */
export const root = path.resolve(here, '../..');
const fromRoot = createRequire(path.join(root, 'package.json'));

/** `tools`: a folder whose packages hold esbuild and the virtual machine. */
export function hermes(tools = here) {
  const require = createRequire(path.join(tools, 'package.json'));
  const esbuild = require('esbuild');
  const program = (name) =>
    path.join(path.dirname(require.resolve('hermes-engine-cli/package.json')), `linux64-bin/${name}`);
  return {
    /** Bundles a program that may import `@rez/monitor` and its entries, and lowers it to what Hermes reads. */
    bundle(source, options = {}) {
      const packages = mkdtempSync(path.join(os.tmpdir(), 'rez-hermes-'));
      try {
        mkdirSync(path.join(packages, '@rez'));
        symlinkSync(root, path.join(packages, '@rez/monitor'));
        const { outputFiles } = esbuild.buildSync({
          stdin: { contents: source, resolveDir: tools, loader: 'jsx' },
          alias: { 'react-native': path.join(here, 'react-native.js') },
          nodePaths: [packages, path.join(root, 'node_modules')],
          define: { __DEV__: 'false', 'process.env.NODE_ENV': '"production"', global: 'globalThis' },
          bundle: true,
          format: 'iife',
          target: 'es2022',
          jsx: 'automatic',
          write: false,
          logLevel: 'error',
          ...options,
        });
        return lowered(outputFiles[0].text);
      } finally {
        rmSync(packages, { recursive: true });
      }
    },
    /**
     * Runs code as source, or as bytecode, in `times` new processes. Returns what they have printed, one JSON value a line, and how the
     * last one ended.
     */
    run(code, { bytecode = false, name = 'index.js', times = 1 } = {}) {
      const folder = mkdtempSync(path.join(os.tmpdir(), 'rez-hermes-'));
      try {
        writeFileSync(path.join(folder, name), code);
        let file = name;
        if (bytecode) {
          file = name.replace(/\.js$/, '.hbc');
          const made = spawnSync(
            program('hermesc'),
            ['-O', '-w', '-emit-binary', '-output-source-map', '-out', file, name],
            { cwd: folder, encoding: 'utf8' },
          );
          if (made.status !== 0) throw new Error(made.stderr);
        }
        const args = ['-Xmicrotask-queue', ...(bytecode ? ['-b'] : ['-w']), file];
        const printed = [];
        let last;
        for (let time = 0; time < times; time++) {
          last = spawnSync(program('hermes'), args, { cwd: folder, encoding: 'utf8', timeout: 60_000 });
          const lines = last.stdout.split('\n').filter((line) => line.startsWith('{'));
          printed.push(...lines.map((line) => JSON.parse(line)));
        }
        return { printed, stdout: last.stdout, stderr: last.stderr, status: last.status };
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  };
}

/** Classes, private members and async functions as React Native's own preset lowers them for Hermes. */
export function lowered(code) {
  const preset = [
    fromRoot.resolve('@react-native/babel-preset'),
    { unstable_transformProfile: 'hermes-stable', enableBabelRuntime: false, disableImportExportTransform: true },
  ];
  const babel = createRequire(fromRoot.resolve('@react-native/babel-preset'))('@babel/core');
  return babel.transformSync(code, {
    presets: [preset],
    babelrc: false,
    configFile: false,
    compact: true,
    filename: 'index.js',
  }).code;
}
