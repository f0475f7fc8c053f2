// The picture of playback for the README: only when asked for (scripts/screenshots).
import { join } from 'node:path';

import { expect, openRecordings, recent, test } from './footage';

const folder = process.env['SINETTI_SCREENSHOTS'] ?? '';

test.use({ role: 'controller', viewport: { width: 1280, height: 860 } });

test('playback', async ({ page }) => {
  await openRecordings(page, 'kassa-1,ovi-1', await recent(page, 'kassa-1', 25));
  await page.getByRole('button', { name: '10 min' }).click();
  await page.keyboard.press('i');
  await page.keyboard.press('ArrowRight');
  await expect(page.locator('figure').first()).toHaveAttribute('data-showing', 'picture');
  await page.keyboard.press('o');
  await page.mouse.move(0, 0);
  await expect(page.locator('figure').nth(1)).toHaveAttribute('data-showing', 'picture');
  await page.waitForTimeout(1_500);
  await page.screenshot({ path: join(folder, 'playback.png') });
});

test('live', async ({ page }) => {
  await page.goto('/live');
  for (const tile of await page.locator('[data-camera]').all()) await expect(tile).toHaveAttribute('data-showing', 'picture');
  await page.waitForTimeout(1_500);
  await page.screenshot({ path: join(folder, 'live.png') });
});
