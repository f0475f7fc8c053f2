// The wall of live pictures for a long time: memory of tab and recorder, and whether a picture that stands still ever looks live.
//
//   node tests/browser/wall.mjs FILE
//
// FILE, JSON: address, name, password, code (of the second factor), seconds, tiles, recorder (its process), and `cut`: the camera that
// is cut off now and then, and the process that is it.
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../web/package.json', import.meta.url));
const { chromium } = require('@playwright/test');

const given = JSON.parse(readFileSync(process.argv[2], 'utf8'));
/** A picture may stand for so long before it must not look live: what the pages call stale, and a second to say it. */
const STANDS_MS = 4_000;
/** Cut off for so long, and whole for at least so long. */
const CUT_MS = 20_000;
const WHOLE_MS = 45_000;
/** What is warm by then is what it stays. */
const WARM_MS = Math.min(60_000, given.seconds * 250);
const SAMPLE_MS = 2_000;
/** Growth from the first to the last third of the time that counts as flat. */
const GROWTH_SHARE = 0.08;
const GROWTH_MIB = 24;
/** Of the heap of the page, after a collection of garbage: what is kept for every fragment shows there first. */
const GROWTH_HEAP_MIB = 3;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const wrong = [];
const say = (text) => console.log(text);

/** Memory of a process in MiB. */
function resident(pid) {
  const found = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(found?.[1] ?? 0) / 1024;
}

/** Memory of the browser, its processes that draw and decode included, in MiB: of all that this program started, and they in turn. */
function browsing() {
  const children = new Map();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      // The name in parentheses may hold spaces.
      const parent = readFileSync(`/proc/${name}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ')[1];
      children.set(parent, [...(children.get(parent) ?? []), name]);
    } catch {
      // It ended meanwhile.
    }
  }
  let sum = 0;
  const left = [...(children.get(String(process.pid)) ?? [])];
  for (let pid = left.pop(); pid !== undefined; pid = left.pop()) {
    left.push(...(children.get(pid) ?? []));
    try {
      sum += resident(pid);
    } catch {
      // It ended meanwhile.
    }
  }
  return sum;
}

/** What each tile shows, without asking what it says of itself: frames that were painted, and whether it looks live. */
const looks = () =>
  [...document.querySelectorAll('[data-camera]')].map((tile) => {
    const video = tile.querySelector('video');
    return {
      camera: tile.dataset.camera,
      frames: video.getVideoPlaybackQuality().totalVideoFrames,
      isLive: Number(getComputedStyle(video).opacity) > 0.9 && !tile.querySelector('.word'),
    };
  });

async function signIn(context) {
  const data = { name: given.name, password: given.password, code: given.code };
  const answer = await context.request.post('/api/v1/session', { data, timeout: 120_000 });
  if (!answer.ok()) throw new Error(`signing in: ${answer.status()} ${await answer.text()}`);
}

/** Cuts a camera off and lets it come back; says how long it took to be back. */
class Cut {
  until = Date.now() + WHOLE_MS;
  isCut = false;
  since = 0;
  times = 0;
  worst = 0;

  look(tile) {
    const now = Date.now();
    if (!this.isCut && this.since > 0 && tile?.isLive) {
      this.worst = Math.max(this.worst, now - this.since);
      this.since = 0;
    }
    if (this.isCut && now - this.since > STANDS_MS + SAMPLE_MS && tile?.isLive) wrong.push(`${given.cut.camera} is cut off and looks live`);
    if (!this.isCut && this.since > 0 && now - this.since > 60_000) {
      wrong.push(`${given.cut.camera} did not come back within 60 s`);
      this.since = 0;
    }
    if (now < this.until) return;
    this.isCut = !this.isCut;
    process.kill(given.cut.process, this.isCut ? 'SIGSTOP' : 'SIGCONT');
    this.since = now;
    this.until = now + (this.isCut ? CUT_MS : WHOLE_MS);
    if (this.isCut) this.times += 1;
  }
}

function flat(name, samples, growth = GROWTH_MIB) {
  const third = Math.max(1, Math.floor(samples.length / 3));
  const mean = (list) => list.reduce((sum, n) => sum + n, 0) / list.length;
  const [first, last] = [mean(samples.slice(0, third)), mean(samples.slice(-third))];
  const most = Math.max(...samples);
  say(`${name}: ${first.toFixed(0)} MiB at first, ${last.toFixed(0)} MiB at last, ${most.toFixed(0)} MiB at most`);
  if (first < 1) wrong.push(`${name} was not measured`);
  if (last > first * (1 + GROWTH_SHARE) + growth) wrong.push(`${name} grows`);
}

async function watch(page) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Performance.enable');
  const cut = given.cut ? new Cut() : undefined;
  const began = Date.now();
  const seen = new Map();
  const samples = { recorder: [], tab: [], heap: [] };
  while (Date.now() - began < given.seconds * 1_000) {
    await pause(SAMPLE_MS);
    const tiles = await page.evaluate(looks);
    const now = Date.now();
    if (tiles.length !== given.tiles) wrong.push(`${tiles.length} tiles, not ${given.tiles}`);
    for (const { camera, frames, isLive } of tiles) {
      const before = seen.get(camera);
      if (!before || before.frames !== frames) seen.set(camera, { frames, since: now });
      else if (isLive && now - before.since > STANDS_MS) wrong.push(`${camera} has stood still for ${now - before.since} ms and looks live`);
    }
    cut?.look(tiles.find((tile) => tile.camera === given.cut.camera));
    if (now - began < WARM_MS) continue;
    await cdp.send('HeapProfiler.collectGarbage');
    const { metrics } = await cdp.send('Performance.getMetrics');
    samples.heap.push((metrics.find((m) => m.name === 'JSHeapUsedSize')?.value ?? 0) / (1 << 20));
    samples.tab.push(browsing());
    samples.recorder.push(resident(given.recorder));
  }
  if (cut?.isCut) process.kill(given.cut.process, 'SIGCONT');
  flat('recorder', samples.recorder);
  flat('browser', samples.tab);
  flat('heap of the page', samples.heap, GROWTH_HEAP_MIB);
  if (cut) say(`${given.cut.camera} was cut off ${cut.times} times and came back by itself, within ${(cut.worst / 1_000).toFixed(0)} s at worst`);
}

const browser = await chromium.launch({
  executablePath: process.env['SINETTI_CHROMIUM'] ?? '/usr/bin/chromium',
  args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
});
try {
  const context = await browser.newContext({ baseURL: given.address, ignoreHTTPSErrors: true, viewport: { width: 1600, height: 1200 } });
  await signIn(context);
  const page = await context.newPage();
  const began = Date.now();
  await page.goto('/live?columns=4');
  await page.waitForFunction((count) => document.querySelectorAll('[data-showing="picture"]').length === count, given.tiles, { timeout: 60_000 });
  say(`${given.tiles} pictures after ${Date.now() - began} ms; load ${execFileSync('cut', ['-d ', '-f1-3', '/proc/loadavg']).toString().trim()}`);
  await watch(page);
} finally {
  await browser.close();
}
for (const text of new Set(wrong)) say(`WRONG: ${text}`);
process.exitCode = wrong.length > 0 ? 1 : 0;
