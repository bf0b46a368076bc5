/** The whole app on one platform, and the package without an engine on each that Expo has a preset for. */
const onEach = ['<rootDir>/tests/without-engine.test.ts'];

module.exports = {
  projects: [
    { preset: 'jest-expo/android', testMatch: ['<rootDir>/tests/*.test.{ts,tsx}'] },
    { preset: 'jest-expo/ios', testMatch: onEach },
    { preset: 'jest-expo/web', testMatch: onEach },
  ],
};
