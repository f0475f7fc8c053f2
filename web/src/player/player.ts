/**
 * Several cameras on one wall-clock timeline. The clock is the picture of the leader, the first camera that has one; the others
 * follow it. Where no camera has a recording the player goes on at the next one, and says what it left out.
 */

import type { Span } from '../time/spans';
import { MS, SECOND, type Micros } from '../time/zone';
import { KEYS_FROM, correct } from './sync';
import type { Showing, Track } from './track';
import { mayPass } from './trouble';

/** What is told to the screen. */
export interface View {
  /** Time of day of the picture. */
  at: Micros;
  isPlaying: boolean;
  rate: number;
  /** Playing, and waiting for pictures. */
  isWaiting: boolean;
  /** What was left out last, while playing. */
  skipped: (Span & { seen: number }) | undefined;
  /** The end of what was opened, or of all recording, is reached. */
  isAtEnd: boolean;
}

/** How the player learns what is recorded beyond what it has listed. */
export interface Recorded {
  /** The first instant from `at` on at which any of the cameras is recorded. */
  next(at: Micros): Micros | undefined;
}

/** This near to the end of what there is, a stall is the end of it. */
const NEAR_END: Micros = 500 * MS;
/** No new picture for so long is a stall. */
const STALL_MS = 150;
const TICK_MS = 60;
/** Nearer than this, two cameras show the same moment. */
const ALIKE: Micros = 30 * MS;
/** What may pass by itself is tried again this often. */
const RETRY_EVERY_MS = 3_000;
/** Pauses in a recording shorter than this are not worth a word. */
const WORTH_SAYING: Micros = SECOND;

export class Player {
  view: View;
  #tracks: Track[] = [];
  #timer: ReturnType<typeof setInterval>;
  #progress = { at: 0, since: 0 };
  #stepping: Promise<void> = Promise.resolve();
  #moved = 0;
  #isJumping = false;
  #retried = 0;

