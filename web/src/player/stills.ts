/**
 * Pictures while somebody drags along the timeline: key frames of the small stream, decoded one at a time; only the latest
 * wish counts. With `VideoDecoder` where the browser has it, else on a video element of its own.
 */

import type { Span } from '../time/spans';
import { MINUTE, SECOND, type Micros } from '../time/zone';
import { GroupIndex, type Group } from './groups';
import type { Loader } from './loader';
import { Feed, canDecode } from './media-source';
import { parameters, pictures } from './mp4';
import { troubleOf, type Trouble } from './trouble';

/** What is drawn. */
export type Still = { kind: 'picture'; at: Micros } | { kind: 'nothing' } | { kind: 'trouble'; trouble: Trouble };

const WINDOW: Micros = 2 * MINUTE;
/** So many small pictures are kept: a drag goes back and forth. */
const KEPT_MAX = 48;
const WIDTH_MAX = 480;

/** Draws one picture; kept pictures are closed by it. */
export class Stills {
  readonly #index = new GroupIndex();
  readonly #kept = new Map<string, ImageBitmap>();
  #wish: Micros | undefined;
  #running = false;
  #abort = new AbortController();
  #fallback: { feed: Feed; video: HTMLVideoElement } | undefined;

  constructor(
    readonly loader: Loader,
    readonly canvas: HTMLCanvasElement,
    readonly shown: (still: Still) => void,
  ) {}

  /** Shows the picture of `at` as soon as it can; an earlier wish that was not met yet is forgotten. */
  show(at: Micros): void {
    this.#wish = at;
    if (!this.#running) void this.#run();
  }

  /** Nothing more is wanted for now. */
  rest(): void {
    this.#wish = undefined;
  }

  close(): void {
    this.#wish = undefined;
    this.#abort.abort();
    for (const bitmap of this.#kept.values()) bitmap.close();
    this.#kept.clear();
    this.#fallback?.feed.close();
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#wish !== undefined) {
      const at = this.#wish;
      this.#wish = undefined;
      try {
        const group = await this.#find(at);
        if (!group) this.shown({ kind: 'nothing' });
        else await this.#draw(group);
      } catch (e) {
        const trouble = troubleOf(e);
        if (trouble) this.shown({ kind: 'trouble', trouble });
      }
    }
    this.#running = false;
  }

  async #find(at: Micros): Promise<Group | undefined> {
    const { signal } = this.#abort;
    if (this.#index.unlisted({ start: at, end: at + 1 }).length > 0) {
      const window: Span = { start: Math.floor(at / WINDOW) * WINDOW, end: (Math.floor(at / WINDOW) + 1) * WINDOW };
      const start = Math.max(window.start, this.loader.open.span.start);
      const end = Math.min(window.end, this.loader.open.span.end);
      if (start >= end) return undefined;
      const page = await this.loader.list({ start, end }, signal);
      for (const [init, entry] of page.entries) this.#index.entries.set(init, entry);
      this.#index.add({ start, end: Math.max(page.until, at + 1) }, page.groups);
      const growing = page.groups.find((group) => !group.complete);
      if (growing) this.#index.forget(growing.start);
      this.#index.trim(at);
    }
    return this.#index.at(at);
  }

  async #draw(group: Group): Promise<void> {
    const known = this.#kept.get(group.media);
    if (known) return this.#paint(known, group.start);
    const { signal } = this.#abort;
    const entry = this.#index.entries.get(group.init);
    if (!entry) return;
    const [initial, bytes] = await Promise.all([
      this.loader.initial(group.init, signal),
      this.loader.media(group, true, signal),
    ]);
    const bitmap = await this.#decode(entry.codec, initial, bytes, group);
    if (signal.aborted) return bitmap.close();
    this.#keep(group.media, bitmap);
    this.#paint(bitmap, group.start);
  }

  #keep(name: string, bitmap: ImageBitmap): void {
    this.#kept.set(name, bitmap);
    if (this.#kept.size <= KEPT_MAX) return;
    const [oldest] = this.#kept;
    if (!oldest) return;
    oldest[1].close();
    this.#kept.delete(oldest[0]);
  }

  #paint(bitmap: ImageBitmap, at: Micros): void {
    this.canvas.width = bitmap.width;
    this.canvas.height = bitmap.height;
    this.canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
    this.shown({ kind: 'picture', at });
  }

  async #decode(codec: string, initial: Uint8Array<ArrayBuffer>, bytes: Uint8Array<ArrayBuffer>, group: Group): Promise<ImageBitmap> {
    if (typeof VideoDecoder === 'function') {
      const { description } = parameters(initial);
      const support = await VideoDecoder.isConfigSupported({ codec, description }).catch(() => undefined);
      if (support?.supported) return this.#withDecoder(codec, description, bytes);
    }
    return this.#withVideo(codec, initial, bytes, group);
  }

  async #withDecoder(codec: string, description: Uint8Array, bytes: Uint8Array<ArrayBuffer>): Promise<ImageBitmap> {
    const [picture] = pictures(bytes);
    if (!picture) throw new Error('a group without pictures');
    let frame: VideoFrame | undefined;
    let failure: unknown;
    const decoder = new VideoDecoder({
      output: (output) => {
        frame?.close();
        frame = output;
      },
      error: (e) => (failure = e),
    });
    try {
      decoder.configure({ codec, description, optimizeForLatency: true });
      const data = bytes.subarray(picture.offset, picture.offset + picture.size);
      decoder.decode(new EncodedVideoChunk({ type: 'key', timestamp: 0, data }));
      await decoder.flush();
      if (!frame) throw failure ?? new Error('no picture came out');
      return await small(frame, frame.displayWidth);
    } finally {
      frame?.close();
      if (decoder.state !== 'closed') decoder.close();
    }
  }

  async #withVideo(codec: string, initial: Uint8Array<ArrayBuffer>, bytes: Uint8Array<ArrayBuffer>, group: Group): Promise<ImageBitmap> {
    if (!canDecode(codec)) throw new DOMException(`${codec} cannot be decoded`, 'NotSupportedError');
    if (!this.#fallback) {
      const video = document.createElement('video');
      this.#fallback = { video, feed: new Feed(video) };
    }
    const { feed, video } = this.#fallback;
    await feed.append(codec, initial, bytes);
    const time = (group.start - this.loader.open.origin) / SECOND;
    await new Promise<void>((resolve) => {
      video.addEventListener('seeked', () => resolve(), { once: true });
      video.currentTime = time + 0.01;
    });
    const bitmap = await small(video, video.videoWidth);
    await feed.remove(0, Infinity);
    return bitmap;
  }
}

function small(source: VideoFrame | HTMLVideoElement, width: number): Promise<ImageBitmap> {
  return width > WIDTH_MAX ? createImageBitmap(source, { resizeWidth: WIDTH_MAX }) : createImageBitmap(source);
}
