// What a person may do with a disclosure. The box says the last word; what it would refuse anyhow is not offered.
import type { Line } from '../../api/disclosures';
import { session } from '../../app/session.svelte';

/** True when the person may decide it: never what they asked for themselves, and only of cameras that are theirs. */
export function decidesOf(row: Line): boolean {
  const right = row.kind === 'access-request' ? 'decide' : 'approve';
  return row.asked_by !== session.me?.person && row.cameras.every(({ camera }) => session.may(right, camera));
}
