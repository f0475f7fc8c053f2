import { describe, expect, it } from 'vitest';

import { DAY, HOUR, MINUTE, SECOND, Zone, fromIso } from '../time/zone';
import { spliced, type Known } from './known';
import { activityIn, columns, rows, stateAt, type Lane } from './lanes';
import { LONGEST, SHORTEST, instant, pan, perPixel, showing, within, x, zoom, type Scale } from './scale';
import { step, ticks } from './ticks';

const helsinki = new Zone('Europe/Helsinki');
const utc = (text: string) => fromIso(text) ?? NaN;
const year = { start: utc('2026-01-01T00:00:00Z'), end: utc('2027-01-01T00:00:00Z') };
const scale = (start: number, length: number, width = 1_000): Scale => ({ start, end: start + length, width });

describe('a scale', () => {
  const day = scale(utc('2026-05-14T00:00:00Z'), DAY);

  it('goes there and back', () => {
    for (const px of [0, 1, 499.5, 1_000]) expect(x(day, instant(day, px))).toBeCloseTo(px, 4);
  });

  it('zooms from a month to a minute, and what is pointed at stays where it is', () => {
    const around = instant(day, 300);
    let now = day;
    for (let i = 0; i < 200; i++) {
      now = zoom(now, 0.93, around, year);
      expect(x(now, around)).toBeCloseTo(300, 2);
    }
    expect(now.end - now.start).toBe(SHORTEST);
    for (let i = 0; i < 200; i++) now = zoom(now, 1.1, around, year);
    expect(now.end - now.start).toBe(LONGEST);
  });

  it('never leaves its limits', () => {
    const early = pan(scale(year.start, DAY), -5_000, year);
    expect(early.start).toBe(year.start);
    const late = pan(scale(year.end - DAY, DAY), 5_000, year);
    expect(late.end).toBe(year.end);
    expect(within(scale(0, 400 * DAY), year)).toEqual({ start: year.start, end: year.start + LONGEST, width: 1_000 });
  });

  it('follows the playhead page by page', () => {
    expect(showing(day, day.start + HOUR, year)).toBe(day);
    const next = showing(day, day.end + MINUTE, year);
    expect(x(next, day.end + MINUTE)).toBeCloseTo(100, 0);
    expect(perPixel(next)).toBe(perPixel(day));
  });
});

describe('marks', () => {
  const labels = (start: string, hours: number, width = 1_000) =>
    ticks(scale(utc(start), hours * HOUR, width), helsinki, 'fi').map((t) => t.label);

  it('are at round readings of the site, and days have their names', () => {
    expect(labels('2026-05-13T21:00:00Z', 24)).toEqual(['to 14.5.', '02.00', '04.00', '06.00', '08.00', '10.00', '12.00', '14.00', '16.00', '18.00', '20.00', '22.00', 'pe 15.5.']);
    expect(labels('2026-05-14T10:00:00Z', 1 / 60).slice(0, 3)).toEqual(['13.00.00', '13.00.05', '13.00.10']);
  });

  it('are 23 or 25 hours on the days that have them', () => {
    const hours = (start: string, length: number) =>
      ticks(scale(utc(start), length * HOUR, 4_000), helsinki, 'fi').filter((t) => !t.isDay && t.label.includes('.00') && t.at % HOUR === 0);
    const spring = hours('2026-03-28T22:00:00Z', 23);
    expect(spring).toHaveLength(22);
    expect(spring.map((t) => t.label)).not.toContain('03.00');
    const autumn = hours('2026-10-24T21:00:00Z', 25);
    expect(autumn).toHaveLength(24);
    expect(autumn.map((t) => t.label).filter((l) => l.startsWith('03.00'))).toEqual(['03.00 kesä', '03.00 norm']);
  });

  it('never crowd, however far one zooms', () => {
    for (let length = SHORTEST; length <= LONGEST; length *= 1.7) {
      const now = scale(utc('2026-10-20T07:13:00Z'), length);
      expect(step(now) / perPixel(now)).toBeGreaterThanOrEqual(76);
      const found = ticks(now, helsinki, 'fi');
      expect(found.length).toBeLessThanOrEqual(25);
      expect(found.length, String(length / MINUTE)).toBeGreaterThan(2);
    }
  });
});