  constructor(
    readonly span: Span,
    readonly recorded: Recorded,
    readonly changed: () => void,
  ) {
    this.view = { at: span.start, isPlaying: false, rate: 1, isWaiting: false, skipped: undefined, isAtEnd: false };
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  get tracks(): readonly Track[] {
    return this.#tracks;
  }

  /** The cameras, the main one first. Those that are new begin where the clock is. */
  use(tracks: Track[]): void {
    const fresh = tracks.filter((track) => !this.#tracks.includes(track));
    for (const gone of this.#tracks) if (!tracks.includes(gone)) gone.close();
    this.#tracks = tracks;
    for (const track of fresh) {
      track.pace(this.view.rate, this.#keysOnly);
      void track.seek(this.view.at);
    }
    this.#tell({});
  }

  /** Goes to a moment; what was on its way for an earlier one is given up. */
  async seek(at: Micros): Promise<void> {
    const target = Math.min(Math.max(at, this.span.start), this.span.end - 1);
    const turn = ++this.#moved;
    for (const track of this.#tracks) track.video.pause();
    // First they are loading, then it is told: what is on the screen is no picture of the new time.
    const sought = this.#tracks.map((track) => track.seek(target));
    this.#tell({ at: target, skipped: undefined, isAtEnd: false });
    await Promise.all(sought);
    if (turn !== this.#moved) return;
    this.#progress = { at: target, since: performance.now() };
    this.#tell({});
  }

  play(): void {
    this.#progress = { at: this.view.at, since: performance.now() };
    this.#tell({ isPlaying: true, isAtEnd: false });
  }

  pause(): void {
    for (const track of this.#tracks) track.video.pause();
    const leader = this.#leader();
    // The time that is shown is that of the picture that is shown, and the others show theirs of that time.
    const at = leader ? leader.snapped(leader.at) : this.view.at;
    for (const track of this.#tracks) {
      const isOff = track !== leader && track.showing.kind === 'picture' && Math.abs(track.at - at) > ALIKE;
      if (isOff && track.bufferedUntil(at) !== undefined) track.nudge(at + MS);
    }
    this.#tell({ isPlaying: false, isWaiting: false, at });
  }

  rate(rate: number): void {
    this.#tell({ rate });
    for (const track of this.#tracks) {
      track.pace(rate, this.#keysOnly);
      track.video.playbackRate = rate;
    }
  }

  /** One picture of the leader on or back; the others show what they had at that time. */
  step(by: 1 | -1): Promise<void> {
    this.#stepping = this.#stepping.then(async () => {
      if (this.view.isPlaying) this.pause();
      if (this.view.rate >= KEYS_FROM) this.rate(1);
      const leader = this.#leader() ?? this.#tracks[0];
      if (!leader) return;
      const turn = this.#moved;
      const next = await leader.beside(this.view.at, by).catch(() => undefined);
      if (next === undefined || turn !== this.#moved) return;
      await this.seek(next);
      this.#tell({ at: leader.snapped(next) });
    });
    return this.#stepping;
  }

  /** Tries again what did not come. */
  retry(): void {
    void this.seek(this.view.at);
  }

  close(): void {
    clearInterval(this.#timer);
    for (const track of this.#tracks) track.close();
    this.#tracks = [];
  }

  // ---- within

  get #keysOnly(): boolean {
    return this.view.rate >= KEYS_FROM;
  }

  #leader(): Track | undefined {
    return this.#tracks.find((track) => track.showing.kind === 'picture');
  }

  #tell(changes: Partial<View>): void {
    this.view = { ...this.view, ...changes };
    this.changed();
  }

  #tick(): void {
    const { at, isPlaying } = this.view;
    for (const track of this.#tracks) track.pump(at);
    this.#retryWhatPasses(at);
    if (!isPlaying) return;
    const leader = this.#leader();
    if (!leader) return this.#withoutPicture(at);
    const now = leader.at;
    if (Math.abs(now - this.#progress.at) > MS) this.#progress = { at: now, since: performance.now() };
    if (now >= this.span.end) return this.#end();
    this.#run(leader, this.view.rate);
    for (const track of this.#tracks) if (track !== leader) this.#follow(track, now);
    const isStalled = performance.now() - this.#progress.since > STALL_MS;
    if (!leader.isReady || isStalled) return this.#stalled(leader, now);
    this.#tell({ at: now, isWaiting: false });
  }

  /** The box may be back, or have less to do. */
  #retryWhatPasses(at: Micros): void {
    if (performance.now() - this.#retried < RETRY_EVERY_MS) return;
    this.#retried = performance.now();
    for (const track of this.#tracks) {
      if (track.showing.kind === 'trouble' && mayPass(track.showing.trouble)) void track.seek(at);
    }
  }

  #run(track: Track, rate: number): void {
    const { video } = track;
    if (Math.abs(video.playbackRate - rate) > 0.001) video.playbackRate = rate;
    // A browser may refuse to play what nobody touched; then the person presses again.
    if (video.paused) video.play().catch((e: unknown) => this.#refused(e));
  }

  #refused(e: unknown): void {
    if (e instanceof DOMException && e.name === 'NotAllowedError') this.pause();
  }

  /** Brings a camera to where the leader is. */
  #follow(track: Track, now: Micros): void {
    const { kind } = track.showing;
    if (kind === 'loading') return;
    if (kind !== 'picture') {
      // Where it had nothing there may be something by now.
      const may = kind === 'nothing' && (track.index.at(now) !== undefined || track.index.unlisted({ start: now, end: now + 1 }).length > 0);
      if (may) void track.seek(now + 300 * MS * this.view.rate);
      return;
    }
    const until = track.index.unbroken(track.at);
    if (until !== undefined && now >= until && !track.index.at(now)) {
      track.video.pause();
      track.showing = { kind: 'nothing' } satisfies Showing;
      track.changed();
      return;
    }
    const drift = track.at - now;
    const correction = correct(drift, this.view.rate);
    if (correction.kind === 'rate') return this.#run(track, correction.rate);
    const target = now + 200 * MS * this.view.rate;
    if (track.bufferedUntil(target) !== undefined) {
      track.nudge(target);
      this.#run(track, this.view.rate);
    } else if (drift > 0) track.video.pause();
    else void track.seek(target);
  }

  /** The leader has no new picture: it waits for one, or there is none. */
  #stalled(leader: Track, now: Micros): void {
    // It may stand just behind the last picture: then nothing is recorded where it stands.
    const isBehind = leader.index.at(now) === undefined && leader.index.unlisted({ start: now, end: now + 1 }).length === 0;
    const until = isBehind ? now : leader.index.unbroken(now);
    const buffered = leader.bufferedUntil(now);
    const isEnd = until !== undefined && until - now < NEAR_END && (buffered === undefined || buffered - now < NEAR_END);
    if (isEnd) return this.#leave(leader, until);
    const isAtHole = (buffered === undefined || buffered - now < NEAR_END) && performance.now() - this.#progress.since > 2 * STALL_MS;
    if (isAtHole && leader.hop(now)) return;
    // What comes next is not what was recorded: it is said in its place, and nothing is played over it.
    const next = isAtHole && leader.failed === 'damaged' ? leader.index.after(now) : undefined;
    if (next) return void this.seek(next.start);
    if (buffered === undefined && until !== undefined && !leader.video.seeking && leader.index.at(now)) {
      // A hole in the buffer although the recording goes on: begin anew here.
      const stood = performance.now() - this.#progress.since;
      if (stood > 1_000) {
        this.#progress.since = performance.now();
        void leader.seek(now);
      }
    }
    const stood = performance.now() - this.#progress.since;
    this.#tell({ at: now, isWaiting: stood > 4 * STALL_MS });
  }

  /** The leader's recording ends at `end`: another camera leads, or all go on where there is something again. */
  #leave(leader: Track, end: Micros): void {
    const other = this.#tracks.find((t) => t !== leader && (t.index.unbroken(end) ?? 0) > end + NEAR_END);
    // What is being written goes on here in a moment; beyond a gap it is no reason to wait.
    const isGrowing = leader.index.unlisted({ start: end - 1, end: end + 1 }).length > 0 && leader.index.after(end - 1) === undefined;
    if (isGrowing) return this.#tell({ isWaiting: true });
    if (other) {
      leader.video.pause();
      leader.showing = { kind: 'nothing' };
      this.#progress = { at: other.at, since: performance.now() };
      leader.changed();
      return;
    }
    void this.#jump(end);
  }

  /** Goes on where any camera has a picture after `end`. */
  async #jump(end: Micros): Promise<void> {
    if (this.#isJumping) return;
    this.#isJumping = true;
    const turn = this.#moved;
    this.#tell({ isWaiting: true });
    try {
      const found = await Promise.all(this.#tracks.map((track) => track.next(end, (at) => this.recorded.next(at))));
      if (turn !== this.#moved || !this.view.isPlaying) return;
      const nexts = found.filter((start) => start !== undefined);
      if (nexts.length === 0) return this.#end();
      await this.#over({ start: end, end: Math.min(...nexts) });
    } catch {
      // The next tick tries again; what stands in the way is told by the tracks.
    } finally {
      this.#isJumping = false;
    }
  }

  async #over(gap: Span): Promise<void> {
    const isWorth = gap.end - gap.start >= WORTH_SAYING;
    const skipped = isWorth ? { ...gap, seen: performance.now() } : this.view.skipped;
    const turn = this.#moved + 1;
    await this.seek(gap.end);
    if (turn === this.#moved) this.#tell({ skipped });
  }

  #withoutPicture(at: Micros): void {
    const showing = this.#tracks.map((track) => track.showing);
    if (showing.length === 0 || showing.some((s) => s.kind === 'loading')) return this.#tell({ isWaiting: true });
    if (showing.every((s) => s.kind === 'nothing')) return void this.#jump(at);
    const passing = showing.some((s) => s.kind === 'trouble' && mayPass(s.trouble));
    if (!passing) this.pause();
  }

  #end(): void {
    for (const track of this.#tracks) track.video.pause();
    this.#tell({ isPlaying: false, isWaiting: false, isAtEnd: true });
  }
}
