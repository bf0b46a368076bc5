/**
 * Takes `@rez/monitor` from the sources of this repository, unless it is installed. An app of yours installs it, and needs the last
 * line only, with `require('@rez/monitor/metro')`.
 */
const path = require('node:path');
const { getDefaultConfig } = require('expo/metro-config');
const { withRezMonitor } = require('../metro');

const source = path.resolve(__dirname, '../src');
const config = getDefaultConfig(__dirname);

config.watchFolders = [...config.watchFolders, source];
config.resolver.extraNodeModules = { '@rez/monitor': source };
// The sources import React and React Native of the app.
config.resolver.nodeModulesPaths = [path.join(__dirname, 'node_modules')];

module.exports = withRezMonitor(config);
