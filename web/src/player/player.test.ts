import { describe, expect, it } from 'vitest';

import { MS, SECOND } from '../time/zone';
import { beside as frameBeside, frames, inside } from './frames';
import { GroupIndex, SEAM, ahead, wanted, type Group } from './groups';
import { Mp4Error, parameters, pictures } from './mp4';
import { RATES, beside, correct } from './sync';

function group(start: number, end: number, more: Partial<Group> = {}): Group {
  return { start: start * SECOND, end: end * SECOND, media: `/${start}`, init: '/i', bytes: 1_000, complete: true, ...more };
}

describe('groups that are known', () => {
  it('are found by their time, over seams and not over gaps', () => {
    const index = new GroupIndex();
    index.add({ start: 0, end: 60 * SECOND }, [group(0, 2), { ...group(2, 4), start: 2 * SECOND + SEAM / 2 }, group(10, 12)]);
    expect(index.at(SECOND)?.media).toBe('/0');
    expect(index.at(2 * SECOND + 1)?.media).toBe('/0');
    expect(index.at(5 * SECOND)).toBeUndefined();
    expect(index.after(5 * SECOND)?.media).toBe('/10');
    expect(index.before(10 * SECOND)?.media).toBe('/2');
    expect(index.unbroken(SECOND)).toBe(4 * SECOND);
    expect(index.unbroken(10 * SECOND)).toBe(12 * SECOND);
    expect(index.unbroken(7 * SECOND)).toBeUndefined();
  });

  it('say what was not asked for, and grow', () => {
    const index = new GroupIndex();
    const whole = { start: 0, end: 100 * SECOND };
    index.add({ start: 0, end: 50 * SECOND }, [group(0, 2), group(48, 49, { complete: false })]);
    expect(index.unlisted(whole)).toEqual([{ start: 50 * SECOND, end: 100 * SECOND }]);
    index.forget(48 * SECOND);
    expect(index.unlisted(whole)).toEqual([{ start: 48 * SECOND, end: 100 * SECOND }]);
    index.add({ start: 48 * SECOND, end: 100 * SECOND }, [group(48, 50)]);
    expect(index.unlisted(whole)).toEqual([]);
    expect(index.size).toBe(2);
    expect(index.at(49.5 * SECOND)?.complete).toBe(true);
  });

  it('stay few', () => {
    const index = new GroupIndex();
    const all = Array.from({ length: 20_000 }, (_, i) => group(i, i + 1));
    index.add({ start: 0, end: 20_000 * SECOND }, all);
    index.trim(10_000 * SECOND);
    expect(index.size).toBeLessThan(3_000);
    expect(index.at(10_000 * SECOND)).toBeDefined();
    expect(index.unlisted({ start: 0, end: SECOND })).not.toEqual([]);
  });
});

describe('what is fetched next', () => {
  const index = new GroupIndex();
  index.add({ start: 0, end: 100 * SECOND }, [group(0, 2), group(2, 4), group(4, 6), group(60, 62), group(62, 64, { complete: false })]);
  const names = (at: number, horizon: number, has: string[] = []) =>
    wanted(index, at * SECOND, horizon * SECOND, (g) => has.includes(g.media), 10).map((g) => g.media);

  it('is nearest first, and not beyond the horizon', () => {
    expect(names(1, 4)).toEqual(['/0', '/2', '/4']);
    expect(names(1, 3)).toEqual(['/0', '/2']);
    expect(names(1, 4, ['/0', '/2'])).toEqual(['/4']);
  });

  it('goes over a gap when the other side is near', () => {
    expect(names(5, 58)).toEqual(['/4', '/60']);
    expect(names(30, 31)).toEqual(['/60']);
  });

  it('leaves out what grows until the playhead is in it', () => {
    expect(names(61, 20)).toEqual(['/60']);
    expect(names(63, 20)).toEqual(['/62']);
  });

  it('is bounded in bytes', () => {
    const heavy = new GroupIndex();
    heavy.add({ start: 0, end: 100 * SECOND }, Array.from({ length: 50 }, (_, i) => group(i, i + 1, { bytes: 10 << 20 })));
    expect(wanted(heavy, 0, 100 * SECOND, () => false, 50)).toHaveLength(3);
  });

  it('reaches farther the faster it plays', () => {
    expect(ahead(1, false)).toBe(8 * SECOND);
    expect(ahead(4, false)).toBe(32 * SECOND);
    expect(ahead(16, true)).toBe(80 * SECOND);
    expect(ahead(0.25, false)).toBe(8 * SECOND);
  });
});

