/** Lists and bytes of a playback, over the API. */

import { api, ask, send, type Schemas } from '../api/client';
import { fromIso, toIso, type Micros } from '../time/zone';
import type { Span } from '../time/spans';
import type { Entry, Group } from './groups';
import { PictureError } from './trouble';

export type StreamKind = 'main' | 'sub';

/** A playback that is open. */
export interface Opened {
  playback: string;
  /** Where the times of its fragments begin. */
  origin: Micros;
  timescale: number;
  span: Span;
}

/** One answer about groups. */
export interface Page {
  groups: Group[];
  entries: [string, Entry][];
  /** Footage that is not what was recorded any more. */
  damaged: Span[];
  /** Up to where it was answered. */
  until: Micros;
}

/** No answer within this is none: it is tried again, and said. */
const ANSWER_WITHIN_MS = 2_000;
const TRIES = 3;
/** What stands before fragments is the same bytes for ever; so many are kept. */
const INITIALS_MAX = 32;

function instant(text: string): Micros {
  const found = fromIso(text);
  if (found === undefined) throw new PictureError('fault', `${text} is no time`);
  return found;
}

/** From the answer that opened it. */
export function opened(answer: Schemas['OpenPlayback']): Opened {
  return {
    playback: answer.playback,
    origin: instant(answer.origin),
    timescale: answer.timescale,
    span: { start: instant(answer.span.start), end: instant(answer.span.end) },
  };
}

/** Fetches for one stream of a playback. */
export class Loader {
  readonly #initials = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();

  constructor(
    readonly open: Opened,
    readonly camera: string,
    readonly stream: StreamKind,
  ) {}

  /** The groups that overlap `span`, or those of its beginning when they are many. */
  async list(span: Span, signal: AbortSignal): Promise<Page> {
    const page = await this.#patiently(signal, (limited) =>
      ask(
        api.GET('/api/v1/playbacks/{playback}/{camera}/{stream}/groups', {
          params: {
            path: { playback: this.open.playback, camera: this.camera, stream: this.stream },
            query: { start: toIso(span.start), end: toIso(span.end) },
          },
          signal: limited,
        }),
      ),
    );
    return {
      groups: page.groups.map((line) => ({ ...line, start: instant(line.start), end: instant(line.end) })),
      entries: page.entries.map(({ init, codec, width, height }) => [init, { codec, width, height }]),
      damaged: page.damaged.map(({ start, end }) => ({ start: instant(start), end: instant(end) })),
      until: page.next ? Math.min(span.end, instant(page.next)) : span.end,
    };
  }

  /** What stands before groups. */
  async initial(path: string, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const known = this.#initials.get(path);
    if (known) return known;
    const asked = this.#bytes(path, signal);
    if (this.#initials.size >= INITIALS_MAX) this.#initials.clear();
    this.#initials.set(path, asked);
    asked.catch(() => this.#initials.delete(path));
    return asked;
  }

  /** A group, or its key frame alone. */
  async media(group: Group, keysOnly: boolean, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    return this.#bytes(keysOnly ? `${group.media}?pictures=key` : group.media, signal);
  }

  async #bytes(path: string, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    let brokenOff = 0;
    return this.#patiently(signal, async (limited) => {
      const response = await send(new Request(path, { signal: limited }));
      try {
        return new Uint8Array(await response.arrayBuffer());
      } catch (e) {
        if (limited.aborted) throw e;
        // The box breaks off what does not match its hash; so does a network. Twice on end it was the box.
        brokenOff += 1;
        throw new PictureError(brokenOff > 1 ? 'damaged' : 'unreachable', `${path} broke off: ${String(e)}`);
      }
    });
  }

  /** Tries again what got no answer in time. */
  async #patiently<T>(signal: AbortSignal, attempt: (limited: AbortSignal) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      const limited = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN_MS * tries)]);
      try {
        return await attempt(limited);
      } catch (e) {
        const isFinal = tries >= TRIES || signal.aborted;
        const isPassing =
          (e instanceof DOMException && e.name === 'TimeoutError') ||
          (e instanceof PictureError && e.trouble === 'unreachable');
        if (isFinal || !isPassing) throw e;
      }
    }
  }
}
