// What waits for the person's decision; the navigation counts it.
import { disclosures, type Line } from '../../api/disclosures';
import { every } from '../../app/queries';
import { session } from '../../app/session.svelte';
import { decidesOf } from './rights';

/** Options of a query; asked by nobody who may decide nothing. */
export function waiting() {
  return {
    queryKey: ['disclosures', 'waiting'],
    queryFn: async (): Promise<Line[]> => (await disclosures.list({ state: 'requested' }, undefined, 200)).disclosures.filter(decidesOf),
    enabled: session.may('records') && (session.may('approve') || session.may('decide')),
    refetchInterval: every(30),
  };
}
