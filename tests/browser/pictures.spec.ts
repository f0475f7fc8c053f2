// The pictures of the README: only when asked for (scripts/screenshots).
import { join } from 'node:path';

import { expect, settled, test } from './fixtures';

const folder = process.env['SINETTI_SCREENSHOTS'] ?? '';

test.use({ role: 'auditor', viewport: { width: 1280, height: 800 } });

test('ledger', async ({ page }) => {
  await page.goto('/ledger');
  await settled(page);
  await expect(page.getByText('allekirjoitus oikein')).toBeVisible();
  await page.screenshot({ path: join(folder, 'ledger.png') });
});
