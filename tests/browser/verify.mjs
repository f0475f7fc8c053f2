// A large package in its own page, from file://: what the page says of it, how long that takes, and its memory meanwhile.
//
//   node tests/browser/verify.mjs FOLDER
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(new URL('../../web/package.json', import.meta.url));
const { chromium } = require('@playwright/test');

const folder = process.argv[2];
const SAMPLE_MS = 500;
/** What the page may take more at the end than when it has read a tenth; what is read at a time is 1 MiB, or a fragment. */
const GROWTH_MIB = 64;
const LIMIT_MS = 1_800_000;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Memory of the process that runs the page in MiB: the largest of the renderers that this program started. */
function tab(browserPid) {
  let most = 0;
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (!readFileSync(`/proc/${name}/cmdline`, 'utf8').includes('--type=renderer')) continue;
      if (!isBelow(name, browserPid)) continue;
      const found = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${name}/status`, 'utf8'));
      most = Math.max(most, Number(found?.[1] ?? 0) / 1024);
    } catch {
      // It ended meanwhile.
    }
  }
  return most;
}

function isBelow(pid, ancestor) {
  for (let at = String(pid); at !== '0' && at !== ''; ) {
    if (at === String(ancestor)) return true;
    // The name in parentheses may hold spaces.
    at = readFileSync(`/proc/${at}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ')[1] ?? '';
  }
  return false;
}

const browser = await chromium.launch({
  executablePath: process.env['SINETTI_CHROMIUM'] ?? '/usr/bin/chromium',
  args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
});
const wrong = [];
try {
  const page = await browser.newPage({ locale: 'en-GB' });
  await page.goto(pathToFileURL(join(folder, 'verify.html')).href);
  const samples = [];
  const began = Date.now();
  await page.locator('#folder').setInputFiles(folder);
  const verdict = page.locator('#verdict');
  while ((await verdict.count()) === 0 && Date.now() - began < LIMIT_MS) {
    samples.push({ share: await page.locator('#bar').evaluate((bar) => bar.value), mib: tab(process.pid) });
    await pause(SAMPLE_MS);
  }
  const took = Date.now() - began;
  const said = (await verdict.count()) > 0 ? await verdict.innerText() : 'nothing';
  const mib = (from, to) => samples.filter(({ share }) => share >= from && share < to).map((sample) => sample.mib);
  const early = Math.max(0, ...mib(0.05, 0.15));
  const late = Math.max(0, ...mib(0.85, 1));
  const most = Math.max(0, ...samples.map((sample) => sample.mib));
  console.log(
    `verify.html: "${said.split('\n')[0]}" after ${took} ms; the tab ${early.toFixed(0)} MiB after a tenth, ${late.toFixed(0)} MiB in the last tenth, ${most.toFixed(0)} MiB at most; ` +
      `load ${readFileSync('/proc/loadavg', 'utf8').split(' ').slice(0, 3).join(' ')}`,
  );
  if (!said.includes('Consistent')) wrong.push(`it says: ${said}`);
  if (early === 0 || late === 0) wrong.push('its memory was not measured');
  if (late > early + GROWTH_MIB) wrong.push('its memory grows');
} finally {
  await browser.close();
}
for (const text of wrong) console.log(`WRONG: ${text}`);
process.exitCode = wrong.length > 0 ? 1 : 0;
