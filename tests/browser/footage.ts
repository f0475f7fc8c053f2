// What the tests of live and recorded pictures share.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Page } from '@playwright/test';

import { expect, test as base } from './fixtures';
import { BOX_DIR } from './world';

/** Slower than this many times its budget, on a machine that does other things as well, is wrong. */
const SLACK = 4;

export const test = base.extend<{ closed: void }>({
  // A person has at most 16 playbacks open: whoever leaves the page closes theirs.
  closed: [
    async ({ page }, use) => {
      await use();
      await page.goto('about:blank');
    },
    { auto: true },
  ],
});

export { expect };

/** Prints what something took against its budget, in milliseconds. */
export function report(name: string, took: number, budget: number): void {
  console.log(`budget: ${name}: ${took.toFixed(0)} ms of ${budget} ms`);
  expect(took, name).toBeLessThan(budget * SLACK);
}

/** An instant as a person in Finland types it. */
export function typed(at: string): string {
  const parts = new Intl.DateTimeFormat('fi-FI', { timeZone: 'Europe/Helsinki', dateStyle: 'short', timeStyle: 'medium' }).formatToParts(new Date(at));
  const of = (type: string): string => parts.find((part) => part.type === type)?.value ?? '';
  return `${of('day')}.${of('month')}. ${of('hour')}.${of('minute')}.${of('second')}`;
}

/** What a stream has, in milliseconds. */
export interface Recorded {
  recorded: { start: number; end: number }[];
  gaps: { start: number; end: number; cause: string }[];
}

/** What is recorded of a camera's full picture: the last hour up to `now`. */
export async function coverage(page: Page, camera: string, now = Date.now()): Promise<Recorded> {
  interface Line {
    start: string;
    end: string;
  }
  const query = `start=${new Date(now - 3_600_000).toISOString()}&end=${new Date(now).toISOString()}`;
  const answer = await page.request.get(`/api/v1/cameras/${camera}/main/coverage?${query}`);
  const found = (await answer.json()) as { recorded: Line[]; growing: Line | null; gaps: (Line & { cause: string })[] };
  const read = <T extends Line>(line: T) => ({ ...line, start: Date.parse(line.start), end: Date.parse(line.end) });
  const recorded: { start: number; end: number }[] = [];
  for (const span of [...found.recorded, ...(found.growing ? [found.growing] : [])].map(read)) {
    const last = recorded.at(-1);
    // What is being written goes on from what is closed.
    if (last && span.start - last.end < 100) last.end = span.end;
    else recorded.push(span);
  }
  return { recorded, gaps: found.gaps.map(read) };
}

/** When the footage begins that was planted so many days ago: see tests/browser/start. */
export async function planted(page: Page, camera: string, days: number): Promise<number> {
  const found = await coverage(page, camera, Date.now() - days * 86_400_000 + 600_000);
  const [first] = found.recorded;
  if (!first) throw new Error(`nothing of ${camera} was planted ${days} days ago`);
  return first.start;
}

/** A moment that is recorded, about so many seconds before the end of what is; waits for it. */
export async function recent(page: Page, camera: string, seconds: number): Promise<string> {
  let at = 0;
  await expect
    .poll(
      async () => {
        const last = (await coverage(page, camera)).recorded.at(-1);
        if (!last) return false;
        at = Math.floor((last.end - seconds * 1_000) / 1_000) * 1_000;
        return at > last.start;
      },
      { timeout: (seconds + 30) * 1_000 },
    )
    .toBe(true);
  return new Date(at).toISOString();
}

/** Opens recordings at a moment; `showing` is what is there. */
export async function openRecordings(page: Page, cameras: string, at: string, showing = 'picture'): Promise<void> {
  await page.goto(`/playback?cameras=${cameras}&at=${at}`);
  await page.getByLabel('Käyttötarkoitus').selectOption('protection-of-property');
  await page.getByRole('button', { name: 'Avaa', exact: true }).click();
  await expect(page.locator('figure').first()).toHaveAttribute('data-showing', showing);
}

/** What the playback screen shows; times in milliseconds. */
export async function look(page: Page) {
  return page.evaluate(() => ({
    at: Number(document.querySelector<HTMLElement>('time.clock')?.dataset['at']) / 1_000,
    note: document.querySelector('.notes')?.textContent?.trim() ?? '',
    tiles: Array.from(document.querySelectorAll<HTMLElement>('figure'), (figure) => {
      const video = figure.querySelector('video');
      return { showing: figure.dataset['showing'], time: video?.currentTime ?? 0, width: video?.videoWidth ?? 0 };
    }),
  }));
}

/** Changes the configuration of the running recorder, and waits until the camera is recorded again after that; its time. */
export function configure(before: string, after: string): number {
  const file = join(BOX_DIR, 'box/sinetti.toml');
  const text = readFileSync(file, 'utf8');
  if (!text.includes(before)) throw new Error(`the configuration has no ${before}`);
  writeFileSync(file, text.replace(before, after));
  return Date.now();
}
