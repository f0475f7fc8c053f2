// Every test watches what the page does wrong: a violation of the policy, an error, anything from elsewhere.
import { test as base, expect, type Page } from '@playwright/test';

import { ADDRESS, type Role, sessionOf } from './world';

interface Options {
  /** Whose session; undefined: nobody is signed in. */
  role: Role | undefined;
}

export const test = base.extend<Options & { watched: void }>({
  role: [undefined, { option: true }],
  storageState: async ({ role }, use) => use(role ? sessionOf(role) : undefined),
  watched: [
    async ({ page }, use) => {
      const wrong: string[] = [];
      watch(page, wrong);
      await use();
      expect(wrong, 'what the page did wrong').toEqual([]);
    },
    { auto: true },
  ],
});

function watch(page: Page, wrong: string[]): void {
  page.on('console', (message) => {
    const text = message.text();
    // Chromium reports every refused request as an error; a refusal is an answer that the page handles (416: a download may begin).
    const isRefusal = text.startsWith('Failed to load resource') && /status of (401|403|404|409|416|422|429|503)/.test(text);
    if (message.type() === 'error' && !isRefusal) wrong.push(text);
  });
  page.on('pageerror', (error) => wrong.push(String(error)));
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(ADDRESS) && !url.startsWith(`blob:${ADDRESS}`)) wrong.push(`from elsewhere: ${url}`);
  });
}

export { expect };

/** Waits until the screen has its title and nothing is loading. */
export async function settled(page: Page): Promise<void> {
  await page.locator('h1').first().waitFor();
  await expect(page.locator('.loading')).toHaveCount(0);
}
