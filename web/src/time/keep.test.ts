import { expect, test } from 'vitest';

import { JUSTIFIED_ABOVE, SPECIAL_ABOVE, keepOf } from './keep';

test('hours and days are read as the configuration writes them', () => {
  expect(keepOf('72 h')).toBe(JUSTIFIED_ABOVE);
  expect(keepOf('3d')).toBe(JUSTIFIED_ABOVE);
  expect(keepOf(' 365 d ')).toBe(SPECIAL_ABOVE);
  expect(keepOf('73 h')).toBeGreaterThan(JUSTIFIED_ABOVE);
  for (const text of ['', '14', 'd', '-3 d', '2 w', '1.5 d']) expect(keepOf(text)).toBeUndefined();
});
