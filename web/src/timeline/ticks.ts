/** Marks along the timeline, at round readings of the site's clock: a day of 25 hours has 25 of them. */

import { season, shortDay, time, weekdays, type Language } from '../time/format';
import { DAY, HOUR, MINUTE, SECOND, addDays, weekday, type Micros, type Zone } from '../time/zone';
import { perPixel, type Scale } from './scale';

/** A mark. */
export interface Tick {
  at: Micros;
  label: string;
  /** A day begins. */
  isDay: boolean;
}

/** Labels are no nearer to each other than this, in pixels. */
const APART_PX = 76;
const STEPS: readonly Micros[] = [
  5 * SECOND,
  10 * SECOND,
  30 * SECOND,
  MINUTE,
  2 * MINUTE,
  5 * MINUTE,
  10 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  3 * HOUR,
  6 * HOUR,
  12 * HOUR,
  DAY,
  2 * DAY,
  7 * DAY,
];

/** Time between two marks. */
export function step(scale: Scale): Micros {
  const least = APART_PX * perPixel(scale);
  return STEPS.find((s) => s >= least) ?? 7 * DAY;
}

/** The marks of what is shown. */
export function ticks(scale: Scale, zone: Zone, language: Language): Tick[] {
  const size = step(scale);
  const found: Tick[] = [];
  const last = zone.day(scale.end);
  for (let day = zone.day(scale.start), i = 0; i < 400; day = addDays(day, 1), i++) {
    const { start, end } = zone.daySpan(day);
    const isShown = size < 2 * DAY || (size === 7 * DAY ? weekday(day) === 1 : day.day % 2 === 1);
    if (isShown) found.push({ at: start, label: `${weekdays(language)[weekday(day) - 1]} ${shortDay(day, language)}`, isDay: true });
    if (size < DAY) found.push(...ofDay(start, end, size, scale, zone, language));
    if (day.year === last.year && day.month === last.month && day.day === last.day) break;
  }
  return found.filter((tick) => tick.at >= scale.start - size && tick.at <= scale.end);
}

function ofDay(start: Micros, end: Micros, size: Micros, scale: Scale, zone: Zone, language: Language): Tick[] {
  const found: Tick[] = [];
  const precision = size < MINUTE ? 'second' : 'minute';
  // Whole hours are looked for one by one, since some are missing and some come twice.
  const by = Math.min(size, HOUR);
  const first = start + Math.max(1, Math.floor((scale.start - start) / by)) * by;
  for (let at = first; at < end && at <= scale.end; at += by) {
    if (size > HOUR && zone.local(at).hour % (size / HOUR) !== 0) continue;
    const which = size <= HOUR && at % HOUR === 0 ? zone.which(at) : undefined;
    const clock = time(at, zone, language, precision);
    found.push({ at, label: which ? `${clock} ${season(which, language).slice(0, 4)}` : clock, isDay: false });
  }
  return found;
}
