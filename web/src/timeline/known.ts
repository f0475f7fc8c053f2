/** What is known of how all of a camera's time is accounted for, and how something newer is put to it. */

import { union, type Span } from '../time/spans';
import { MS, type Micros } from '../time/zone';
import type { Deleted, Gap, Withheld } from './lanes';

/** Segments meet to within the slew of the clock. */
export const SEAM: Micros = 50 * MS;

/** Of one stream. */
export interface Known {
  stream: 'main' | 'sub';
  recorded: Span[];
  deleted: Deleted[];
  withheld: Withheld[];
  gaps: Gap[];
  /** How long its footage is kept. */
  keep: Micros | undefined;
}

/** What was known before `from`, and what is known from there on. */
export function spliced(old: Known, tail: Known, from: Micros): Known {
  const before = <T extends Span>(spans: T[]): T[] =>
    spans.filter((s) => s.start < from).map((s) => ({ ...s, end: Math.min(s.end, from) }));
  const joined = <T extends Span>(a: T[], b: T[], isSame: (x: T, y: T) => boolean): T[] => {
    const all = before(a);
    for (const part of b) {
      const last = all.at(-1);
      if (last && part.start - last.end <= SEAM && isSame(last, part)) last.end = part.end;
      else all.push({ ...part });
    }
    return all;
  };
  return {
    ...tail,
    recorded: union([...before(old.recorded), ...tail.recorded], SEAM),
    deleted: joined(old.deleted, tail.deleted, (x, y) => x.rule === y.rule),
    withheld: joined(old.withheld, tail.withheld, (x, y) => x.why === y.why),
    gaps: joined(old.gaps, tail.gaps, (x, y) => x.cause === y.cause),
  };
}
