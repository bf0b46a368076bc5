/** The debug id of a bundle, and how it is written into bundle and source map (ECMA-426, "debug id" proposal). */
'use strict';

const { createHash } = require('node:crypto');
const path = require('node:path');

/** The namespace of these ids, a random UUID. */
const NAMESPACE = Buffer.from('6f6f1c64a2f04c0d8f0b2f6f7a1de6b3', 'hex');
const COMMENT = '\n//# debugId=';
/** Metro's own first module: one line, to which no place in a source belongs. */
const PRELUDE = '__prelude__';
/** What the tools of Sentry put into a bundle. Their id is in the map too, and is read in its place. */
const SENTRY_MODULE = '__debugid__';
const SENTRY_MARK = /sentry-dbid-[0-9a-f-]{36}/;

/**
 * A UUID of version 5, from the code of all modules, their paths below the server's root and what each of them imports: the same bundle
 * has the same id on every machine.
 */
function debugIdOf(entryPoint, preModules, graph, options) {
  const hash = createHash('sha1').update(NAMESPACE);
  const root = options.serverRoot ?? options.projectRoot ?? '';
  const add = (text) => hash.update(`${Buffer.byteLength(text)}:`).update(text);
  const place = (file) => (path.isAbsolute(file) ? path.relative(root, file).replaceAll('\\', '/') : file);
  add(place(entryPoint));
  for (const module of [...preModules, ...graph.dependencies.values()]) {
    add(place(module.path));
    for (const { absolutePath } of module.dependencies.values()) add(place(absolutePath ?? ''));
    for (const { type, data } of module.output) {
      if (type.startsWith('js/')) add(data.code);
    }
  }
  const bytes = hash.digest().subarray(0, 16);
  bytes[6] = (bytes[6] & 0x0f) | 0x50;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/**
 * The modules before the app's, with the statement that registers the id. It stands on the line of Metro's first module, so that no
 * place in a source map changes; if another module is first, on a line of its own before it.
 */
function withRegistration(preModules, debugId) {
  const code = registration(debugId);
  const [first, ...rest] = preModules;
  if (first?.path === PRELUDE) {
    const output = first.output.map((one) =>
      one.type.startsWith('js/') ? { ...one, data: { ...one.data, code: `${one.data.code};${code}` } } : one,
    );
    return [{ ...first, output }, ...rest];
  }
  const module = {
    path: '__rez_debug_id__',
    dependencies: new Map(),
    inverseDependencies: new Set(),
    getSource: () => Buffer.from(''),
    output: [{ type: 'js/script/virtual', data: { code, lineCount: 1, map: [] } }],
  };
  return [module, ...preModules];
}

/** The stack names the file as the stacks of errors do. `_debugIds` belongs to no vendor: Sentry's package reads it too. */
function registration(debugId) {
  return (
    "(function(g){try{var s=new Error().stack;if(s){(g._debugIds=g._debugIds||{})[s]='" +
    debugId +
    "'}}catch(e){}})(typeof globalThis!=='undefined'?globalThis:typeof global!=='undefined'?global:this);"
  );
}

/** The code with the comment at its end, in the place of another one. */
function withComment(code, debugId) {
  const at = code.lastIndexOf(COMMENT);
  const tail = at < 0 ? '' : code.slice(at + 1);
  // A comment that the app has written stands before code.
  const isLast = at >= 0 && tail.split('\n').every((line) => line === '' || line.startsWith('//# '));
  const rest = isLast ? code.slice(0, at) + tail.slice(tail.split('\n', 1)[0].length) : code;
  return `${rest}${COMMENT}${debugId}`;
}

/** Whether the code, a text or a Buffer, registers the id. */
function registers(code, debugId) {
  return code.includes(debugId);
}

/** The source map, a JSON text, with the id. Tools read `debugId` (the proposal) or `debug_id` (Sentry). Undefined: it is none. */
function withMapId(map, debugId) {
  try {
    const read = JSON.parse(map);
    const isMap = typeof read === 'object' && read !== null && !Array.isArray(read);
    return isMap ? JSON.stringify({ ...read, debugId, debug_id: debugId }) : undefined;
  } catch {
    return undefined;
  }
}

function hasSentryModule(preModules) {
  return preModules.some((module) => module.path === SENTRY_MODULE);
}

/** Whether the tools of Sentry have put their id into the code, a text or bytecode. */
function hasSentryId(code) {
  return SENTRY_MARK.test(typeof code === 'string' ? code : Buffer.from(code).toString('latin1'));
}

module.exports = { debugIdOf, withRegistration, withComment, withMapId, registers, hasSentryModule, hasSentryId };
