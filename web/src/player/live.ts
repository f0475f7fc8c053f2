/**
 * Live pictures of one stream: fragments over a WebSocket into a video element, close behind the camera. How old the picture on
 * the screen is comes from the box's clock, so that a frozen one is known as such.
 */

import { fromIso, MS, SECOND, type Micros } from '../time/zone';
import { Feed, canDecode } from './media-source';
import { PictureError } from './trouble';

/** What a view shows. */
export type LiveShowing =
  | { kind: 'connecting' }
  /** A picture that is as old as it says. */
  | { kind: 'picture' }
  /** The last picture is too old to be taken for the present. */
  | { kind: 'stale' }
  /** The browser cannot decode it. */
  | { kind: 'codec'; codec: string }
  /** The person may not see it any more. */
  | { kind: 'denied' };

/** What is told to the screen. */
export interface LiveView {
  showing: LiveShowing;
  /** Time of day of the picture on the screen; undefined before the first. */
  at: Micros | undefined;
  /** How old it is. */
  age: Micros | undefined;
  /** The connection was too slow for some pictures, lately. */
  isThin: boolean;
  width: number;
  height: number;
}

/** Older than this, a picture is stale. */
export const STALE_AFTER: Micros = 3 * SECOND;
/** Seconds behind the newest picture. */
const BEHIND_MAX_S = 1.2;
const BEHIND_WANTED_S = 0.35;
const KEPT_S = 4;
const TICK_MS = 250;
const RETRY_MS = [500, 1_000, 2_000, 4_000, 8_000];
const THIN_FOR_MS = 10_000;
/** Words of the box after which no other try helps. */
const FINAL = ['wrong-role', 'wrong-camera', 'resting', 'undertaking-lapsed', 'revoked'];

export interface LiveOptions {
  camera: string;
  stream: 'main' | 'sub';
  video: HTMLVideoElement;
  changed: (view: LiveView) => void;
  /** A connection was refused or broke: asks the box whether there is still a session. */
  check: () => Promise<unknown>;
}

export class Live {
  view: LiveView = { showing: { kind: 'connecting' }, at: undefined, age: undefined, isThin: false, width: 0, height: 0 };
  #socket: WebSocket | undefined;
  #feed: Feed | undefined;
  #codec = '';
  #origin: Micros = 0;
  #initial: Uint8Array<ArrayBuffer> | undefined;
  #expectsInitial = false;
  /** The box's time minus that of `performance.now()`. */
  #ahead: Micros | undefined;
  #thinUntil = 0;
  #tries = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #tick: ReturnType<typeof setInterval>;
  #closed = false;

  constructor(readonly options: LiveOptions) {
    this.#tick = setInterval(() => this.#look(), TICK_MS);
    this.#connect();
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#tick);
    clearTimeout(this.#retry);
    this.#drop();
    this.#feed?.close();
  }

  #connect(): void {
    const { camera, stream } = this.options;
    const url = new URL(`/api/v1/cameras/${encodeURIComponent(camera)}/${stream}/live`, location.href);
    url.protocol = url.protocol === 'http:' ? 'ws:' : 'wss:';
    const socket = new WebSocket(url);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    this.#expectsInitial = false;
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (typeof data === 'string') this.#word(JSON.parse(data) as Word);
      else this.#bytes(new Uint8Array(data));
    };
    socket.onclose = () => {
      if (this.#socket === socket) this.#lost();
    };
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }

  #lost(): void {
    this.#drop();
    if (this.#closed || this.view.showing.kind === 'denied' || this.view.showing.kind === 'codec') return;
    const wait = RETRY_MS[Math.min(this.#tries, RETRY_MS.length - 1)] ?? 8_000;
    this.#tries += 1;
    if (this.#tries % 2 === 0) void this.options.check().catch(() => {});
    this.#retry = setTimeout(() => this.#connect(), wait);
  }

  #word(word: Word): void {
    switch (word.type) {
      case 'init':
        return this.#begin(word);
      case 'time': {
        const now = fromIso(word.now);
        if (now !== undefined) this.#ahead = now - performance.now() * MS;
        return;
      }
      case 'dropped':
        this.#thinUntil = performance.now() + THIN_FOR_MS;
        return;
      case 'end':
        if (FINAL.includes(word.why)) this.#show({ kind: 'denied' });
        return;
    }
  }

  #begin(word: Extract<Word, { type: 'init' }>): void {
    const origin = fromIso(word.origin) ?? 0;
    if (!canDecode(word.codec)) {
      this.#show({ kind: 'codec', codec: word.codec });
      this.#drop();
      return;
    }
    // Another origin is another scale of times.
    if (!this.#feed || origin !== this.#origin) this.#renew();
    this.#origin = origin;
    this.#codec = word.codec;
    this.#expectsInitial = true;
    this.view = { ...this.view, width: word.width, height: word.height };
  }

  #renew(): void {
    this.#feed?.close();
    const { video } = this.options;
    this.#feed = new Feed(video);
    video.onerror = () => {
      // The decoder gave up: begin with the next key frame.
      if (this.#closed) return;
      this.#feed?.close();
      this.#feed = undefined;
      this.#drop();
      this.#lost();
    };
  }

  #bytes(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#expectsInitial) {
      this.#initial = bytes;
      this.#expectsInitial = false;
      return;
    }
    if (!this.#feed || !this.#initial) return;
    this.#tries = 0;
    this.#feed.append(this.#codec, this.#initial, bytes).catch((e: unknown) => {
      if (e instanceof PictureError && !this.#closed) {
        this.#drop();
        this.#lost();
      }
    });
  }

  /** Stays close behind the newest picture, frees what is past, and says how old the picture is. */
  #look(): void {
    const { video } = this.options;
    const feed = this.#feed;
    const newest = feed?.ranges().at(-1);
    if (feed && newest) {
      const [start, end] = newest;
      const behind = end - video.currentTime;
      if (video.currentTime < start || behind > BEHIND_MAX_S) video.currentTime = Math.max(start, end - BEHIND_WANTED_S);
      else video.playbackRate = behind > 2 * BEHIND_WANTED_S ? 1.1 : 1;
      if (video.paused) video.play().catch(() => {});
      const first = feed.ranges()[0];
      if (first && first[0] < video.currentTime - 2 * KEPT_S) feed.remove(0, video.currentTime - KEPT_S).catch(() => {});
    }
    const at = video.readyState >= 2 && newest ? this.#origin + Math.round(video.currentTime * SECOND) : this.view.at;
    const age = at === undefined || this.#ahead === undefined ? undefined : Math.max(0, this.#ahead + performance.now() * MS - at);
    const isThin = performance.now() < this.#thinUntil;
    this.view = { ...this.view, at, age, isThin };
    const { kind } = this.view.showing;
    if (kind === 'denied' || kind === 'codec') return this.options.changed(this.view);
    if (age === undefined) return this.#show({ kind: 'connecting' });
    this.#show(age > STALE_AFTER ? { kind: 'stale' } : { kind: 'picture' });
  }

  #show(showing: LiveShowing): void {
    this.view = { ...this.view, showing };
    this.options.changed(this.view);
  }
}

type Word =
  | { type: 'init'; codec: string; width: number; height: number; origin: string; timescale: number }
  | { type: 'dropped' }
  | { type: 'time'; now: string; last: string | null }
  | { type: 'end'; why: string };
