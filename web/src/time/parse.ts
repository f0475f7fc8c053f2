/**
 * Reads a time that a person typed, in any of the three languages: `14.5. 13.05`, `14.5.2026 klo 13.05.20`, `eilen 13`,
 * `igår kl. 13`, `Monday 1:05 pm`, `2026-05-14T13:05`, `-10 min`. The hour that autumn repeats is never guessed.
 */

import {
  DAY,
  HOUR,
  MINUTE,
  SECOND,
  addDays,
  compareDays,
  fromIso,
  isDay,
  weekday,
  type Day,
  type Micros,
  type Zone,
} from './zone';

/** What was understood. */
export type Parsed =
  | { kind: 'at'; at: Micros }
  /** A day without a time: its first instant. */
  | { kind: 'day'; at: Micros; day: Day }
  /** A time that autumn has twice that night: which one is for the person to say. */
  | { kind: 'twice'; first: Micros; second: Micros }
  /** A time that spring skipped. */
  | { kind: 'skipped'; after: Micros }
  | { kind: 'unknown' };

/** What fills in whatever was left out. */
export interface Context {
  zone: Zone;
  /** The box's time. */
  now: Micros;
  /** The day on the screen: a time alone means that day. Without one it is the latest such time that is not to come. */
  day?: Day | undefined;
  /** Where the playhead is: `-10 min` counts from there. */
  at?: Micros | undefined;
  /** What lacks a year, a week or a day is the next that comes, not the latest that was. */
  isAhead?: boolean | undefined;
}

const RELATIVE_DAYS: readonly (readonly [RegExp, number])[] = [
  [/^(tänään|tanaan|i ?dag|today)\b/u, 0],
  [/^(toissapäivänä|toissapaivana|i ?förrgår|i ?forrgar|the day before yesterday|day before yesterday)(?=\s|$)/u, -2],
  [/^(eilen|i ?går|i ?gar|yesterday)(?=\s|$)/u, -1],
  [/^(huomenna|i ?morgon|tomorrow)(?=\s|$)/u, 1],
  [/^(ylihuomenna|i ?övermorgon|the day after tomorrow|day after tomorrow)(?=\s|$)/u, 2],
];
const WEEKDAYS: readonly RegExp[] = [
  /^(ma|maanantai(na)?|mån(dag(en)?)?|mon(day)?)\.?(?=\s|$)/u,
  /^(ti|tiistai(na)?|tis(dag(en)?)?|tue(s(day)?)?)\.?(?=\s|$)/u,
  /^(ke|keskiviikko(na)?|ons(dag(en)?)?|wed(nesday)?)\.?(?=\s|$)/u,
  /^(to|torstai(na)?|tors?(dag(en)?)?|thu(r(s(day)?)?)?)\.?(?=\s|$)/u,
  /^(pe|perjantai(na)?|fre(dag(en)?)?|fri(day)?)\.?(?=\s|$)/u,
  /^(la|lauantai(na)?|lör(dag(en)?)?|sat(urday)?)\.?(?=\s|$)/u,
  /^(su|sunnuntai(na)?|sön(dag(en)?)?|sun(day)?)\.?(?=\s|$)/u,
];
const MONTHS: readonly RegExp[] = [
  /^(tammi(kuu(n|ta)?)?|jan(uari|uary)?)$/u,
  /^(helmi(kuu(n|ta)?)?|feb(ruari|ruary)?)$/u,
  /^(maalis(kuu(n|ta)?)?|mar(s|ch)?)$/u,
  /^(huhti(kuu(n|ta)?)?|apr(il)?)$/u,
  /^(touko(kuu(n|ta)?)?|maj|may)$/u,
  /^(kesä(kuu(n|ta)?)?|june?|juni)$/u,
  /^(heinä(kuu(n|ta)?)?|july?|juli)$/u,
  /^(elo(kuu(n|ta)?)?|aug(usti|ust)?)$/u,
  /^(syys(kuu(n|ta)?)?|sep(t(ember)?)?)$/u,
  /^(loka(kuu(n|ta)?)?|okt(ober)?|oct(ober)?)$/u,
  /^(marras(kuu(n|ta)?)?|nov(ember)?)$/u,
  /^(joulu(kuu(n|ta)?)?|dec(ember)?)$/u,
];
const UNITS: readonly (readonly [RegExp, Micros])[] = [
  [/^(s|sek|sekunti[a]?|sekunder|sec|seconds?)$/u, SECOND],
  [/^(min|minuutti[a]?|minuter|minutes?)$/u, MINUTE],
  [/^(h|t|tunti[a]?|timmar?|timme|hours?)$/u, HOUR],
  [/^(d|vrk|pv|päivä[ä]?|dagar|dag|dygn|days?)$/u, DAY],
];

