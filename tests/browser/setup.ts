// Signs in once for each role: no code is taken twice, so the tests share these sessions.
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { request } from '@playwright/test';

import { ADDRESS, BOX_DIR, ROLES, sessionOf, totp, world } from './world';

export default async function setup(): Promise<void> {
  // The server answers before every camera is recorded.
  const deadline = Date.now() + 90_000;
  while (!existsSync(join(BOX_DIR, 'world.json'))) {
    if (Date.now() > deadline) throw new Error(`the box is not ready: see ${BOX_DIR}/recorder.log`);
    await new Promise((done) => setTimeout(done, 250));
  }
  const { password, people } = world();
  for (const role of ROLES) {
    const name = `${role}1`;
    const secret = people[name]?.secret ?? '';
    const context = await request.newContext({ baseURL: ADDRESS, ignoreHTTPSErrors: true });
    let status = 0;
    // The step of now may be used up by what made the box; the next one is taken as well.
    for (const ahead of [0, 1, -1]) {
      const answer = await context.post('/api/v1/session', { data: { name, password, code: totp(secret, ahead) } });
      status = answer.status();
      if (status === 200) break;
      if (status === 429) await new Promise((done) => setTimeout(done, (Number(answer.headers()['retry-after']) + 1) * 1000));
    }
    if (status !== 200) throw new Error(`${name} could not sign in: ${status}`);
    await context.storageState({ path: sessionOf(role) });
    await context.dispose();
  }
}
