// The language that is shown, and its messages. A language is loaded when it is first wanted.
import { remember, remembered } from '../app/kept';
import type { Messages } from './fi';

export type { Messages };
export const LANGUAGES = ['fi', 'sv', 'en'] as const;
export type Language = (typeof LANGUAGES)[number];

/** The languages by their own names. */
export const LANGUAGE_NAMES: Record<Language, string> = { fi: 'Suomi', sv: 'Svenska', en: 'English' };

const load: Record<Language, () => Promise<{ default: Messages }>> = {
  fi: () => import('./fi'),
  sv: () => import('./sv'),
  en: () => import('./en'),
};

class Texts {
  language = $state<Language>('fi');
  #messages = $state.raw<Messages>();

  /** The messages of the language; there before anything is shown. */
  get m(): Messages {
    if (!this.#messages) throw new Error('no messages are loaded');
    return this.#messages;
  }

  /** Shows a language. */
  async use(language: Language): Promise<void> {
    const { default: messages } = await load[language]();
    this.#messages = messages;
    this.language = language;
    document.documentElement.lang = language;
  }

  /** Shows a language because a person chose it: it is remembered, for the person or else for the browser. */
  async choose(language: Language, person?: string): Promise<void> {
    remember('language', language);
    if (person !== undefined) remember(`language.${person}`, language);
    await this.use(language);
  }
}

/** The texts: `texts.m.live.title`. */
export const texts = new Texts();

function isLanguage(text: string | undefined): text is Language {
  return LANGUAGES.some((language) => language === text);
}

/** The language of a person: chosen in this browser, else the one the box knows. */
export function languageOf(person: string, known: string): Language {
  const chosen = remembered(`language.${person}`);
  if (isLanguage(chosen)) return chosen;
  return isLanguage(known) ? known : firstLanguage();
}

/** The language before anybody has signed in: chosen in this browser, else the browser's own, else Finnish. */
export function firstLanguage(): Language {
  const chosen = remembered('language');
  if (isLanguage(chosen)) return chosen;
  const wanted = navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase());
  return wanted.find(isLanguage) ?? 'fi';
}
