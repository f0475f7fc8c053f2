/** Times and durations as people read them. Written by hand: the output of browsers differs between engines. */

import { DAY, HOUR, MINUTE, MS, SECOND, type Day, type Micros, type Zone, weekday } from './zone';

export type Language = 'fi' | 'sv' | 'en';

/** How precisely a time of day is written. */
export type Precision = 'minute' | 'second' | 'millisecond';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const WEEKDAYS: Record<Language, readonly string[]> = {
  fi: ['ma', 'ti', 'ke', 'to', 'pe', 'la', 'su'],
  sv: ['mån', 'tis', 'ons', 'tors', 'fre', 'lör', 'sön'],
  en: ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'],
};
const AT: Record<Language, string> = { fi: ' klo ', sv: ' kl. ', en: ', ' };
const SEASON: Record<Language, { summer: string; winter: string }> = {
  fi: { summer: 'kesäaikaa', winter: 'normaaliaikaa' },
  sv: { summer: 'sommartid', winter: 'normaltid' },
  en: { summer: 'summer time', winter: 'standard time' },
};
const UNITS: Record<Language, readonly [string, string, string, string]> = {
  fi: ['vrk', 'h', 'min', 's'],
  sv: ['d', 'h', 'min', 's'],
  en: ['d', 'h', 'min', 's'],
};

const two = (n: number) => String(n).padStart(2, '0');

/** `13.05.20`; in English `13:05:20`. */
export function time(at: Micros, zone: Zone, language: Language, precision: Precision = 'second'): string {
  const unit = precision === 'minute' ? MINUTE : precision === 'second' ? SECOND : MS;
  const local = zone.local(Math.floor(at / unit) * unit);
  const mark = language === 'en' ? ':' : '.';
  const parts = [two(local.hour), two(local.minute)];
  if (precision !== 'minute') parts.push(two(Math.floor(local.second)));
  const text = parts.join(mark);
  if (precision !== 'millisecond') return text;
  const thousandths = Math.round((local.second % 1) * 1_000);
  return `${text}${language === 'en' ? '.' : ','}${String(thousandths).padStart(3, '0')}`;
}

/** `14.5.2026`; in English `14 May 2026`. */
export function day(of: Day, language: Language): string {
  if (language === 'en') return `${of.day} ${MONTHS[of.month - 1]} ${of.year}`;
  return `${of.day}.${of.month}.${of.year}`;
}

/** `14.5.`; in English `14 May`. */
export function shortDay(of: Day, language: Language): string {
  return language === 'en' ? `${of.day} ${MONTHS[of.month - 1]}` : `${of.day}.${of.month}.`;
}

/** `to 14.5.2026`; in English `Thu 14 May 2026`. */
export function longDay(of: Day, language: Language): string {
  return `${WEEKDAYS[language][weekday(of) - 1]} ${day(of, language)}`;
}

/** `ma` to `su`. */
export function weekdays(language: Language): readonly string[] {
  return WEEKDAYS[language];
}

/** Which of the two hours of the autumn night. */
export function season(which: 'summer' | 'winter', language: Language): string {
  return SEASON[language][which];
}

/** `14.5.2026 klo 13.05.20`, and in the hour that comes twice, which of the two. */
export function moment(at: Micros, zone: Zone, language: Language, precision: Precision = 'second'): string {
  const text = `${day(zone.day(at), language)}${AT[language]}${time(at, zone, language, precision)}`;
  const which = zone.which(at);
  return which ? `${text} (${season(which, language)})` : text;
}

/** Like {@link moment} without the year, and without the day when it is `today`. */
export function shortMoment(
  at: Micros,
  zone: Zone,
  language: Language,
  today?: Day,
  precision: Precision = 'second',
): string {
  const of = zone.day(at);
  const clock = time(at, zone, language, precision);
  if (today && of.year === today.year && of.month === today.month && of.day === today.day) return clock;
  return `${shortDay(of, language)}${AT[language]}${clock}`;
}

/** `13.20–13.21`: as short as it can be without losing what distinguishes the two; days where they differ. */
export function span(start: Micros, end: Micros, zone: Zone, language: Language): string {
  const from = zone.day(start);
  const to = zone.day(end - 1);
  const isWhole = start % MINUTE === 0 && end % MINUTE === 0;
  const precision: Precision = isWhole ? 'minute' : end - start < SECOND ? 'millisecond' : 'second';
  const first = time(start, zone, language, precision);
  const last = time(end, zone, language, precision);
  if (from.day === to.day && from.month === to.month && from.year === to.year) return `${first}–${last}`;
  const ends = zone.day(end);
  return `${shortDay(from, language)}${AT[language]}${first} – ${shortDay(ends, language)}${AT[language]}${last}`;
}

/** `3 vrk 14 h`, `1 min 20 s`, `0,4 s`: the two largest units. */
export function duration(us: Micros, language: Language): string {
  const names = UNITS[language];
  const rest = Math.max(0, us);
  if (rest < 10 * SECOND && rest % SECOND !== 0) {
    const text = (Math.round(rest / (SECOND / 10)) / 10).toFixed(1);
    return `${language === 'en' ? text : text.replace('.', ',')} s`;
  }
  const seconds = Math.floor(rest / SECOND) * SECOND;
  const sizes = [DAY, HOUR, MINUTE, SECOND];
  const first = sizes.findIndex((size) => seconds >= size);
  if (first < 0) return `0 ${names[3]}`;
  const parts: string[] = [];
  let left = seconds;
  for (const i of [first, first + 1]) {
    const size = sizes[i];
    if (size === undefined) break;
    const count = Math.floor(left / size);
    if (count > 0) parts.push(`${count} ${names[i]}`);
    left -= count * size;
  }
  return parts.join(' ');
}
