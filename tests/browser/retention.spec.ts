// Holds: placed from the picture by whoever needs the footage, and known to whoever answers for it.
import { Desk } from './desk';
import { expect, settled, test } from './fixtures';
import { openRecordings, planted, recent } from './footage';

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

  test('sees nothing unusual where a secret order holds', async ({ page }) => {
    test.setTimeout(60_000);
    const start = (await planted(page, 'hylly-1', 9)) + 7 * 60_000;
    const [from, to] = [new Date(start).toISOString(), new Date(start + 20_000).toISOString()];
    const known = async (): Promise<string> => (await page.request.get(`/api/v1/cameras/hylly-1/main/coverage?start=${from}&end=${to}`)).text();
    const before = await known();
    const desk = await Desk.of('controller', 8);
    const words = { matter: 'Määräys 1', reason: 'Viranomainen määräsi säilytettäväksi' };
    const placed = await desk.post('/holds', { kind: 'preservation-order', cameras: ['hylly-1'], start: from, end: to, ...words });
    const { hold } = (await placed.json()) as { hold: number };
    expect(await known()).toBe(before);
    await page.goto(`/playback?cameras=hylly-1&at=${new Date(start + 5_000).toISOString()}`);
    await page.getByLabel('Käyttötarkoitus').selectOption('protection-of-property');
    await page.getByRole('button', { name: 'Avaa', exact: true }).click();
    await expect(page.getByRole('slider', { name: 'Toistokohta' })).toHaveAttribute('aria-valuetext', /, tallenne/u);
    await expect(page.getByText(/Tallenne poistetaan /)).toBeVisible();
    await page.getByText('Tallenteet taulukkona').click();
    await expect(page.locator('tr[data-kind="recorded"]').first()).toBeVisible();
    await page.goto('/retention');
    await settled(page);
    for (const word of ['Määräys 1', String(hold), 'salassa pidettäv']) await expect(page.getByText(word)).toHaveCount(0);
    await desk.post(`/holds/${hold}/release`, { reason: 'Määräys päättyi' });
    await page.goto('about:blank');
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
