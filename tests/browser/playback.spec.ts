// Recorded pictures of the running recorder, and the timeline.
import { readFileSync } from 'node:fs';

import { configure, coverage, expect, look, openRecordings, recent, report, test, typed } from './footage';
import { recoveryCode } from './world';

const HOUR = 3_600_000;

test.use({ role: 'controller' });

test('from the purpose to the picture, within a second', async ({ page }) => {
  await page.goto(`/playback?cameras=kassa-1&at=${await recent(page, 'kassa-1', 20)}`);
  await page.getByLabel('Käyttötarkoitus').selectOption('protection-of-property');
  const began = Date.now();
  await page.getByRole('button', { name: 'Avaa', exact: true }).click();
  await expect(page.locator('figure')).toHaveAttribute('data-showing', 'picture');
  report('click to first frame', Date.now() - began, 1_000);
});

test('six interactions lead from the sign-in to the wanted frame', async ({ page }) => {
  const at = await recent(page, 'kassa-1', 15);
  await page.goto('/playback');
  await page.getByLabel('Kamerat', { exact: true }).selectOption('kassa-1');
  await page.getByRole('textbox', { name: 'Siirry aikaan' }).fill(typed(at));
  await page.keyboard.press('Enter');
  await page.getByLabel('Käyttötarkoitus').selectOption('protection-of-property');
  await page.getByRole('button', { name: 'Avaa', exact: true }).click();
  await expect(page.locator('figure')).toHaveAttribute('data-showing', 'picture');
  expect(Math.abs((await look(page)).at - Date.parse(at))).toBeLessThan(1_100);
});

test('single frames, both ways, each of them once', async ({ page }) => {
  test.setTimeout(90_000);
  await openRecordings(page, 'kassa-1', await recent(page, 'kassa-1', 30));
  const shown: number[] = [];
  const step = async (key: string): Promise<void> => {
    const before = (await look(page)).at;
    await page.keyboard.press(key);
    await expect
      .poll(async () => {
        const seen = await look(page);
        return seen.at !== before && seen.tiles[0]?.showing === 'picture';
      }, { intervals: [40] })
      .toBe(true);
    shown.push((await look(page)).at);
  };
  await step('.');
  // More than a group of pictures.
  for (let i = 0; i < 34; i++) await step('.');
  const there = [...shown];
  for (let i = 1; i < there.length; i++) expect((there[i] ?? 0) - (there[i - 1] ?? 0)).toBeCloseTo(1_000 / 15, 0);
  shown.length = 0;
  for (let i = 0; i < 34; i++) await step(',');
  expect(shown).toEqual(there.slice(0, -1).reverse());
});

test('it plays over a gap and a change of the picture, and says what it left out', async ({ page }) => {
  test.setTimeout(150_000);
  /** Waits until so many seconds are recorded after a change. */
  const recordedAfter = async (change: number, seconds: number): Promise<void> =>
    expect
      .poll(
        async () => {
          const last = (await coverage(page, 'ovi-1')).recorded.at(-1);
          return last !== undefined && last.start > change && last.end > last.start + seconds * 1_000;
        },
        { timeout: 60_000 },
      )
      .toBe(true);
  const first = configure('main = "/ovi-1/main"', 'main = "/ovi-1/sub"');
  let second = 0;
  try {
    await recordedAfter(first, 6);
  } finally {
    second = configure('main = "/ovi-1/sub"', 'main = "/ovi-1/main"');
  }
  await recordedAfter(second, 8);

  await openRecordings(page, 'ovi-1', new Date(first - 2_000).toISOString());
  const widths = new Set<number>();
  let latest = 0;
  await page.keyboard.press('Space');
  await expect
    .poll(
      async () => {
        const seen = await look(page);
        if (seen.tiles[0]?.showing === 'picture') widths.add(seen.tiles[0].width);
        expect(seen.at).toBeGreaterThanOrEqual(latest - 1);
        latest = seen.at;
        return seen.at;
      },
      { timeout: 60_000, intervals: [200] },
    )
    .toBeGreaterThan(second + 4_000);
  expect(widths.size).toBe(2);
  await page.keyboard.press('Space');

  // In the gap itself: not recorded, and why; and one picture back is the last before it.
  const gap = (await coverage(page, 'ovi-1')).gaps.find((g) => g.start > first - 2_000 && g.end - g.start > 300);
  if (!gap) throw new Error('a change of the configuration makes a gap');
  await openRecordings(page, 'ovi-1', new Date((gap.start + gap.end) / 2).toISOString(), 'nothing');
  await expect(page.locator('.stage')).toContainText(/Ei tallennetta .*: tallennus pysäytettiin/u);
  await page.keyboard.press(',');
  await expect(page.locator('figure')).toHaveAttribute('data-showing', 'picture');
  expect(Math.abs((await look(page)).at - gap.start)).toBeLessThan(200);
});

