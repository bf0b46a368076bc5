// The config of an app without Expo, whose bundle Metro writes itself.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { SourceMap } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import vm from 'node:vm';
import { runs } from '../work.mjs';
import { app, install, require, UUID } from './installed.mjs';

const UUID_COMMENT = /\n\/\/# debugId=[0-9a-f-]{36}$/;
const out = fs.mkdtempSync(path.join(os.tmpdir(), 'rez-metro-'));
const shim = path.resolve(app, '../hermes/react-native.js');
let Metro;
let withRezMonitor;

before(() => {
  install();
  Metro = require('metro');
  ({ withRezMonitor } = require('@rez/monitor/metro'));
});
after(() => fs.rmSync(out, { recursive: true, force: true }));

/** A config of the app. React Native itself is no subject here, and takes long to bundle. */
function config(wrap = (one) => one) {
  const { getDefaultConfig } = require('@react-native/metro-config');
  const { FileStore } = require('metro-cache');
  const base = getDefaultConfig(app);
  const resolveRequest = (context, name, platform) =>
    name === 'react-native' ? { type: 'sourceFile', filePath: shim } : context.resolveRequest(context, name, platform);
  return wrap({
    ...base,
    resolver: { ...base.resolver, resolveRequest },
    reporter: { update: () => undefined },
    watchFolders: [app, path.dirname(shim)],
    cacheStores: [new FileStore({ root: path.join(out, 'cache') })],
    maxWorkers: 2,
  });
}

/** Bundles an entry. Returns code and map. */
async function bundle(entry, metroConfig, options = {}) {
  const file = path.join(out, `${Math.random()}.jsbundle`);
  await Metro.runBuild(metroConfig, {
    entry: path.join(app, entry),
    out: file,
    bundleOut: file,
    sourceMap: true,
    sourceMapOut: `${file}.map`,
    sourceMapUrl: 'index.map',
    platform: 'android',
    dev: false,
    minify: false,
    ...options,
  });
  return { code: fs.readFileSync(file, 'utf8'), map: JSON.parse(fs.readFileSync(`${file}.map`, 'utf8')) };
}

