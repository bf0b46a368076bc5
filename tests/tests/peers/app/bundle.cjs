// Bundles `checkout.ts` with esbuild, and gives bundle and map a debug id by the functions of `@rez/monitor/metro`:
// `node bundle.cjs ESBUILD OUT DEBUG_ID`.
const fs = require('node:fs');
const path = require('node:path');
const { withComment, withMapId, withRegistration } = require('../../../../react-native/metro/debug-id.js');

const [esbuild, out, debugId] = process.argv.slice(2);
const prelude = { path: '__prelude__', output: [{ type: 'js/script', data: { code: '' } }] };
const registration = withRegistration([prelude], debugId)[0].output[0].data.code;
require(esbuild).buildSync({
  entryPoints: [path.join(__dirname, 'checkout.ts')],
  outfile: out,
  bundle: true,
  minify: true,
  sourcemap: true,
  banner: { js: registration },
});
fs.writeFileSync(out, withComment(fs.readFileSync(out, 'utf8'), debugId));
fs.writeFileSync(`${out}.map`, withMapId(fs.readFileSync(`${out}.map`, 'utf8'), debugId));
