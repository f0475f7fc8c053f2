// Entries of the ledger in words.
import type { Schemas } from '../../api/client';
import type { Messages } from '../../messages/current.svelte';

type Entry = Schemas['Entry'];

/** What was done. A word that has no translation yet stands for itself. */
export function actionWords(action: string, m: Messages): string {
  const words: Record<string, string> = m.ledger.actions;
  return words[action] ?? action;
}

/** Who did it: by user name while the box knows it, else by the beginning of the person's id. */
export function actorWords(entry: Pick<Entry, 'actor' | 'actor_name'>, m: Messages): string {
  if (entry.actor === 'box') return m.ledger.box;
  if (entry.actor === 'console') return m.ledger.console;
  return entry.actor_name ?? entry.actor.slice(0, 8);
}

/** To what: cameras and persons by their names. */
export function objectWords(
  { object, object_name }: Pick<Entry, 'object' | 'object_name'>,
  cameras: readonly { camera: string; name: string }[],
  m: Messages,
): string {
  if (object_name) return object_name;
  if (object.startsWith('disclosure ')) return `${m.ledger.objects.disclosure} ${object.slice('disclosure '.length)}`;
  const [id = '', stream] = object.split('/');
  const name = cameras.find((camera) => camera.camera === id)?.name;
  if (name === undefined) {
    const words: Record<string, string> = m.ledger.objects;
    return words[object] ?? object;
  }
  return stream === undefined ? name : `${name}, ${stream === 'sub' ? m.ledger.sub : m.ledger.main}`;
}
