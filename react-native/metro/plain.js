/**
 * The plain bundle of Metro, for a config without a serializer of its own.
 *
 * Metro gives nobody its serializer: what is here follows its documented bundle format, with the packages that it publishes. The tests
 * compare the result with Metro's, byte by byte.
 */
'use strict';

const path = require('node:path');

/** The code of a bundle, as Metro itself writes it. */
function plainBundle(entryPoint, preModules, graph, options) {
  const own = sorted(graph, options);
  const before = options.modulesOnly ? [] : [...preModules];
  const after = appended(entryPoint, [...before, ...own], options);
  const code = (modules) =>
    modules
      .filter(isCode)
      .filter(passes(options))
      .map((module) => wrapped(module, options));
  const bodies = code(own).filter((text) => text !== '');
  const [first, last] = [code(before).join('\n'), code(after).join('\n')];
  return [...(first === '' ? [] : [first]), ...bodies, ...(last === '' ? [] : [last])].join('\n');
}

/** The source map of that bundle, as JSON. */
function plainMap(preModules, graph, options) {
  return mapOf([...preModules, ...sorted(graph, options)], passes(options), options);
}

function mapOf(modules, filter, options) {
  const { fromRawMappings } = metro('metro-source-map', options);
  const parts = modules
    .filter(isCode)
    .filter(filter)
    .map((module) => {
      const { type, data } = jsOutput(module);
      return {
        ...data,
        isIgnored: options.shouldAddToIgnoreList?.(module) ?? false,
        path: options.getSourceUrl?.(module) ?? module.path,
        source: type === 'js/module/asset' ? '' : module.getSource().toString(),
      };
    });
  return fromRawMappings(parts).toString(undefined, { excludeSource: false });
}

/** The modules in the order of their numbers, which are given in the order of the graph. */
function sorted(graph, { createModuleId }) {
  const modules = [...graph.dependencies.values()];
  for (const module of modules) createModuleId(module.path);
  return modules.sort((a, b) => createModuleId(a.path) - createModuleId(b.path));
}

/** What runs the app, and what says where source and source map are. */
function appended(entryPoint, modules, options) {
  const code = [];
  if (options.runModule) {
    for (const file of [...options.runBeforeMainModule, entryPoint]) {
      if (!modules.some((module) => module.path === file)) continue;
      const id = options.createModuleId(file);
      code.push([`require-${file}`, options.getRunModuleStatement(id, options.globalPrefix)]);
    }
  }
  if (options.inlineSourceMap) {
    const json = Buffer.from(mapOf(modules, () => true, options)).toString('base64');
    code.push(['source-map', `//# sourceMappingURL=data:application/json;charset=utf-8;base64,${json}`]);
  } else if (options.sourceMapUrl) code.push(['source-map', `//# sourceMappingURL=${options.sourceMapUrl}`]);
  if (options.sourceUrl) code.push(['source-url', `//# sourceURL=${options.sourceUrl}`]);
  return code.map(([file, text]) => ({
    path: file,
    dependencies: new Map(),
    inverseDependencies: new Set(),
    getSource: () => Buffer.from(''),
    output: [{ type: 'js/script/virtual', data: { code: text, lineCount: text.split('\n').length, map: [] } }],
  }));
}

/** The code of a module: a script as it is, a module with its number and those of what it imports. */
function wrapped(module, options) {
  const { type, data } = jsOutput(module);
  if (type.startsWith('js/script')) return data.code;
  const paths = {};
  const ids = [...module.dependencies.values()].map((dependency) => {
    if (dependency.absolutePath == null) return null;
    const id = options.createModuleId(dependency.absolutePath);
    if (options.includeAsyncPaths && dependency.data.data.asyncType != null) {
      paths[id] = asyncPath(dependency.absolutePath, options);
    }
    return id;
  });
  const imports = Object.keys(paths).length > 0 ? { ...ids, paths } : ids;
  const name = path.relative(options.projectRoot, module.path).replaceAll('\\', '/');
  const { addParamsToDefineCall } = metro('metro-transform-plugins', options);
  return addParamsToDefineCall(data.code, options.createModuleId(module.path), imports, ...(options.dev ? [name] : []));
}

/** Where the development server has a module that is loaded on demand. */
function asyncPath(file, { serverRoot, sourceUrl }) {
  // `//&` stands for `?` in URLs for JavaScriptCore.
  const query = new URL(sourceUrl.replace('//&', '?')).searchParams;
  query.set('modulesOnly', 'true');
  query.set('runModule', 'false');
  const { dir, name } = path.parse(path.relative(serverRoot, file));
  return `/${path.join(dir, name)}.bundle?${query}`;
}

function isCode(module) {
  return module.output.some(({ type }) => type.startsWith('js/'));
}

function jsOutput(module) {
  return module.output.find(({ type }) => type.startsWith('js/'));
}

function passes({ processModuleFilter }) {
  return processModuleFilter ?? (() => true);
}

/** From which packages those of Metro are found, where the package manager does not lift them to the top. */
const WAYS = [
  [],
  ['metro'],
  ['react-native', '@react-native/community-cli-plugin', 'metro'],
  ['@react-native/metro-config', 'metro-config', 'metro'],
];

/** A package of the app's Metro. */
function metro(name, { projectRoot }) {
  for (const way of WAYS) {
    try {
      const last = way.reduce(
        (from, next) => path.dirname(require.resolve(`${next}/package.json`, { paths: [from] })),
        projectRoot,
      );
      return require(require.resolve(name, { paths: [last] }));
    } catch {
      // The next way.
    }
  }
  throw new Error(`@rez/monitor/metro: ${name} is not installed in ${projectRoot}; add it with the version of metro`);
}

module.exports = { plainBundle, plainMap };
