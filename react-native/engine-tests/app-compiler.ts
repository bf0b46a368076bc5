/** The compiler of an app: strict, with the types of React Native. */
import { join } from 'node:path';
import ts from 'typescript';

const MODULES = join(__dirname, '../node_modules');

const OPTIONS: ts.CompilerOptions = {
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  jsx: ts.JsxEmit.ReactJSX,
  types: ['node', 'react-native'],
  typeRoots: [join(MODULES, '@types'), MODULES],
};

/** `paths`: where the files are that an import names, as in a `tsconfig.json`. */
export function program(files: string[], paths: ts.MapLike<string[]> = {}): ts.Program {
  return ts.createProgram(files, { ...OPTIONS, paths });
}

/** What `tsc` says about the files: one text for each error, with its place. */
export function compileErrors(files: string[]): string[] {
  return ts.getPreEmitDiagnostics(program(files)).map(({ file, start, messageText }) => {
    const line = file && start !== undefined ? file.getLineAndCharacterOfPosition(start).line + 1 : 0;
    return `${file?.fileName.split('/').slice(-2).join('/')}:${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
  });
}
