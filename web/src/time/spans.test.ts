import { describe, expect, it } from 'vitest';
import { after, at, common, missing, union, type Span } from './spans';

const s = (start: number, end: number): Span => ({ start, end });

/** Numbers that differ from run to run of the loop, and never from run to run of the test. */
function* numbers(seed: number): Generator<number, never> {
  for (let n = seed; ; ) {
    n = (n * 1_103_515_245 + 12_345) % 2_147_483_648;
    yield n / 2_147_483_648;
  }
}

describe('sets of spans', () => {
  it('are what counting instant by instant finds', () => {
    const next = numbers(7);
    const random = (below: number) => Math.floor(next.next().value * below);
    for (let round = 0; round < 300; round++) {
      const parts = Array.from({ length: random(9) }, () => {
        const start = random(40);
        return s(start, start + random(9));
      });
      const set = union(parts);
      const whole = s(random(20), 20 + random(30));
      const left = missing(whole, set);
      for (let i = 0; i < 60; i++) {
        const isIn = parts.some((p) => p.start <= i && i < p.end);
        expect(at(set, i) !== undefined).toBe(isIn);
        const isLeft = !isIn && whole.start <= i && i < whole.end;
        expect(at(left, i) !== undefined).toBe(isLeft);
      }
      for (let i = 1; i < set.length; i++) expect(set[i]!.start).toBeGreaterThan(set[i - 1]!.end);
    }
  });

  it('close seams of the width that is given', () => {
    expect(union([s(0, 10), s(12, 20), s(23, 30)], 2)).toEqual([s(0, 20), s(23, 30)]);
  });

  it('know what comes next, and what two have in common', () => {
    const set = [s(10, 20), s(30, 40)];
    expect(after(set, 5)).toEqual(s(10, 20));
    expect(after(set, 10)).toEqual(s(30, 40));
    expect(after(set, 35)).toBeUndefined();
    expect(common(s(0, 10), s(5, 20))).toEqual(s(5, 10));
    expect(common(s(0, 10), s(10, 20))).toBeUndefined();
  });
});
