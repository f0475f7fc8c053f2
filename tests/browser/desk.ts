// What the tests of disclosures share: hands that are counted, fresh codes, and disclosures made by the API alone.
import AxeBuilder from '@axe-core/playwright';
import { type APIRequestContext, type APIResponse, type Locator, type Page, request } from '@playwright/test';

import { expect } from './fixtures';
import { recent } from './footage';
import { ADDRESS, recoveryCode, type Role, sessionOf } from './world';

/** No violation of WCAG 2.2 AA that a machine can see. */
export async function accessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' | ')}`)).toEqual([]);
}

/** Nothing of the page is wider than a phone. */
export async function fitsPhone(page: Page): Promise<void> {
  const size = page.viewportSize();
  await page.setViewportSize({ width: 360, height: 740 });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(wide, 'pixels that the page is wider than the phone').toBeLessThanOrEqual(0);
  if (size) await page.setViewportSize(size);
}

/** Counts what a person does: a press, a choice, a field that is filled in. */
export class Hands {
  count = 0;

  async press(what: Locator): Promise<void> {
    this.count += 1;
    await what.click();
  }

  async fill(what: Locator, text: string): Promise<void> {
    this.count += 1;
    await what.fill(text);
  }

  /** A choice from a list is one interaction and two clicks: it is opened, and chosen from. */
  async choose(what: Locator, value: string, clicks = 1): Promise<void> {
    this.count += clicks;
    await what.selectOption(value);
  }
}

/** Answers the question for a fresh code, when it comes. */
export async function confirmCode(page: Page, name: string, place: number): Promise<void> {
  const question = page.getByRole('dialog', { name: 'Vahvista koodilla' });
  const done = page.locator('dialog[open]');
  await expect(async () => {
    if (await question.isVisible()) return;
    expect(await done.count()).toBe(0);
  }).toPass();
  if (!(await question.isVisible())) return;
  await question.getByLabel('Koodi').fill(recoveryCode(name, place));
  await question.getByRole('button', { name: 'Vahvista' }).click();
  await expect(question).toBeHidden();
}

interface Made {
  disclosure: number;
  serial: string;
}

/** The API in a role's session. `code`: which of the person's recovery codes is used up when a fresh one is asked for. */
export class Desk {
  constructor(
    readonly api: APIRequestContext,
    readonly name: string,
    readonly code: number,
  ) {}

  static async of(role: Role, code: number): Promise<Desk> {
    const api = await request.newContext({ storageState: sessionOf(role), baseURL: ADDRESS, ignoreHTTPSErrors: true, extraHTTPHeaders: { origin: ADDRESS } });
    return new Desk(api, `${role}1`, code);
  }

  async post(path: string, data: unknown): Promise<APIResponse> {
    let answer = await this.api.post(`/api/v1${path}`, { data });
    if (answer.status() === 403 && (await answer.text()).includes('step-up')) {
      const fresh = await this.api.post('/api/v1/session/step-up', { data: { code: recoveryCode(this.name, this.code) } });
      expect(fresh.ok(), await fresh.text()).toBe(true);
      answer = await this.api.post(`/api/v1${path}`, { data });
    }
    expect(answer.ok(), `${path}: ${await answer.text()}`).toBe(true);
    return answer;
  }

  /** Asks for five seconds of a camera, as the police would, or with other fields. */
  async ask(page: Page, camera = 'kassa-1', kind = 'authority-request', others: Record<string, unknown> = {}): Promise<Made> {
    const start = await recent(page, camera, 30);
    const form = {
      received: start, channel: 'Paikan päällä', recipient: 'police', organisation: 'Helsingin poliisilaitos', person: 'Poliisi 2', rank: 'Komisario', unit: 'Rikostorjunta',
      contact: 'Vaihde 0295 470 011', verified_how: 'Virkakortti nähty', case_number: '5560/R/1235/26', basis: 'police-request', purpose: 'crime-investigation',
      necessity: 'Näpistys', cameras: [camera], start, end: new Date(Date.parse(start) + 5_000).toISOString(), secret: false, viewing_copy: false, language: 'fi',
      ...others,
    };
    const draft = (await (await this.post('/disclosures', { kind, form })).json()) as { disclosure: number; version: number };
    const { serial } = (await (await this.post(`/disclosures/${draft.disclosure}/request`, { version: draft.version })).json()) as { serial: string };
    return { disclosure: draft.disclosure, serial };
  }

  async approve(made: Made): Promise<void> {
    await this.post(`/disclosures/${made.disclosure}/approval`, { decision: 'approve', reason: 'Pyyntö on asianmukainen' });
  }
}
