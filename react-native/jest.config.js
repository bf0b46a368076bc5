/** Two projects: what needs no engine, and what runs on the real one (`engine-tests`). */
module.exports = {
  projects: [
    {
      displayName: 'unit',
      preset: 'react-native',
      testMatch: ['<rootDir>/src/**/*.test.{ts,tsx}'],
    },
    {
      displayName: 'engine',
      testEnvironment: 'node',
      testMatch: ['<rootDir>/engine-tests/**/*.test.ts'],
      setupFilesAfterEnv: ['<rootDir>/engine-tests/setup.ts'],
      // The specification of the native module is the only file of the core that imports React Native.
      moduleNameMapper: { '^react-native$': '<rootDir>/engine-tests/noReactNative.ts' },
    },
  ],
};
