// The steps of a disclosure that are seldom taken, and what may go wrong on the way: passphrases, a job that is stopped, papers,
// taking back, destroying, what has no file, a session that ends in the middle of the form. Of the camera Hylly 1: the other tests of
// disclosures count those of Kassa 1.
import { createHash, pbkdf2Sync } from 'node:crypto';
import { readFileSync } from 'node:fs';

import type { Download, Locator, Page } from '@playwright/test';

import { accessible, confirmCode, Desk, fitsPhone } from './desk';
import { expect, settled, test } from './fixtures';
import { planted } from './footage';
import { recoveryCode, world } from './world';

const CAMERA = 'hylly-1';
const TYPED = 'neljä hyllyä ja yksi kassa';

test.describe.configure({ mode: 'serial' });
test.use({ role: 'manager' });

// A browser calls it an error that a session is over; here it is what is tested.
const away = test.extend({ watched: async ({}, use) => use() });

const button = (of: Page | Locator, name: string): Locator => of.getByRole('button', { name, exact: true });

async function bytesOf(download: Download): Promise<Buffer> {
  return readFileSync(await download.path());
}

async function downloaded(page: Page, what: Locator): Promise<{ name: string; bytes: Buffer }> {
  const started = page.waitForEvent('download');
  await what.click();
  const download = await started;
  return { name: download.suggestedFilename(), bytes: await bytesOf(download) };
}

/** True when the first file of a ZIP opens with a passphrase: WinZip's AE-2, whose salt is followed by two bytes that only the right one gives. */
function opensWith(zip: Buffer, passphrase: string): boolean {
  const isEncrypted = (zip.readUInt16LE(6) & 1) === 1 && zip.readUInt16LE(8) === 99;
  expect(isEncrypted, 'encrypted with AES').toBe(true);
  const from = 30 + zip.readUInt16LE(26) + zip.readUInt16LE(28);
  const keys = pbkdf2Sync(passphrase, zip.subarray(from, from + 16), 1_000, 66, 'sha1');
  return keys.subarray(64).equals(zip.subarray(from + 16, from + 18));
}

let desk: Desk;
let controller: Desk;
let packed = { disclosure: 0, serial: '' };

test.beforeAll(async () => {
  desk = await Desk.of('manager', 6);
  controller = await Desk.of('controller', 6);
});

test('the written request is put beside the record, saved, replaced, and fixed by the decision', async ({ page }) => {
  const made = await desk.ask(page, CAMERA);
  await page.goto(`/disclosures/${made.serial}`);
  const panel = page.getByRole('region', { name: 'Kirjallinen pyyntö' });
  await expect(panel).toContainText('Pyynnön skannausta ei ole.');
  const paper = Buffer.from('%PDF-1.7\n% Tietopyyntö 5560/R/1235/26\n%%EOF\n');
  await panel.getByLabel('Liitä skannaus').setInputFiles({ name: 'pyyntö.pdf', mimeType: 'application/pdf', buffer: paper });
  await expect(panel.getByRole('status')).toHaveText('Skannaus on liitetty.');
  await expect(panel).toContainText(createHash('sha256').update(paper).digest('hex'));
  const saved = await downloaded(page, button(panel, 'Tallenna tiedostoksi'));
  expect(saved.name).toBe(`${made.serial}_request.pdf`);
  expect(saved.bytes.equals(paper)).toBe(true);
  await button(panel, 'Poista skannaus').click();
  await expect(panel).toContainText('Pyynnön skannausta ei ole.');
  const picture = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
  await panel.getByLabel('Liitä skannaus').setInputFiles({ name: 'pyyntö.png', mimeType: 'image/png', buffer: picture });
  await expect(panel).toContainText('PNG-kuva');
  await accessible(page);
  await fitsPhone(page);
  await controller.approve(made);
  await page.reload();
  await expect(panel).toContainText('PNG-kuva');
  await expect(panel.getByLabel('Vaihda skannaus')).toHaveCount(0);
  await expect(button(panel, 'Poista skannaus')).toHaveCount(0);
});

