/** When each picture that is loaded is shown, for exact steps: in microseconds, counted from the origin of the playback. */

import type { Picture } from './mp4';
import type { Micros } from '../time/zone';

/** One picture on the screen. */
export interface Frame {
  shown: Micros;
  /** Until the next one is. */
  lasts: Micros;
}

/** In the order in which they are shown. */
export function frames(pictures: readonly Picture[], timescale: number): Frame[] {
  const scale = 1_000_000 / timescale;
  const sorted = [...pictures].sort((a, b) => a.shown - b.shown);
  return sorted.map((picture, i) => {
    const next = sorted[i + 1];
    const ticks = next ? next.shown - picture.shown : picture.duration;
    return { shown: picture.shown * scale, lasts: ticks * scale };
  });
}

/**
 * The picture beside the one that is on the screen at `time`; `undefined` when it is not loaded. A browser rounds times, so the
 * one that begins within a millisecond counts as begun.
 */
export function beside(all: readonly Frame[], time: Micros, by: 1 | -1): Frame | undefined {
  let current = -1;
  for (const [i, frame] of all.entries()) {
    if (frame.shown > time + 1_000) break;
    current = i;
  }
  const place = current + by;
  return place < 0 ? undefined : all[place];
}

/** Where to seek so that a picture is shown, however the browser rounds: within its first half. */
export function inside(frame: Frame): Micros {
  return frame.shown + Math.min(frame.lasts / 2, 10_000);
}
