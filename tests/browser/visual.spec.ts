// What the main screens look like, against the pictures in tests/browser/looks: Finnish, light (live and recorded pictures are dark).
// What differs from run to run has a stand-in: times, numbers and keys are noughts, a table has one row, pictures are black. A new look
// is taken with SINETTI_LOOKS=anew scripts/browser visual.spec.ts
import type { Page } from '@playwright/test';

import { settled, test } from './fixtures';
import { expect, openRecordings, recent } from './footage';

test.use({ viewport: { width: 1280, height: 800 } });

/** Puts a copy of the page in its place, which nothing updates any more, with stand-ins for what is of this run. */
async function stand(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await document.fonts.ready;
    const copy = document.body.cloneNode(true) as HTMLElement;
    for (const row of copy.querySelectorAll('tbody tr:not(:first-child), .alarms li, [role=status], .wall li:nth-child(n + 5)')) row.remove();
    for (const cell of copy.querySelectorAll('tbody :is(td, th)')) cell.textContent = '–';
    for (const place of copy.querySelectorAll('[role=slider], [data-selection]')) place.remove();
    for (const fact of copy.querySelectorAll('.facts dd')) fact.textContent = '–';
    for (const key of copy.querySelectorAll('.mono')) key.textContent = '0000';
    for (const video of copy.querySelectorAll('video')) video.removeAttribute('src');
    const words = document.createTreeWalker(copy, NodeFilter.SHOW_TEXT);
    while (words.nextNode()) {
      const text = words.currentNode;
      text.nodeValue = (text.nodeValue ?? '')
        .replace(/\b\d{1,2}\.\d{1,2}\.(\d{4})?/gu, '0.0.0000')
        .replace(/\b\d\d\.\d\d(\.\d\d)?(,\d+)?/gu, '00.00.00')
        .replace(/\b(ma|ti|ke|to|pe|la|su)\b/gu, 'ma')
        .replace(/\d[\d\u00a0 ]*([.,]\d+)?/gu, '0 ');
    }
    document.body.replaceWith(copy);
  });
}

async function look(page: Page, name: string): Promise<void> {
  await stand(page);
  await expect(page).toHaveScreenshot(`${name}.png`, { maxDiffPixelRatio: 0.01, animations: 'disabled', caret: 'hide' });
}

test.describe('nobody', () => {
  for (const [name, path] of [['sign-in', '/ledger'], ['enrol', '/enrol'], ['notice', '/notice']] as const) {
    test(`sees ${name} as it was made`, async ({ page }) => {
      await page.goto(path);
      await settled(page);
      await look(page, name);
    });
  }
});

for (const [role, screens] of [
  ['auditor', ['ledger']],
  ['admin', ['health', 'cameras', 'people', 'account']],
  ['controller', ['retention']],
] as const) {
  test.describe(role, () => {
    test.use({ role });
    for (const name of screens) {
      test(`sees ${name} as it was made`, async ({ page }) => {
        await page.goto(`/${name}`);
        await settled(page);
        await look(page, name);
      });
    }
  });
}

test.describe('the controller', () => {
  test.use({ role: 'controller' });

  test('sees live pictures as they were made', async ({ page }) => {
    await page.goto('/live?columns=2');
    for (let place = 0; place < 4; place++) await expect(page.locator('[data-camera]').nth(place)).toHaveAttribute('data-showing', 'picture');
    await look(page, 'live');
  });

  test('sees recorded pictures as they were made', async ({ page }) => {
    test.setTimeout(90_000);
    await openRecordings(page, 'hylly-1,kassa-2', await recent(page, 'hylly-1', 20));
    await expect(page.locator('figure').nth(1)).toHaveAttribute('data-showing', 'picture');
    await look(page, 'playback');
  });
});