describe('cameras on one clock', () => {
  it('are left alone when alike, nudged by at most five per cent, and moved when far apart', () => {
    expect(correct(10 * MS, 1)).toEqual({ kind: 'rate', rate: 1 });
    expect(correct(400 * MS, 1)).toEqual({ kind: 'rate', rate: 0.95 });
    expect(correct(-400 * MS, 2)).toEqual({ kind: 'rate', rate: 2.1 });
    expect(correct(600 * MS, 1)).toEqual({ kind: 'seek' });
    expect(correct(-600 * MS, 1)).toEqual({ kind: 'seek' });
  });

  it('come together: every drift that is nudged is alike within ten seconds of footage, without swinging', () => {
    for (const rate of RATES) {
      for (const began of [-450, -120, 40, 450]) {
        let drift = began * MS;
        for (let i = 0; i < 200 / Math.min(1, rate); i++) {
          const correction = correct(drift, rate);
          if (correction.kind === 'seek') throw new Error('too far for a nudge');
          const before = drift;
          drift += (correction.rate - rate) * 50 * MS;
          expect(Math.abs(drift)).toBeLessThanOrEqual(Math.abs(before));
        }
        expect(Math.abs(drift)).toBeLessThanOrEqual(40 * MS * Math.max(1, rate));
      }
    }
  });

  it('have speeds beside one another', () => {
    expect(beside(1, 1)).toBe(2);
    expect(beside(16, 1)).toBe(16);
    expect(beside(0.25, -1)).toBe(0.25);
    expect(beside(3, -1)).toBe(2);
  });
});

describe('single frames', () => {
  // Decoded in the order I P B B: shown as I B B P.
  const picture = (shown: number) => ({ shown, duration: 6_000, isKey: shown === 0, offset: 0, size: 1 });
  const all = frames([picture(0), picture(18_000), picture(6_000), picture(12_000)], 90_000);

  it('are in the order in which they are shown', () => {
    expect(all.map((f) => Math.round(f.shown / 100))).toEqual([0, 667, 1333, 2000]);
    expect(all.every((f) => Math.abs(f.lasts - 66_667) < 1)).toBe(true);
  });

  it('lead to the next and back to the same, wherever within a frame the browser stands', () => {
    for (const rounding of [-1, 0, 1, 30_000]) {
      const time = (all[1]?.shown ?? 0) + rounding;
      expect(frameBeside(all, time, 1)).toBe(all[2]);
      expect(frameBeside(all, time, -1)).toBe(all[0]);
    }
    expect(frameBeside(all, 0, -1)).toBeUndefined();
    expect(frameBeside(all, 210_000, 1)).toBeUndefined();
  });

  it('are sought within their first half', () => {
    const [first] = all;
    if (!first) throw new Error('no frame');
    expect(inside(first)).toBeGreaterThan(first.shown + 1);
    expect(inside(first)).toBeLessThanOrEqual(first.shown + first.lasts / 2);
  });
});

describe('MP4', () => {
  const u32 = (n: number) => [(n >>> 24) & 255, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
  const box = (type: string, ...content: number[][]): number[] => {
    const body = content.flat();
    return [...u32(body.length + 8), ...[...type].map((c) => c.charCodeAt(0)), ...body];
  };
  const tfdt = box('tfdt', u32(0x01000000), u32(1), u32(0));
  const data = [1, 2, 3, 4, 5];
  const moof = (...trun: number[][]) => box('moof', box('mfhd', u32(0), u32(1)), box('traf', box('tfhd', u32(0x020000), u32(1)), tfdt, ...trun));

  it('says when pictures are shown, and where their bytes are', () => {
    const offsetOf = (length: number) => length + 8;
    const trun = (offset: number) =>
      box('trun', u32(0x01000f01), u32(2), u32(offset), u32(3_000), u32(2), u32(0x02000000), u32(0), u32(3_000), u32(3), u32(0x01010000), u32(-1_000));
    const first = moof(trun(offsetOf(moof(trun(0)).length)));
    const bytes = new Uint8Array([...first, ...box('mdat', data), ...first, ...box('mdat', data)]);
    const found = pictures(bytes);
    const at = 2 ** 32;
    expect(found.slice(0, 2).map(({ shown, isKey, size }) => [shown, isKey, size])).toEqual([
      [at, true, 2],
      [at + 3_000 - 1_000, false, 3],
    ]);
    expect(found).toHaveLength(4);
    for (const { offset, size } of found) expect([...bytes.subarray(offset, offset + size)]).toEqual(size === 2 ? [1, 2] : [3, 4, 5]);
  });

  it('that is cut off is refused', () => {
    const whole = moof(box('trun', u32(0), u32(0)));
    expect(() => pictures(new Uint8Array(whole.slice(0, -4)))).toThrow(Mp4Error);
    expect(() => parameters(new Uint8Array(box('moov')))).toThrow(Mp4Error);
  });
});
