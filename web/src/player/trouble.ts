/** What can go wrong with pictures, as one word each: the screens have a sentence for every one. */

import { Refused } from '../api/client';

export type Trouble =
  /** The person may not see it. */
  | 'denied'
  /** Nobody is signed in any more. */
  | 'session'
  /** The vault is locked, and was not unlocked. */
  | 'locked'
  /** It was there and is not any more: deleted meanwhile, or the playback was closed. */
  | 'gone'
  /** What is stored is not what was recorded. */
  | 'damaged'
  /** No answer in time, or none at all. */
  | 'unreachable'
  /** The box has too much to do. */
  | 'busy'
  /** This browser cannot decode it. */
  | 'codec'
  /** This browser could not decode this picture. */
  | 'decode'
  | 'fault';

const WORDS: Record<string, Trouble> = {
  'not-signed-in': 'session',
  'vault-locked': 'locked',
  'not-found': 'gone',
  corrupt: 'damaged',
  unreachable: 'unreachable',
  unavailable: 'busy',
  'too-much': 'busy',
};

/** Pictures could not be had. */
export class PictureError extends Error {
  constructor(
    readonly trouble: Trouble,
    detail: string,
  ) {
    super(detail);
    this.name = 'PictureError';
  }
}

/** Why a request failed; `undefined` when it was given up on purpose. */
export function troubleOf(error: unknown): Trouble | undefined {
  if (error instanceof PictureError) return error.trouble;
  if (error instanceof DOMException && error.name === 'AbortError') return undefined;
  if (error instanceof DOMException && error.name === 'TimeoutError') return 'unreachable';
  if (!(error instanceof Refused)) return 'fault';
  return WORDS[error.word] ?? (error.status === 403 ? 'denied' : error.status === 401 ? 'session' : 'fault');
}

/** True when another try may help without anybody doing something. */
export function mayPass(trouble: Trouble): boolean {
  return trouble === 'unreachable' || trouble === 'busy' || trouble === 'fault';
}
