// The pictures of a request for disclosure and of its handover document: only when asked for (scripts/screenshots).
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { Desk } from './desk';
import { expect, settled, test } from './fixtures';
import { recent } from './footage';
import { BOX_DIR } from './world';

const folder = process.env['SINETTI_SCREENSHOTS'] ?? '';

test.use({ role: 'manager', viewport: { width: 1280, height: 860 } });

test('disclosure', async ({ page }) => {
  test.setTimeout(90_000);
  const at = Date.parse(await recent(page, 'kassa-1', 30));
  const query = new URLSearchParams({ cameras: 'kassa-1', start: new Date(at).toISOString(), end: new Date(at + 15_000).toISOString() });
  await page.goto(`/disclosures/new?${query.toString()}`);
  await settled(page);
  await expect(page.locator('[data-given="kassa-1"]')).toBeVisible();
  await page.getByLabel('Miten pyyntö saatiin').fill('Paikan päällä');
  await page.getByLabel('Organisaatio').fill('Helsingin poliisilaitos');
  await page.getByLabel('Yksikkö').fill('Rikostorjunta');
  await page.getByLabel('Virka-asema tai tehtävä').fill('Rikosylikonstaapeli');
  await expect(page.locator('[data-saving]')).toHaveAttribute('data-saving', 'saved');
  await page.screenshot({ path: join(folder, 'disclosure.png') });
  await page.getByRole('button', { name: 'Hävitä luonnos' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Hävitä luonnos' }).click();
  await expect.poll(() => new URL(page.url()).pathname).toBe('/disclosures');
});

test('handover document', async ({ page }) => {
  test.setTimeout(120_000);
  const desk = await Desk.of('manager', 6);
  const made = await desk.ask(page);
  await (await Desk.of('controller', 6)).approve(made);
  const address = `/api/v1/disclosures/${made.disclosure}/package`;
  await desk.post(`/disclosures/${made.disclosure}/package`, { encryption: 'none' });
  await expect.poll(async () => ((await (await desk.api.get(address)).json()) as { state: string }).state, { timeout: 60_000 }).toBe('done');
  const part = await desk.api.get(`${address}/1`);
  expect(part.ok(), await part.text()).toBe(true);
  const zip = join(BOX_DIR, 'handover.zip');
  writeFileSync(zip, await part.body());
  execFileSync('unzip', ['-q', '-o', '-j', zip, `${made.serial}/handover.pdf`, '-d', BOX_DIR]);
  // The first page, 827 pixels wide.
  execFileSync('pdftoppm', ['-png', '-r', '100', '-f', '1', '-l', '1', '-singlefile', join(BOX_DIR, 'handover.pdf'), join(folder, 'handover')]);
});
