// What a form begins with.
import type { Catalogue, Choice, Form, Kind } from '../../api/disclosures';

export function emptyForm(language: string): Form {
  return { cameras: [], secret: false, viewing_copy: true, language };
}

/** Choices of a list that go with a kind, today. */
export function open(choices: readonly Choice[], kind: Kind): Choice[] {
  return choices.filter((choice) => choice.open && choice.kinds.includes(kind));
}

/** What the police ask for most often: to clear up an offence, under the Police Act. */
export function policePreset(catalogue: Catalogue): Partial<Form> {
  const has = (choices: readonly Choice[], code: string): string | null =>
    open(choices, 'authority-request').some((choice) => choice.code === code) ? code : null;
  return {
    recipient: has(catalogue.recipients, 'police'),
    basis: has(catalogue.bases, 'police-request'),
    purpose: has(catalogue.purposes, 'crime-investigation'),
  };
}

/** What is chosen, as far as it goes with the kind; where only one does, that one. */
export function fitted(choices: readonly Choice[], kind: Kind, code: string | null | undefined): string | null {
  const fit = open(choices, kind);
  if (fit.some((choice) => choice.code === code)) return code ?? null;
  return fit.length === 1 ? (fit[0]?.code ?? null) : null;
}