/** A day that was typed; `weekly` when only its weekday was. `undefined` in place of one: there is no such day. */
interface Typed {
  day: Day | undefined;
  weekly?: boolean;
  rest: string;
}

interface TimeOfDay {
  hour: number;
  minute: number;
  second: number;
}

/** Understands `text`. */
export function parse(text: string, context: Context): Parsed {
  const typed = text.trim().toLowerCase().replace(/\s+/gu, ' ');
  if (typed === '') return { kind: 'unknown' };
  const iso = fromIso(text.trim().replace(/ /u, 'T'));
  if (iso !== undefined) return { kind: 'at', at: iso };
  const relative = fromHere(typed, context);
  if (relative !== undefined) return { kind: 'at', at: relative };
  const found = takeDay(typed, context);
  if (found && !found.day) return { kind: 'unknown' };
  const clock = (found?.rest ?? typed).replace(/^(t|,)?\s*((klo|kl|at|clock)\.?\s*)?/u, '');
  if (clock === '') {
    if (!found?.day) return { kind: 'unknown' };
    return { kind: 'day', at: context.zone.dayStart(found.day), day: found.day };
  }
  const timeOfDay = readTime(clock);
  return timeOfDay ? place(found, timeOfDay, context) : { kind: 'unknown' };
}

function place(typed: Typed | undefined, timeOfDay: TimeOfDay, context: Context): Parsed {
  const { zone, now } = context;
  const at = (on: Day): Parsed => {
    const found = zone.resolve({ ...on, ...timeOfDay });
    return found.kind === 'one' ? { kind: 'at', at: found.at } : found;
  };
  const on = typed?.day ?? context.day;
  if (on && !typed?.weekly) return at(on);
  // Without a date: the latest that is not to come, or the next that is.
  const latest = on ?? zone.day(now);
  const found = at(latest);
  const days = typed?.weekly ? 7 : 1;
  if (found.kind !== 'at') return found;
  if (context.isAhead) return found.at < now ? at(addDays(latest, days)) : found;
  return found.at > now ? at(addDays(latest, -days)) : found;
}

/** `-10 min`, `+1,5 h`. */
function fromHere(text: string, context: Context): Micros | undefined {
  const found = /^([+\-−])\s?(\d+(?:[.,]\d+)?)\s?(\p{L}+)$/u.exec(text);
  if (!found) return undefined;
  const [, sign, amount = '', name = ''] = found;
  const unit = UNITS.find(([names]) => names.test(name));
  if (!unit) return undefined;
  const by = Math.round(Number(amount.replace(',', '.')) * unit[1]);
  return (context.at ?? context.now) + (sign === '+' ? by : -by);
}

