module.exports = {
  presets: ['module:@react-native/babel-preset'],
  // Jest runs CommonJS; Metro and the build translate `import()` themselves. The plugin comes with the build.
  env: { test: { plugins: ['@babel/plugin-transform-dynamic-import'] } },
};
