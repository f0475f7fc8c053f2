/**
 * The site's time of day. An instant is a number of microseconds since 1970 UTC (exact in a double until the year 2255); the
 * zone is the site's, never the browser's. Everything about the zone comes from `Intl`.
 */

/** Microseconds since 1970-01-01T00:00:00Z. */
export type Micros = number;

export const MS = 1_000;
export const SECOND = 1_000_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** A calendar day. */
export interface Day {
  year: number;
  /** 1 to 12. */
  month: number;
  day: number;
}

/** A wall-clock reading at the site, without the offset that would make it an instant. */
export interface Reading extends Day {
  hour: number;
  minute: number;
  /** May have a fraction, to the microsecond. */
  second: number;
}

/** What the wall clock shows at some instant. */
export interface Local extends Reading {
  /** Microseconds that the zone is ahead of UTC. */
  offset: Micros;
}

/** Which instants a reading of the wall clock means. */
export type Resolved =
  | { kind: 'one'; at: Micros }
  /** The hour that autumn repeats; `first` is in summer time. */
  | { kind: 'twice'; first: Micros; second: Micros }
  /** The hour that spring skips; `after` is where the clock went on. */
  | { kind: 'skipped'; after: Micros };

/** From RFC 3339, to the microsecond; `undefined` when it is none. */
export function fromIso(text: string): Micros | undefined {
  const found = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)$/.exec(text);
  if (!found) return undefined;
  const [, day, time, fraction = '', zone = 'Z'] = found;
  const ms = Date.parse(`${day}T${time}${zone.toUpperCase()}`);
  if (Number.isNaN(ms)) return undefined;
  return ms * MS + Number(fraction.padEnd(6, '0').slice(0, 6));
}

/** RFC 3339 in UTC, to the microsecond, without a fraction that is zero. */
export function toIso(at: Micros): string {
  const whole = Math.floor(at / SECOND);
  const fraction = Math.round(at - whole * SECOND);
  const text = new Date(whole * 1_000).toISOString().slice(0, 19);
  return fraction === 0 ? `${text}Z` : `${text}.${String(fraction).padStart(6, '0')}Z`;
}

/** Microseconds since 1970 of a reading, as if the site were in UTC. */
function asUtc(r: Reading): Micros {
  const whole = Math.floor(r.second);
  const date = new Date(0);
  date.setUTCFullYear(r.year, r.month - 1, r.day);
  date.setUTCHours(r.hour, r.minute, whole, 0);
  return date.getTime() * MS + Math.round((r.second - whole) * SECOND);
}

/** The day so many days later. */
export function addDays(day: Day, days: number): Day {
  const date = new Date(0);
  date.setUTCFullYear(day.year, day.month - 1, day.day + days);
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
}

/** 1 for Monday to 7 for Sunday. */
export function weekday(day: Day): number {
  const date = new Date(0);
  date.setUTCFullYear(day.year, day.month - 1, day.day);
  return date.getUTCDay() || 7;
}

/** True when there is such a day. */
export function isDay(day: Day): boolean {
  const same = addDays(day, 0);
  return same.year === day.year && same.month === day.month && same.day === day.day;
}

/** Negative, 0 or positive, as `a` is before, the same as or after `b`. */
export function compareDays(a: Day, b: Day): number {
  return a.year - b.year || a.month - b.month || a.day - b.day;
}

/** A time zone. */
export class Zone {
  readonly #format: Intl.DateTimeFormat;
  /** Offsets by quarter of an hour: no zone changes in between. */
  readonly #offsets = new Map<number, Micros>();

  /** @throws RangeError when the browser knows no zone of that IANA name. */
  constructor(readonly name: string) {
    this.#format = new Intl.DateTimeFormat('en-u-ca-gregory-nu-latn', {
      timeZone: name,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  }

  /** Microseconds that the zone is ahead of UTC at `at`. */
  offset(at: Micros): Micros {
    const quarter = Math.floor(at / (15 * MINUTE));
    const known = this.#offsets.get(quarter);
    if (known !== undefined) return known;
    const ms = quarter * 15 * 60_000;
    const found: Record<string, number> = {};
    for (const part of this.#format.formatToParts(ms)) found[part.type] = Number(part.value);
    const shown = asUtc({
      year: found['year'] ?? 1970,
      month: found['month'] ?? 1,
      day: found['day'] ?? 1,
      hour: found['hour'] ?? 0,
      minute: found['minute'] ?? 0,
      second: found['second'] ?? 0,
    });
    const offset = shown - ms * MS;
    if (this.#offsets.size > 20_000) this.#offsets.clear();
    this.#offsets.set(quarter, offset);
    return offset;
  }

  /** What the wall clock shows at `at`. */
  local(at: Micros): Local {
    const offset = this.offset(at);
    const shown = at + offset;
    const whole = Math.floor(shown / SECOND);
    const date = new Date(whole * 1_000);
    return {
      year: date.getUTCFullYear(),
      month: date.getUTCMonth() + 1,
      day: date.getUTCDate(),
      hour: date.getUTCHours(),
      minute: date.getUTCMinutes(),
      second: date.getUTCSeconds() + (shown - whole * SECOND) / SECOND,
      offset,
    };
  }

  /** Which instants the wall clock shows as `reading`. */
  resolve(reading: Reading): Resolved {
    const shown = asUtc(reading);
    // No zone is farther from UTC than a day, and none changes twice within one.
    const before = this.offset(shown - DAY);
    const after = this.offset(shown + DAY);
    const fits = (offset: Micros) => this.offset(shown - offset) === offset;
    const first = shown - before;
    const second = shown - after;
    if (before === after) return { kind: 'one', at: first };
    if (fits(before) && fits(after)) {
      return { kind: 'twice', first: Math.min(first, second), second: Math.max(first, second) };
    }
    if (fits(before)) return { kind: 'one', at: first };
    if (fits(after)) return { kind: 'one', at: second };
    return { kind: 'skipped', after: this.#change(second, first) };
  }

  /** The instant between two at which the offset changes. */
  #change(low: Micros, high: Micros): Micros {
    let from = Math.min(low, high) - DAY;
    let to = Math.max(low, high) + DAY;
    const offset = this.offset(from);
    while (to - from > SECOND) {
      const middle = Math.floor((from + to) / 2 / SECOND) * SECOND;
      if (this.offset(middle) === offset) from = middle;
      else to = middle;
    }
    return to;
  }

  /** The day on which `at` lies. */
  day(at: Micros): Day {
    const { year, month, day } = this.local(at);
    return { year, month, day };
  }

  /** First instant of a day: midnight, or where the clock went on if it skipped that. */
  dayStart(day: Day): Micros {
    const found = this.resolve({ ...day, hour: 0, minute: 0, second: 0 });
    if (found.kind === 'one') return found.at;
    return found.kind === 'twice' ? found.first : found.after;
  }

  /** From the first instant of a day to that of the next: 23, 24 or 25 hours. */
  daySpan(day: Day): { start: Micros; end: Micros } {
    return { start: this.dayStart(day), end: this.dayStart(addDays(day, 1)) };
  }

  /** `'summer'` or `'winter'` when the wall clock shows this reading twice, else `undefined`. */
  which(at: Micros): 'summer' | 'winter' | undefined {
    const found = this.resolve(this.local(at));
    if (found.kind !== 'twice') return undefined;
    return at === found.first ? 'summer' : 'winter';
  }
}
