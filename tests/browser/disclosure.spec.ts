// Disclosures: from the picture to the package in the policeman's hand, and the auditor's question afterwards.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import type { Locator, Page } from '@playwright/test';

import { accessible, confirmCode, Desk, fitsPhone, Hands } from './desk';
import { expect, settled, test } from './fixtures';
import { recent, typed } from './footage';
import { BOX_DIR, recoveryCode, world } from './world';

/** The whole path of the manager, the waiting for the package included. */
const MANAGER_BUDGET_MS = 120_000;
const NECESSITY = 'Varkaus kassalla; tekijä näkyy vain tässä kamerassa';
const CASE = '5560/R/1234/26';

test.describe.configure({ mode: 'serial' });

let serial = '';
let zip = '';
let folder = '';

test('a manager hands a package out within two minutes, a second person approves at the same workstation', async ({ page }) => {
  test.setTimeout(240_000);
  const hands = new Hands();
  const button = (name: string): Locator => page.getByRole('button', { name, exact: true });

  await page.goto('/');
  const began = Date.now();
  await hands.fill(page.getByLabel('Käyttäjätunnus'), 'manager1');
  await hands.fill(page.getByLabel('Salasana'), world().password);
  await hands.fill(page.getByLabel('Koodi', { exact: true }), recoveryCode('manager1', 0));
  await hands.press(button('Kirjaudu'));
  // Passwords are slow on purpose, and more so on a machine that does other things as well.
  await expect.poll(() => new URL(page.url()).pathname, { timeout: 60_000 }).toBe('/playback');
  const arrived = Date.now();
  const at = await recent(page, 'kassa-1', 20);
  // Waiting for something to be recorded is not the manager's time.
  const idle = Date.now() - arrived;
  await hands.choose(page.getByLabel('Kamerat', { exact: true }), 'kassa-1');
  await hands.fill(page.getByRole('textbox', { name: 'Siirry aikaan' }), typed(at));
  await page.keyboard.press('Enter');
  await hands.choose(page.getByLabel('Käyttötarkoitus'), 'protection-of-property');
  await hands.press(page.getByRole('button', { name: 'Avaa', exact: true }));
  await expect(page.locator('figure').first()).toHaveAttribute('data-showing', 'picture', { timeout: 30_000 });
  await hands.press(button('Alku tähän'));
  await hands.press(page.getByRole('button', { name: '10 s eteenpäin' }));
  await hands.press(button('Loppu tähän'));
  await hands.press(page.getByRole('link', { name: 'Luovuta', exact: true }));

  // Camera, times, kind, basis, purpose and recipient already stand there.
  await expect(page.getByRole('heading', { name: 'Luovutuspyyntö', level: 1 })).toBeVisible();
  await expect(page.getByLabel('Laji (pakollinen)')).toHaveValue('authority-request');
  await expect(page.getByLabel('Saajan tyyppi (pakollinen)')).toHaveValue('police');
  await expect(page.getByLabel('Oikeusperuste (pakollinen)')).toHaveValue('police-request');
  await expect(page.getByRole('checkbox', { name: 'Kassa 1' })).toBeChecked();
  await expect(page.locator('[data-given="kassa-1"]')).not.toHaveText('–');
  await hands.fill(page.getByLabel('Miten pyyntö saatiin (pakollinen)'), 'Paikan päällä');
  await hands.fill(page.getByLabel('Organisaatio (pakollinen)'), 'Helsingin poliisilaitos');
  await hands.fill(page.getByLabel('Yksikkö (pakollinen)'), 'Rikostorjunta');
  await hands.fill(page.getByLabel('Saajan nimi (pakollinen)'), 'Poliisi 1');
  await hands.fill(page.getByLabel('Virka-asema tai tehtävä (pakollinen)'), 'Rikosylikonstaapeli');
  await hands.fill(page.getByLabel('Yhteystieto (pakollinen)'), 'Vaihde 0295 470 011');
  await hands.fill(page.getByLabel('Miten henkilöllisyys varmistettiin (pakollinen)'), 'Virkakortti nähty');
  await hands.fill(page.getByLabel('Tutkinta- tai asianumero (pakollinen)'), CASE);
  await hands.fill(page.getByLabel('Miksi juuri nämä kamerat ja tämä aika (pakollinen)'), NECESSITY);
  await hands.press(button('Pyydä luovutusta'));
  await expect(page.getByText(/^Pyyntö \d{4}-\d{4} on tehty\. Tallenteet ovat pidossa \d{6}\./)).toBeVisible();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(/^Luovutus \d{4}-\d{4}$/);
  serial = /\d{4}-\d{4}/.exec(await page.getByRole('heading', { level: 1 }).innerText())?.[0] ?? '';
  expect(serial).not.toBe('');

  // One's own is not approved; a second person does it here, and the session goes on.
  await expect(button('Päätä')).toHaveCount(0);
  await hands.press(button('Hyväksy tällä työasemalla'));
  const dialog = page.getByRole('dialog');
  await hands.fill(dialog.getByLabel('Perustelu'), 'Pyyntö on asianmukainen');
  await hands.fill(dialog.getByLabel('Hyväksyjän tunnus'), 'controller1');
  await hands.fill(dialog.getByLabel('Salasana'), world().password);
  await hands.fill(dialog.getByLabel('Koodi', { exact: true }), recoveryCode('controller1', 0));
  await hands.press(dialog.getByRole('button', { name: 'Hyväksy', exact: true }));
  await expect(page.getByText('Luovutus on hyväksytty.')).toBeVisible({ timeout: 60_000 });
  await expect(page.locator('.who')).toContainText(/manager1|Esihenkilö/);

  await hands.press(button('Tee paketti'));
  await hands.press(dialog.getByRole('button', { name: 'Tee paketti', exact: true }));
  await expect(page.locator('[data-job]')).toHaveAttribute('data-job', 'done', { timeout: 90_000 });
  const started = page.waitForEvent('download');
  await hands.press(page.getByRole('button', { name: /^Lataa / }));
  const download = await started;
  zip = join(BOX_DIR, `${serial}.zip`);
  await download.saveAs(zip);
  const took = Date.now() - began - idle;
  console.log(
    `manager, from the sign-in to the downloaded package, a second person's approval included: ${hands.count} interactions, ` +
      `${(took / 1000).toFixed(1)} s, ${statSync(zip).size} bytes`,
  );
  expect(took).toBeLessThan(MANAGER_BUDGET_MS);

  // What came is what the box signed.
  const bin = join(process.env['CARGO_TARGET_DIR'] ?? resolve(import.meta.dirname, '../../target'), 'debug/sinetti');
  expect(execFileSync(bin, ['verify', zip], { encoding: 'utf8' })).toMatch(/intact|consistent/i);
  folder = join(BOX_DIR, 'unpacked');
  mkdirSync(folder, { recursive: true });
  execFileSync('unzip', ['-q', '-o', zip, '-d', folder]);
});

