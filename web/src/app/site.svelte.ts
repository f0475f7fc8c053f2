// Where the box stands, and times of day as they are shown there.
import { api, ask } from '../api/client';
import { texts } from '../messages/current.svelte';
import { boxClock } from '../time/box-clock';
import { duration, moment, type Precision } from '../time/format';
import { fromIso, SECOND, toIso, Zone } from '../time/zone';

class Site {
  name = $state('');
  zone = $state.raw(new Zone('Europe/Helsinki'));

  /** Asks the box. */
  async find(): Promise<void> {
    const found = await ask(api.GET('/api/v1/site'));
    this.zone = new Zone(found.zone);
    this.name = found.name;
    const now = fromIso(found.now);
    if (now !== undefined) boxClock.learn(now);
  }

  /** A time of day of the API as people read it at the site: `14.5.2026 klo 13.05.20`. */
  when(iso: string | null | undefined, precision: Precision = 'second'): string {
    const at = iso ? fromIso(iso) : undefined;
    return at === undefined ? '–' : moment(at, this.zone, texts.language, precision);
  }

  /** How long that is from now, forward or back: `3 vrk 14 h`. */
  distance(iso: string): string {
    const at = fromIso(iso);
    return at === undefined ? '–' : duration(Math.abs(at - boxClock.now), texts.language);
  }

  /** So many seconds as people read them. */
  length(seconds: number): string {
    return duration(seconds * SECOND, texts.language);
  }

  /** The first instant of a day that a date field gives (`2026-05-14`), so many days later, as the API takes it. */
  midnight(date: string, daysLater = 0): string | undefined {
    const found = /^(\d{4})-(\d\d)-(\d\d)$/.exec(date);
    if (!found) return undefined;
    const shifted = new Date(Date.UTC(Number(found[1]), Number(found[2]) - 1, Number(found[3]) + daysLater));
    const day = { year: shifted.getUTCFullYear(), month: shifted.getUTCMonth() + 1, day: shifted.getUTCDate() };
    const start = this.zone.resolve({ ...day, hour: 0, minute: 0, second: 0 });
    return toIso(start.kind === 'one' ? start.at : start.kind === 'twice' ? start.first : start.after);
  }

  /** The day of an instant as a date field takes it. */
  date(iso: string): string {
    const at = fromIso(iso);
    if (at === undefined) return '';
    const day = this.zone.local(at);
    return `${day.year}-${String(day.month).padStart(2, '0')}-${String(day.day).padStart(2, '0')}`;
  }
}

export const site = new Site();
