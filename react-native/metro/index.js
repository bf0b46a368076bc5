/** Metro: debug ids in bundle and source map. */
'use strict';

const fs = require('node:fs');
const {
  debugIdOf,
  hasSentryId,
  hasSentryModule,
  registers,
  withComment,
  withMapId,
  withRegistration,
} = require('./debug-id');
const { plainBundle, plainMap } = require('./plain');

const WRAPPED = Symbol.for('app.rez.monitor.metro');
const UNREGISTERED =
  'a bundle does not register its debug id, so its errors carry none: let the serializer of the config write all modules that it gets';
const NO_MAP = 'a source map got no debug id, because it is no JSON object: look at the serializer of the config';

function withRezMonitor(config, options) {
  if (typeof config !== 'object' || config === null || typeof config.then === 'function') {
    throw new TypeError('withRezMonitor: pass the config of Metro, an object; await it if it is a promise');
  }
  const before = config.serializer?.customSerializer ?? undefined;
  if (before?.[WRAPPED]) return config;
  const warn = warnOnce();
  const customSerializer = async (entryPoint, preModules, graph, request) => {
    const next = before ?? plainBundle;
    if (!takesDebugId(preModules, graph, request)) return next(entryPoint, preModules, graph, request);
    const debugId = debugIdOf(entryPoint, preModules, graph, request);
    const registering = withRegistration(preModules, debugId);
    const answer = await next(entryPoint, registering, graph, request);
    const marker = new Marker(debugId, warn);
    const marked = marker.mark(answer, () => plainMap(registering, graph, request));
    const { platform } = graph.transformOptions ?? {};
    if (marker.hasMarked) options?.onDebugId?.({ debugId, platform: platform ?? undefined, entryPoint });
    if (!marker.hasRegistration) warn(UNREGISTERED);
    return marked;
  };
  // In place: the serializer of Expo reads the object that it was made for.
  config.serializer = { ...config.serializer, customSerializer: Object.assign(customSerializer, { [WRAPPED]: true }) };
  return config;
}

/** Prints each text once. */
function warnOnce() {
  const said = new Set();
  return (text) => {
    if (!said.has(text)) console.warn(`@rez/monitor/metro: ${text}`);
    said.add(text);
  };
}

/** Only bundles that reach users: not those of the development server, nor what runs on a server. */
function takesDebugId(preModules, graph, request) {
  const { dev, customTransformOptions } = graph.transformOptions ?? {};
  const environment = customTransformOptions?.environment ?? 'client';
  const isForUsers = !request.dev && !dev && environment === 'client';
  return isForUsers && !request.inlineSourceMap && !request.modulesOnly && !hasSentryModule(preModules);
}

/** Writes an id into what a serializer has answered. */
class Marker {
  /** Whether a file has got the id. */
  hasMarked = false;
  /** Whether a file registers this id, or one of Sentry. */
  hasRegistration = false;

  constructor(debugId, warn) {
    this.debugId = debugId;
    this.warn = warn;
  }

  /**
   * Serializers answer a text, `{code, map}`, or Expo's list of files, also as JSON; anything else is returned as it is. `makeMap`: makes
   * the map of a text.
   */
  mark(answer, makeMap) {
    if (typeof answer === 'string') {
      const files = artifactsOf(answer);
      if (files) return JSON.stringify(this.mark(files));
      return this.takes(answer) ? this.bundle({ code: answer, map: makeMap() }) : answer;
    }
    if (Array.isArray(answer)) return this.files(answer);
    if (Array.isArray(answer?.artifacts)) return { ...answer, artifacts: this.files(answer.artifacts) };
    return typeof answer?.code === 'string' && this.takes(answer.code) ? this.bundle(answer) : answer;
  }

  /** Whether the code may get the id: not beside that of the tools of Sentry. */
  takes(code) {
    const isTaken = hasSentryId(code);
    this.hasRegistration ||= isTaken || registers(code, this.debugId);
    return !isTaken;
  }

  bundle({ code, map, ...rest }) {
    this.hasMarked = true;
    return { ...rest, code: withComment(code, this.debugId), map: this.map(map) };
  }

  map(map) {
    if (typeof map !== 'string') return map;
    const marked = withMapId(map, this.debugId);
    if (marked === undefined) this.warn(NO_MAP);
    return marked ?? map;
  }

  /** The file that registers the id, and its source map. Other files of a web page have ids of Expo, and register none. */
  files(files) {
    const entries = files.filter((file) => this.isEntry(file));
    if (entries.length > 0) this.hasMarked = true;
    const maps = entries.map(({ filename }) => `${filename}.map`);
    return files.map((file) => {
      if (entries.includes(file)) {
        const isText = typeof file.source === 'string';
        return isText ? { ...file, source: withComment(file.source, this.debugId) } : file;
      }
      return file?.type === 'map' && maps.includes(file.filename) ? { ...file, source: this.map(file.source) } : file;
    });
  }

  isEntry(file) {
    const code = file?.type === 'js' ? codeOf(file.source) : undefined;
    return code !== undefined && this.takes(code) && registers(code, this.debugId);
  }
}

/** A text or the bytes of a file; undefined for anything else. */
function codeOf(source) {
  try {
    return typeof source === 'string' ? source : Buffer.from(source);
  } catch {
    return undefined;
  }
}

/** Expo's list of files in a text; undefined if it is none. */
function artifactsOf(text) {
  if (!text.startsWith('{"artifacts":[')) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function copyDebugId(from, to) {
  const { debugId } = JSON.parse(fs.readFileSync(from, 'utf8')) ?? {};
  if (typeof debugId !== 'string') {
    throw new Error(`copyDebugId: ${from} has no debugId; bundle with a Metro config that passes withRezMonitor`);
  }
  const marked = withMapId(fs.readFileSync(to, 'utf8'), debugId);
  if (marked === undefined) throw new Error(`copyDebugId: ${to} is no source map`);
  fs.writeFileSync(to, marked);
  return debugId;
}

module.exports = { withRezMonitor, copyDebugId };