/** What differs from Metro's own bundle. */
function without({ code, map }) {
  const { debugId, debug_id, ...rest } = map;
  const registration = /;\(function\(g\)\{try\{var s=new Error\(\)\.stack;.*?:this\);/;
  const comment = `\n//# debugId=${debugId}`;
  assert.ok(code.endsWith(comment), 'the comment is the last line');
  return { code: code.slice(0, -comment.length).replace(registration, ''), map: rest };
}

const differ = (one, other) => assert.ok(one === other, `differs at ${[...one].findIndex((c, at) => c !== other[at])}`);

test('a release bundle is that of Metro with an id in bundle and map', async () => {
  const seen = [];
  const plain = await bundle('bare.js', config());
  const ours = await bundle(
    'bare.js',
    config((one) => withRezMonitor(one, { onDebugId: (id) => seen.push(id) })),
  );
  assert.match(ours.map.debugId, UUID);
  assert.equal(ours.map.debug_id, ours.map.debugId);
  assert.equal(ours.code.split(ours.map.debugId).length, 3, 'once in the registration, once in the comment');
  differ(without(ours).code, plain.code);
  assert.deepEqual(without(ours).map, plain.map);
  assert.deepEqual(seen, [{ debugId: ours.map.debugId, platform: 'android', entryPoint: path.join(app, 'bare.js') }]);
});

test('a development bundle is exactly that of Metro', async () => {
  const plain = await bundle('bare.js', config(), { dev: true });
  const ours = await bundle('bare.js', config(withRezMonitor), { dev: true });
  differ(ours.code, plain.code);
  assert.deepEqual(ours.map, plain.map);
});

test('a module that the development server loads on demand, and an inline map, are those of Metro', async () => {
  const served = async (metroConfig) => {
    const server = await Metro.runServer(
      { ...metroConfig, server: { ...metroConfig.server, port: 0 } },
      { host: '127.0.0.1' },
    );
    const { port } = server.httpServer.address();
    const get = async (query) =>
      (await (await fetch(`http://127.0.0.1:${port}/lazy.bundle?platform=android&${query}`)).text()).replaceAll(
        `:${port}`,
        ':PORT',
      );
    try {
      return [
        await get('dev=true&lazy=true'),
        await get('dev=true&inlineSourceMap=true'),
        await get('dev=true&modulesOnly=true'),
      ];
    } finally {
      server.httpServer.closeAllConnections();
      await new Promise((resolve) => server.httpServer.close(resolve));
    }
  };
  const [plain, ours] = [await served(config()), await served(config(withRezMonitor))];
  assert.match(plain[0], /"paths":\{/);
  for (const [at, text] of plain.entries()) differ(ours[at], text);
});

test('the same content has the same id, another content another one', async () => {
  const id = async (entry) => (await bundle(entry, config(withRezMonitor))).map.debugId;
  const first = await id('bare.js');
  assert.equal(await id('bare.js'), first);
  assert.notEqual(await id('lazy.js'), first);
});

test('the id reaches the event, under the name of the file in its frames, and the map finds the line', async () => {
  const { code, map } = await bundle('bare.js', config(withRezMonitor));
  const documents = [];
  const RezMonitor = {
    open: () => '{"seed":""}',
    recordBatch: (json) => documents.push(...JSON.parse(json).items) > 0,
  };
  const context = vm.createContext({ nativeModules: { RezMonitor }, console, setTimeout, Promise });
  vm.runInContext(code, context, { filename: '/data/app/index.android.bundle' });
  await new Promise((resolve) => setImmediate(resolve));
  const [ids, error] = documents.filter((item) => item.name === 'debug_ids' || item.kind === 'error');
  const inner = error.frames.at(-1);
  assert.deepEqual(ids.value, { [inner.file]: map.debugId });
  assert.equal(inner.file, 'app:///index.android.bundle');
  const found = new SourceMap(map).findEntry(inner.line - 1, inner.column - 1);
  assert.match(found.originalSource, /pay\.js$/);
  assert.equal(found.originalLine, 1);
});

/** The lines of the app in a bundle, as its map names them. */
function linesOf({ code, map }) {
  const found = new SourceMap(map);
  const lines = code.split('\n');
  const at = lines.findIndex((line) => line.includes('declined'));
  return found.findEntry(at, lines[at].indexOf('declined'));
}

test('the map fits a bundle whose first module is that of another wrapper', async () => {
  const other = {
    path: '__other__',
    dependencies: new Map(),
    inverseDependencies: new Set(),
    getSource: () => Buffer.from(''),
    output: [{ type: 'js/script/virtual', data: { code: 'var other;', lineCount: 1, map: [] } }],
  };
  const ahead = (one) => {
    const { customSerializer: next } = one.serializer;
    one.serializer.customSerializer = (entry, preModules, ...rest) => next(entry, [other, ...preModules], ...rest);
    return one;
  };
  const made = await bundle(
    'bare.js',
    config((one) => ahead(withRezMonitor(one))),
  );
  assert.match(made.code.split('\n', 2)[0], /_debugIds/);
  assert.equal(made.code.split('\n', 2)[1], 'var other;');
  const { originalSource, originalLine } = linesOf(made);
  assert.match(originalSource, /pay\.js$/);
  const source = fs.readFileSync(path.join(app, 'pay.js'), 'utf8').split('\n');
  assert.equal(
    originalLine,
    source.findIndex((line) => line.includes('declined')),
  );
});

test('a second wrapper changes nothing', async () => {
  const once = withRezMonitor({ serializer: {} });
  const { customSerializer } = once.serializer;
  assert.equal(withRezMonitor(once).serializer.customSerializer, customSerializer);
});

const request = {
  dev: false,
  createModuleId: () => 0,
  projectRoot: app,
  serverRoot: app,
  shouldAddToIgnoreList: () => false,
};
const graph = (more = {}) => ({ dependencies: new Map(), transformOptions: { platform: 'ios', dev: false, ...more } });
const answered = (answer, preModules = [], options = {}, of = graph()) =>
  withRezMonitor({ serializer: { customSerializer: async () => answer } }).serializer.customSerializer(
    path.join(app, 'bare.js'),
    preModules,
    of,
    { ...request, ...options },
  );

/** What the build prints, and the ids that it reports, while a serializer answers this. */
async function watched(answer) {
  const [warnings, ids] = [[], []];
  const { warn } = console;
  console.warn = (text) => warnings.push(text);
  try {
    const serializer = async (_, [{ output }]) => answer(output[0].data.code);
    const options = { onDebugId: ({ debugId }) => ids.push(debugId) };
    const wrapped = withRezMonitor({ serializer: { customSerializer: serializer } }, options);
    const build = () => wrapped.serializer.customSerializer(path.join(app, 'bare.js'), [], graph(), request);
    await build();
    return { made: await build(), warnings, ids };
  } finally {
    console.warn = warn;
  }
}

test('a source map that is no JSON object stays as it is, with one warning', async () => {
  for (const map of ['', '{', 'null', '[]', '5']) {
    const { made, warnings, ids } = await watched((code) => ({ code, map }));
    assert.equal(made.map, map);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0], /a source map got no debug id/);
    assert.equal(ids.length, 2);
    const files = await watched((source) => [
      { type: 'js', filename: 'a.js', source },
      { type: 'map', filename: 'a.js.map', source: map },
    ]);
    assert.equal(files.made[1].source, map);
    assert.equal(files.warnings.length, 1);
  }
});

test('files without a source are left as they are', async () => {
  const odd = [null, 5, { type: 'js' }, { type: 'js', source: 5 }, { type: 'map' }, {}];
  const { made, warnings, ids } = await watched((source) => [...odd, { type: 'js', filename: 'a.js', source }]);
  assert.deepEqual(made.slice(0, -1), odd);
  assert.ok(made.at(-1).source.endsWith(`\n//# debugId=${ids[0]}`));
  assert.deepEqual(warnings, []);
  assert.match((await watched(() => '{"artifacts":[')).made.code, UUID_COMMENT);
});

test('an id that no file has is not reported, and the build warns once', async () => {
  for (const answer of [[{ type: 'js', filename: 'a.js', source: 'f();' }], { artifacts: [] }, [], 5, undefined]) {
    const { made, warnings, ids } = await watched(() => answer);
    assert.deepEqual(made, answer);
    assert.deepEqual(ids, []);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0], /does not register its debug id/);
  }
  assert.equal((await watched(() => ({ code: 'f();', map: '{}' }))).warnings.length, 1);
});