test('four cameras keep one time, at every speed', async ({ page }) => {
  test.setTimeout(120_000);
  await openRecordings(page, 'kassa-1,hylly-1,ovi-1,kassa-2', await recent(page, 'kassa-1', 60));
  await page.keyboard.press('Space');
  for (const rate of [1, 2, 4]) {
    const before = (await look(page)).at;
    await expect.poll(async () => (await look(page)).at).toBeGreaterThan(before + rate * 1_000);
    const { tiles } = await look(page);
    const times = tiles.filter((tile) => tile.showing === 'picture').map((tile) => tile.time);
    expect(times.length).toBeGreaterThan(1);
    expect(Math.max(...times) - Math.min(...times)).toBeLessThan(0.5 * rate);
    await page.keyboard.press('l');
  }
  await page.keyboard.press('k');
  await expect(page.getByLabel('Nopeus')).toHaveValue('1');
});

test('a drag along the ruler shows stills, and ends at the picture', async ({ page }) => {
  test.setTimeout(90_000);
  await openRecordings(page, 'kassa-1', await recent(page, 'kassa-1', 40));
  await page.getByRole('button', { name: '10 min' }).click();
  const band = await page.locator('.timeline').boundingBox();
  const playhead = await page.getByRole('slider', { name: 'Toistokohta' }).boundingBox();
  if (!band || !playhead) throw new Error('no timeline');
  const from = playhead.x + playhead.width / 2;
  await page.mouse.move(from, band.y + 8);
  await page.evaluate(() => {
    const seen = ((globalThis as { stills?: number[] }).stills = [] as number[]);
    const draw = CanvasRenderingContext2D.prototype.drawImage;
    CanvasRenderingContext2D.prototype.drawImage = function (this: CanvasRenderingContext2D, ...given: unknown[]) {
      seen.push(performance.now());
      return Reflect.apply(draw, this, given) as void;
    };
  });
  const began = await page.evaluate(() => performance.now());
  await page.mouse.down();
  await page.mouse.move(from - 4, band.y + 8);
  await page.waitForFunction(() => ((globalThis as { stills?: number[] }).stills ?? []).length > 0);
  report('picture while dragging', (await page.evaluate(() => (globalThis as { stills?: number[] }).stills?.[0] ?? 0)) - began, 400);
  for (let i = 1; i <= 10; i++) await page.mouse.move(from - 4 - i * 3, band.y + 8);
  await expect(page.locator('.stage')).toContainText('Esikatselu');
  await page.mouse.up();
  await expect(page.locator('.stage')).not.toContainText('Esikatselu');
  await expect(page.locator('figure')).toHaveAttribute('data-showing', 'picture');
});

test('a stretch is chosen, corrected by typing, and stands in the address', async ({ page }) => {
  const at = await recent(page, 'kassa-1', 40);
  await openRecordings(page, 'kassa-1', at);
  await page.keyboard.press('i');
  await page.keyboard.press('ArrowRight');
  await expect.poll(async () => (await look(page)).at).toBeGreaterThan(Date.parse(at) + 9_000);
  await page.keyboard.press('o');
  await expect(page.locator('[data-selection]')).toHaveText('10 s');
  await expect(page.getByRole('slider', { name: 'Valinnan loppu' })).toHaveAttribute('aria-valuetext', /klo \d\d\.\d\d\.\d\d/u);
  await page.getByRole('slider', { name: 'Valinnan loppu' }).focus();
  await page.keyboard.press('ArrowLeft');
  await expect(page.locator('[data-selection]')).toHaveText('9 s');
  await page.getByLabel('Loppu', { exact: true }).fill('1.1.2020 klo 12');
  await page.keyboard.press('Enter');
  await expect(page.getByText('Lopun pitää olla alun jälkeen.')).toBeVisible();
  await expect(page).toHaveURL(/from=.*to=/u);
  await page.reload();
  await expect(page.locator('[data-selection]')).toHaveText('9 s');
});

