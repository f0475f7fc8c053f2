// Persons: enrolling, adding, granting, confirming, reviewing; cameras and alarms of the administrator.
import type { Locator } from '@playwright/test';

import { expect, settled, test } from './fixtures';
import { totp, world } from './world';

test('somebody new enrols with a token, keeps the recovery codes and signs in', async ({ page }) => {
  await page.goto('/enrol');
  await page.getByLabel('Olen lukenut sitoumuksen ja hyväksyn sen').check();
  await page.getByRole('button', { name: 'Jatka' }).click();
  await page.getByLabel('Hae tunnus tiedostosta').setInputFiles({ name: 'staff2.token', mimeType: 'text/plain', buffer: Buffer.from(`${world().token}\n`) });
  await expect(page.getByLabel('Käyttöönottotunnus', { exact: true })).toHaveValue(world().token);
  await page.getByLabel('Salasana', { exact: true }).fill('kolme vihreää omenaa');
  await page.getByLabel('Salasana uudelleen').fill('kolme vihreää omenaa');
  await page.getByRole('button', { name: 'Jatka' }).click();
  await expect(page.getByRole('img', { name: 'QR-koodi tunnistautumissovellukselle' })).toBeVisible();
  const secret = (await page.locator('.secret').innerText()).replaceAll(' ', '');
  expect(secret).toMatch(/^[A-Z2-7]{32,}$/);
  await page.getByLabel('Koodi sovelluksesta').fill(totp(secret));
  await page.getByRole('button', { name: 'Jatka' }).click();
  await expect(page.getByRole('heading', { name: 'Varakoodit' })).toBeVisible();
  const codes = await page.locator('.codes li').allInnerTexts();
  expect(codes.length).toBeGreaterThanOrEqual(8);
  await page.getByLabel('Varakoodit ovat tallessa').check();
  await page.getByRole('link', { name: 'Kirjaudu sisään' }).click();
  await page.getByLabel('Käyttäjätunnus').fill('staff2');
  await page.getByLabel('Salasana').fill('kolme vihreää omenaa');
  await page.getByLabel('Koodi', { exact: true }).fill(codes[0] ?? '');
  await page.getByRole('button', { name: 'Kirjaudu' }).click();
  await expect.poll(() => new URL(page.url()).pathname).toBe('/live');
});

