// What a refusal is in words that people understand.
import { Refused } from '../api/client';
import type { Messages } from '../messages/current.svelte';

/** The words for a failed request. */
export function wordsOf(error: unknown, m: Messages): string {
  if (!(error instanceof Refused)) return m.refusals.unknown;
  const words: Record<string, string> = m.refusals;
  const known = words[error.word] ?? m.refusals.unknown;
  // What is particular to this case is said by the box in English; better than nothing where there are no words for it.
  const adds = error.word === 'invalid' || error.word === 'exists' || error.word === 'denied' || !(error.word in words);
  return adds && error.message ? `${known} (${error.message})` : known;
}
