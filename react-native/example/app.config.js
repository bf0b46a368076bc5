/** The plugin writes native code, so it is there once the package is installed (README, "On a device"). */
const installed = '@rez/monitor' in require('./package.json').dependencies;

module.exports = {
  name: 'REZ Shop',
  slug: 'rez-shop',
  scheme: 'rezshop',
  version: '1.0.0',
  ios: { bundleIdentifier: 'app.rez.shop.example' },
  android: { package: 'app.rez.shop.example' },
  web: { bundler: 'metro', output: 'single' },
  // The paths of tsconfig.json are for types alone.
  experiments: { tsconfigPaths: false },
  plugins: ['expo-router', ...(installed ? ['@rez/monitor'] : [])],
};
