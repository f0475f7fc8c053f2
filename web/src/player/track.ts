/**
 * One camera of a playback on one video element: finds, fetches and shows groups. Where it is to be is said by the player; the
 * latest word wins, and what was being fetched for an earlier one is given up.
 */

import { boxClock } from '../time/box-clock';
import type { Span } from '../time/spans';
import { MINUTE, MS, SECOND, type Micros } from '../time/zone';
import { beside, frames, inside, type Frame } from './frames';
import { GroupIndex, ahead, wanted, type Group } from './groups';
import type { Loader } from './loader';
import { Feed, canDecode } from './media-source';
import { pictures } from './mp4';
import { PictureError, mayPass, troubleOf, type Trouble } from './trouble';

/** What a track shows. */
export type Showing =
  /** Nothing was asked for yet. */
  | { kind: 'empty' }
  /** On its way; `slow` after two seconds. */
  | { kind: 'loading'; slow: boolean }
  /** The picture of the moment. */
  | { kind: 'picture' }
  /** There is no recording at the moment. */
  | { kind: 'nothing' }
  | { kind: 'trouble'; trouble: Trouble };

/** A group that is in the buffer. */
interface Loaded {
  group: Group;
  keysOnly: boolean;
  frames: Frame[];
}

/** Listed at a time. */
const WINDOW: Micros = 5 * MINUTE;
/** Kept behind the playhead, for steps back. */
const BEHIND: Micros = 20 * SECOND;
const SLOW_AFTER_MS = 2_000;
/** What grows is listed anew this often while the playhead is near. */
const GROWING_EVERY_MS = 1_500;
const AT_A_TIME = 3;
/** A hole that is longer is a gap. */
const HOLE_S = 0.6;
/** So many windows without a picture are looked through for the next one. */
const LOOKS_MAX = 24;
const PAUSE_AFTER_TROUBLE_MS = 1_000;

export class Track {
  readonly index = new GroupIndex();
  showing: Showing = { kind: 'empty' };
  #feed: Feed;
  #loaded = new Map<string, Loaded>();
  #keysOnly = false;
  #rate = 1;
  #seeking = new AbortController();
  #pumping = false;
  #listedGrowing = 0;
  #closed = false;
  #failed: Trouble | undefined;