test('options may be missing', async () => {
  for (const options of [undefined, null]) {
    const customSerializer = async () => ({ code: 'f();', map: '{}' });
    const wrapped = withRezMonitor({ serializer: { customSerializer } }, options);
    const made = await wrapped.serializer.customSerializer(path.join(app, 'bare.js'), [], graph(), request);
    assert.match(made.code, UUID_COMMENT);
  }
});

test('a serializer that answers a text gets a map of its own', async () => {
  const { code, map } = await answered('f();\n//# sourceMappingURL=x.map');
  const { debugId } = JSON.parse(map);
  assert.match(debugId, UUID);
  assert.equal(code, `f();\n//# sourceMappingURL=x.map\n//# debugId=${debugId}`);
});

test('an id of another tool is replaced where it is the last comment, and an app may write one', async () => {
  const { code } = await answered({
    code: "a('\n//# debugId=1\n');\n//# debugId=2\n//# sourceMappingURL=x",
    map: '{}',
  });
  assert.match(code, /^a\('\n\/\/# debugId=1\n'\);\n\/\/# sourceMappingURL=x\n\/\/# debugId=[0-9a-f-]{36}$/);
});

test('the id of the tools of Sentry stays the only one', async () => {
  const code = 'e._sentryDebugIdIdentifier="sentry-dbid-85314830-023f-4cf1-a267-535f4e37bb17"';
  const bundle = { code, map: '{"debugId":"85314830-023f-4cf1-a267-535f4e37bb17"}' };
  assert.deepEqual(await answered(bundle), bundle);
  assert.equal(await answered('as it is', [{ path: '__debugid__' }]), 'as it is');
});

test('what is for no user, and what no serializer is known to answer, is returned as it is', async () => {
  for (const odd of [undefined, null, 5, {}, { code: 1 }, new Uint8Array(3), { artifacts: 1 }]) {
    assert.deepEqual(await answered(odd), odd);
  }
  assert.equal(await answered('x', [], { dev: true }), 'x');
  assert.equal(await answered('x', [], { modulesOnly: true }), 'x');
  assert.equal(await answered('x', [], {}, graph({ customTransformOptions: { environment: 'node' } })), 'x');
});

test('what is no config is refused with a sentence', () => {
  for (const wrong of [undefined, null, 5, Promise.resolve({})]) {
    assert.throws(() => withRezMonitor(wrong), /withRezMonitor: pass the config of Metro, an object/);
  }
});

test('the id of the map of Metro is copied into the one that Hermes composes', () => {
  const { copyDebugId } = require('@rez/monitor/metro');
  const file = (name, value) => {
    fs.writeFileSync(path.join(out, name), JSON.stringify(value));
    return path.join(out, name);
  };
  const to = file('composed.map', { version: 3, mappings: 'A' });
  assert.equal(copyDebugId(file('packager.map', { debugId: 'id' }), to), 'id');
  assert.deepEqual(JSON.parse(fs.readFileSync(to, 'utf8')), {
    version: 3,
    mappings: 'A',
    debugId: 'id',
    debug_id: 'id',
  });
  assert.throws(() => copyDebugId(file('none.map', {}), to), /none\.map has no debugId; bundle with/);
  assert.throws(
    () => copyDebugId(file('packager.map', { debugId: 'id' }), file('list.map', [])),
    /list\.map is no source map/,
  );
});

test('the command line of React Native bundles with it', () => {
  const file = path.join(out, 'metro.config.js');
  fs.writeFileSync(
    file,
    `const { getDefaultConfig } = require(${JSON.stringify(require.resolve('@react-native/metro-config'))});
     const { withRezMonitor } = require(${JSON.stringify(require.resolve('@rez/monitor/metro'))});
     const config = getDefaultConfig(${JSON.stringify(app)});
     config.watchFolders = [${JSON.stringify(app)}, ${JSON.stringify(path.dirname(shim))}];
     config.resolver.resolveRequest = (context, name, platform) =>
       name === 'react-native'
         ? { type: 'sourceFile', filePath: ${JSON.stringify(shim)} }
         : context.resolveRequest(context, name, platform);
     module.exports = withRezMonitor(config);`,
  );
  const to = path.join(out, 'cli.jsbundle');
  const flags = [
    '--platform',
    'ios',
    '--dev',
    'false',
    '--minify',
    'false',
    '--entry-file',
    'bare.js',
    '--config',
    file,
  ];
  const cli = path.join(app, 'node_modules/.bin/rnc-cli');
  const args = ['bundle', ...flags, '--bundle-output', to, '--sourcemap-output', `${to}.map`];
  runs([cli, ...args], { cwd: app, env: { ...process.env, CI: '1' } });
  const { debugId } = JSON.parse(fs.readFileSync(`${to}.map`, 'utf8'));
  assert.match(debugId, UUID);
  assert.ok(fs.readFileSync(to, 'utf8').endsWith(`\n//# debugId=${debugId}`));
});