test('a passphrase that the box made is shown once and gone after; one that is typed is the one', async ({ page }) => {
  test.setTimeout(150_000);
  packed = await desk.ask(page, CAMERA);
  await controller.approve(packed);
  await page.goto(`/disclosures/${packed.serial}`);
  await button(page, 'Tee paketti').click();
  const asking = page.getByRole('dialog', { name: 'Tee paketti' });
  await asking.getByLabel('AES-256, laite tekee salalauseen').check();
  await expect(asking.getByText('Varmista ensin, että saajalla on 7-Zip')).toBeVisible();
  await button(asking, 'Tee paketti').click();
  await confirmOver(page);
  const told = page.getByRole('dialog', { name: 'Paketin salalause' });
  const made = await told.locator('[data-passphrase]').innerText();
  expect(made).toMatch(/^[0-9a-z]{5}(-[0-9a-z]{5}){3}$/);
  await accessible(page);
  await fitsPhone(page);
  // No key and no mistake takes it away.
  await page.keyboard.press('Escape');
  await expect(told).toBeVisible();
  await button(told, 'Salalause on otettu talteen').click();
  await expect(told).toBeHidden();
  expect(await page.content()).not.toContain(made);
  await expect(page.locator('[data-job]')).toHaveAttribute('data-job', 'done', { timeout: 60_000 });
  await page.reload();
  const part = page.getByRole('button', { name: /^Lataa / });
  await expect(part).toBeVisible();
  expect(await page.content()).not.toContain(made);
  const first = await downloaded(page, part);
  expect(first.name).toBe(`${packed.serial}.zip`);
  expect(opensWith(first.bytes, made)).toBe(true);

  await button(page, 'Tee paketti uudelleen').click();
  await page.getByRole('dialog').getByLabel('AES-256, kirjoitan salalauseen itse').check();
  const field = page.getByRole('dialog').getByLabel('Salalause', { exact: true });
  await field.fill('lyhyt');
  await button(page.getByRole('dialog'), 'Tee paketti').click();
  await expect(page.getByRole('dialog').getByText('16–128 merkkiä')).toBeVisible();
  await accessible(page);
  await field.fill(TYPED);
  await button(page.getByRole('dialog'), 'Tee paketti').click();
  await expect(page.locator('dialog[open]')).toHaveCount(0);
  await expect(page.locator('[data-job]')).toHaveAttribute('data-job', /queued|running/);
  await expect(page.locator('[data-job]')).toHaveAttribute('data-job', 'done', { timeout: 60_000 });
  expect(await page.evaluate(() => document.body.innerHTML + JSON.stringify({ ...localStorage, ...sessionStorage }))).not.toContain(TYPED);
  const second = await downloaded(page, part);
  expect(opensWith(second.bytes, TYPED)).toBe(true);
  expect(opensWith(second.bytes, made)).toBe(false);
});

/** A question for a fresh code, if there is one. */
async function confirmOver(page: Page): Promise<void> {
  const question = page.getByRole('dialog', { name: 'Vahvista koodilla' });
  const told = page.getByRole('dialog', { name: 'Paketin salalause' });
  await expect(question.or(told)).toBeVisible({ timeout: 30_000 });
  if (await question.isVisible()) {
    await question.getByLabel('Koodi').fill(recoveryCode('manager1', 7));
    await button(question, 'Vahvista').click();
  }
  await expect(told).toBeVisible({ timeout: 30_000 });
}

test('handover document and register come as files', async ({ page }) => {
  await page.goto(`/disclosures/${packed.serial}`);
  const paper = await downloaded(page, page.getByRole('link', { name: 'Luovutusasiakirja (PDF)' }));
  expect(paper.name).toBe(`${packed.serial}_handover.pdf`);
  expect(paper.bytes.subarray(0, 5).toString()).toBe('%PDF-');
  // What is looked for goes along.
  await page.goto(`/disclosures?camera=${CAMERA}`);
  await settled(page);
  const csv = await downloaded(page, page.getByRole('link', { name: 'Rekisteri CSV:nä' }));
  expect(csv.name).toMatch(/\.csv$/);
  const lines = csv.bytes.toString('utf8').trim().split('\n');
  expect(lines.length).toBeGreaterThan(1);
  for (const line of lines.slice(1)) expect(line).toContain(CAMERA);
  expect(lines.some((line) => line.includes(packed.serial))).toBe(true);
  const pdf = await downloaded(page, page.getByRole('link', { name: 'Rekisteri PDF:nä' }));
  expect(pdf.name).toMatch(/\.pdf$/);
  expect(pdf.bytes.subarray(0, 5).toString()).toBe('%PDF-');
  expect(createHash('sha256').update(pdf.bytes).digest('hex')).not.toBe(createHash('sha256').update(paper.bytes).digest('hex'));
});