  constructor(
    readonly loader: Loader,
    readonly video: HTMLVideoElement,
    readonly changed: () => void,
  ) {
    this.#feed = new Feed(video);
    video.addEventListener('error', this.#broken);
    video.addEventListener('seeked', this.#seeked);
  }

  /** Time of day of the picture that is shown. */
  get at(): Micros {
    return this.#wall(this.video.currentTime);
  }

  /** Codec and size of what is at the moment. */
  entry(at: Micros) {
    const group = this.index.at(at) ?? this.index.after(at);
    return group ? this.index.entries.get(group.init) : undefined;
  }

  /** Damage that is known at `at`. */
  damage(at: Micros) {
    for (const span of this.index.damaged.values()) if (span.start <= at && at < span.end) return span;
    return undefined;
  }

  /** How fast, and so how far ahead and which pictures. */
  pace(rate: number, keysOnly: boolean): void {
    this.#rate = rate;
    if (this.#keysOnly === keysOnly) return;
    this.#keysOnly = keysOnly;
    if (keysOnly) return;
    // What is there as key frames alone makes way for all of its pictures.
    for (const [name, loaded] of this.#loaded) {
      if (loaded.keysOnly) this.#drop(name, loaded);
    }
  }

  /** Shows the picture of `at`; resolves when it does, or cannot, or something later was asked for. */
  async seek(at: Micros): Promise<void> {
    this.#seeking.abort();
    const seeking = new AbortController();
    this.#seeking = seeking;
    const { signal } = seeking;
    this.#failed = undefined;
    this.#show({ kind: 'loading', slow: false });
    const slow = setTimeout(() => {
      if (!signal.aborted && this.showing.kind === 'loading') this.#show({ kind: 'loading', slow: true });
    }, SLOW_AFTER_MS);
    try {
      const group = await this.#find(at, signal);
      if (signal.aborted) return;
      if (!group) return this.#show({ kind: 'nothing' });
      await this.#load(group, signal);
      if (signal.aborted) return;
      await this.#place(group, Math.min(Math.max(at, group.start), group.end - MS), signal);
      if (!signal.aborted) this.#show({ kind: 'picture' });
    } catch (e) {
      if (!signal.aborted) this.#trouble(e);
    } finally {
      clearTimeout(slow);
    }
  }

  /** Goes on fetching around `at`; to be called again and again. */
  pump(at: Micros): void {
    if (this.#pumping || this.#closed || this.#failed || this.showing.kind === 'loading') return;
    this.#pumping = true;
    const { signal } = this.#seeking;
    this.#advance(at, signal)
      .catch((e: unknown) => {
        const trouble = signal.aborted ? undefined : troubleOf(e);
        if (trouble) this.#failed = trouble;
        if (trouble && mayPass(trouble)) setTimeout(() => (this.#failed = undefined), PAUSE_AFTER_TROUBLE_MS);
      })
      .finally(() => (this.#pumping = false));
  }

  /** Why nothing more is fetched, while there is such a reason. */
  get failed(): Trouble | undefined {
    return this.#failed;
  }

  /** The picture beside the one on the screen; fetched if need be. `undefined` when there is none. */
  async beside(at: Micros, by: 1 | -1): Promise<Micros | undefined> {
    const { signal } = this.#seeking;
    const time = at - this.loader.open.origin;
    for (let tries = 0; tries < 3; tries++) {
      const found = beside(this.#frames(), time, by);
      const here = this.index.at(at);
      const edge = by > 0 ? this.index.after(here?.start ?? at) : this.index.before(here?.start ?? at);
      // What is loaded may have a hole: the picture beside must be of this group or of the one beside it.
      const isNear = found && (!here || this.#isOf(found, here) || (edge && this.#isOf(found, edge)));
      if (found && isNear) return this.loader.open.origin + inside(found);
      const from = here ? (by > 0 ? here.end : here.start - MINUTE) : by > 0 ? at : at - MINUTE;
      await this.#list({ start: from - SECOND, end: from + MINUTE + SECOND }, signal);
      const next = by > 0 ? this.index.after(here?.start ?? at) : this.index.before(here?.start ?? at);
      if (!next) return undefined;
      if (here) await this.#load(here, signal);
      await this.#load(next, signal);
    }
    return undefined;
  }

  /** The first instant from `at` on at which there is a picture; `recorded` says where it is worth a look. */
  async next(at: Micros, recorded: (at: Micros) => Micros | undefined): Promise<Micros | undefined> {
    const { signal } = this.#seeking;
    let from = at;
    for (let tries = 0; tries < LOOKS_MAX && from < this.loader.open.span.end; tries++) {
      const window: Span = { start: from, end: from + WINDOW };
      await this.#list(window, signal);
      const found = this.index.after(from - 1);
      if (found && found.start < window.end) return found.start;
      const told = recorded(window.end);
      if (told === undefined) return undefined;
      from = Math.max(window.end, told);
    }
    return undefined;
  }

  /** The whole frame time at `at`, for a display that does not flicker; `at` itself when it is not known. */
  snapped(at: Micros): Micros {
    const time = at - this.loader.open.origin;
    const all = this.#frames();
    const next = beside(all, time, 1);
    const place = next ? all.indexOf(next) - 1 : all.length - 1;
    const frame = all[place];
    return frame && time < frame.shown + frame.lasts + SECOND ? this.loader.open.origin + frame.shown : at;
  }

  /** True while the browser has pictures to go on with. */
  get isReady(): boolean {
    return this.video.readyState >= 3;
  }

  /** Time of day at which what is buffered around `at` ends. */
  bufferedUntil(at: Micros): Micros | undefined {
    const end = this.#feed.endAt(this.#media(at));
    return end === undefined ? undefined : this.#wall(end);
  }

  /** Moves within what is buffered, without showing that it is loading. */
  nudge(at: Micros): void {
    this.video.currentTime = this.#media(at);
  }

  /** Goes over a hole between two pictures that is no gap; true when there was one. A browser does not do that by itself. */
  hop(at: Micros): boolean {
    const time = this.#media(at);
    const next = this.#feed.ranges().find(([start]) => start > time);
    if (!next || next[0] - time > HOLE_S) return false;
    this.video.currentTime = next[0] + 0.001;
    return true;
  }

  close(): void {
    this.#closed = true;
    this.#seeking.abort();
    this.video.removeEventListener('error', this.#broken);
    this.video.removeEventListener('seeked', this.#seeked);
    this.#feed.close();
    this.#loaded.clear();
  }

  // ---- within

  #media(at: Micros): number {
    return (at - this.loader.open.origin) / SECOND;
  }

  #wall(time: number): Micros {
    return this.loader.open.origin + Math.round(time * SECOND);
  }

  #show(showing: Showing): void {
    this.showing = showing;
    this.changed();
  }

  #trouble(e: unknown): void {
    const trouble = troubleOf(e);
    if (trouble) this.#show({ kind: 'trouble', trouble });
  }

  #isOf(frame: Frame, group: Group): boolean {
    const shown = this.loader.open.origin + frame.shown;
    return group.start - SECOND <= shown && shown < group.end + SECOND;
  }

  #frames(): Frame[] {
    const all = [...this.#loaded.values()].filter((loaded) => !loaded.keysOnly).flatMap((loaded) => loaded.frames);
    return all.sort((a, b) => a.shown - b.shown);
  }

  /** The group of `at`, listed if need be. */
  async #find(at: Micros, signal: AbortSignal): Promise<Group | undefined> {
    const known = this.index.at(at);
    if (known && this.index.unlisted({ start: at, end: at + 1 }).length === 0) return known;
    await this.#list({ start: at, end: at + WINDOW }, signal);
    return this.index.at(at);
  }

  async #list(span: Span, signal: AbortSignal): Promise<void> {
    const { open } = this.loader;
    for (const part of this.index.unlisted(span)) {
      const start = Math.max(part.start, open.span.start);
      const end = Math.min(part.end, open.span.end);
      if (start >= end) continue;
      const page = await this.loader.list({ start, end }, signal);
      for (const [init, entry] of page.entries) this.index.entries.set(init, entry);
      for (const damage of page.damaged) this.index.damaged.set(damage.start, damage);
      this.index.add({ start, end: page.until }, page.groups);
      const growing = page.groups.find((group) => !group.complete);
      if (growing) {
        this.index.forget(growing.start);
        this.#listedGrowing = performance.now();
      } else if (page.groups.length === 0 && page.until > boxClock.now - MINUTE) {
        // Nothing yet: what is being recorded comes later.
        this.index.forget(start);
        this.#listedGrowing = performance.now();
      }
    }
    this.index.trim(span.start);
  }

  async #load(group: Group, signal: AbortSignal): Promise<void> {
    const known = this.#loaded.get(group.media);
    if (known && known.keysOnly === this.#keysOnly && known.group.end === group.end) return;
    if (known && !known.keysOnly && known.group.end === group.end) return;
    const entry = this.index.entries.get(group.init);
    if (!entry) throw new PictureError('fault', 'a group without parameters');
    if (!canDecode(entry.codec)) throw new PictureError('codec', entry.codec);
    const keysOnly = this.#keysOnly;
    const [initial, bytes] = await Promise.all([
      this.loader.initial(group.init, signal),
      this.loader.media(group, keysOnly, signal),
    ]);
    await this.#append(group, entry.codec, initial, bytes, keysOnly, signal);
  }

  async #append(
    group: Group,
    codec: string,
    initial: Uint8Array<ArrayBuffer>,
    bytes: Uint8Array<ArrayBuffer>,
    keysOnly: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    signal.throwIfAborted();
    const found = frames(pictures(bytes), this.loader.open.timescale);
    await this.#feed.append(codec, initial, bytes);
    this.#loaded.set(group.media, { group, keysOnly, frames: found });
  }

  #drop(name: string, loaded: Loaded): void {
    this.#loaded.delete(name);
    // Not the picture after it: times are rounded.
    const end = this.#media(loaded.group.end) - 0.001;
    this.#feed.remove(this.#media(loaded.group.start), end).catch(() => {});
  }

  /** Puts a picture of this group on the screen: the one of `at`, or else the next one that it has, or its last. */
  async #place(group: Group, at: Micros, signal: AbortSignal): Promise<void> {
    const { video } = this;
    const time = at - this.loader.open.origin;
    const own = [...(this.#loaded.get(group.media)?.frames ?? [])].sort((a, b) => a.shown - b.shown);
    const here = own.findLast((f) => f.shown <= time + MS && time <= f.shown + f.lasts);
    // Between two pictures, or before the first, there is nothing in the buffer: a browser would wait there for ever.
    const target = here ?? own.find((f) => f.shown > time) ?? own.at(-1);
    const exact = here ? Math.max(time, inside(here)) : target && inside(target);
    video.currentTime = exact === undefined ? this.#media(at) : exact / SECOND;
    await new Promise<void>((resolve, reject) => {
      const done = () => {
        if (video.seeking || video.readyState < 2) return;
        clean();
        resolve();
      };
      const stop = () => {
        clean();
        reject(new DOMException('something later was asked for', 'AbortError'));
      };
      // A browser may leave out the last event of many seeks.
      const look = setInterval(done, 50);
      const clean = () => {
        clearInterval(look);
        for (const event of ['seeked', 'loadeddata', 'canplay']) video.removeEventListener(event, done);
        signal.removeEventListener('abort', stop);
      };
      for (const event of ['seeked', 'loadeddata', 'canplay']) video.addEventListener(event, done);
      signal.addEventListener('abort', stop);
      done();
    });
  }

  async #advance(at: Micros, signal: AbortSignal): Promise<void> {
    const horizon = ahead(this.#rate, this.#keysOnly);
    const window: Span = { start: at, end: at + Math.max(WINDOW / 2, horizon) };
    const isGrowing = performance.now() - this.#listedGrowing < GROWING_EVERY_MS;
    if (!isGrowing && this.index.unlisted(window).length > 0) {
      await this.#list({ start: at, end: at + Math.max(WINDOW, 2 * horizon) }, signal);
    }
    const has = (group: Group) => this.#loaded.get(group.media)?.group.end === group.end;
    const next = wanted(this.index, at, horizon, has, AT_A_TIME).filter((group) => {
      const entry = this.index.entries.get(group.init);
      return entry !== undefined && canDecode(entry.codec);
    });
    const keysOnly = this.#keysOnly;
    const fetched = next.map((group) => ({
      group,
      bytes: Promise.all([this.loader.initial(group.init, signal), this.loader.media(group, keysOnly, signal)]),
    }));
    // Whichever fails first is told; nobody waits for the others.
    for (const { bytes } of fetched) bytes.catch(() => {});
    for (const { group, bytes } of fetched) {
      const [initial, media] = await bytes;
      const codec = this.index.entries.get(group.init)?.codec ?? '';
      await this.#append(group, codec, initial, media, keysOnly, signal);
    }
    await this.#evict(at, horizon);
  }

  async #evict(at: Micros, horizon: Micros): Promise<void> {
    const behind = BEHIND * Math.max(1, this.#rate);
    for (const [name, { group }] of this.#loaded) {
      if (group.end < at - behind || group.start > at + 3 * horizon + MINUTE) this.#loaded.delete(name);
    }
    const starts = [...this.#loaded.values()].map(({ group }) => group.start);
    const ends = [...this.#loaded.values()].map(({ group }) => group.end);
    if (starts.length === 0) return;
    const from = this.#media(Math.min(...starts)) - 0.001;
    const to = this.#media(Math.max(...ends)) + 0.001;
    for (const [start, end] of this.#feed.ranges()) {
      if (start < from - 1) await this.#feed.remove(start, Math.min(end, from));
      if (end > to + 1) await this.#feed.remove(Math.max(start, to), end);
    }
  }

  /** A picture is there although the one that waited for it gave up. */
  readonly #seeked = () => this.changed();

  /** What the decoder does not take breaks the whole source: begin anew. */
  readonly #broken = () => {
    if (this.#closed) return;
    this.#feed.close();
    this.#loaded.clear();
    this.#feed = new Feed(this.video);
    this.#failed = 'decode';
    this.#show({ kind: 'trouble', trouble: 'decode' });
  };
}
