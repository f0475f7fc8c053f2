import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import en from '../../messages/en';
import fi from '../../messages/fi';
import sv from '../../messages/sv';
import { detailOf, troubleOf } from './details';

const when = (iso: string): string => `<${iso}>`;
const said = (kind: string, detail: string, m: typeof fi = fi): string => {
  const { text, own } = detailOf(kind, detail, m, when);
  return [text, own].map((part) => part ?? '–').join(' | ');
};

describe('what the box says of an alarm', () => {
  it('is said in the language of the page, with what is in it; errors stay as they are', () => {
    expect(said('camera-lost', 'connect-failed: connecting to 192.0.2.1:554: refused')).toBe('kameraan ei saatu yhteyttä | connecting to 192.0.2.1:554: refused');
    expect(said('camera-lost', 'not recorded yet')).toBe('ei ole vielä tallennettu | –');
    expect(said('gap', 'in the last hour 31 s are missing, in 4 gaps', sv)).toBe('av den senaste timmen saknas 31 s, avbrott 4 | –');
    expect(said('stranger', "seen 2 times: removed: a; changed: b; 3 files are not Sinetti's")).toBe('huomattu 2 kertaa: poistettu: a; muutettu: b; kansiossa on 3 tiedostoa, jotka eivät ole Sinetin | –');
    expect(said('stranger', "1 files are not Sinetti's", en)).toBe('1 file in the folder is not Sinetti’s | –');
    expect(said('sweep-late', 'latched: two; failed: three; 1 segments could not be deleted')).toBe(
      'poistaminen pysäytettiin, kunnes joku on katsonut; poistaminen epäonnistui; 1 jaksoa ei voitu poistaa | two; three',
    );
    const doubt = 'the clock is not synchronised and behind the last time that was believed, 2026-05-14T10:05:20Z; give it a time source, or if it is right: sinetti clock confirm';
    expect(said('sweep-late', `paused: ${doubt}`)).toBe('poistaminen odottaa: kello ei ole aikapalvelimessa ja on jäljessä ajasta, johon viimeksi luotettiin (<2026-05-14T10:05:20Z>) | –');
    expect(troubleOf('volume "levy-1" loses footage early', fi, when)).toEqual({ text: 'levyltä levy-1 poistuu tallenteita ennen aikojaan' });
    expect(said('vault-holder', 'the last one who may play back (manager1) loses that at 2026-05-14T10:05:20Z', en)).toBe('the last one who may play back (manager1) loses that on <2026-05-14T10:05:20Z> | –');
    expect(said('answer-due', '2026-0001 by 2026-12-05, 2026-0002 by 2026-12-25 and 3 more')).toBe('2026-0001 viimeistään 5.12.2026, 2026-0002 viimeistään 25.12.2026 ja 3 muuta | –');
    expect(said('copies-due', '2026-0001 by 2026-12-05', en)).toBe('2026-0001 by 5 Dec 2026 | –');
    expect(said('clock-stepped', 'by -1500 ms')).toBe('kello siirtyi −1500 ms | –');
    expect(said('ledger-trouble', 'the key is not there')).toBe('– | the key is not there');
    expect(said('of a newer box', 'something')).toBe('– | something');
  });

  it('is known for every text that the box writes there', () => {
    const source = readFileSync(new URL('../../../../src/alarm/due.rs', import.meta.url), 'utf8');
    const texts = [...source.matchAll(/"([^"\n]*)"/gu)].map(([, text = '']) => text).filter((text) => text.includes(' ') && /[a-z]{3}/u.test(text.replace(/\{\w*\}/gu, '')));
    expect(texts.length).toBeGreaterThan(20);
    const kinds = Object.keys(fi.alarms.kinds);
    // What is put into it: a number where numbers stand, else a word.
    const unknown = texts
      .map((text) => text.replace(/\{(first|until|last|at)\}/gu, '2026-05-14T10:05:20Z').replace('times: {first}', 'times: x').replace('recorded: {}', 'recorded: a/main').replace(/\{\w*\}/gu, '7'))
      .filter((text) => !kinds.some((kind) => detailOf(kind, text, fi, when).text !== undefined));
    expect(unknown).toEqual([]);
  });

  it('and every kind of alarm has its words', () => {
    const source = readFileSync(new URL('../../../../src/catalog/alarm.rs', import.meta.url), 'utf8');
    const kinds = [...source.matchAll(/^ {4}\w+ = "([a-z-]+)": /gmu)].map(([, kind]) => kind);
    expect(kinds.length).toBeGreaterThan(20);
    expect(Object.keys(fi.alarms.kinds).sort()).toEqual(kinds.sort());
  });
});
