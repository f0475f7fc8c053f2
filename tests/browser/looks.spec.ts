// How every screen is for people who cannot see it well, or use a phone or the keyboard alone; light and dark.
import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';

import { expect, settled, test } from './fixtures';
import { openRecordings, recent } from './footage';
import { SCREENS } from './screens';

async function accessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' | ')}`)).toEqual([]);
}

for (const [path, role] of SCREENS) {
  test.describe(`${path} for ${role ?? 'nobody'}`, () => {
    test.use({ role });

    test('is accessible, and fits a phone', async ({ page }) => {
      await page.goto(path);
      await settled(page);
      await accessible(page);
      await page.setViewportSize({ width: 360, height: 740 });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(wide, 'pixels that the page is wider than the phone').toBeLessThanOrEqual(0);
    });
  });
}

test.describe('dialogs', () => {
  test.use({ role: 'admin' });

  test('are accessible and close by Escape, and focus comes back', async ({ page }) => {
    for (const [path, name] of [
      ['/people', 'Lisää henkilö'],
      ['/cameras', 'Lisää kamera'],
    ] as const) {
      await page.goto(path);
      await settled(page);
      await page.getByRole('button', { name }).focus();
      await page.keyboard.press('Enter');
      await expect(page.getByRole('dialog')).toBeVisible();
      await accessible(page);
      await page.keyboard.press('Escape');
      await expect(page.getByRole('dialog')).toBeHidden();
      await expect(page.getByRole('button', { name })).toBeFocused();
    }
  });
});

test.describe('recorded pictures', () => {
  test.use({ role: 'controller' });

  test('are accessible while they are open, with the table, the calendar and the dialog of a hold', async ({ page }) => {
    test.setTimeout(90_000);
    await openRecordings(page, 'hylly-1,kassa-2', await recent(page, 'hylly-1', 20));
    // On a whole day the ends of a minute are nearer to each other than a finger is wide; typed times do the same (WCAG 2.5.8,
    // "equivalent"). Here they are apart.
    await page.getByRole('button', { name: '10 min' }).click();
    await page.keyboard.press('i');
    await page.getByText('Tallenteet taulukkona').click();
    await page.getByText('Näppäimet', { exact: true }).click();
    await accessible(page);
    await page.getByRole('group', { name: 'Kalenteri' }).locator('.name').click();
    await expect(page.getByRole('dialog', { name: 'Kalenteri' })).toBeVisible();
    await accessible(page);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Aseta pito' }).click();
    await expect(page.getByRole('dialog', { name: 'Aseta säilytyspito' })).toBeVisible();
    await accessible(page);
  });
});

test.describe('by keyboard alone', () => {
  test.use({ role: 'auditor' });

  test('one skips to the content, goes to a screen and opens an entry', async ({ page }) => {
    await page.goto('/health');
    await settled(page);
    await page.keyboard.press('Tab');
    await expect(page.getByRole('link', { name: 'Siirry sisältöön' })).toBeFocused();
    // The register of disclosures comes first, the ledger after it.
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await expect(page.getByRole('heading', { name: 'Loki', level: 1 })).toBeVisible();
    await settled(page);
    const entry = page.getByRole('row').nth(1).getByRole('link');
    for (let presses = 0; presses < 40 && !(await entry.evaluate((link) => link === document.activeElement)); presses++) await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await expect(page.getByText('Merkintä on lokissa muuttumattomana')).toBeVisible();
  });
});
