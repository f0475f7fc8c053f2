// Says how much gzipped JavaScript a first visit loads, for each screen; fails when one is above the budget.
//
//   node size.mjs KILOBYTES
import { readFileSync } from 'node:fs';

const budget = Number(process.argv[2]) * 1000;
const manifest = JSON.parse(readFileSync('dist/.vite/manifest.json', 'utf8'));

/** The files that a module loads before it runs, itself too. */
function files(key, found = new Set()) {
  const chunk = manifest[key];
  if (found.has(chunk.file)) return found;
  found.add(chunk.file);
  for (const imported of chunk.imports ?? []) files(imported, found);
  return found;
}

const size = (file) => (file.endsWith('.js') ? readFileSync(`dist/${file}.gz`).length : 0);
const sum = (set) => [...set].map(size).reduce((a, b) => a + b, 0);
const entry = files('index.html');
const languages = Object.keys(manifest).filter((key) => key.startsWith('src/messages/'));
const language = languages.reduce((a, b) => (sum(files(a)) > sum(files(b)) ? a : b));
let worst = 0;
for (const key of Object.keys(manifest).filter((key) => key.startsWith('src/screens/'))) {
  const bytes = sum(new Set([...entry, ...files(language), ...files(key)]));
  worst = Math.max(worst, bytes);
  console.log(`${(bytes / 1000).toFixed(1).padStart(6)} kB  ${key.replace('src/screens/', '')}`);
}
console.log(`${(worst / 1000).toFixed(1).padStart(6)} kB  is the most; the budget is ${budget / 1000} kB`);
if (worst === 0 || worst > budget) process.exit(1);