test('what was received is noted as destroyed', async ({ page }) => {
  const { disclosure, serial } = packed;
  await desk.post(`/disclosures/${disclosure}/hand-over`, { to: 'Poliisi 2', identity: 'Virkakortti nähty', medium: 'Muistitikku 2' });
  await desk.post(`/disclosures/${disclosure}/receipt`, { how: 'Allekirjoitus' });
  await page.goto(`/disclosures/${serial}`);
  await expect(page.locator('[data-state]')).toHaveAttribute('data-state', 'received');
  await button(page, 'Kirjaa kopiot hävitetyiksi').click();
  const dialog = page.getByRole('dialog', { name: 'Kirjaa kopiot hävitetyiksi' });
  await dialog.getByLabel('Miten hävitettiin').fill('Poistettu työasemalta');
  await accessible(page);
  await button(dialog, 'Kirjaa kopiot hävitetyiksi').click();
  await confirmCode(page, 'manager1', 8);
  await expect(page.locator('[data-state]')).toHaveAttribute('data-state', 'destroyed');
  await expect(page.locator('[data-state]')).toHaveText('Omat kopiot hävitetty');
  await expect(page.locator('[data-step="destroyed"]')).toContainText('Poistettu työasemalta');
  await fitsPhone(page);
});

test('making a package is stopped, made anew with its progress; and taken back it is gone', async ({ page }) => {
  test.setTimeout(150_000);
  // What tests/browser/start planted: enough to watch.
  const start = new Date(await planted(page, CAMERA, 9)).toISOString();
  const asked = await desk.ask(page, CAMERA, 'authority-request', { start, end: new Date(Date.parse(start) + 5 * 60_000).toISOString() });
  await controller.approve(asked);
  await page.goto(`/disclosures/${asked.serial}`);
  await button(page, 'Tee paketti').click();
  await button(page.getByRole('dialog'), 'Tee paketti').click();
  const job = page.locator('[data-job]');
  await expect(job).toHaveAttribute('data-job', /queued|running/);
  await expect(job.getByRole('progressbar', { name: 'Paketti' })).toBeVisible();
  await button(job, 'Keskeytä').click();
  await expect(job).toHaveAttribute('data-job', 'cancelled', { timeout: 30_000 });
  await expect(job).toContainText('Keskeytetty');
  await expect(page.getByRole('button', { name: /^Lataa / })).toHaveCount(0);
  await accessible(page);
  await fitsPhone(page);

  await button(page, 'Tee paketti').click();
  await button(page.getByRole('dialog'), 'Tee paketti').click();
  await expect(job).toContainText(/: \d[\d,]* Mt \/ \d[\d,]* Mt/, { timeout: 30_000 });
  await expect(job).toHaveAttribute('data-job', 'done', { timeout: 90_000 });
  await expect(page.getByRole('button', { name: /^Lataa / })).toBeVisible();
  await expect(page.locator('[data-state]')).toHaveAttribute('data-state', 'prepared');

  await button(page, 'Peru').click();
  const dialog = page.getByRole('dialog', { name: 'Peru' });
  await dialog.getByLabel('Miksi perutaan').fill('Poliisi ei tarvitse tallennetta');
  await accessible(page);
  await button(dialog, 'Peru').click();
  await confirmCode(page, 'manager1', 9);
  await expect(page.locator('[data-state]')).toHaveAttribute('data-state', 'withdrawn');
  await expect(page.locator('[data-step="withdrawn"]')).toContainText('Poliisi ei tarvitse tallennetta');
  await expect(button(page, 'Tee paketti uudelleen')).toHaveCount(0);

  // After a job the box looks what it need not keep: the copies of what was received are wiped.
  await page.goto(`/disclosures/${packed.serial}`);
  await expect(page.getByText(/^Hävitetty laitteesta /).first()).toBeVisible({ timeout: 30_000 });
  await expect(page.getByRole('button', { name: /^Lataa / })).toHaveCount(0);
});

