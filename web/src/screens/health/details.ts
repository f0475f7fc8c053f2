// What the box says of an alarm (src/alarm/due.rs), in the words of the page: by kind, with the numbers and names in it. An error of
// the operating system or a camera stays as the box has it, apart. A kind or a text that is not known here is given as it came.
import type { Messages } from '../../messages/current.svelte';

export interface Detail {
  /** In the language of the page. */
  text?: string;
  /** In English: the box's own words. */
  own?: string;
}

/** How what a text holds is said; `when`: an instant of the API as people read it. */
type Say = (m: Messages, found: readonly string[], when: (iso: string) => string) => Detail;

const COUNT = '(\\d+)';

/** A text that is the same in full, of words and numbers alone. */
function plain(pattern: string, say: (d: Messages['alarms']['details'], found: readonly string[], when: (iso: string) => string) => string): [RegExp, Say] {
  return [new RegExp(`^${pattern}$`, 'u'), (m, found, when) => ({ text: say(m.alarms.details, found, when) })];
}

/** A cause of a gap, and what went wrong. */
const CAUSE: [RegExp, Say] = [
  /^(not recorded yet|[a-z-]+)(?:: (.*))?$/su,
  (m, [word = '', own]) => {
    const text = word === 'not recorded yet' ? m.alarms.details.notYet : m.timeline.causes[word];
    return text === undefined ? { own: own === undefined ? word : `${word}: ${own}` } : { text, own };
  },
];
const WAITING = plain('not recorded: (.*)', (d, [streams = '']) => d.waiting(streams));
const LAG = plain(`for ${COUNT} s nothing became durable`, (d, [seconds = '']) => d.lag(seconds));
const SEGMENTS = plain(`${COUNT} segments`, (d, [count = '']) => d.segments(count));
const NEVER = plain('there never was one', (d) => d.never);

const DOUBT: [RegExp, Say] = [
  /^the clock is not synchronised and (behind|more than a day ahead of) the last time that was believed, (\S+); give it a time source, or if it is right: sinetti clock confirm$/u,
  (m, [how, at = ''], when) => ({ text: m.alarms.details[how === 'behind' ? 'behind' : 'ahead'](when(at)) }),
];

/** How deletion is hindered: one thing, or several in a row. */
function hindrance(m: Messages, text: string, when: (iso: string) => string): Detail {
  const d = m.alarms.details;
  const found = /^(latched|failed|paused): (.*)$/su.exec(text);
  const left = /^(\d+) segments could not be deleted$/u.exec(text);
  if (left) return { text: d.undeleted(left[1] ?? '') };
  if (!found) return { own: text };
  const how = d[found[1] as 'latched' | 'failed' | 'paused'];
  const why = reading([DOUBT], found[2] ?? '', m, when);
  return why.text === undefined ? { text: how, ...why } : { text: `${how}: ${why.text}` };
}

const HINDRANCES: [RegExp, Say] = [
  /^((?:latched|failed|paused): .*|\d+ segments could not be deleted)$/su,
  (m, [all = ''], when) => {
    const parts = all.split(/; (?=(?:latched|failed|paused): |\d+ segments could not be deleted$)/u).map((part) => hindrance(m, part, when));
    const own = parts.flatMap((part) => part.own ?? []).join('; ');
    return { text: parts.flatMap((part) => part.text ?? []).join('; '), own: own === '' ? undefined : own };
  },
];

