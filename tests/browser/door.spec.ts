// The door: signing in, what each role sees, a session that ends, languages, reloads.
import { readFileSync } from 'node:fs';

import { expect, settled, test } from './fixtures';
import { ADDRESS, recoveryCode, ROLES, type Role, world } from './world';

const NAVIGATION: Record<Role, { begins: string; sees: string[] }> = {
  staff: { begins: '/live', sees: ['/live'] },
  manager: { begins: '/playback', sees: ['/live', '/playback', '/disclosures', '/ledger', '/retention', '/health', '/cameras'] },
  controller: { begins: '/playback', sees: ['/live', '/playback', '/disclosures', '/ledger', '/retention', '/health', '/cameras', '/people'] },
  auditor: { begins: '/disclosures', sees: ['/disclosures', '/ledger', '/retention', '/health', '/cameras'] },
  admin: { begins: '/health', sees: ['/retention', '/health', '/cameras', '/people'] },
  maintenance: { begins: '/health', sees: ['/live', '/retention', '/health', '/cameras'] },
};

test.describe('nobody', () => {
  test('signs in by keyboard alone and comes to where the address led, with the code or a recovery code', async ({ page }) => {
    await page.goto('/ledger?action=sign-in');
    await expect(page.getByRole('heading', { name: 'Kirjaudu sisään' })).toBeVisible();
    await page.getByLabel('Käyttäjätunnus').focus();
    await page.keyboard.type('auditor1');
    await page.keyboard.press('Tab');
    await page.keyboard.type(world().password);
    await page.keyboard.press('Tab');
    await page.keyboard.type('000000');
    await page.keyboard.press('Enter');
    await expect(page.getByRole('alert')).toHaveText(/Tunnus, salasana tai koodi on väärä|Odota/);
    await page.getByLabel('Koodi', { exact: true }).fill(recoveryCode('auditor1', 0));
    // Whoever failed waits a moment.
    await expect(async () => {
      if (await page.getByLabel('Koodi', { exact: true }).isVisible()) {
        await page.getByLabel('Koodi', { exact: true }).fill(recoveryCode('auditor1', 0));
        await page.keyboard.press('Enter');
      }
      await expect(page.getByRole('heading', { name: 'Loki', level: 1 })).toBeVisible({ timeout: 3000 });
    }).toPass({ timeout: 20_000 });
    expect(new URL(page.url()).search).toBe('?action=sign-in');
    await page.getByRole('button', { name: 'Kirjaudu ulos' }).click();
    await expect(page.getByRole('heading', { name: 'Kirjaudu sisään' })).toBeVisible();
  });

  test('reads the privacy notice in three languages', async ({ page }) => {
    await page.goto('/notice');
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Kameravalvonnan tietosuojaseloste');
    await expect(page.getByText('Kauppa Oy, Kauppakatu 1')).toBeVisible();
    await expect(page.getByRole('row', { name: /Kassat/ })).toContainText('omaisuuden suojaaminen');
    await page.getByLabel('Kieli').selectOption('sv');
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Dataskyddsbeskrivning för kameraövervakningen');
    await page.getByLabel('Språk').selectOption('en');
    await expect(page.getByRole('row', { name: /Kassat/ })).toContainText('protection of property');
    await page.reload();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Privacy notice of the camera surveillance');
    expect(await page.locator('html').getAttribute('lang')).toBe('en');
  });
});

for (const role of ROLES) {
  test.describe(role, () => {
    test.use({ role });

    test('begins where the role begins and sees its screens only', async ({ page }) => {
      const { begins, sees } = NAVIGATION[role];
      await page.goto('/');
      await expect.poll(() => new URL(page.url()).pathname).toBe(begins);
      const links = page.getByRole('navigation').getByRole('link');
      await expect(links.first()).toBeVisible();
      expect(await links.evaluateAll((all) => all.map((link) => link.getAttribute('href')))).toEqual(sees);
      const other = Object.values(NAVIGATION).flatMap((one) => one.sees).find((path) => !sees.includes(path));
      if (other) {
        await page.goto(other);
        await expect(page.getByRole('heading', { name: 'Ei oikeutta' })).toBeVisible();
      }
    });
  });
}

test.describe('a session', () => {
  test('that ends in the middle asks for a sign-in and goes on at the same address', async ({ page }) => {
    await page.goto('/health?all=1');
    const signIn = async (place: number): Promise<void> => {
      await page.getByLabel('Käyttäjätunnus').fill('maintenance1');
      await page.getByLabel('Salasana').fill(world().password);
      await page.getByLabel('Koodi', { exact: true }).fill(recoveryCode('maintenance1', place));
      await page.getByRole('button', { name: 'Kirjaudu' }).click();
      await expect(page.getByRole('heading', { name: 'Tila ja hälytykset', level: 1 })).toBeVisible();
    };
    await signIn(0);
    // Ended elsewhere: the page learns of it by its next request.
    await page.evaluate(() => fetch('/api/v1/session', { method: 'DELETE' }));
    await page.getByLabel('Näytä myös menneet hälytykset').click();
    await expect(page.getByRole('heading', { name: 'Kirjaudu sisään' })).toBeVisible();
    const before = page.url();
    await signIn(1);
    expect(page.url()).toBe(before);
  });
});

test.describe('the server', () => {
  test.use({ role: 'auditor' });

  test('sends the policy, files for ever, and the page for every address', async ({ page, request }) => {
    const answer = await page.goto('/ledger/1');
    const policy = answer?.headers()['content-security-policy'] ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("require-trusted-types-for 'script'");
    expect(policy).not.toContain('unsafe');
    await settled(page);
    const sources = await page.locator('script[src], link[rel=stylesheet]').evaluateAll((all) => all.map((one) => (one instanceof HTMLScriptElement ? one.src : (one as HTMLLinkElement).href)));
    expect(sources.length).toBeGreaterThan(1);
    for (const source of sources) {
      const file = await request.get(source, { headers: { 'accept-encoding': 'gzip' } });
      expect(file.headers()['cache-control']).toBe('public, max-age=31536000, immutable');
      expect(file.headers()['content-encoding']).toBe('gzip');
    }
    expect((await request.get(`${ADDRESS}/assets/nothing.js`)).status()).toBe(404);
    expect((await request.get(`${ADDRESS}/api/v1/nothing`)).status()).toBe(404);
    await page.goto('/no-such-screen');
    await expect(page.getByText('Tässä osoitteessa ei ole mitään.')).toBeVisible();
  });
});

for (const [path, role] of [['/ledger', 'auditor'], ['/playback', 'controller'], ['/people', 'admin']] as const) {
  test.describe(`a first visit of ${path}`, () => {
    test.use({ role });

    test('loads at most 150 kB of gzipped JavaScript', async ({ page }) => {
      let bytes = 0;
      page.on('response', (response) => {
        if (!response.url().endsWith('.js')) return;
        bytes += readFileSync(new URL(`../../web/dist${new URL(response.url()).pathname}.gz`, import.meta.url)).length;
      });
      await page.goto(path);
      await settled(page);
      console.log(`budget: JavaScript of a first visit of ${path}, gzipped: ${(bytes / 1000).toFixed(1)} kB of 150 kB`);
      expect(bytes).toBeGreaterThan(10_000);
      expect(bytes).toBeLessThanOrEqual(150_000);
    });
  });
}