test.describe('the manager', () => {
  test.use({ role: 'manager' });

  test('sees each missing field by its name, is kept from personal identity codes, and finds the draft again', async ({ page }) => {
    test.setTimeout(90_000);
    const at = Date.parse(await recent(page, 'kassa-1', 30));
    const query = new URLSearchParams({ cameras: 'kassa-1', start: new Date(at).toISOString(), end: new Date(at + 5_000).toISOString() });
    await page.goto(`/disclosures/new?${query.toString()}`);
    await expect(page.getByRole('heading', { name: 'Luovutuspyyntö', level: 1 })).toBeVisible();
    await expect(page.locator('[data-given="kassa-1"]')).toBeVisible();
    await accessible(page);
    await fitsPhone(page);
    await page.getByRole('button', { name: 'Pyydä luovutusta' }).click();
    const faults = page.getByRole('alert').filter({ hasText: 'kenttää on korjattava' });
    for (const field of ['Organisaatio', 'Saajan nimi', 'Yksikkö', 'Tutkinta- tai asianumero', 'Miksi juuri nämä kamerat ja tämä aika']) {
      await expect(faults.getByRole('button', { name: new RegExp(`^${field}: puuttuu`) })).toBeVisible();
    }
    await accessible(page);
    await faults.getByRole('button', { name: /^Organisaatio/ }).click();
    await expect(page.getByLabel('Organisaatio (pakollinen)')).toBeFocused();
    await page.keyboard.type('Poliisi');
    await page.getByLabel('Saajan nimi (pakollinen)').fill('Poliisi 1, 131052-308T');
    await expect(page.getByText('näyttää henkilötunnukselta').first()).toBeVisible();
    await expect(page.locator('[data-saving]')).toHaveAttribute('data-saving', 'failed');
    await page.getByLabel('Saajan nimi (pakollinen)').fill('Poliisi 1');
    await expect(page.locator('[data-saving]')).toHaveAttribute('data-saving', 'saved');
    await expect(page.getByText(/^Tallennettu \d\d\.\d\d$/)).toBeVisible();
    await page.reload();
    await expect(page.getByLabel('Organisaatio (pakollinen)')).toHaveValue('Poliisi');
    await page.goto('/disclosures');
    await settled(page);
    await expect(page.getByRole('heading', { name: 'Omat luonnokset' })).toBeVisible();
    await page.getByRole('link', { name: 'Avaa luovutus Luonnos' }).first().click();
    await page.getByRole('button', { name: 'Hävitä luonnos' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Hävitä luonnos' }).click();
    await expect.poll(() => new URL(page.url()).pathname).toBe('/disclosures');
  });

  test('notes the hand-over and the receipt', async ({ page }) => {
    await page.goto(`/disclosures/${serial}`);
    await settled(page);
    await page.getByRole('button', { name: 'Kirjaa luovutus' }).click();
    const dialog = page.getByRole('dialog', { name: 'Kirjaa luovutus' });
    await expect(dialog.getByLabel('Kenelle')).toHaveValue('Poliisi 1, Rikosylikonstaapeli, Rikostorjunta');
    await dialog.getByLabel('Väline').fill('Muistitikku 1');
    await accessible(page);
    await dialog.getByRole('button', { name: 'Kirjaa luovutus' }).click();
    await confirmCode(page, 'manager1', 1);
    await expect(page.locator('[data-state]')).toHaveAttribute('data-state', 'handed-over');
    await page.getByRole('button', { name: 'Vahvista vastaanotto' }).click();
    await page.getByRole('dialog').getByLabel('Miten kuitattiin').fill('Allekirjoitus luovutuspöytäkirjassa');
    await page.getByRole('dialog').getByRole('button', { name: 'Vahvista vastaanotto' }).click();
    await expect(page.locator('[data-state]')).toHaveAttribute('data-state', 'received');
    for (const step of ['requested', 'approved', 'prepared', 'handed-over', 'received']) await expect(page.locator(`[data-step="${step}"]`)).toBeVisible();
    await fitsPhone(page);
  });
});

/** Drops a file or folder of this machine on the page, as the browser does it when a person does. */
async function drop(page: Page, path: string): Promise<void> {
  const box = await page.getByRole('group', { name: 'Tarkistettava paketti' }).boundingBox();
  if (!box) throw new Error('there is nowhere to drop');
  const browser = await page.context().newCDPSession(page);
  const place = { x: box.x + box.width - 12, y: box.y + box.height / 2, data: { items: [], files: [path], dragOperationsMask: 1 } };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) await browser.send('Input.dispatchDragEvent', { type, ...place });
  await browser.detach();
}

test.describe('the auditor', () => {
  test.use({ role: 'auditor' });

  test('answers in four clicks who exported camera Kassa 1 today, why, to whom, and what became of it', async ({ page }) => {
    await page.goto('/');
    await expect.poll(() => new URL(page.url()).pathname).toBe('/disclosures');
    await settled(page);
    await accessible(page);
    const today = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Helsinki' }).format(new Date());
    const [year, month, day] = today.split('-').map(Number);
    const clicks = new Hands();
    await clicks.choose(page.getByLabel('Kamera', { exact: true }), 'kassa-1', 2);
    // As people type it, in the language of the page.
    const field = page.getByLabel('Luovutettu päivästä');
    await clicks.fill(field, `${day}.${month}.`);
    await page.keyboard.press('Enter');
    await expect(field).toHaveValue(`${day}.${month}.${year}`);
    await expect(page).toHaveURL(new RegExp(`camera=kassa-1.*df=${today}.*dt=${today}`));
    await expect(page.getByText('Rekisteri vastaa lokia, loki on ehyt')).toBeVisible();
    await expect(page.locator('[data-searched]')).toContainText(/1 \/ \d+ luovutusta vastaa/);
    await clicks.press(page.getByRole('link', { name: `Avaa luovutus ${serial}` }));
    for (const text of ['manager1', 'controller1', 'Helsingin poliisilaitos', 'Poliisi 1', CASE, NECESSITY, 'Rikoksen selvittäminen', 'Vastaanotettu', 'Muistitikku 1']) {
      await expect(page.getByText(text).first()).toBeVisible();
    }
    console.log(`auditor: who exported Kassa 1 today, why, to whom, what became of it: ${clicks.count} clicks`);
    expect(clicks.count).toBeLessThanOrEqual(4);
    await accessible(page);
    await fitsPhone(page);

    await page.getByRole('button', { name: 'Merkitse tarkastetuksi' }).click();
    await page.getByRole('dialog').getByLabel('Huomautus').fill('Peruste ja rajaus kunnossa');
    await page.getByRole('dialog').getByRole('button', { name: 'Merkitse tarkastetuksi' }).click();
    await expect(page.getByText(/tarkasti .* klo/)).toBeVisible();
    await expect(page.getByText('Peruste ja rajaus kunnossa')).toBeVisible();
    // Nobody who sees no footage gets any.
    await expect(page.getByRole('button', { name: /Lataa/ })).toHaveCount(0);
  });

  test('checks the package against the box: whole, and with one byte changed; folder or ZIP, chosen or dropped', async ({ page }) => {
    test.setTimeout(120_000);
    await page.goto('/disclosures/verify');
    await settled(page);
    await accessible(page);
    await fitsPhone(page);
    const field = page.getByLabel('Valitse kansio', { exact: true }).and(page.locator('input'));
    await field.setInputFiles(join(folder, serial));
    await expect(page.locator('[data-verdict]')).toContainText('Ehjä, tämän laitteen tekemä', { timeout: 30_000 });
    await expect(page.getByRole('link', { name: serial })).toBeVisible();
    await accessible(page);
    const changed = join(BOX_DIR, 'changed');
    execFileSync('rm', ['-rf', changed]);
    execFileSync('cp', ['-a', join(folder, serial), changed]);
    const readme = join(changed, 'README.txt');
    execFileSync('sh', ['-c', 'printf x >>"$1"', 'sh', readme]);
    expect(readFileSync(readme, 'utf8').endsWith('x')).toBe(true);
    await field.setInputFiles(changed);
    await expect(page.locator('[data-verdict]')).toContainText('Ei ehjä', { timeout: 30_000 });
    await expect(page.getByRole('row', { name: /README\.txt/ })).toContainText('Muutettu');

    // As it was handed out, by its field; then dropped, as a file and as a folder.
    const verdict = page.locator('[data-verdict]');
    await page.getByLabel('Valitse ZIP-tiedosto tai kaikki sen osat').setInputFiles(zip);
    await expect(verdict).toContainText('Ehjä, tämän laitteen tekemä', { timeout: 30_000 });
    const other = join(BOX_DIR, 'changed.zip');
    const bytes = readFileSync(zip);
    // Within the first file: its bytes, not the directory.
    const at = 30 + bytes.readUInt16LE(26) + bytes.readUInt16LE(28) + 4_000;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(other, bytes);
    await drop(page, other);
    await expect(verdict).toContainText('Ei ehjä', { timeout: 30_000 });
    await drop(page, join(folder, serial));
    await expect(verdict).toContainText('Ehjä, tämän laitteen tekemä', { timeout: 30_000 });
    await drop(page, zip);
    await expect(page.locator('progress')).toHaveCount(0);
    await expect(verdict).toContainText('Ehjä, tämän laitteen tekemä', { timeout: 30_000 });
    // What is encrypted has to be unpacked by whoever has the passphrase.
    bytes.writeUInt16LE(bytes.readUInt16LE(6) | 1, 6);
    const directory = bytes.readUInt32LE(bytes.length - 6);
    bytes.writeUInt16LE(bytes.readUInt16LE(directory + 8) | 1, directory + 8);
    writeFileSync(other, bytes);
    await drop(page, other);
    await expect(page.getByRole('alert').filter({ hasText: 'ZIP on salattu. Pura se ensin salalauseella' })).toBeVisible();
    await expect(verdict).toHaveCount(0);
    await accessible(page);
    await fitsPhone(page);
  });

  test('reads the register in Swedish and English', async ({ page }) => {
    await page.goto('/disclosures');
    await settled(page);
    await page.getByLabel('Kieli').selectOption('sv');
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Register över utlämnanden');
    await page.getByLabel('Språk').selectOption('en');
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Register of disclosures');
    await page.getByRole('link', { name: `Open disclosure ${serial}` }).click();
    await expect(page.getByText('Clearing up an offence')).toBeVisible();
    await page.getByLabel('Language').selectOption('fi');
  });
});

test.describe('the controller', () => {
  test.use({ role: 'controller' });

  test('has what waits in the navigation and decides it', async ({ page }) => {
    test.setTimeout(90_000);
    const { serial: asked } = await (await Desk.of('manager', 5)).ask(page);
    await page.goto('/retention');
    await settled(page);
    const link = page.getByRole('navigation').getByRole('link', { name: /Luovutukset/ });
    await expect(link).toContainText('odottaa');
    await link.click();
    await expect(page.getByRole('heading', { name: 'Odottaa päätöstäsi' })).toBeVisible();
    await accessible(page);
    await fitsPhone(page);
    await page.getByRole('link', { name: `Avaa luovutus ${asked}` }).first().click();
    await page.getByRole('button', { name: 'Päätä', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: `Päätös: ${asked}` });
    await dialog.getByLabel('Hylkää').check();
    await dialog.getByLabel('Perustelu').fill('Aika ei ole tarpeen');
    await accessible(page);
    await dialog.getByRole('button', { name: 'Hylkää' }).click();
    await confirmCode(page, 'controller1', 1);
    await expect(page.locator('[data-state]')).toHaveAttribute('data-state', 'refused');
    await expect(page.getByText('Aika ei ole tarpeen')).toBeVisible();
  });
});
