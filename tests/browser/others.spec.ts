// The player in the other engines that Debian packages: live pictures, and recorded ones with frames, where they are installed.
import { readFileSync } from 'node:fs';

import { BROWSERS, type Cookie, type Driver } from './drivers';
import { expect, recent, test } from './footage';
import { ADDRESS, sessionOf } from './world';

test.use({ role: 'controller' });

/** The cookie of a role's session. */
function cookieOf(role: 'controller'): Cookie {
  const [cookie] = (JSON.parse(readFileSync(sessionOf(role), 'utf8')) as { cookies: Cookie[] }).cookies;
  if (!cookie) throw new Error(`${role} has no session`);
  return { name: cookie.name, value: cookie.value };
}

/** Where the picture of the first video is, and what of it was painted. */
interface Shown {
  showing: string;
  frames: number;
  time: number;
  at: number;
}

function shown(driver: Driver, of: string): Promise<Shown> {
  return driver.run<Shown>(`
    const box = document.querySelector(${JSON.stringify(of)});
    const video = box?.querySelector('video');
    return {
      showing: box?.dataset.showing ?? '',
      frames: video?.getVideoPlaybackQuality().totalVideoFrames ?? 0,
      time: video?.currentTime ?? 0,
      at: Number(document.querySelector('time.clock')?.dataset.at ?? 0) / 1000,
    };`);
}

const press = (driver: Driver, label: string): Promise<unknown> =>
  driver.run(`[...document.querySelectorAll('button')].find((b) => b.getAttribute('aria-label') === ${JSON.stringify(label)} || b.textContent.trim() === ${JSON.stringify(label)}).click();`);

for (const { name, packages, isThere, start } of BROWSERS) {
  test(`${name} shows what is live and what is recorded, frame by frame`, async ({ page }) => {
    test.skip(!isThere, `${name} is not installed: apt-get install ${packages}`);
    test.setTimeout(150_000);
    const at = await recent(page, 'kassa-1', 25);
    const driver = await start();
    try {
      await driver.open(`${ADDRESS}/notice`);
      await driver.cookie(cookieOf('controller'));
      await driver.open(`${ADDRESS}/live/hylly-1`);
      const live = '[data-camera="hylly-1"]';
      await expect.poll(async () => (await shown(driver, live)).showing, { timeout: 30_000 }).toBe('picture');
      const before = (await shown(driver, live)).frames;
      await expect.poll(async () => (await shown(driver, live)).frames, { timeout: 20_000 }).toBeGreaterThan(before + 15);

      await driver.open(`${ADDRESS}/playback?cameras=kassa-1&at=${at}`);
      await expect.poll(() => driver.run<number>(`return document.querySelectorAll('.cover select option').length;`), { timeout: 20_000 }).toBeGreaterThan(1);
      await driver.run(`
        const purpose = document.querySelector('.cover select');
        purpose.value = 'protection-of-property';
        purpose.dispatchEvent(new Event('change', { bubbles: true }));`);
      await press(driver, 'Avaa');
      await expect.poll(async () => (await shown(driver, 'figure')).showing, { timeout: 20_000 }).toBe('picture');
      await press(driver, 'Toista');
      const began = (await shown(driver, 'figure')).at;
      await expect.poll(async () => (await shown(driver, 'figure')).at, { timeout: 20_000 }).toBeGreaterThan(began + 3_000);
      await press(driver, 'Pysäytä');
      // Single frames, each of them once: fifteen a second.
      let last = (await shown(driver, 'figure')).at;
      for (const [label, by] of [['Seuraava kuva', 1], ['Seuraava kuva', 1], ['Seuraava kuva', 1], ['Edellinen kuva', -1]] as const) {
        await press(driver, label);
        await expect.poll(async () => Math.abs((await shown(driver, 'figure')).at - last), { timeout: 10_000 }).toBeGreaterThan(30);
        await expect.poll(async () => (await shown(driver, 'figure')).showing).toBe('picture');
        const now = (await shown(driver, 'figure')).at;
        expect(now - last).toBeCloseTo((by * 1_000) / 15, -1);
        last = now;
      }
      await driver.run(`history.back();`);
    } finally {
      await driver.close();
    }
  });
}