test.describe('the administrator', () => {
  test.use({ role: 'admin' });

  test('adds a person with a token that is shown once, changes their rights, reviews and removes them', async ({ page }) => {
    await page.goto('/people');
    await settled(page);
    await page.getByRole('button', { name: 'Lisää henkilö' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Käyttäjätunnus').fill('manager2');
    await dialog.getByLabel('Nimi').fill('Esihenkilö 2');
    await dialog.getByLabel('Rooli', { exact: true }).selectOption('manager');
    await dialog.getByLabel('Vain nämä').check();
    await dialog.getByLabel('Ovi 1').check();
    await dialog.getByRole('button', { name: 'Lisää' }).click();
    await expect(page.getByText('Käyttöönottotunnus: manager2')).toBeVisible();
    expect((await page.locator('.token').innerText()).length).toBeGreaterThan(20);
    await page.getByRole('button', { name: 'Tunnus on annettu' }).click();
    await expect(page.locator('.token')).toHaveCount(0);

    await page.getByRole('link', { name: 'Esihenkilö 2' }).click();
    await expect(page.getByRole('row', { name: /Esihenkilö/ })).toContainText('ovi-1');
    await expect(page.getByText('ei allekirjoitettu')).toBeVisible();
    await page.getByRole('button', { name: 'Kirjaa vaitiolositoumus' }).click();
    await dialog.getByLabel('Allekirjoitetun vaitiolositoumuksen versio').fill('2026-1');
    await dialog.getByRole('button', { name: 'Kirjaa' }).click();
    await expect(page.getByText('2026-1, allekirjoitettu')).toBeVisible();
    await page.getByRole('button', { name: 'Oikeudet tarkastettu' }).click();
    await dialog.getByRole('button', { name: 'Oikeudet ovat oikein' }).click();
    await expect(dialog).toBeHidden();
    await page.getByRole('button', { name: 'Ota pois rooli Esihenkilö' }).click();
    await dialog.getByRole('button', { name: 'Ota pois' }).click();
    await expect(page.getByRole('row', { name: /Esihenkilö/ })).toContainText('otettu pois');
    await page.getByRole('button', { name: 'Poista henkilö' }).click();
    await dialog.getByRole('button', { name: 'Poista' }).click();
    await expect(page.getByText(/^Poistettu/)).toBeVisible();
  });

  test('cannot change their own rights', async ({ page }) => {
    await page.goto('/people/admin1');
    await expect(page.getByText('Omia oikeuksiaan ei voi muuttaa')).toBeVisible();
    await expect(page.getByRole('button', { name: 'Anna rooli' })).toHaveCount(0);
  });

  test('tries a camera, adds it, sees it record and switches it off', async ({ page }) => {
    const { camera, login } = world();
    await page.goto('/cameras');
    await settled(page);
    await page.getByRole('button', { name: 'Lisää kamera' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Tunnus', { exact: true }).fill('varasto-1');
    await dialog.getByLabel('Nimi').fill('Varasto 1');
    await dialog.getByLabel('Alue').fill('Varasto');
    await dialog.getByLabel('Osoite').fill('8.8.8.8');
    await dialog.getByLabel('Pääkuvan polku kamerassa').fill('/ovi-1/main');
    await dialog.getByRole('button', { name: 'Tallenna' }).click();
    await expect(dialog.getByLabel('Osoite')).toHaveAttribute('aria-invalid', 'true');
    await expect(dialog.getByText('Tarkista: anna sisäverkon IP-osoite')).toBeVisible();
    await dialog.getByLabel('Osoite').fill(camera);
    await dialog.getByLabel('Käyttäjätunnus kameraan').fill(login.user);
    await dialog.getByLabel('Salasana kameraan').fill(login.password);
    await dialog.getByRole('button', { name: 'Kokeile' }).click();
    await expect(dialog.getByText('Kamera lähettää: H264')).toBeVisible({ timeout: 20_000 });
    await dialog.getByRole('button', { name: 'Tallenna' }).click();
    await expect(page.getByText('Kamera Varasto 1 on lisätty')).toBeVisible();
    const row = page.getByRole('row', { name: /Varasto 1/ });
    await expect(row.getByText('tallentaa')).toBeVisible({ timeout: 25_000 });
    await row.getByRole('button', { name: 'Muuta kameraa Varasto 1' }).click();
    await dialog.getByLabel('Kamera tallentaa').uncheck();
    await dialog.getByRole('button', { name: 'Tallenna' }).click();
    await expect(row.getByText('pois käytöstä').first()).toBeVisible({ timeout: 15_000 });
  });

  test('says why a camera keeps for more than 72 hours, and why for more than a year', async ({ page }) => {
    await page.goto('/cameras');
    await settled(page);
    await page.getByRole('button', { name: 'Muuta kameraa Kassa 2' }).click();
    const dialog = page.getByRole('dialog');
    const [keep, why, special, where] = ['Säilytysaika', 'Perustelu yli 72 tunnin säilytykselle', 'Erityinen syy yli vuoden säilytykselle', 'Missä perustelu on kirjattuna'].map((label) => dialog.getByLabel(label)) as [
      Locator,
      Locator,
      Locator,
      Locator,
    ];
    // What the configuration says, for the site and at the camera.
    await expect(keep).toHaveValue('400 d');
    await expect(why).toHaveValue('Näytös');
    await expect(where).toHaveValue('Seloste käsittelytoimista, kohta 1');
    await keep.fill('14 d');
    await expect(why).toBeVisible();
    await expect(special).toHaveCount(0);
    await keep.fill('72 h');
    await expect(why).toHaveCount(0);
    await keep.fill('400 d');
    await special.fill('');
    await dialog.getByRole('button', { name: 'Tallenna' }).click();
    await expect(special).toBeFocused();
    await special.fill('Oikeudenkäynti on kesken.\nSe kestää.');
    await where.fill('Seloste käsittelytoimista, kohta 2');
    await dialog.getByRole('button', { name: 'Tallenna' }).click();
    await expect(dialog).toBeHidden();
    await expect(async () => {
      await page.reload();
      await page.getByRole('button', { name: 'Muuta kameraa Kassa 2' }).click();
      await expect(special).toHaveValue('Oikeudenkäynti on kesken. Se kestää.', { timeout: 1_000 });
      await expect(where).toHaveValue('Seloste käsittelytoimista, kohta 2');
    }).toPass({ timeout: 15_000 });
    await page.goto('/retention');
    await expect(page.getByText('Oikeudenkäynti on kesken. Se kestää.').first()).toBeVisible();
  });

  test('is told by the field what the box refuses, in words of the language', async ({ page }) => {
    // The page asks for the sentences itself; what the box says to a page that does not is said beside the field, too.
    await page.goto('/cameras');
    await settled(page);
    await page.getByRole('button', { name: 'Muuta kameraa Hylly 1' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Säilytysaika').fill('366 d');
    await dialog.locator('form').evaluate((form) => ((form as HTMLFormElement).noValidate = true));
    await dialog.getByRole('button', { name: 'Tallenna' }).click();
    await expect(dialog.getByText('Tarkista: yli 365 vuorokauden säilytys tarvitsee erityisen syyn')).toBeVisible();
    await expect(dialog.getByText('Tarkista: kerro, missä erityinen syy on kirjattuna.')).toBeVisible();
  });

  test('acknowledges an alarm, whose effect and remedy are said', async ({ page }) => {
    await page.goto('/health');
    await settled(page);
    await expect(page.getByRole('row', { name: /kassa-1\/main/ })).toContainText('tallentaa');
    const alarm = page.getByRole('listitem').filter({ hasText: 'Joku muu on muuttanut tallenteiden kansiota' });
    await expect(alarm).toBeVisible({ timeout: 30_000 });
    await expect(alarm).toContainText('Tallenteita on voitu poistaa tai peukaloida.');
    await expect(alarm).toContainText('sinetti check --deep');
    await alarm.getByRole('button', { name: 'Kuittaa nähdyksi' }).click();
    // What stays until a person has looked is over once somebody has.
    await expect(alarm.getByRole('button', { name: 'Kuittaa nähdyksi' })).toHaveCount(0);
  });
});

test.describe('the controller', () => {
  test.use({ role: 'controller' });

  test('sees who waits for a confirmation, and changes nobody', async ({ page }) => {
    await page.goto('/people/staff1');
    await settled(page);
    await expect(page.getByRole('heading', { name: 'Roolit' })).toBeVisible();
    await expect(page.getByRole('button', { name: 'Anna rooli' })).toHaveCount(0);
    await page.goto('/people?show=review');
    await settled(page);
  });
});