test('without a mouse: camera, time, purpose, picture, frames', async ({ page }) => {
  const at = await recent(page, 'hylly-1', 30);
  await page.goto('/playback');
  /** Goes on by Tab to the choice of this name. */
  const reach = async (name: string): Promise<void> => {
    for (let i = 0; i < 60; i++) {
      await page.keyboard.press('Tab');
      const found = await page.evaluate(() => {
        const e = document.activeElement;
        return e instanceof HTMLSelectElement ? e.labels[0]?.textContent?.trim() : undefined;
      });
      if (found === name) return;
    }
    throw new Error(`the keyboard does not reach ${name}`);
  };
  await expect(page.getByLabel('Kamerat', { exact: true })).toBeVisible();
  await reach('Kamerat');
  await page.keyboard.type('H');
  await reach('Käyttötarkoitus');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect(page.locator('figure')).toHaveAttribute('data-showing', /picture|nothing/u);
  await page.keyboard.press('Escape');
  await page.locator('body').press('g');
  await page.keyboard.type(typed(at));
  await page.keyboard.press('Enter');
  await expect(page.locator('figure')).toHaveAttribute('data-showing', 'picture');
  const before = (await look(page)).at;
  await page.keyboard.press('.');
  await expect.poll(async () => (await look(page)).at).toBeGreaterThan(before);
});

test('the keys can be switched off', async ({ page }) => {
  await openRecordings(page, 'kassa-1', await recent(page, 'kassa-1', 20));
  await page.getByText('Näppäimet', { exact: true }).click();
  await page.getByLabel('Näppäimet käytössä').uncheck();
  await page.getByRole('heading', { name: 'Tallenteet' }).evaluate(() => (document.activeElement as HTMLElement).blur());
  await page.keyboard.press('i');
  await expect(page.getByText('Ei valintaa')).toBeVisible();
  await page.getByLabel('Näppäimet käytössä').check();
});

test('the hour that autumn repeats is asked about', async ({ page }) => {
  await page.goto('/playback?cameras=kassa-1');
  await page.getByRole('textbox', { name: 'Siirry aikaan' }).fill('26.10.2025 3.30');
  await page.keyboard.press('Enter');
  await expect(page.getByText('03.30.00 oli sinä yönä kahdesti. Kumpi?')).toBeVisible();
  await page.getByRole('button', { name: 'normaaliaikaa (toinen)' }).click();
  await expect(page.locator('time.clock')).toContainText('normaaliaikaa');
  await expect(page.getByText('Päivässä on 25 tuntia')).toBeVisible();
  await expect(page).toHaveURL(/at=2025-10-26T01%3A30%3A00Z/u);
});

test('what the timeline draws is a table, too', async ({ page }) => {
  await page.goto(`/playback?cameras=kassa-1&at=${await recent(page, 'kassa-1', 20)}`);
  await page.getByText('Tallenteet taulukkona').click();
  const rows = page.locator('details[open] tbody tr');
  await expect(rows.first()).toBeVisible();
  await expect(page.locator('tr[data-kind="recorded"]').first()).toContainText('Kassa 1');
});

test('a phone has all of it, and nothing beside the screen', async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await openRecordings(page, 'kassa-1', await recent(page, 'kassa-1', 20));
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  await expect(page.getByRole('button', { name: 'Toista' })).toBeInViewport();
  await page.goto('/live');
  await expect(page.locator('[data-camera]').first()).toHaveAttribute('data-showing', 'picture');
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
});

// A browser calls it an error that the network is away; here it is what is tested.
const away = test.extend({ watched: async ({}, use) => use() });

away('the box away and back: it is said, and goes on by itself', async ({ page, context }) => {
  const at = await recent(page, 'kassa-1', 45);
  await openRecordings(page, 'kassa-1', at);
  await context.setOffline(true);
  await page.getByRole('textbox', { name: 'Siirry aikaan' }).fill('-30 s');
  await page.keyboard.press('Enter');
  await expect(page.locator('.stage')).toContainText('Laitteeseen ei saada yhteyttä.');
  await expect(page.getByRole('button', { name: 'Yritä uudelleen' })).toBeVisible();
  await context.setOffline(false);
  await expect(page.locator('figure')).toHaveAttribute('data-showing', 'picture');
});

test('a session that ends in the middle asks for the sign-in, at the same address', async ({ page, context }) => {
  await openRecordings(page, 'kassa-1', await recent(page, 'kassa-1', 45));
  await context.clearCookies();
  await page.keyboard.press('ArrowLeft');
  await expect(page.getByRole('button', { name: 'Kirjaudu' })).toBeVisible();
  await expect(page).toHaveURL(/\/playback\?cameras=kassa-1&at=/u);
});

