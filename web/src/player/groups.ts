/** Which groups of pictures a stream has: as far as it was asked for, and which to fetch next. */

import { after, at as holding, indexAt, missing, union, type Span } from '../time/spans';
import { MINUTE, MS, SECOND, type Micros } from '../time/zone';

/** From one key frame to the next. */
export interface Group extends Span {
  /** Where its bytes are. */
  media: string;
  /** Where what stands before them is. */
  init: string;
  bytes: number;
  /** False: more of it may come. */
  complete: boolean;
}

/** Codec parameters (RFC 6381) and size of what stands before groups. */
export interface Entry {
  codec: string;
  width: number;
  height: number;
}

/** Groups that are apart by no more than this play as one: times of two segments meet to within the slew of the clock. */
export const SEAM: Micros = 100 * MS;
/** More groups than this are forgotten, those far from the playhead first. */
const GROUPS_MAX = 4_000;
const NEAR = 20 * MINUTE;

/** The groups of one stream that are known. */
export class GroupIndex {
  #groups: Group[] = [];
  /** What was asked for. */
  #listed: Span[] = [];
  readonly entries = new Map<string, Entry>();
  readonly damaged = new Map<Micros, Span>();

  /** Everything that overlaps `window`: what was known of it before is replaced. */
  add(window: Span, groups: readonly Group[]): void {
    const fresh = new Set(groups.map((group) => group.media));
    const kept = this.#groups.filter((g) => !fresh.has(g.media) && (g.end <= window.start || g.start >= window.end));
    this.#groups = [...kept, ...groups].sort((a, b) => a.start - b.start);
    this.#listed = union([...this.#listed, window]);
  }

  /** What of a span was not asked for yet. */
  unlisted(span: Span): Span[] {
    return missing(span, this.#listed);
  }

  /** Asks again for what ends after `from`: it may have grown. */
  forget(from: Micros): void {
    this.#listed = this.#listed.flatMap((s) => (s.start >= from ? [] : [{ start: s.start, end: Math.min(s.end, from) }]));
  }

  /** Keeps what is near `at` when there is too much. */
  trim(at: Micros): void {
    if (this.#groups.length <= GROUPS_MAX) return;
    const near: Span = { start: at - NEAR, end: at + NEAR };
    this.#groups = this.#groups.filter((g) => g.end > near.start && g.start < near.end);
    this.#listed = this.#listed.flatMap((s) => {
      const start = Math.max(s.start, near.start);
      const end = Math.min(s.end, near.end);
      return start < end ? [{ start, end }] : [];
    });
  }

  /** The group in which `instant` lies; a seam belongs to the group before it. */
  at(instant: Micros): Group | undefined {
    const found = holding(this.#groups, instant);
    if (found) return found;
    const before = this.#groups[indexAt(this.#groups, instant)];
    const next = after(this.#groups, instant);
    const isSeam = before !== undefined && next !== undefined && next.start - before.end <= SEAM;
    return isSeam ? before : undefined;
  }

  /** The first that begins after `instant`. */
  after(instant: Micros): Group | undefined {
    return after(this.#groups, instant);
  }

  /** The last that ends at or before `instant`. */
  before(instant: Micros): Group | undefined {
    for (let i = indexAt(this.#groups, instant); i >= 0; i--) {
      const group = this.#groups[i];
      if (group && group.end <= instant) return group;
    }
    return undefined;
  }

  /** Up to when pictures follow on one another from `instant` on, as far as is known. */
  unbroken(instant: Micros): Micros | undefined {
    let group = this.at(instant);
    if (!group) return undefined;
    for (;;) {
      const next: Group | undefined = after(this.#groups, group.start);
      if (!next || next.start - group.end > SEAM) return group.end;
      group = next;
    }
  }

  /** How many are known. */
  get size(): number {
    return this.#groups.length;
  }
}

/** How far ahead of the playhead pictures are fetched. */
export function ahead(rate: number, keysOnly: boolean): Micros {
  return Math.max(8, (keysOnly ? 5 : 8) * rate) * SECOND;
}

/** At most so many bytes are fetched ahead. */
export const AHEAD_BYTES_MAX = 24 << 20;

/**
 * What to fetch next, nearest first: groups from `at` on, over gaps if they are short of the horizon, that `has` does not
 * name. What still grows is left out unless the playhead is in it.
 */
export function wanted(
  index: GroupIndex,
  at: Micros,
  horizon: Micros,
  has: (group: Group) => boolean,
  count: number,
): Group[] {
  const found: Group[] = [];
  let bytes = 0;
  let group = index.at(at) ?? index.after(at);
  while (group && group.start < at + horizon && bytes <= AHEAD_BYTES_MAX && found.length < count) {
    bytes += group.bytes;
    const isHere = group.start <= at && at < group.end;
    if (!has(group) && (group.complete || isHere)) found.push(group);
    group = index.after(group.start);
  }
  return found;
}
