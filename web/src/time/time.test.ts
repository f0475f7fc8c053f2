import { describe, expect, it } from 'vitest';
import { duration, longDay, moment, shortMoment, span, time } from './format';
import { parse, type Context } from './parse';
import { HOUR, MINUTE, SECOND, Zone, addDays, fromIso, isDay, toIso, weekday, type Day } from './zone';

const helsinki = new Zone('Europe/Helsinki');
const utc = (text: string) => {
  const at = fromIso(text);
  if (at === undefined) throw new Error(`${text} is no time`);
  return at;
};
const on = (year: number, month: number, day: number): Day => ({ year, month, day });

describe('instants', () => {
  it('keep their microseconds there and back', () => {
    for (const text of ['2026-05-14T10:05:20Z', '2026-05-14T10:05:20.000001Z', '1969-12-31T23:59:59.500000Z']) {
      expect(toIso(utc(text))).toBe(text);
    }
    expect(utc('2026-05-14T13:05:20.5+03:00')).toBe(utc('2026-05-14T10:05:20.500000Z'));
    expect(fromIso('2026-13-14T10:05:20Z')).toBeUndefined();
    expect(fromIso('14.5.2026')).toBeUndefined();
  });
});

describe('a zone', () => {
  it('shows the wall clock of the site', () => {
    const local = helsinki.local(utc('2026-05-14T21:30:15.250000Z'));
    expect(local).toMatchObject({ year: 2026, month: 5, day: 15, hour: 0, minute: 30, second: 15.25, offset: 3 * HOUR });
  });

  it('goes there and back at every hour around the changes of a year, but for the hours that come twice', () => {
    for (const name of ['Europe/Helsinki', 'America/Sao_Paulo', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'UTC']) {
      const zone = new Zone(name);
      for (const month of ['2018-02-15', '2018-03-20', '2018-10-25', '2018-10-31']) {
        const from = utc(`${month}T00:00:00Z`);
        for (let at = from; at < from + 20 * 24 * HOUR; at += HOUR) {
          const found = zone.resolve(zone.local(at));
          const all = found.kind === 'one' ? [found.at] : found.kind === 'twice' ? [found.first, found.second] : [];
          expect(all, `${name} ${toIso(at)}`).toContain(at);
        }
      }
    }
  });

  it('has days of 23 and of 25 hours', () => {
    const hours = (day: Day) => {
      const { start, end } = helsinki.daySpan(day);
      return (end - start) / HOUR;
    };
    expect(hours(on(2026, 3, 29))).toBe(23);
    expect(hours(on(2026, 10, 25))).toBe(25);
    expect(hours(on(2026, 5, 14))).toBe(24);
  });

  it('begins a day where the clock went on, when it skipped midnight', () => {
    // Midnight of 2018-11-04 did not exist in São Paulo: the clock went from 24.00 to 1.00.
    expect(new Zone('America/Sao_Paulo').dayStart(on(2018, 11, 4))).toBe(utc('2018-11-04T03:00:00Z'));
  });

  it('says which hour comes twice, and which never', () => {
    const twice = helsinki.resolve({ ...on(2026, 10, 25), hour: 3, minute: 30, second: 0 });
    expect(twice).toEqual({ kind: 'twice', first: utc('2026-10-25T00:30:00Z'), second: utc('2026-10-25T01:30:00Z') });
    const skipped = helsinki.resolve({ ...on(2026, 3, 29), hour: 3, minute: 30, second: 0 });
    expect(skipped).toEqual({ kind: 'skipped', after: utc('2026-03-29T01:00:00Z') });
    expect(helsinki.which(utc('2026-10-25T00:30:00Z'))).toBe('summer');
    expect(helsinki.which(utc('2026-10-25T01:30:00Z'))).toBe('winter');
    expect(helsinki.which(utc('2026-10-25T02:00:00Z'))).toBeUndefined();
  });

  it('counts days over months and years', () => {
    expect(addDays(on(2026, 12, 31), 1)).toEqual(on(2027, 1, 1));
    expect(addDays(on(2028, 3, 1), -1)).toEqual(on(2028, 2, 29));
    expect(weekday(on(2026, 5, 14))).toBe(4);
    expect(isDay(on(2026, 2, 29))).toBe(false);
  });
});