/** The day at the beginning of `text`, and what follows it; `undefined` when none is there. */
function takeDay(text: string, context: Context): Typed | undefined {
  const today = context.zone.day(context.now);
  for (const [names, days] of RELATIVE_DAYS) {
    const found = names.exec(text);
    if (found) return { day: addDays(today, days), rest: text.slice(found[0].length).trim() };
  }
  const named = text.replace(/^(i |på |on |viime |senaste |last )/u, '');
  for (const [i, names] of WEEKDAYS.entries()) {
    const found = names.exec(named);
    if (!found) continue;
    const rest = named.slice(found[0].length).trim();
    // `to 14.5.2026 13.05`: the date says it.
    const dated = takeDate(rest, context);
    if (dated) return dated;
    const back = (weekday(today) - (i + 1) + 7) % 7;
    return { day: addDays(today, context.isAhead && back > 0 ? 7 - back : -back), weekly: true, rest };
  }
  return takeDate(text, context);
}

function takeDate(text: string, context: Context): Typed | undefined {
  const after = (found: RegExpExecArray) => text.slice(found[0].length).trim();
  const iso = /^(\d{4})-(\d{1,2})-(\d{1,2})(?=[t ,]|$)/u.exec(text);
  if (iso) {
    const day = { year: Number(iso[1]), month: Number(iso[2]), day: Number(iso[3]) };
    return { day: isDay(day) ? day : undefined, rest: after(iso) };
  }
  // 14.5., 14.5.2026, 14/5/2026, 14.5 and 14.5.26 before a time – but 13.05 and 13.05.20 are times.
  const numbers = /^(\d{1,2})([./])\s?(\d{1,2})(?:\2\s?(\d{4})(?![.:\d])|\2(\d{2})(?=[ ,]+\S)|(\.)|\/)?(?=[ ,]|$)/u.exec(text);
  if (numbers) {
    const [, day, mark, month = '', long, short, dot] = numbers;
    const year = long ?? short;
    const rest = after(numbers);
    const isTime = mark === '.' && !dot && !year && month.length === 2 && (rest === '' || /^[ap]\.?m/u.test(rest));
    return isTime ? undefined : { day: full(Number(day), Number(month), year, context), rest };
  }
  const words = /^(\d{1,2})\.?\s?(\p{L}+)\.?(?:\s(\d{4})(?![.:\d]))?(?=[ ,]|$)/u.exec(text);
  const month = MONTHS.findIndex((names) => names.test(words?.[2] ?? '')) + 1;
  if (!words || month === 0) return undefined;
  return { day: full(Number(words[1]), month, words[3], context), rest: after(words) };
}

/** A day without a year is the latest that is not to come, or the next that is not over. */
function full(day: number, month: number, year: string | undefined, { zone, now, isAhead }: Context): Day | undefined {
  const today = zone.day(now);
  const step = isAhead ? 1 : -1;
  const given = year === undefined ? undefined : Number(year) + (year.length === 2 ? 2000 : 0);
  const found = { year: given ?? today.year, month, day };
  if (given === undefined && compareDays(found, today) * step < 0) found.year += step;
  // 29.2. of a year that has none: the nearest that has one.
  for (let tries = 0; given === undefined && !isDay(found) && tries < 8; tries++) found.year += step;
  return isDay(found) ? found : undefined;
}

/** `13`, `13.05`, `13:05:20`, `13.05.20,5`, `1 pm`, `1305`. */
function readTime(text: string): TimeOfDay | undefined {
  const found =
    /^(\d{1,2})(?:[.:](\d{2})(?:[.:](\d{2})(?:[.,](\d{1,6}))?)?)?\s?(?:([ap])\.?m\.?)?$/u.exec(text) ??
    /^(\d{2})(\d{2})(?:(\d{2}))?$/u.exec(text);
  if (!found) return undefined;
  const [, hours, minute = '0', second = '0', fraction, half] = found;
  let hour = Number(hours);
  if (half) {
    if (hour < 1 || hour > 12) return undefined;
    hour = (hour % 12) + (half === 'p' ? 12 : 0);
  }
  const seconds = Number(fraction ? `${second}.${fraction}` : second);
  if (hour > 23 || Number(minute) > 59 || seconds >= 60) return undefined;
  return { hour, minute: Number(minute), second: seconds };
}
