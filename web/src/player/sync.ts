/** Several cameras on one clock: how one that is ahead or behind is brought back. */

import { MS, type Micros } from '../time/zone';

/** Farther off than this, it seeks. */
const SEEK_ABOVE: Micros = 500 * MS;
/** Nearer than this, it is left alone. */
const ALIKE: Micros = 30 * MS;
/** Faster or slower by at most this. */
const NUDGE_MAX = 0.05;

/** What is done about a camera that is `drift` ahead of the clock. */
export type Correction = { kind: 'rate'; rate: number } | { kind: 'seek' };

/** Brings a drift back within about a second, at most five per cent faster or slower. At high rates the same picture lasts shorter,
 * so more is left alone. */
export function correct(drift: Micros, rate: number): Correction {
  const size = Math.abs(drift);
  if (size > SEEK_ABOVE * Math.max(1, rate)) return { kind: 'seek' };
  if (size <= ALIKE * Math.max(1, rate)) return { kind: 'rate', rate };
  const by = Math.min(NUDGE_MAX, size / (1_000 * MS) / Math.max(1, rate));
  return { kind: 'rate', rate: rate * (drift > 0 ? 1 - by : 1 + by) };
}

/** The speeds that can be chosen. From `KEYS_FROM` on key frames alone are shown. */
export const RATES = [0.25, 0.5, 1, 2, 4, 8, 16] as const;
export const KEYS_FROM = 8;

/** The next slower or faster speed. */
export function beside(rate: number, by: 1 | -1): number {
  const place = RATES.findIndex((r) => r >= rate);
  return RATES[Math.min(RATES.length - 1, Math.max(0, (place < 0 ? RATES.length - 1 : place) + by))] ?? 1;
}