describe('times are written', () => {
  const at = utc('2026-05-14T10:05:20.125000Z');
  it('as each language writes them', () => {
    expect(moment(at, helsinki, 'fi')).toBe('14.5.2026 klo 13.05.20');
    expect(moment(at, helsinki, 'sv')).toBe('14.5.2026 kl. 13.05.20');
    expect(moment(at, helsinki, 'en')).toBe('14 May 2026, 13:05:20');
    expect(time(at, helsinki, 'fi', 'millisecond')).toBe('13.05.20,125');
    expect(time(at, helsinki, 'en', 'minute')).toBe('13:05');
    expect(longDay(on(2026, 5, 14), 'fi')).toBe('to 14.5.2026');
    expect(shortMoment(at, helsinki, 'fi', on(2026, 5, 14))).toBe('13.05.20');
    expect(shortMoment(at, helsinki, 'fi', on(2026, 5, 15))).toBe('14.5. klo 13.05.20');
  });

  it('with the season in the hour that comes twice', () => {
    expect(moment(utc('2026-10-25T00:30:00Z'), helsinki, 'fi')).toBe('25.10.2026 klo 03.30.00 (kesäaikaa)');
    expect(moment(utc('2026-10-25T01:30:00Z'), helsinki, 'sv')).toBe('25.10.2026 kl. 03.30.00 (normaltid)');
  });

  it('in spans as short as they can be', () => {
    const from = utc('2026-05-14T10:20:00Z');
    expect(span(from, from + MINUTE, helsinki, 'fi')).toBe('13.20–13.21');
    expect(span(from + 5 * SECOND, from + MINUTE, helsinki, 'en')).toBe('13:20:05–13:21:00');
    expect(span(from, from + 14 * HOUR, helsinki, 'fi')).toBe('14.5. klo 13.20 – 15.5. klo 03.20');
    // Midnight as an end still belongs to the day before.
    const midnight = helsinki.dayStart(on(2026, 5, 15));
    expect(span(midnight - MINUTE, midnight, helsinki, 'fi')).toBe('23.59–00.00');
  });

  it('durations in their two largest units', () => {
    expect(duration(3 * 24 * HOUR + 14 * HOUR + 59 * MINUTE, 'fi')).toBe('3 vrk 14 h');
    expect(duration(80 * SECOND, 'en')).toBe('1 min 20 s');
    expect(duration(HOUR, 'sv')).toBe('1 h');
    expect(duration(HOUR + 5 * SECOND, 'sv')).toBe('1 h');
    expect(duration(420_000, 'fi')).toBe('0,4 s');
    expect(duration(-5, 'fi')).toBe('0 s');
  });
});

