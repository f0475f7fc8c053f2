// Entries of the ledger in words.
import type { Schemas } from '../../api/client';
import type { Messages } from '../../messages/current.svelte';

type Entry = Schemas['Entry'];

/** What was done. A word that has no translation yet stands for itself. */
export function actionWords(action: string, m: Messages): string {
  const words: Record<string, string> = m.ledger.actions;
  return words[action] ?? action;
}

/** The user name of whoever did it, while the details are kept; else the beginning of the person's id. */
export function nameOf(entry: Pick<Entry, 'actor' | 'detail'>): string {
  const name = (entry.detail.value as { name?: unknown } | null | undefined)?.name;
  return typeof name === 'string' && name !== '' ? name : entry.actor.slice(0, 8);
}

/** To what: cameras by their names. */
export function objectWords(object: string, cameras: readonly { camera: string; name: string }[], m: Messages): string {
  const [id = '', stream] = object.split('/');
  const name = cameras.find((camera) => camera.camera === id)?.name;
  if (name === undefined) {
    const words: Record<string, string> = m.ledger.objects;
    return words[object] ?? object;
  }
  return stream === undefined ? name : `${name}, ${stream === 'sub' ? m.ledger.sub : m.ledger.main}`;
}