describe('lanes', () => {
  const s = (start: number, end: number) => ({ start: start * MINUTE, end: end * MINUTE });
  const lane: Lane = {
    camera: 'kassa-1',
    name: 'Kassa 1',
    deleted: [{ ...s(0, 10), rule: 'expired' }],
    recorded: [s(10, 20), s(21, 60)],
    withheld: [{ ...s(60, 62), why: 'restricted' }],
    gaps: [{ ...s(20, 21), cause: 'stalled' }],
    held: [{ ...s(12, 14), name: 'Asia 7' }],
    activity: { start: 10 * MINUTE, step: MINUTE, values: new Uint8Array([0, 255, 40, 0, 0, 0, 0, 0, 0, 0]) },
  };

  it('know what there is at an instant', () => {
    expect(stateAt(lane, 5 * MINUTE)).toMatchObject({ kind: 'deleted', span: { rule: 'expired' } });
    expect(stateAt(lane, 10 * MINUTE).kind).toBe('recorded');
    expect(stateAt(lane, 20 * MINUTE)).toMatchObject({ kind: 'gap', span: { cause: 'stalled' } });
    expect(stateAt(lane, 61 * MINUTE)).toMatchObject({ kind: 'withheld', span: { why: 'restricted' } });
    expect(stateAt(lane, 62 * MINUTE).kind).toBe('unknown');
    expect(activityIn(lane.activity, s(10, 13))).toBe(255);
    expect(activityIn(lane.activity, s(13, 20))).toBe(0);
  });

  it('have a table that says the same', () => {
    const { rows: found, left } = rows([lane], s(5, 30), 10);
    expect(found.map((r) => [r.kind, r.start / MINUTE, r.end / MINUTE, r.why])).toEqual([
      ['deleted', 5, 10, 'expired'],
      ['recorded', 10, 20, ''],
      ['held', 12, 14, 'Asia 7'],
      ['gap', 20, 21, 'stalled'],
      ['recorded', 21, 30, ''],
    ]);
    expect(found[1]?.moves).toBeCloseTo(0.2);
    expect(left).toBe(0);
    expect(rows([lane], s(55, 70), 10).rows.map((r) => [r.kind, r.why])).toEqual([
      ['recorded', ''],
      ['withheld', 'restricted'],
    ]);
    expect(rows([lane], s(5, 30), 2).left).toBe(3);
  });

  it('draw no more columns than pixels, and lose no span to them', () => {
    const many = Array.from({ length: 30_000 }, (_, i) => ({ start: i * 60 * SECOND, end: i * 60 * SECOND + 30 * SECOND }));
    const window = { start: 0, end: 30_000 * 60 * SECOND };
    const drawn = columns(many, window, (window.end - window.start) / 1_000);
    expect(drawn.length).toBeLessThanOrEqual(1_000);
    expect(drawn[0]?.[0]).toBe(0);
    expect(drawn.at(-1)?.[1]).toBeGreaterThan(999);
    const lonely = columns([{ start: 500 * SECOND, end: 500 * SECOND + 1 }], window, (window.end - window.start) / 1_000);
    expect(lonely).toHaveLength(1);
  });
});

describe('what is known of a camera', () => {
  const s = (start: number, end: number) => ({ start: start * SECOND, end: end * SECOND });
  const known = (more: Partial<Known>): Known => ({ stream: 'main', recorded: [], deleted: [], withheld: [], gaps: [], keep: undefined, ...more });

  it('goes on with what is newer: what touches is one, and what has changed is changed', () => {
    const old = known({
      deleted: [{ ...s(0, 10), rule: 'expired' }],
      recorded: [s(10, 100)],
      gaps: [{ ...s(100, 110), cause: 'stalled' }],
    });
    const tail = known({
      recorded: [s(80, 100), s(115, 130)],
      withheld: [{ ...s(112, 115), why: 'restricted' }],
      gaps: [{ ...s(100, 115), cause: 'stalled' }],
      keep: 1_000 * SECOND,
    });
    const found = spliced(old, tail, 80 * SECOND);
    expect(found.recorded).toEqual([s(10, 100), s(115, 130)]);
    expect(found.gaps).toEqual([{ ...s(100, 115), cause: 'stalled' }]);
    expect(found.deleted).toEqual([{ ...s(0, 10), rule: 'expired' }]);
    expect(found.withheld).toEqual([{ ...s(112, 115), why: 'restricted' }]);
    expect(found.keep).toBe(1_000 * SECOND);
  });

  it('keeps two gaps of different causes apart', () => {
    const old = known({ gaps: [{ ...s(0, 50), cause: 'stopped' }] });
    const tail = known({ gaps: [{ ...s(50, 60), cause: 'stalled' }] });
    expect(spliced(old, tail, 50 * SECOND).gaps.map((gap) => gap.cause)).toEqual(['stopped', 'stalled']);
  });
});