const STRANGERS: [RegExp, Say] = [
  /^(?:seen (\d+) times: (.*?))?(?:(?:^|; )(\d+) files are not Sinetti's)?$/su,
  (m, [times, first = '', files]) => {
    const d = m.alarms.details;
    return { text: [times && d.touched(times, first.replace(/(^|; )(added|changed|removed): /gu, (_, before: string, act: string) => `${before}${d.touches[act]}: `)), files && d.strangers(files)].filter(Boolean).join('; ') };
  },
];

/** Disclosures, each with the day by which something was promised of it, and how many more there are. */
const PROMISED: [RegExp, Say] = [
  /^((?:\d{4}-\d{4,} by \d{4}-\d\d-\d\d(?:, )?)*)(?: and (\d+) more)?$/u,
  (m, [list = '', more]) => {
    const d = m.alarms.details;
    const each = [...list.matchAll(/(\S+) by (\d+)-(\d+)-(\d+)/gu)].map(([, serial = '', ...date]) => {
      const [year = 0, month = 0, of = 0] = date.map(Number);
      return d.promised(serial, { year, month, day: of });
    });
    return { text: [each.join(', '), more && d.more(more)].filter(Boolean).join(' ') };
  },
];

const KNOWN: Record<string, readonly [RegExp, Say][]> = {
  'camera-lost': [CAUSE],
  gap: [plain(`in the last hour ${COUNT} s are missing, in ${COUNT} gaps`, (d, [seconds = '', gaps = '']) => d.holes(seconds, gaps)), CAUSE],
  'volume-missing': [WAITING],
  'volume-full': [plain('deleting all its footage would make no room', (d) => d.fullInVain), WAITING],
  'volume-failing': [plain(`it does not answer, for ${COUNT} s`, (d, [seconds = '']) => d.silent(seconds)), WAITING],
  'volume-behind': [LAG, WAITING],
  'sync-lag': [LAG],
  'early-deletion': [plain('footage was deleted early within the last hour', (d) => d.early)],
  'scrub-damage': [SEGMENTS],
  'scrub-missing': [SEGMENTS],
  'over-age': [plain(`${COUNT} files; the first: (.*)`, (d, [count = '', first = '']) => d.overAge(count, first))],
  quarantine: [plain(`${COUNT} files at the last look`, (d, [count = '']) => d.quarantine(count))],
  stranger: [STRANGERS],
  'sweep-late': [plain(`${COUNT} segments are older than they may be`, (d, [count = '']) => d.overdue(count)), HINDRANCES],
  'guarantee-lost': [plain('deleted for want of room: all, or some, of what was before (.*)', (d, [until = ''], when) => d.lost(when(until)))],
  'answer-due': [PROMISED],
  'copies-due': [PROMISED],
  'hold-review': [plain(`${COUNT} to be looked at`, (d, [count = '']) => d.holds(count))],
  'clock-unsynchronised': [plain("nothing keeps the host's clock", (d) => d.unkept)],
  'clock-in-doubt': [DOUBT],
  'vault-holder': [
    plain('nobody may play back: what is recorded now opens with the recovery shares alone', (d) => d.nobody),
    plain('the last one who may play back \\((.*)\\) loses that at (\\S+)', (d, [person = '', at = ''], when) => d.lastEnds(person, when(at))),
  ],
  'clock-stepped': [plain('by (-?\\d+) ms', (d, [ms = '']) => d.stepped(ms.replace('-', '−')))],
  'no-anchor': [NEVER, plain('the last was (.*)', (d, [at = ''], when) => d.last(when(at)))],
  certificate: [plain(`${COUNT} days are left`, (d, [count = '']) => d.days(count))],
  delivery: [plain(`for ${COUNT} s`, (d, [seconds = '']) => d.lasting(seconds))],
  'backup-overdue': [NEVER, plain('the last was made (.*)', (d, [at = ''], when) => d.last(when(at)))],
};

/** What stands in the way of deletion, as the state of the box has it. */
const TROUBLES: readonly [RegExp, Say][] = [
  DOUBT,
  plain('volume "(.*)" loses footage early', (d, [volume = '']) => d.losesEarly(volume)),
  plain('volume "(.*)" has no room, whatever is deleted', (d, [volume = '']) => d.noRoom(volume)),
];

function reading(known: readonly [RegExp, Say][], detail: string, m: Messages, when: (iso: string) => string): Detail {
  for (const [pattern, say] of known) {
    const found = pattern.exec(detail);
    if (found) return say(m, found.slice(1), when);
  }
  return { own: detail };
}

/** What the box says of an alarm. */
export function detailOf(kind: string, detail: string, m: Messages, when: (iso: string) => string): Detail {
  return reading(KNOWN[kind] ?? [], detail, m, when);
}

/** What the box says of a trouble with deletion. */
export function troubleOf(text: string, m: Messages, when: (iso: string) => string): Detail {
  return reading(TROUBLES, text, m, when);
}
