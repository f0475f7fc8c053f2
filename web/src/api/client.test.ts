import { afterEach, describe, expect, it, vi } from 'vitest';

import { Refused, send, useRemedies } from './client';

const refusal = (status: number, word: string): Response =>
  new Response(JSON.stringify({ type: `urn:sinetti:${word}`, title: '', status, detail: 'why', errors: [{ pointer: '/name', detail: 'taken' }] }), {
    status,
    headers: { 'content-type': 'application/problem+json', 'retry-after': '7' },
  });

const request = (path = '/api/v1/persons', method = 'POST'): Request => new Request(`https://box.internal${path}`, { method, body: method === 'POST' ? '{"name":"x"}' : null });

function remedies(good: boolean): { stepUp: ReturnType<typeof vi.fn>; unlock: ReturnType<typeof vi.fn>; lost: ReturnType<typeof vi.fn> } {
  const given = { stepUp: vi.fn(async () => good), unlock: vi.fn(async () => good), lost: vi.fn() };
  useRemedies(given);
  return given;
}

describe('a request', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('is sent once more, with its body, after what it lacked was given', async () => {
    for (const [word, remedy] of [
      ['step-up', 'stepUp'],
      ['vault-locked', 'unlock'],
    ] as const) {
      const bodies: string[] = [];
      vi.stubGlobal('fetch', async (sent: Request) => {
        bodies.push(await sent.text());
        return bodies.length === 1 ? refusal(403, word) : new Response('{}');
      });
      const given = remedies(true);
      expect((await send(request())).ok).toBe(true);
      expect(bodies).toEqual(['{"name":"x"}', '{"name":"x"}']);
      expect(given[remedy]).toHaveBeenCalledOnce();
    }
  });

  it('is refused when it was not given', async () => {
    vi.stubGlobal('fetch', async () => refusal(403, 'step-up'));
    remedies(false);
    await expect(send(request())).rejects.toMatchObject({ word: 'step-up', status: 403 });
  });

  it('tells a lost session, but not of a sign-in that failed', async () => {
    vi.stubGlobal('fetch', async () => refusal(401, 'expired'));
    const given = remedies(true);
    await expect(send(request())).rejects.toBeInstanceOf(Refused);
    expect(given.lost).toHaveBeenCalledExactlyOnceWith('expired');
    await expect(send(request('/api/v1/session'))).rejects.toBeInstanceOf(Refused);
    vi.stubGlobal('fetch', async () => refusal(401, 'wrong'));
    await expect(send(request('/api/v1/session/step-up'))).rejects.toMatchObject({ word: 'wrong' });
    expect(given.lost).toHaveBeenCalledOnce();
  });

  it('says which field is wrong, when to try again, and when there was no answer', async () => {
    vi.stubGlobal('fetch', async () => refusal(422, 'invalid'));
    remedies(false);
    const refused = await send(request()).catch((e: unknown) => e);
    expect(refused).toMatchObject({ word: 'invalid', retryAfter: 7 });
    expect((refused as Refused).fields.get('/name')).toBe('taken');
    vi.stubGlobal('fetch', async () => Promise.reject(new TypeError('no route')));
    await expect(send(request())).rejects.toMatchObject({ word: 'unreachable', status: 0 });
    vi.stubGlobal('fetch', async () => new Response('<h1>Bad gateway</h1>', { status: 502 }));
    await expect(send(request())).rejects.toMatchObject({ word: 'unknown', status: 502 });
  });
});
