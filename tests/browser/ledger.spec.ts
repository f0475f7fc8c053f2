// The ledger: filters that stand in the address, proofs checked in the browser, anchors.
import { expect, settled, test } from './fixtures';

test.describe('the auditor', () => {
  test.use({ role: 'auditor' });

  test('finds an entry by filters, opens it, and the browser proves it', async ({ page }) => {
    await page.goto('/ledger');
    await settled(page);
    await page.getByLabel('Mitä').selectOption({ label: 'Kirjautuminen' });
    await page.getByLabel('Kuka').selectOption({ label: 'controller1' });
    await expect(page.getByRole('row').nth(1)).toContainText('controller1');
    expect(page.url()).toContain('action=sign-in');
    for (const row of await page.getByRole('row').all()) {
      await expect(row).not.toContainText('auditor1');
    }
    await page.reload();
    await expect(page.getByLabel('Mitä')).toHaveValue('sign-in');
    await page.getByRole('row').nth(1).getByRole('link').click();
    await expect(page.getByText('Merkintä on lokissa muuttumattomana')).toBeVisible();
    await expect(page.getByText('Merkintä on lokissa muuttumattomana')).toContainText(/\(\d+ merkinnän/);
  });

  test('is told when what is shown is not what was signed', async ({ page }) => {
    await page.goto('/ledger?action=sign-in');
    await settled(page);
    const address = await page.getByRole('row').nth(1).getByRole('link').getAttribute('href');
    // What somebody between box and browser could do: another result in the entry, the proof untouched.
    await page.route(/\/api\/v1\/ledger\/entries\/\d+$/, async (route) => {
      const answer = await route.fetch();
      const entry = (await answer.json()) as { result: string };
      await route.fulfill({ response: answer, json: { ...entry, result: 'refused' } });
    });
    await page.goto(address ?? '');
    await expect(page.getByText('Näytetty merkintä ei ole se, joka lokissa on')).toBeVisible();
  });

  test('takes an anchor away and gives it back', async ({ page }) => {
    await page.goto('/ledger');
    await expect(page.getByText('allekirjoitus oikein')).toBeVisible();
    await page.getByRole('button', { name: 'Ota ankkuri talteen' }).click();
    const anchor = page.getByRole('article');
    await expect(anchor).toContainText('Lokin ankkuri, Myymälä 1');
    const download = page.waitForEvent('download');
    await anchor.getByRole('button', { name: 'Tallenna tiedostoon' }).click();
    const file = await (await download).path();
    await page.getByText('Vertaa aiemmin talteen otettuun ankkuriin').click();
    await page.getByLabel('Hae ankkuri tiedostosta').setInputFiles(file);
    await expect(page.getByLabel('Ankkurin teksti')).toHaveValue(/^sinetti\//);
    await page.getByRole('button', { name: 'Vertaa' }).click();
    await expect(page.getByText('Loki jatkuu ankkurista')).toBeVisible();
    // One with another root is not of this ledger.
    const note = await page.getByLabel('Ankkurin teksti').inputValue();
    await page.getByLabel('Ankkurin teksti').fill(note.replace(/^(\d+)$/m, (count) => String(Number(count) - 1)));
    await page.getByRole('button', { name: 'Vertaa' }).click();
    await expect(page.getByText('Loki jatkuu ankkurista')).toHaveCount(0);
  });
});

test.describe('the manager', () => {
  test.use({ role: 'manager' });

  test('sees what the manager did, and no anchors', async ({ page }) => {
    await page.goto('/ledger');
    await settled(page);
    await expect(page.getByRole('row').nth(1)).toContainText('manager1');
    await expect(page.getByText('admin1')).toHaveCount(0);
    await expect(page.getByRole('button', { name: 'Ota ankkuri talteen' })).toHaveCount(0);
  });
});
