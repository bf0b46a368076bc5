// Explicit: with an Expo module in the package, autolinking would otherwise leave React Native's module out.
module.exports = {
  dependency: {
    platforms: {
      android: {
        sourceDir: './android',
        packageImportPath: 'import app.rez.monitor.reactnative.RezMonitorPackage;',
        packageInstance: 'new RezMonitorPackage()',
      },
      ios: {},
    },
  },
};