test.describe('a manager', () => {
  test.use({ role: 'manager' });

  test('is told of a camera that is not theirs, and asked for nothing', async ({ page }) => {
    await page.goto('/playback?cameras=ovi-1');
    await expect(page.getByText('Sinulla ei ole oikeutta tämän kameran tallenteisiin.')).toBeVisible();
    await expect(page.getByRole('button', { name: 'Avaa', exact: true })).toHaveCount(0);
    await expect(page.getByLabel('Kamerat', { exact: true })).toContainText('Kassa 1');
    await expect(page.getByLabel('Kamerat', { exact: true })).not.toContainText('Ovi 1');
  });
});

test('a timeline of 31 days and 16 cameras is drawn at once', async ({ page }) => {
  // A month of sixteen cameras that break off every quarter of an hour: more than the box of these tests can have recorded.
  const now = Date.now();
  const start = now - 31 * 24 * HOUR;
  const spans = Array.from({ length: 31 * 96 }, (_, i) => ({ start: new Date(start + i * HOUR / 4).toISOString(), end: new Date(start + i * HOUR / 4 + 14 * 60_000).toISOString() }));
  const gaps = spans.map(({ end }) => ({ start: end, end: new Date(Date.parse(end) + 60_000).toISOString(), cause: 'stalled', detail: null }));
  await page.route('**/api/v1/cameras', async (route) => {
    const answer = (await (await route.fetch()).json()) as { cameras: { camera: string; name: string }[] };
    const [first] = answer.cameras;
    answer.cameras = Array.from({ length: 16 }, (_, i) => ({ ...first!, camera: i === 0 ? 'kassa-1' : `kassa-1${i}`, name: `Kassa ${i + 1}` }));
    await route.fulfill({ json: answer });
  });
  const whole = { start: new Date(start).toISOString(), end: new Date(now).toISOString() };
  await page.route('**/coverage?**', (route) => route.fulfill({ json: { span: whole, recorded: spans, growing: null, deleted: [], gaps, unknown: [], keep_s: 31 * 86_400 } }));
  await page.goto('/playback?cameras=kassa-1');
  await page.getByLabel('Kaikki kamerat').check();
  await page.getByRole('button', { name: '30 vrk' }).click();
  const drawn = async (): Promise<number> => Number(await page.locator('.timeline').getAttribute('data-drawn'));
  await expect.poll(async () => page.locator('.timeline').evaluate((e) => e.clientHeight)).toBeGreaterThan(200);
  const band = await page.locator('.timeline').boundingBox();
  if (!band) throw new Error('no timeline');
  await page.mouse.move(band.x + 300, band.y + 100);
  let most = 0;
  for (let i = 0; i < 20; i++) {
    await page.mouse.wheel(0, i % 2 === 0 ? -40 : 40);
    await page.waitForTimeout(30);
    most = Math.max(most, await drawn());
  }
  report('timeline of 31 days × 16 cameras, worst drawing', most, 100);
});

test.describe('the manager', () => {
  test.use({ role: 'manager' });

  test('saves the picture of the moment at its full size', async ({ page }) => {
    test.setTimeout(90_000);
    await openRecordings(page, 'kassa-1', await recent(page, 'kassa-1', 20));
    const [tile] = (await look(page)).tiles;
    const size = await page.locator('figure video').evaluate((video: HTMLVideoElement) => [video.videoWidth, video.videoHeight]);
    expect(tile?.width).toBe(size[0]);
    const started = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Tallenna kuva' }).click();
    const question = page.getByRole('dialog', { name: 'Vahvista koodilla' });
    const told = page.getByText(/^Kuva .*\.png on ladattu\. Lokiin jäi merkintä\.$/u);
    await expect(question.or(told)).toBeVisible({ timeout: 30_000 });
    if (await question.isVisible()) {
      await question.getByLabel('Koodi').fill(recoveryCode('manager1', 4));
      await question.getByRole('button', { name: 'Vahvista' }).click();
    }
    await expect(told).toBeVisible({ timeout: 30_000 });
    const download = await started;
    expect(download.suggestedFilename()).toMatch(/^kassa-1.*\.png$/);
    const png = readFileSync(await download.path());
    expect(png.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n');
    // IHDR: its width and height.
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual(size);
  });
});
