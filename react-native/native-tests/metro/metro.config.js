// What the README tells an Expo app to write, and where the test sees the id.
const fs = require('node:fs');
const { getDefaultConfig } = require('expo/metro-config');
const { withRezMonitor } = require('@rez/monitor/metro');

module.exports = withRezMonitor(getDefaultConfig(__dirname), {
  onDebugId: (bundled) => fs.appendFileSync(process.env.REZ_DEBUG_IDS, `${JSON.stringify(bundled)}\n`),
});
