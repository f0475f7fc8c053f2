/** The box's time of day, as its answers tell it: the clock of the device in front of the person may be wrong. */

import { MS, type Micros } from './zone';

class BoxClock {
  /** The box's time minus that since the page was loaded. */
  #ahead: Micros | undefined;

  /** An answer that came just now says what time it is at the box. */
  learn(now: Micros): void {
    this.#ahead = now - performance.now() * MS;
  }

  /** The box's time; the device's own before the box has said anything. */
  get now(): Micros {
    return Math.round(this.#ahead === undefined ? Date.now() * MS : this.#ahead + performance.now() * MS);
  }
}

export const boxClock = new BoxClock();
