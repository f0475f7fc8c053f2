// Holds: placed from the picture by whoever needs the footage, and known to whoever answers for it.
import { expect, settled, test } from './fixtures';
import { openRecordings, recent } from './footage';

test.describe('the manager', () => {
  test.use({ role: 'manager' });

  test('holds what is on the screen, and it is in the list and on the deletion clock', async ({ page }) => {
    test.setTimeout(90_000);
    await openRecordings(page, 'kassa-1', await recent(page, 'kassa-1', 20));
    await page.getByRole('button', { name: 'Aseta pito' }).click();
    const dialog = page.getByRole('dialog', { name: 'Aseta säilytyspito' });
    await dialog.getByLabel('Asian tunnus').fill('5560/R/1/26');
    await dialog.getByLabel('Perustelu').fill('Varkaus kassalla');
    await dialog.getByRole('button', { name: 'Aseta pito' }).click();
    await expect(dialog).toBeHidden();
    await expect(page.getByText(/Tallennetta ei poisteta: pito \d{6}/)).toBeVisible();

    await page.goto('/retention');
    await settled(page);
    const row = page.getByRole('row', { name: /5560\/R\/1\/26/ });
    await expect(row).toContainText('Tapaus');
    await expect(row).toContainText('Voimassa');
    await expect(row).toContainText('kassa-1');
    // A hold is released by a controller alone.
    await expect(row.getByRole('button', { name: /Vapauta/ })).toHaveCount(0);
    await expect(row.getByRole('button', { name: /Jatka pitoa/ })).toBeVisible();
  });
});

test.describe('the administrator', () => {
  test.use({ role: 'admin' });

  test('sees what was promised and what is there, and no hold', async ({ page }) => {
    await page.goto('/retention');
    await settled(page);
    await expect(page.getByRole('heading', { name: 'Luvattu ja toteutunut' })).toBeVisible();
    await expect(page.getByText('kassa-1').first()).toBeVisible();
    await expect(page.getByRole('heading', { name: 'Säilytyspidot' })).toHaveCount(0);
  });
});
