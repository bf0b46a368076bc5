/** Compares the types of `@rez/monitor/firebase-analytics` with those of the vendor's package, by the compiler. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { program as appProgram } from '../app-compiler';

/** A version of the vendor's package, under its alias in `package.json`. */
export type Version = 25 | 26;

const MODULES = join(__dirname, 'node_modules');
const OURS = join(__dirname, '../../src/firebase-analytics/index');

/** What a program says: one text for each error. */
export function compileErrors(version: Version, source: string): string[] {
  const { program } = compiled(version, source);
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

/** What the vendor's package exports, and which of it we export too. `instance`: the methods of `analytics()`. */
export interface Names {
  values: [name: string, isOurs: boolean][];
  types: [name: string, isOurs: boolean][];
  instance: [name: string, isOurs: boolean][];
}

export function names(version: Version): Names {
  const { program, path } = compiled(
    version,
    `${IMPORTS}export declare const vendor: ReturnType<typeof theirs.getAnalytics>;
    export declare const own: ReturnType<typeof ours.getAnalytics>;`,
  );
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(path) as ts.SourceFile;
  const [vendor, own] = exportsOf(checker, checker.getSymbolAtLocation(source));
  const imports = source.statements.filter(ts.isImportDeclaration);
  const [theirs, ours] = imports.map(({ moduleSpecifier }) => checker.getSymbolAtLocation(moduleSpecifier));
  const isValue = (symbol: ts.Symbol) => {
    const real = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    return (real.flags & ts.SymbolFlags.Value) !== 0;
  };
  const [all, known] = [exportsOf(checker, theirs), new Set(exportsOf(checker, ours).map(({ name }) => name))];
  const methods = (symbol: ts.Symbol | undefined) =>
    symbol
      ? checker
          .getTypeOfSymbol(symbol)
          .getProperties()
          .map(({ name }) => name)
      : [];
  const methodsOfOurs = new Set(methods(own));
  const pairs = (symbols: string[], mine: Set<string>) =>
    symbols.sort().map((name): [string, boolean] => [name, mine.has(name)]);
  return {
    values: pairs(
      all.filter(isValue).map(({ name }) => name),
      known,
    ),
    types: pairs(
      all.filter((symbol) => !isValue(symbol)).map(({ name }) => name),
      known,
    ),
    instance: pairs(methods(vendor), methodsOfOurs),
  };
}

/** The two modules, for a program that compares them. */
export const IMPORTS = `import * as theirs from 'theirs';\nimport * as ours from 'ours';\n`;

function exportsOf(checker: ts.TypeChecker, module: ts.Symbol | undefined): ts.Symbol[] {
  if (module === undefined) throw new Error('a module of the comparison is missing');
  return checker.getExportsOfModule(module);
}

function compiled(version: Version, code: string): { program: ts.Program; path: string } {
  if (!existsSync(join(MODULES, `firebase-analytics-${version}`))) {
    throw new Error('the packages are missing: run `npm ci` in engine-tests/firebase-types');
  }
  const folder = join(__dirname, '..', `guide-firebase-${process.pid}`);
  const path = join(folder, 'app.ts');
  const types = (name: string) => [join(MODULES, `${name}-${version}`, 'dist/typescript/lib/index')];
  mkdirSync(folder, { recursive: true });
  try {
    writeFileSync(path, code);
    const program = appProgram([path], {
      theirs: types('firebase-analytics'),
      '@react-native-firebase/app': types('firebase-app'),
      ours: [OURS],
    });
    program.getTypeChecker();
    return { program, path };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
