/** What React Native generates from the specification of the module in the build of an app. */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';

const require = createRequire(import.meta.url);

export const specs = path.resolve(import.meta.dirname, '../../src/specs');
export const javaPackage = 'app.rez.monitor.reactnative';
export const libraryName = 'RezMonitorSpec';

/** Versions of React Native, by the aliases in package.json. */
export const versions = ['0.79', '0.83', '0.88'];

/** Returns the Java class and the Objective-C header. */
export function generate(version) {
  const outputDirectory = fs.mkdtempSync(path.join(os.tmpdir(), 'rez-codegen-'));
  try {
    const library = `codegen-${version}/lib`;
    const { combineSchemasInFileList } = require(`${library}/cli/combine/combine-js-to-schema.js`);
    const { generate } = require(`${library}/generators/RNCodegen.js`);
    const schema = combineSchemasInFileList([specs], null, null);
    const options = {
      libraryName,
      schema,
      outputDirectory,
      packageName: javaPackage,
      assumeNonnull: true,
      includeGetDebugPropsImplementation: false,
      useLocalIncludePaths: false,
    };
    generate(options, { generators: ['modulesAndroid', 'modulesIOS'], test: false });
    const read = (...name) => fs.readFileSync(path.join(outputDirectory, ...name), 'utf8');
    const java = read('java', ...javaPackage.split('.'), 'NativeRezMonitorSpec.java');
    return { java, header: read(libraryName, `${libraryName}.h`) };
  } finally {
    fs.rmSync(outputDirectory, { recursive: true });
  }
}

/** The protocol that the adapter implements. */
export function protocolOf(header) {
  const found = header.match(/@protocol NativeRezMonitorSpec [\s\S]*?@end\n/);
  if (!found) throw new Error('the header has no protocol NativeRezMonitorSpec');
  return found[0];
}
