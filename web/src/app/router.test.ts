import { beforeAll, describe, expect, it, vi } from 'vitest';

describe('match', () => {
  let match: typeof import('./router.svelte').match;

  beforeAll(async () => {
    // The module looks at the address when it is loaded.
    vi.stubGlobal('location', { pathname: '/', search: '' });
    vi.stubGlobal('addEventListener', () => {});
    ({ match } = await import('./router.svelte'));
  });

  const routes = [
    { pattern: '/ledger', value: 'list' },
    { pattern: '/ledger/:seq', value: 'entry' },
  ];

  it('finds the screen and the parts of its address', () => {
    expect(match(routes, '/ledger')).toEqual({ value: 'list', params: {} });
    expect(match(routes, '/ledger/17')).toEqual({ value: 'entry', params: { seq: '17' } });
    expect(match(routes, '/ledger/a%20b')).toEqual({ value: 'entry', params: { seq: 'a b' } });
  });

  it('leaves a part that is no text as it is', () => {
    expect(match(routes, '/ledger/%E0%A4')).toEqual({ value: 'entry', params: { seq: '%E0%A4' } });
  });

  it('finds nothing where nothing is', () => {
    expect(match(routes, '/ledger/1/2')).toBeUndefined();
    expect(match(routes, '/')).toBeUndefined();
  });
});
