// The states that are seldom seen: footage that was deleted or is damaged, a code or a password that is asked for, the box away and
// back, two tabs, a reload anywhere, a year of footage.
import { closeSync, openSync, readdirSync, readSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import type { Page } from '@playwright/test';

import { Desk } from './desk';
import { settled } from './fixtures';
import { expect, look, openRecordings, planted, recent, report, test, typed } from './footage';
import { SCREENS } from './screens';
import { BOX_DIR, recoveryCode, world } from './world';

const MINUTE = 60_000;
const DAY = 86_400_000;

// A browser calls it an error that the network is away, a session over or footage damaged; here it is what is tested.
const away = test.extend({ watched: async ({}, use) => use() });

/** The newest whole segment file of a stream, and when it begins. */
function segment(stream: string): { file: string; start: number } | undefined {
  const folder = join(BOX_DIR, 'footage', stream);
  const found = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('Z') || name.endsWith('.mp4'));
  const files = found.map((name) => {
    const [, y, mo, d, h, mi, s] = /(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d\.\d+)Z-[^/]*$/u.exec(name) ?? [];
    return { file: join(folder, name), start: Date.parse(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`) };
  });
  files.sort((a, b) => a.start - b.start);
  // The last one is being written.
  return files.at(-2);
}

/** Turns bits over in the middle of a file, as a disk that fails may. */
function damage(file: string): void {
  const { size } = statSync(file);
  const handle = openSync(file, 'r+');
  try {
    const byte = Buffer.alloc(1);
    for (let share = 0.44; share < 0.56; share += 0.01) {
      const place = Math.floor(size * share);
      readSync(handle, byte, 0, 1, place);
      byte[0] = (byte[0] ?? 0) ^ 0xff;
      writeSync(handle, byte, 0, 1, place);
    }
  } finally {
    closeSync(handle);
  }
}

test.describe('the controller', () => {
  test.use({ role: 'controller' });

  test('what was deleted when its time was over is called that, not a gap', async ({ page }) => {
    // Made 20 days ago, where 14 are kept: see tests/browser/start.
    const at = new Date(Math.floor((Date.now() - 20 * DAY + 10 * MINUTE) / 1_000) * 1_000).toISOString();
    await openRecordings(page, 'hylly-1', at, 'nothing');
    await expect(page.locator('.stage')).toContainText(/Tallenne .* on poistettu: säilytysaika päättyi\./u, { timeout: 20_000 });
    await page.getByText('Tallenteet taulukkona').click();
    await page.getByRole('button', { name: '1 h', exact: true }).click();
    await expect(page.locator('tr[data-kind="deleted"]')).toContainText('Poistettu: säilytysaika päättyi');
  });

  test('what a restriction withholds is called that: it is there, and is not shown', async ({ page }) => {
    test.setTimeout(60_000);
    const start = (await planted(page, 'hylly-1', 9)) + 6 * MINUTE;
    const desk = await Desk.of('controller', 7);
    const [from, to] = [new Date(start), new Date(start + 30_000)];
    const words = { matter: 'Pyyntö 1', reason: 'Rekisteröity vaati käsittelyn rajoittamista' };
    const placed = await desk.post('/holds', { kind: 'restriction', cameras: ['hylly-1'], start: from.toISOString(), end: to.toISOString(), ...words });
    const { hold } = (await placed.json()) as { hold: number };
    await openRecordings(page, 'hylly-1', new Date(start + 10_000).toISOString(), 'nothing');
    await expect(page.locator('.stage')).toContainText(/Tallenne .* on olemassa, mutta sen käyttöä on rajoitettu rekisteröidyn pyynnöstä \(GDPR 18\)\. Sitä ei näytetä\./u);
    await page.getByText('Tallenteet taulukkona').click();
    await page.getByRole('button', { name: '1 h', exact: true }).click();
    const row = page.locator('tr[data-kind="withheld"]');
    await expect(row).toContainText('Käyttö rajoitettu (GDPR 18)');
    await expect(row.getByRole('button')).toHaveCount(0);
    await expect(page.getByRole('slider', { name: 'Toistokohta' })).toHaveAttribute('aria-valuetext', /Käyttö rajoitettu/u);
    await desk.post(`/holds/${hold}/release`, { reason: 'Asia on selvitetty' });
  });

  away('damaged footage is named in the picture, and so is H.265 without a decoder', async ({ page }) => {
    away.setTimeout(200_000);
    let found: ReturnType<typeof segment>;
    // Long enough before now that nothing of it is in memory.
    await expect.poll(() => (found = segment('kassa-2/sub')) !== undefined && found.start < Date.now() - 25_000, { timeout: 100_000 }).toBe(true);
    if (!found) throw new Error('no segment');
    damage(found.file);
    // It plays up to what is damaged, and says so there.
    await openRecordings(page, 'kassa-2', new Date(found.start + 20_000).toISOString());
    const canDecode = await page.evaluate(() => MediaSource.isTypeSupported('video/mp4; codecs="hvc1.1.6.L63.90"'));
    if (!canDecode) await expect(page.locator('.stage')).toContainText('Esikatselulaatu: tämä laite ei osaa näyttää alkuperäistä kuvaa (H.265)');
    await page.keyboard.press('Space');
    await expect(page.locator('.stage')).toContainText(/vioittunut/u, { timeout: 40_000 });
    const { at } = await look(page);
    expect(at).toBeGreaterThan(found.start + 20_000);
    expect(at).toBeLessThan(found.start + MINUTE);
    // Before it there are pictures; straight into it there are none.
    const jump = async (to: number): Promise<void> => {
      await page.getByRole('textbox', { name: 'Siirry aikaan' }).fill(typed(new Date(to).toISOString()));
      await page.keyboard.press('Enter');
    };
    await jump(found.start + 20_000);
    await expect(page.locator('figure')).toHaveAttribute('data-showing', 'picture');
    await jump(at + 3_000);
    await expect(page.locator('.stage')).toContainText(/vioittunut/u);
    // What lies behind it can be seen.
    await expect(async () => {
      await page.getByRole('button', { name: 'Seuraavaan ehjään kuvaan' }).click({ timeout: 2_000 });
      await expect(page.locator('figure')).toHaveAttribute('data-showing', 'picture', { timeout: 3_000 });
    }).toPass({ timeout: 40_000 });
    expect((await look(page)).at).toBeGreaterThan(at + 3_000);
  });

  test('a year of footage: the day of a year ago is found, marked and drawn', async ({ page }) => {
    await page.goto('/playback?cameras=kassa-2');
    const began = Date.now();
    const past = new Date(Date.now() - 300 * DAY);
    await page.getByRole('textbox', { name: 'Siirry aikaan' }).fill(`${past.getUTCDate()}.${past.getUTCMonth() + 1}.${past.getUTCFullYear()} 12`);
    await page.keyboard.press('Enter');
    await page.getByRole('group', { name: 'Kalenteri' }).locator('.name').click();
    const marked = page.getByRole('dialog', { name: 'Kalenteri' }).getByRole('button', { name: /tallenteita/ });
    await expect(marked.first()).toBeVisible();
    report('a year of footage, until the calendar marks its days', Date.now() - began, 2_000);
    expect(await marked.count()).toBeGreaterThan(27);
    await page.keyboard.press('Escape');
    // A month of it, a minute a day; then the first there is.
    await page.getByText('Tallenteet taulukkona').click();
    await page.getByRole('button', { name: 'Loitonna' }).click();
    await page.getByRole('button', { name: 'Loitonna' }).click();
    await expect.poll(() => page.locator('tr[data-kind="recorded"]').count()).toBeGreaterThan(2);
    expect(Number(await page.locator('.timeline').getAttribute('data-drawn'))).toBeLessThan(100);
  });

  test('the password opens a vault that was locked, and what was asked for goes on', async ({ page }) => {
    // Passwords are tried behind all else that the machine has to do.
    test.setTimeout(200_000);
    // A quarter of an hour is not waited for: the refusal is put into the mouth of the box, once; all else is the box itself.
    let refused = 0;
    await page.route('**/api/v1/playbacks', async (route) => {
      if (route.request().method() !== 'POST' || refused++ > 0) return route.fallback();
      const problem = { type: 'urn:sinetti:vault-locked', title: 'The vault is locked', status: 403, detail: '', errors: [] };
      await route.fulfill({ status: 403, contentType: 'application/problem+json', body: JSON.stringify(problem) });
    });
    await page.goto(`/playback?cameras=kassa-1&at=${await recent(page, 'kassa-1', 20)}`);
    await page.getByLabel('Käyttötarkoitus').selectOption('protection-of-property');
    await page.getByRole('button', { name: 'Avaa', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: 'Avaa tallenteet salasanalla' });
    await dialog.getByLabel('Salasana').fill('tämä ei ole se');
    await dialog.getByRole('button', { name: 'Vahvista' }).click();
    await expect(dialog.getByRole('alert')).toHaveText('Salasana on väärä.', { timeout: 80_000 });
    // Whoever failed waits a moment.
    await expect(async () => {
      await dialog.getByLabel('Salasana').fill(world().password);
      await page.keyboard.press('Enter');
      await expect(dialog).toBeHidden({ timeout: 60_000 });
    }).toPass({ timeout: 80_000 });
    await expect(page.locator('figure')).toHaveAttribute('data-showing', 'picture');
  });
});

test.describe('the administrator', () => {
  test.use({ role: 'admin' });

  test('is asked for a fresh code, and what was begun is done after it; or not, when nobody gives one', async ({ page }) => {
    // As with the vault: five minutes are not waited for.
    let refused = 0;
    await page.route('**/api/v1/persons/maintenance1/undertaking', async (route) => {
      if (refused++ > 1) return route.fallback();
      const problem = { type: 'urn:sinetti:step-up', title: 'A fresh second factor is needed', status: 403, detail: '', errors: [] };
      await route.fulfill({ status: 403, contentType: 'application/problem+json', body: JSON.stringify(problem) });
    });
    await page.goto('/people/maintenance1');
    await settled(page);
    await page.getByRole('button', { name: 'Kirjaa vaitiolositoumus' }).click();
    const form = page.getByRole('dialog').filter({ hasText: 'Allekirjoitetun vaitiolositoumuksen versio' });
    await form.getByLabel('Allekirjoitetun vaitiolositoumuksen versio').fill('2026-2');
    await form.getByRole('button', { name: 'Kirjaa' }).click();
    const asked = page.getByRole('dialog', { name: 'Vahvista koodilla' });
    await expect(asked).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(asked).toBeHidden();
    await expect(form.getByRole('alert')).toContainText('Tähän tarvitaan uusi koodi.');
    await form.getByRole('button', { name: 'Kirjaa' }).click();
    await asked.getByLabel('Koodi').fill(recoveryCode('admin1', 0));
    await page.keyboard.press('Enter');
    await expect(asked).toBeHidden();
    await expect(page.getByText('2026-2, allekirjoitettu')).toBeVisible();
  });
});

away.describe('two tabs', () => {
  away('are one session: who signs out in one is signed out in the other, at the same address', async ({ page, context }) => {
    away.setTimeout(90_000);
    await page.goto('/live');
    await page.getByLabel('Käyttäjätunnus').fill('staff1');
    await page.getByLabel('Salasana').fill(world().password);
    await page.getByLabel('Koodi', { exact: true }).fill(recoveryCode('staff1', 0));
    await page.getByRole('button', { name: 'Kirjaudu' }).click();
    // Passwords are tried one at a time, and other tests have theirs.
    await expect(page.locator('[data-showing="picture"]').first()).toBeVisible({ timeout: 40_000 });
    const other = await context.newPage();
    await other.goto('/live/kassa-1');
    await expect(other.locator('[data-showing="picture"]')).toBeVisible();
    await expect(page.locator('[data-showing="picture"]').first()).toBeVisible();
    await other.getByRole('button', { name: 'Kirjaudu ulos' }).click();
    await page.bringToFront();
    await expect(page.getByRole('heading', { name: 'Kirjaudu sisään' })).toBeVisible({ timeout: 15_000 });
    expect(new URL(page.url()).pathname).toBe('/live');
    await expect(page.locator('video')).toHaveCount(0);
  });
});

for (const [path, role] of SCREENS) {
  test.describe(`${path} for ${role ?? 'nobody'}`, () => {
    test.use({ role });

    test('is the same after a reload', async ({ page }) => {
      const seen = async (): Promise<unknown> => {
        await settled(page);
        return { address: page.url(), title: await page.title(), heading: await page.locator('h1').first().innerText() };
      };
      await page.goto(path);
      const before = await seen();
      await page.reload();
      expect(await seen()).toEqual(before);
    });
  });
}

away.describe('the box away and back', () => {
  away.use({ role: 'admin' });

  away('a list says that it is old, and is fresh again by itself', async ({ page, context }) => {
    await page.goto('/health');
    await settled(page);
    await expect(page.getByRole('row', { name: /kassa-1\/main/ })).toBeVisible();
    await context.setOffline(true);
    await expect(page.getByText('Tiedot eivät ole tuoreita.').first()).toBeVisible({ timeout: 30_000 });
    await expect(page.getByText('Laitteeseen ei saada yhteyttä.').first()).toBeVisible();
    await context.setOffline(false);
    await expect(page.getByText('Tiedot eivät ole tuoreita.')).toHaveCount(0, { timeout: 30_000 });
  });

  away('whoever comes while it is away is told, and gets in by trying again', async ({ page }) => {
    let isAway = true;
    await page.route('**/api/v1/**', (route) => (isAway ? route.abort('connectionrefused') : route.fallback()));
    await page.goto('/health');
    await expect(page.getByText('Laitteeseen ei saada yhteyttä. Tarkista verkko.')).toBeVisible();
    isAway = false;
    await page.getByRole('button', { name: 'Yritä uudelleen' }).click();
    await expect(page.getByRole('heading', { name: 'Tila ja hälytykset', level: 1 })).toBeVisible();
  });
});

away.describe('live pictures', () => {
  away.use({ role: 'staff' });

  away('do not look live while the box is away, and come back by themselves', async ({ page }) => {
    // The network is cut at the socket: what is on the screen stays there, and must not pass for the present.
    const cut: { close: () => void; isCut: boolean } = { close: () => {}, isCut: false };
    await page.routeWebSocket(/\/live$/u, (socket) => {
      if (cut.isCut) return void socket.close();
      const server = socket.connectToServer();
      const { close } = cut;
      cut.close = () => {
        close();
        void socket.close();
        void server.close();
      };
    });
    await page.goto('/live/kassa-1');
    const tile = page.locator('[data-camera="kassa-1"]');
    await expect(tile).toHaveAttribute('data-showing', 'picture');
    cut.isCut = true;
    cut.close();
    await expect(tile).toHaveAttribute('data-showing', 'stale', { timeout: 10_000 });
    await expect(tile).toContainText(/Ei kuvaa klo/u);
    cut.isCut = false;
    await expect(tile).toHaveAttribute('data-showing', 'picture', { timeout: 20_000 });
  });
});

async function answerOf(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Siirry aikaan' }).fill(text);
  await page.keyboard.press('Enter');
}

test.describe('days of another length', () => {
  test.use({ role: 'controller' });

  test('the hour that spring leaves out is said, and the day has 23 hours', async ({ page }) => {
    await page.goto('/playback?cameras=kassa-1');
    await answerOf(page, '30.3.2025 3.30');
    await expect(page.getByText('Sitä aikaa ei ollut: kello siirrettiin eteenpäin.')).toBeVisible();
    await answerOf(page, '30.3.2025 12');
    await expect(page.getByText('Päivässä on 23 tuntia')).toBeVisible();
  });
});
