// Why a proof does not hold, in words.
import { Broken } from '../../ledger/proof';
import type { Messages } from '../../messages/current.svelte';

export function brokenWords(error: unknown, m: Messages): string {
  return error instanceof Broken ? m.ledger.broken[error.why] : m.ledger.broken.form;
}