describe('a typed time', () => {
  // Thursday 14.5.2026, 15.00 at the site.
  const context: Context = { zone: helsinki, now: utc('2026-05-14T12:00:00Z') };
  const at = (text: string, more: Partial<Context> = {}) => {
    const found = parse(text, { ...context, ...more });
    return found.kind === 'at' ? toIso(found.at) : found.kind;
  };

  it('that lacks its year, week or day is the next one in fields of what is to come', () => {
    const next = (text: string): string => at(text, { isAhead: true });
    const day = (text: string): unknown => {
      const found = parse(text, { ...context, isAhead: true });
      return found.kind === 'day' ? found.day : found.kind;
    };
    expect(day('14.5.')).toEqual(on(2026, 5, 14));
    expect(day('13.5.')).toEqual(on(2027, 5, 13));
    expect(day('1.12.')).toEqual(on(2026, 12, 1));
    expect(day('29.2.')).toEqual(on(2028, 2, 29));
    expect(day('huomenna')).toEqual(on(2026, 5, 15));
    expect(day('i övermorgon')).toEqual(on(2026, 5, 16));
    expect(day('ma')).toEqual(on(2026, 5, 18));
    expect(day('torstai')).toEqual(on(2026, 5, 14));
    expect(next('Mon 9')).toBe('2026-05-18T06:00:00Z');
    expect(next('torstai 9')).toBe('2026-05-21T06:00:00Z');
    expect(next('14')).toBe('2026-05-15T11:00:00Z');
    expect(next('16')).toBe('2026-05-14T13:00:00Z');
    expect(at('tomorrow 9')).toBe('2026-05-15T06:00:00Z');
  });

  it('is understood as it is written in each language', () => {
    const instant = utc('2026-05-14T10:05:20Z');
    for (const language of ['fi', 'sv', 'en'] as const) expect(at(moment(instant, helsinki, language)), language).toBe(toIso(instant));
  });

  it('is understood in three languages', () => {
    const cases: Record<string, string> = {
      '14.5. 13.05': '2026-05-14T10:05:00Z',
      '14.5. 13:05': '2026-05-14T10:05:00Z',
      '14.5 13.05': '2026-05-14T10:05:00Z',
      '14.5.2026 klo 13.05.20': '2026-05-14T10:05:20Z',
      '14.05.2026 13:05:20,5': '2026-05-14T10:05:20.500000Z',
      '14.5.26 13': '2026-05-14T10:00:00Z',
      '14/5/2026 13:05': '2026-05-14T10:05:00Z',
      'to 14.5.2026 klo 13.05': '2026-05-14T10:05:00Z',
      '14. toukokuuta klo 13.05': '2026-05-14T10:05:00Z',
      '14 maj 2026 kl. 13.05': '2026-05-14T10:05:00Z',
      '14 May, 1:05 pm': '2026-05-14T10:05:00Z',
      '14 May 2026, 13:05:20': '2026-05-14T10:05:20Z',
      'eilen 13': '2026-05-13T10:00:00Z',
      'Eilen klo 13.05': '2026-05-13T10:05:00Z',
      'yesterday 13:00': '2026-05-13T10:00:00Z',
      'igår 13': '2026-05-13T10:00:00Z',
      'i går kl 13.05': '2026-05-13T10:05:00Z',
      'toissapäivänä 9': '2026-05-12T06:00:00Z',
      'i förrgår 9': '2026-05-12T06:00:00Z',
      'tänään 9.15': '2026-05-14T06:15:00Z',
      'ma 13': '2026-05-11T10:00:00Z',
      'maanantaina klo 13': '2026-05-11T10:00:00Z',
      'viime perjantai 13': '2026-05-08T10:00:00Z',
      'på lördag 13': '2026-05-09T10:00:00Z',
      'Monday at 1 pm': '2026-05-11T10:00:00Z',
      '2026-05-14 13:05': '2026-05-14T10:05:00Z',
      '2026-05-14T13:05:20': '2026-05-14T10:05:20Z',
      '2026-05-14T10:05:20Z': '2026-05-14T10:05:20Z',
      '1305': '2026-05-14T10:05:00Z',
    };
    for (const [text, expected] of Object.entries(cases)) expect(at(text), text).toBe(expected);
  });

  it('without a day is of the day shown, else the latest that is not to come', () => {
    expect(at('13.05')).toBe('2026-05-14T10:05:00Z');
    expect(at('15.05')).toBe('2026-05-13T12:05:00Z');
    expect(at('13.05.20', { day: on(2026, 5, 2) })).toBe('2026-05-02T10:05:20Z');
    expect(at('to 14')).toBe('2026-05-14T11:00:00Z');
    expect(at('to 16')).toBe('2026-05-07T13:00:00Z');
  });

  it('without a year is the latest that is not to come', () => {
    expect(at('15.5. 13')).toBe('2025-05-15T10:00:00Z');
    expect(at('29.2. 12')).toBe('2024-02-29T10:00:00Z');
  });

  it('may count from where the playhead is', () => {
    const here = utc('2026-05-14T10:00:00Z');
    expect(at('-10 min', { at: here })).toBe('2026-05-14T09:50:00Z');
    expect(at('+1,5 h', { at: here })).toBe('2026-05-14T11:30:00Z');
    expect(at('−30 s', { at: here })).toBe('2026-05-14T09:59:30Z');
  });

  it('may be a day alone', () => {
    for (const text of ['14.5.', '14.5', '14.5.2026', '2026-05-14', 'to', 'tänään', '14 May']) {
      expect(parse(text, context), text).toMatchObject({ kind: 'day', at: utc('2026-05-13T21:00:00Z') });
    }
  });

  it('that came twice, or never, is not guessed', () => {
    expect(at('25.10.2025 13')).toBe('2025-10-25T10:00:00Z');
    expect(parse('26.10.2025 3.30', context)).toEqual({
      kind: 'twice',
      first: utc('2025-10-26T00:30:00Z'),
      second: utc('2025-10-26T01:30:00Z'),
    });
    expect(at('29.3.2026 3.30')).toBe('skipped');
  });

  it('that is none is not taken for one', () => {
    for (const text of ['', 'kassa', '25.00', '13.60', '32.5. 13', '14.13. 13', '13.05.61', '29.2.2026 12', '0 pm', '-10 kg']) {
      expect(at(text), text).toBe('unknown');
    }
  });
});
