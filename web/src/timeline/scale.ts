/** Which time lies where on the timeline: from a minute to a month across its width, without steps in between. */

import type { Span } from '../time/spans';
import { DAY, MINUTE, type Micros } from '../time/zone';

/** Shortest and longest time across the width. */
export const SHORTEST: Micros = MINUTE;
export const LONGEST: Micros = 31 * DAY;

/** The time that is shown, and over how many pixels. */
export interface Scale extends Span {
  width: number;
}

/** Where an instant is drawn; may be outside. */
export function x(scale: Scale, at: Micros): number {
  return ((at - scale.start) / (scale.end - scale.start)) * scale.width;
}

/** Which instant is drawn at `px`. */
export function instant(scale: Scale, px: number): Micros {
  return scale.start + Math.round((px / scale.width) * (scale.end - scale.start));
}

/** Time of one pixel. */
export function perPixel(scale: Scale): Micros {
  return (scale.end - scale.start) / scale.width;
}

/** Kept between `limits`, moved rather than cut. */
export function within(scale: Scale, limits: Span): Scale {
  const most = Math.min(LONGEST, Math.max(SHORTEST, limits.end - limits.start));
  const length = Math.min(most, Math.max(SHORTEST, scale.end - scale.start));
  const start = Math.max(limits.start, Math.min(scale.start, limits.end - length));
  return { start: Math.round(start), end: Math.round(start + length), width: scale.width };
}

/** `factor` times as much time, with `around` staying where it is on the screen. */
export function zoom(scale: Scale, factor: number, around: Micros, limits: Span): Scale {
  const length = Math.min(LONGEST, Math.max(SHORTEST, (scale.end - scale.start) * factor));
  const share = (around - scale.start) / (scale.end - scale.start);
  const start = around - share * length;
  return within({ start, end: start + length, width: scale.width }, limits);
}

/** Later by so many pixels. */
export function pan(scale: Scale, px: number, limits: Span): Scale {
  const by = px * perPixel(scale);
  return within({ ...scale, start: scale.start + by, end: scale.end + by }, limits);
}

/** So that `at` is shown: where it is if it is, else a page on. */
export function showing(scale: Scale, at: Micros, limits: Span): Scale {
  const length = scale.end - scale.start;
  if (at >= scale.start && at <= scale.end - length * 0.02) return scale;
  const start = at - length * 0.1;
  return within({ start, end: start + length, width: scale.width }, limits);
}
