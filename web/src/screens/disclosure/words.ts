// What disclosures are in words: kinds, states, people, choices of the catalogue, times.
import { Refused } from '../../api/client';
import type { Catalogue, Choice, Form, Kind, State, Texts } from '../../api/disclosures';
import { site } from '../../app/site.svelte';
import { type Messages, texts } from '../../messages/current.svelte';
import { fromIso } from '../../time/zone';
import { day, span } from '../../time/format';
import type { Tone } from '../../ui/Status.svelte';

/** A text of the catalogue in the language that is shown. */
export function inLanguage(text: Texts | null | undefined): string {
  return text ? text[texts.language] : '–';
}

export function choiceText(choices: readonly Choice[] | undefined, code: string | null | undefined): string {
  if (!code) return '–';
  const found = choices?.find((choice) => choice.code === code);
  return found ? inLanguage(found.texts) : code;
}

export function kindText(catalogue: Catalogue | undefined, kind: Kind): string {
  const found = catalogue?.kinds.find((rules) => rules.kind === kind);
  return found ? inLanguage(found.texts) : kind;
}

const TONES: Record<State, Tone> = {
  draft: 'neutral',
  requested: 'warning',
  approved: 'ok',
  refused: 'danger',
  prepared: 'ok',
  'handed-over': 'ok',
  received: 'ok',
  destroyed: 'neutral',
  withdrawn: 'neutral',
};

export function stateTone(state: State): Tone {
  return TONES[state];
}

export function personText(id: string, name: string | null | undefined, m: Messages): string {
  if (id === 'box') return m.ledger.box;
  if (id === 'console') return m.ledger.console;
  return name ?? id;
}

/** Whoever receives it, in one line. */
export function recipientText(form: Form): string {
  const parts = [form.organisation, form.unit, form.rank, form.person];
  return parts.filter((part): part is string => Boolean(part)).join(', ') || '–';
}

/** `14.5.2026 13.05–13.15`. */
export function spanText(start: string | null | undefined, end: string | null | undefined): string {
  const from = start ? fromIso(start) : undefined;
  const to = end ? fromIso(end) : undefined;
  if (from === undefined || to === undefined) return '–';
  const { zone } = site;
  const text = span(from, to, zone, texts.language);
  const ofDay = day(zone.day(from), texts.language);
  const isOneDay = ofDay === day(zone.day(to - 1), texts.language);
  return isOneDay ? `${ofDay} ${text}` : text;
}

export function sizeText(bytes: number, m: Messages): string {
  if (bytes >= 1e9) return m.health.gigabytes(bytes / 1e9);
  return m.disclosures.megabytes(bytes / 1e6);
}

/** What the box says is wrong with a field, in words that people read. */
export function faultText(detail: string, m: Messages): string {
  const { faults } = m.disclosures;
  if (detail.includes('case_absent')) return faults.caseNumber;
  if (detail.startsWith('it is missing')) return faults.missing;
  if (detail.includes('personal identity code')) return faults.identityCode;
  if (detail.includes('identity document')) return faults.document;
  if (detail.includes('in the future')) return faults.future;
  if (detail.includes('after the start')) return faults.reversed;
  if (detail.includes('31 days')) return faults.tooLong;
  if (detail.includes('nothing of that time')) return faults.nothing;
  if (detail.includes('may not be chosen')) return faults.choice;
  if (detail.includes('who asked for secrecy')) return faults.missing;
  return detail;
}

/** What is wrong with a field of the form; the box may point into the form or into the body. */
export function faultOf(failure: unknown, field: string): string | undefined {
  if (!(failure instanceof Refused)) return undefined;
  return failure.fields.get(`/form/${field}`) ?? failure.fields.get(`/${field}`);
}
