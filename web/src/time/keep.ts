// How long footage is kept, as the configuration writes it: hours or days.
import { DAY, HOUR, type Micros } from './zone';

/** What is kept for longer needs a justification. */
export const JUSTIFIED_ABOVE: Micros = 72 * HOUR;
/** What is kept for longer needs a special reason, and a place where it is documented. */
export const SPECIAL_ABOVE: Micros = 365 * DAY;

/** The length that `14 d` or `72 h` means; undefined: it is no such text. */
export function keepOf(text: string): Micros | undefined {
  const found = /^\s*(\d{1,5})\s?([hd])\s*$/.exec(text);
  return found ? Number(found[1]) * (found[2] === 'd' ? DAY : HOUR) : undefined;
}
