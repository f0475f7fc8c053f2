// The picture of a request for disclosure for the README: only when asked for (scripts/screenshots).
import { join } from 'node:path';

import { expect, settled, test } from './fixtures';
import { recent } from './footage';

const folder = process.env['SINETTI_SCREENSHOTS'] ?? '';

test.use({ role: 'manager', viewport: { width: 1280, height: 860 } });

test('disclosure', async ({ page }) => {
  test.setTimeout(90_000);
  const at = Date.parse(await recent(page, 'kassa-1', 30));
  const query = new URLSearchParams({ cameras: 'kassa-1', start: new Date(at).toISOString(), end: new Date(at + 15_000).toISOString() });
  await page.goto(`/disclosures/new?${query.toString()}`);
  await settled(page);
  await expect(page.locator('[data-given="kassa-1"]')).toBeVisible();
  await page.getByLabel('Miten pyyntö saatiin').fill('Käyden');
  await page.getByLabel('Organisaatio').fill('Helsingin poliisilaitos');
  await page.getByLabel('Yksikkö').fill('Rikostorjunta');
  await page.getByLabel('Virka-asema tai tehtävä').fill('Rikosylikonstaapeli');
  await expect(page.locator('[data-saving]')).toHaveAttribute('data-saving', 'saved');
  await page.screenshot({ path: join(folder, 'disclosure.png') });
  await page.getByRole('button', { name: 'Hävitä luonnos' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Hävitä luonnos' }).click();
  await expect.poll(() => new URL(page.url()).pathname).toBe('/disclosures');
});
