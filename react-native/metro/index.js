/** Metro: debug ids in bundle and source map. */
'use strict';

const fs = require('node:fs');
const { debugIdOf, hasSentryId, hasSentryModule, withComment, withMapId, withRegistration } = require('./debug-id');
const { plainBundle, plainMap } = require('./plain');

const WRAPPED = Symbol.for('app.rez.monitor.metro');

function withRezMonitor(config, options = {}) {
  if (typeof config !== 'object' || config === null || typeof config.then === 'function') {
    throw new TypeError('withRezMonitor: pass the config of Metro, an object; await it if it is a promise');
  }
  const before = config.serializer?.customSerializer ?? undefined;
  if (before?.[WRAPPED]) return config;
  const customSerializer = async (entryPoint, preModules, graph, request) => {
    const next = before ?? plainBundle;
    if (!takesDebugId(preModules, graph, request)) return next(entryPoint, preModules, graph, request);
    const debugId = debugIdOf(entryPoint, preModules, graph, request);
    const answer = await next(entryPoint, withRegistration(preModules, debugId), graph, request);
    const marked = mark(answer, debugId, () => plainMap(preModules, graph, request));
    const { platform } = graph.transformOptions ?? {};
    if (marked !== answer) options.onDebugId?.({ debugId, platform: platform ?? undefined, entryPoint });
    return marked;
  };
  // In place: the serializer of Expo reads the object that it was made for.
  config.serializer = { ...config.serializer, customSerializer: Object.assign(customSerializer, { [WRAPPED]: true }) };
  return config;
}

/** Only bundles that reach users: not those of the development server, nor what runs on a server. */
function takesDebugId(preModules, graph, request) {
  const { dev, customTransformOptions } = graph.transformOptions ?? {};
  const environment = customTransformOptions?.environment ?? 'client';
  const isForUsers = !request.dev && !dev && environment === 'client';
  return isForUsers && !request.inlineSourceMap && !request.modulesOnly && !hasSentryModule(preModules);
}

/**
 * What a serializer has answered, with the id. Serializers answer a text, `{code, map}`, or Expo's list of files; anything else is
 * returned as it is.
 */
function mark(answer, debugId, makeMap) {
  if (typeof answer === 'string') {
    if (answer.startsWith('{"artifacts":[')) return JSON.stringify(mark(JSON.parse(answer), debugId, makeMap));
    return markCode({ code: answer, map: makeMap() }, debugId) ?? answer;
  }
  if (Array.isArray(answer)) return markFiles(answer, debugId);
  if (Array.isArray(answer?.artifacts)) return { ...answer, artifacts: markFiles(answer.artifacts, debugId) };
  return typeof answer?.code === 'string' ? (markCode(answer, debugId) ?? answer) : answer;
}

function markCode(bundle, debugId) {
  if (hasSentryId(bundle.code)) return undefined;
  const map = typeof bundle.map === 'string' ? withMapId(bundle.map, debugId) : bundle.map;
  return { ...bundle, code: withComment(bundle.code, debugId), map };
}

/** The file that registers the id, and its source map. Other files of a web page have ids of Expo, and register none. */
function markFiles(files, debugId) {
  const isEntry = ({ type, source }) => type === 'js' && Buffer.from(source).includes(debugId) && !hasSentryId(source);
  const maps = files.filter(isEntry).map(({ filename }) => `${filename}.map`);
  return files.map((file) => {
    const { type, filename, source } = file;
    if (type === 'map' && maps.includes(filename)) return { ...file, source: withMapId(source, debugId) };
    const isText = typeof source === 'string' && isEntry(file);
    return isText ? { ...file, source: withComment(source, debugId) } : file;
  });
}

function copyDebugId(from, to) {
  const read = (file) => JSON.parse(fs.readFileSync(file, 'utf8'));
  const debugId = read(from).debugId;
  if (typeof debugId !== 'string') {
    throw new Error(`copyDebugId: ${from} has no debugId; bundle with a Metro config that passes withRezMonitor`);
  }
  fs.writeFileSync(to, withMapId(fs.readFileSync(to, 'utf8'), debugId));
  return debugId;
}

module.exports = { withRezMonitor, copyDebugId };
