// Runs what checks in verify.html over folders, without a browser: one JSON line a folder.
//
//   node verify-page.mjs PAGE [--slow] [--fingerprint F] FOLDER…
//
// --slow: as in a browser that knows no Ed25519.
import { openAsBlob, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const args = process.argv.slice(2);
const page = readFileSync(args.shift(), 'utf8');
const slow = args[0] === '--slow' && args.shift();
const fingerprint = args[0] === '--fingerprint' ? args.splice(0, 2)[1] : '';
if (slow) crypto.subtle.importKey = async () => { throw new DOMException('not here', 'NotSupportedError'); };
const script = /<script>([^]*)<\/script>/.exec(page)[1];
const Sinetti = new Function(`${script}; return Sinetti;`)();
for (const folder of args) {
  const files = new Map();
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    files.set(entry.name, entry.isFile() ? await openAsBlob(join(folder, entry.name)) : null);
  }
  const report = await Sinetti.check(files, fingerprint);
  const findings = report.findings.map(({ code, file }) => `${code} ${file}`).sort();
  console.log(JSON.stringify({ findings, fingerprint: report.fingerprint, entry: report.entry }));
}