for (const [kind, act] of [['viewing', 'Kirjaa näytetyksi'], ['oral', 'Kirjaa kerrotuksi']] as const) {
  test(`${kind}: a record without a file`, async ({ page }) => {
    const made = await desk.ask(page, CAMERA, kind);
    await controller.approve(made);
    await page.goto(`/disclosures/${made.serial}`);
    await button(page, act).click();
    const dialog = page.getByRole('dialog', { name: act });
    await expect(dialog.getByLabel('Salaus, ja miten')).toHaveCount(0);
    await dialog.getByLabel(kind === 'viewing' ? 'Millä näytettiin' : 'Miten kerrottiin').fill(kind === 'viewing' ? 'Tällä työasemalla' : 'Puhelimessa');
    await accessible(page);
    await button(dialog, act).click();
    await expect(page.locator('[data-state]')).toHaveAttribute('data-state', 'handed-over');
    await expect(page.getByRole('heading', { name: 'Paketti', exact: true })).toHaveCount(0);
    const paper = await downloaded(page, page.getByRole('link', { name: 'Luovutusasiakirja (PDF)' }));
    expect(paper.bytes.subarray(0, 5).toString()).toBe('%PDF-');
  });
}

test.describe('a session of one’s own', () => {
  test.use({ role: undefined });

  away('that ends in the middle of the form comes back to it, and nothing that was typed is lost', async ({ page, browser }) => {
    // Passwords are slow on purpose, and more so on a machine that does other things as well.
    away.setTimeout(200_000);
    const signIn = async (place: number): Promise<void> => {
      await page.getByLabel('Käyttäjätunnus').fill('manager1');
      await page.getByLabel('Salasana').fill(world().password);
      await page.getByLabel('Koodi', { exact: true }).fill(recoveryCode('manager1', place));
      await button(page, 'Kirjaudu').click();
    };
    await page.goto('/disclosures/new');
    await signIn(2);
    const organisation = page.getByLabel('Organisaatio (pakollinen)');
    await expect(organisation).toBeVisible({ timeout: 80_000 });
    await organisation.fill('Helsingin poliisilaitos');
    await expect(page.locator('[data-saving]')).toHaveAttribute('data-saving', 'saved');
    const address = page.url();
    // The box forgets the session; the window does not know of it.
    const other = await browser.newContext({ storageState: await page.context().storageState(), ignoreHTTPSErrors: true });
    const gone = await other.request.delete(new URL('/api/v1/session', address).href, { headers: { origin: new URL(address).origin } });
    expect(gone.ok(), await gone.text()).toBe(true);
    await other.close();
    await page.getByLabel('Saajan nimi (pakollinen)').fill('Poliisi 3');
    await expect(page.getByRole('heading', { name: 'Kirjaudu sisään' })).toBeVisible();
    await expect(page.getByText('Istunto on päättynyt')).toBeVisible();
    await accessible(page);
    await signIn(3);
    await expect(organisation).toHaveValue('Helsingin poliisilaitos', { timeout: 80_000 });
    expect(page.url()).toBe(address);
    await expect(page.getByLabel('Saajan nimi (pakollinen)')).toHaveValue('Poliisi 3');
    await expect(page.locator('[data-saving]')).toHaveAttribute('data-saving', 'saved');
    await page.reload();
    await expect(page.getByLabel('Saajan nimi (pakollinen)')).toHaveValue('Poliisi 3');
    await button(page, 'Hävitä luonnos').click();
    await button(page.getByRole('dialog'), 'Hävitä luonnos').click();
    await expect.poll(() => new URL(page.url()).pathname).toBe('/disclosures');
  });
});
