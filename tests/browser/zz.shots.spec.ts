import { mkdirSync } from 'node:fs';
import { test as base } from '@playwright/test';
import { Desk } from './desk';
import { recent } from './footage';
import { sessionOf, BOX_DIR, type Role } from './world';
const OUT = '/tmp/b/web5-shots';
mkdirSync(OUT, { recursive: true });
const looks = { light: { colorScheme: 'light', viewport: { width: 1280, height: 800 } }, dark: { colorScheme: 'dark', viewport: { width: 1280, height: 800 } }, phone: { colorScheme: 'light', viewport: { width: 390, height: 800 } } } as const;
for (const look of Object.keys(looks) as (keyof typeof looks)[]) {
  base(look, async ({ browser }) => {
    base.setTimeout(280_000);
    const as = async (role: Role) => {
      const c = await browser.newContext({ ...looks[look], storageState: sessionOf(role), locale: 'fi-FI', timezoneId: 'America/New_York', ignoreHTTPSErrors: true, baseURL: process.env['A']! });
      return c.newPage();
    };
    const shot = async (page: any, name: string) => { await page.waitForTimeout(700); await page.screenshot({ path: `${OUT}/${name}-${look}.png`, fullPage: true }); };
    const m = await as('manager');
    const at = Date.parse(await recent(m, 'hylly-1', 30));
    await m.goto(`/disclosures/new?cameras=hylly-1&start=${new Date(at).toISOString()}&end=${new Date(at + 5000).toISOString()}`);
    await m.locator('[data-given]').first().waitFor();
    await shot(m, 'form');
    await m.getByRole('button', { name: 'Pyydä luovutusta' }).click();
    await shot(m, 'form-faults');
    await m.getByRole('button', { name: 'Hävitä luonnos' }).click();
    await shot(m, 'discard');
    await m.getByRole('dialog').getByRole('button', { name: 'Hävitä luonnos' }).click();
    await m.goto('/disclosures'); await shot(m, 'register-manager');
    for (const [state, name] of [['destroyed', 'destroyed'], ['withdrawn', 'withdrawn'], ['received','received'], ['refused','refused'], ['handed-over','handed-over']] as const) {
      await m.goto(`/disclosures?state=${state}`);
      await m.waitForTimeout(600);
      const l = m.getByRole('link', { name: /^Avaa luovutus/ }).first();
      if (await l.count()) { await l.click(); await shot(m, `detail-${name}`); }
    }
    const desk = await Desk.of('manager', 1), c0 = await Desk.of('controller', 1);
    const made = await desk.ask(m, 'hylly-1');
    await m.goto(`/disclosures/${made.serial}`); await shot(m, 'detail-requested');
    await m.getByRole('button', { name: 'Hyväksy tällä työasemalla' }).click(); await shot(m, 'dialog-desk'); await m.keyboard.press('Escape');
    const c = await as('controller');
    await c.goto('/disclosures'); await shot(c, 'register-controller');
    await c.goto(`/disclosures/${made.serial}`); await c.getByRole('button', { name: 'Päätä', exact: true }).click(); await shot(c, 'dialog-decide');
    await c0.approve(made);
    await m.goto(`/disclosures/${made.serial}`); await shot(m, 'detail-approved');
    await m.getByRole('button', { name: 'Tee paketti' }).click();
    await m.getByLabel('AES-256, kirjoitan salalauseen itse').check();
    await shot(m, 'dialog-prepare');
    await m.getByLabel('AES-256, laite tekee salalauseen').check();
    await m.getByRole('dialog').getByRole('button', { name: 'Tee paketti' }).click();
    await m.locator('[data-passphrase]').waitFor(); await shot(m, 'dialog-passphrase');
    await m.getByRole('button', { name: 'Salalause on otettu talteen' }).click();
    await m.getByRole('button', { name: /^Lataa / }).waitFor({ timeout: 60000 });
    await shot(m, 'detail-prepared');
    await m.getByRole('button', { name: 'Kirjaa luovutus' }).click(); await shot(m, 'dialog-handover'); await m.keyboard.press('Escape');
    const a = await as('auditor');
    await a.goto('/disclosures'); await shot(a, 'register-auditor');
    await a.goto('/disclosures/verify'); await shot(a, 'verify');
    await a.getByLabel('Valitse ZIP-tiedosto tai kaikki sen osat').setInputFiles(`${BOX_DIR}/pic.zip`).catch(() => {});
    await a.waitForTimeout(2500); await shot(a, 'verify-done');
    await a.goto('/ledger'); await shot(a, 'ledger');
    const d = await as('admin');
    await d.goto('/health?all=1'); await shot(d, 'health');
    await d.goto('/people/manager1'); await shot(d, 'person');
    await c.goto('/retention'); await shot(c, 'retention');
    await c.getByRole('button', { name: /Aseta pito/ }).first().click(); await shot(c, 'dialog-hold');
    await c.goto('/playback?cameras=hylly-1'); await shot(c, 'playback');
  });
}
