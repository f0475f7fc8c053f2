/**
 * One video element fed with fragments: `ManagedMediaSource` where there is one (an iPhone has nothing else), else `MediaSource`.
 * Everything that changes the buffer is done one after the other.
 */

import { PictureError } from './trouble';

/** What a browser that manages its sources adds (not in the types of TypeScript yet). */
interface Managed extends MediaSource {
  streaming: boolean;
}

const Source = (globalThis as { ManagedMediaSource?: typeof MediaSource }).ManagedMediaSource ?? globalThis.MediaSource;

/** True when the browser decodes pictures of this codec (RFC 6381) out of MP4. */
export function canDecode(codec: string): boolean {
  return Source !== undefined && Source.isTypeSupported(mime(codec));
}

function mime(codec: string): string {
  return `video/mp4; codecs="${codec}"`;
}

/** Seconds behind and before the playhead that are kept when there is no room. */
const KEPT_BEHIND_S = 2;
const KEPT_AHEAD_S = 10;

/** Times in seconds since the origin. */
export class Feed {
  readonly #source: MediaSource;
  readonly #url: string;
  #buffer: SourceBuffer | undefined;
  #codec = '';
  #initial: Uint8Array<ArrayBuffer> | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #closed = false;

  /** @throws PictureError `codec` when the browser has no media source. */
  constructor(readonly video: HTMLVideoElement) {
    if (!Source) throw new PictureError('codec', 'the browser has no MediaSource');
    this.#source = new Source();
    this.#url = URL.createObjectURL(this.#source);
    video.muted = true;
    video.playsInline = true;
    // A managed source opens only without.
    video.disableRemotePlayback = true;
    video.src = this.#url;
  }

  /** Appends fragments that `initial` stands before. */
  append(codec: string, initial: Uint8Array<ArrayBuffer>, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    return this.#after(async () => {
      const buffer = await this.#ready(codec);
      if (this.#initial !== initial) {
        await this.#run(buffer, () => buffer.appendBuffer(initial));
        this.#initial = initial;
      }
      await this.#streaming();
      try {
        await this.#run(buffer, () => buffer.appendBuffer(bytes));
      } catch (e) {
        if (!(e instanceof DOMException && e.name === 'QuotaExceededError')) throw e;
        await this.#makeRoom(buffer);
        await this.#run(buffer, () => buffer.appendBuffer(bytes));
      }
    });
  }

  /** Removes what lies between; later or earlier than everything is fine. */
  remove(start: number, end: number): Promise<void> {
    return this.#after(async () => {
      const buffer = this.#buffer;
      const from = Math.max(0, start);
      if (!buffer || from >= end) return;
      await this.#run(buffer, () => buffer.remove(from, end));
    });
  }

  /** What is buffered, as pairs of start and end. */
  ranges(): [number, number][] {
    const buffered = this.#closed ? undefined : this.#buffer?.buffered;
    if (!buffered) return [];
    return Array.from({ length: buffered.length }, (_, i) => [buffered.start(i), buffered.end(i)]);
  }

  /** The end of what is buffered at `time`. */
  endAt(time: number): number | undefined {
    return this.ranges().find(([start, end]) => start <= time + 0.001 && time < end)?.[1];
  }

  /** Frees everything. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    // Another feed may have the element by now.
    if (this.video.src === this.#url) {
      this.video.removeAttribute('src');
      this.video.load();
    }
    URL.revokeObjectURL(this.#url);
    this.#buffer = undefined;
    this.#initial = undefined;
  }

  #after(act: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(() => {
      if (this.#closed) throw new DOMException('the feed is closed', 'AbortError');
      return act();
    });
    this.#queue = done.catch(() => {});
    return done;
  }

  async #ready(codec: string): Promise<SourceBuffer> {
    if (!canDecode(codec)) throw new PictureError('codec', `the browser cannot decode ${codec}`);
    if (this.#source.readyState !== 'open') await once(this.#source, 'sourceopen');
    if (!this.#buffer) {
      this.#source.duration = Infinity;
      this.#buffer = this.#source.addSourceBuffer(mime(codec));
      this.#codec = codec;
    } else if (this.#codec !== codec) {
      this.#buffer.changeType(mime(codec));
      this.#codec = codec;
      this.#initial = undefined;
    }
    return this.#buffer;
  }

  /** A managed source says when it wants something; what is at the playhead is appended anyhow. */
  async #streaming(): Promise<void> {
    const managed = this.#source as Partial<Managed>;
    if (managed.streaming === false && this.endAt(this.video.currentTime) !== undefined) {
      await once(this.#source, 'startstreaming');
    }
  }

  async #makeRoom(buffer: SourceBuffer): Promise<void> {
    const now = this.video.currentTime;
    await this.#run(buffer, () => buffer.remove(0, Math.max(0.001, now - KEPT_BEHIND_S)));
    await this.#run(buffer, () => buffer.remove(now + KEPT_AHEAD_S, Infinity));
  }

  async #run(buffer: SourceBuffer, start: () => void): Promise<void> {
    if (this.#closed) throw new DOMException('the feed is closed', 'AbortError');
    await new Promise<void>((resolve, reject) => {
      // Both go, whichever comes: a buffer lives as long as its camera is watched.
      const clean = () => {
        buffer.removeEventListener('updateend', done);
        buffer.removeEventListener('error', failed);
      };
      const done = () => {
        clean();
        resolve();
      };
      const failed = () => {
        clean();
        reject(new PictureError('decode', 'a fragment was not taken'));
      };
      buffer.addEventListener('updateend', done);
      buffer.addEventListener('error', failed);
      try {
        start();
      } catch (e) {
        clean();
        const isFull = e instanceof DOMException && e.name === 'QuotaExceededError';
        reject(isFull ? e : new PictureError('decode', String(e)));
      }
    });
  }
}

function once(target: EventTarget, event: string): Promise<void> {
  return new Promise((resolve) => target.addEventListener(event, () => resolve(), { once: true }));
}
