// The playback screen without its looks: which cameras, which moment, what is open, and the player over it. What one would want
// again after a reload stands in the address.
import { Refused, api, ask, type Schemas } from '../../api/client';
import { place, setQuery } from '../../app/router.svelte';
import { Loader, opened, type Opened, type StreamKind } from '../../player/loader';
import { Player, type View } from '../../player/player';
import { Stills, type Still } from '../../player/stills';
import { Track, type Showing } from '../../player/track';
import { boxClock } from '../../time/box-clock';
import { holds, type Span } from '../../time/spans';
import { MINUTE, SECOND, fromIso, toIso, type Micros, type Zone } from '../../time/zone';
import { Coverage } from './coverage.svelte';

export type Camera = Schemas['Camera'];

/** So many at a time. */
export const CAMERAS_MAX = 4;
/** What lies before the last this, may be shown when nothing else was asked for. */
const RECENT: Micros = 5 * MINUTE;
/** A pause of the player this long writes the address. */
const ADDRESS_EVERY_MS = 1_000;

/** What is open, and what for. */
export interface Open extends Opened {
  purpose: string;
  reason: string;
  cameras: string[];
}

/** One camera on the stage. */
export interface Tile {
  camera: string;
  showing: Showing;
  stream: StreamKind;
  /** The full picture is one that the browser cannot decode. */
  isPreview: boolean;
  width: number;
  height: number;
  damage: Span | undefined;
}

export class PlaybackModel {
  chosen = $state.raw<string[]>([]);
  at = $state.raw<Micros>(0);
  selection = $state.raw<Span>();
  open = $state.raw<Open>();
  isOpening = $state(false);
  refusal = $state.raw<unknown>();
  /** It was closed since nobody used it. */
  isClosed = $state(false);
  view = $state.raw<View>();
  tiles = $state.raw(new Map<string, Tile>());
  glance = $state.raw<{ at: Micros; still: Still | undefined }>();
  readonly coverage = new Coverage();
  #player: Player | undefined;
  #videos = new Map<string, HTMLVideoElement>();
  #canvas: HTMLCanvasElement | undefined;
  #stills: Stills | undefined;
  #undecodable = new Set<string>();
  #address: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(
    readonly cameras: () => readonly Camera[],
    readonly zone: Zone,
  ) {
    const query = place.query;
    const known = cameras().map((camera) => camera.camera);
    this.chosen = (query.get('cameras') ?? '').split(',').filter((id) => id !== '').slice(0, CAMERAS_MAX);
    if (this.chosen.length === 0 && known[0] !== undefined && known.length === 1) this.chosen = [known[0]];
    this.at = fromIso(query.get('at') ?? '') ?? Math.floor((boxClock.now - RECENT) / SECOND) * SECOND;
    const from = fromIso(query.get('from') ?? '');
    const to = fromIso(query.get('to') ?? '');
    if (from !== undefined && to !== undefined && from < to) this.selection = { start: from, end: to };
  }

  /** The stream whose coverage counts. */
  streamOf(camera: string): StreamKind {
    return this.#has(camera, 'main') ? 'main' : 'sub';
  }

  #has(camera: string, stream: StreamKind): boolean {
    const known = this.cameras().find((other) => other.camera === camera);
    return known?.streams.some((line) => line.stream === stream) ?? stream === 'main';
  }

  /** The moment under the hand, or of the picture. */
  get moment(): Micros {
    return this.glance?.at ?? this.at;
  }

  // ---- opening

  /** Opens the day of the moment for a purpose: the ledger has it before the first picture comes. */
  async begin(purpose: string, reason: string): Promise<void> {
    this.isOpening = true;
    this.refusal = undefined;
    const { chosen, at } = this;
    const day = this.zone.daySpan(this.zone.day(at));
    try {
      const answer = await ask(
        api.POST('/api/v1/playbacks', {
          body: { cameras: chosen, start: toIso(day.start), end: toIso(day.end), purpose: purpose as Schemas['NewPlayback']['purpose'], reason: reason || null },
        }),
      );
      const before = this.open;
      if (this.#closed) return void this.#giveBack(answer.playback);
      this.open = { ...opened(answer), purpose, reason, cameras: chosen };
      this.isClosed = false;
      if (before) this.#giveBack(before.playback);
      this.#start();
    } catch (e) {
      this.refusal = e;
    } finally {
      this.isOpening = false;
    }
  }

  /** Opens other cameras, or another day, for the same purpose; when that is refused, it is asked for anew. */
  async #again(open: Open): Promise<void> {
    await this.begin(open.purpose, open.reason);
    if (this.refusal) this.end();
  }

  /** Closes what is open: the ledger then says what was seen. */
  end(): void {
    const { open } = this;
    this.open = undefined;
    this.#stop();
    if (open) this.#giveBack(open.playback);
  }

  #giveBack(playback: string): void {
    // It is closed by itself when this does not get through.
    api.DELETE('/api/v1/playbacks/{playback}', { params: { path: { playback } }, keepalive: true }).catch(() => {});
  }

  #start(): void {
    const { open } = this;
    if (!open) return;
    const wasPlaying = this.view?.isPlaying ?? false;
    const rate = this.view?.rate ?? 1;
    this.#stop();
    const recorded = { next: (at: Micros) => this.coverage.next(this.chosen, at) };
    const player = new Player(open.span, recorded, () => this.#look(player));
    player.view = { ...player.view, at: Math.min(Math.max(this.at, open.span.start), open.span.end - 1), rate };
    this.#player = player;
    this.#equip();
    if (wasPlaying) player.play();
  }

  #stop(): void {
    this.#player?.close();
    this.#player = undefined;
    this.#stills?.close();
    this.#stills = undefined;
    this.glance = undefined;
    this.view = undefined;
    this.tiles = new Map();
  }

  /** Gives the player a track for each camera whose element is there. */
  #equip(): void {
    const player = this.#player;
    const { open } = this;
    if (!player || !open) return;
    const tracks = this.chosen.flatMap((camera, place) => {
      const video = this.#videos.get(camera);
      if (!video || !open.cameras.includes(camera)) return [];
      const stream = this.#streamFor(camera, place);
      const there = player.tracks.find((t) => t.loader.camera === camera && t.loader.stream === stream && t.video === video);
      if (there) return [there];
      const track: Track = new Track(new Loader(open, camera, stream), video, () => this.#look(player));
      return [track];
    });
    player.use(tracks);
    this.#equipStills();
  }

  /** The main camera has its full picture, the others beside it their small one. */
  #streamFor(camera: string, place: number): StreamKind {
    const wanted: StreamKind = place === 0 && !this.#undecodable.has(camera) ? 'main' : 'sub';
    const other: StreamKind = wanted === 'main' ? 'sub' : 'main';
    return this.#has(camera, wanted) ? wanted : other;
  }

  #equipStills(): void {
    this.#stills?.close();
    this.#stills = undefined;
    const [main] = this.chosen;
    const { open } = this;
    if (!open || !this.#canvas || main === undefined) return;
    const stream = this.#has(main, 'sub') ? 'sub' : 'main';
    this.#stills = new Stills(new Loader(open, main, stream), this.#canvas, (still) => {
      if (this.glance) this.glance = { ...this.glance, still };
    });
  }

  /** The player has something new to tell. */
  #look(player: Player): void {
    if (player !== this.#player) return;
    this.view = player.view;
    if (!this.glance) this.at = player.view.at;
    const tiles = new Map<string, Tile>();
    for (const track of player.tracks) {
      const { camera, stream } = track.loader;
      const entry = track.entry(player.view.at);
      const isCodec = track.showing.kind === 'trouble' && track.showing.trouble === 'codec';
      if (isCodec && stream === 'main' && this.#has(camera, 'sub') && !this.#undecodable.has(camera)) {
        this.#undecodable.add(camera);
        queueMicrotask(() => this.#equip());
      }
      if (track.showing.kind === 'trouble' && track.showing.trouble === 'gone') void this.#ask();
      tiles.set(camera, {
        camera,
        stream,
        showing: track.showing,
        isPreview: stream === 'sub' && this.#undecodable.has(camera),
        width: entry?.width ?? 0,
        height: entry?.height ?? 0,
        damage: track.damage(player.view.at),
      });
    }
    this.tiles = tiles;
    if (this.glance && this.#settling && [...tiles.values()][0]?.showing.kind !== 'loading') this.glance = undefined;
    if (player.view.isPlaying && player.view.at >= player.span.end - SECOND) void this.go(player.span.end);
    this.#write();
  }

  /** What was there is gone: footage, or the whole playback? */
  async #ask(): Promise<void> {
    const { open } = this;
    if (!open) return;
    try {
      await ask(api.GET('/api/v1/playbacks/{playback}', { params: { path: { playback: open.playback } } }));
    } catch (e) {
      if (!(e instanceof Refused) || e.status !== 404 || this.open !== open) return;
      this.open = undefined;
      this.isClosed = true;
      this.#stop();
    }
  }

  // ---- elements

  /** For `{@attach}` on the element of a camera. */
  video = (camera: string) => (element: HTMLVideoElement) => {
    this.#videos.set(camera, element);
    queueMicrotask(() => this.#equip());
    return () => {
      this.#videos.delete(camera);
      queueMicrotask(() => this.#equip());
    };
  };

  /** For `{@attach}` on the canvas of the stills. */
  canvas = (element: HTMLCanvasElement) => {
    this.#canvas = element;
    this.#equipStills();
    return () => {
      this.#canvas = undefined;
    };
  };

  // ---- acts

  /** Goes to a moment; another day is opened for the same purpose. */
  async go(at: Micros): Promise<void> {
    const { open } = this;
    this.at = at;
    this.#settling = true;
    this.#write();
    if (!open) return;
    if (holds(open.span, at)) await this.#player?.seek(at);
    else if (!this.isOpening) await this.#again(open);
  }

  #settling = false;

  /** A still of a moment while somebody drags; `undefined` when the drag is over. */
  drag(at: Micros | undefined): void {
    if (at === undefined) return this.#stills?.rest();
    this.#settling = false;
    if (!this.#player) {
      this.at = at;
      return;
    }
    if (this.view?.isPlaying) this.#player.pause();
    this.glance = { at, still: this.glance?.still };
    this.#stills?.show(at);
  }

  toggle(): void {
    if (this.view?.isPlaying) this.#player?.pause();
    else this.#player?.play();
  }

  pause(): void {
    this.#player?.pause();
  }

  rate(rate: number): void {
    this.#player?.rate(rate);
  }

  step(by: 1 | -1): void {
    void this.#player?.step(by);
  }

  skip(by: Micros): void {
    void this.go(this.moment + by);
  }

  retry(): void {
    this.#player?.retry();
  }

  /** Goes past what is damaged, to the group of pictures after it. */
  pastDamage(): void {
    const next = this.#player?.tracks[0]?.index.after(this.at);
    void this.go(next?.start ?? this.at + 2 * SECOND);
  }

  /** Which cameras are shown, the main one first. More of them are opened for the same purpose. */
  choose(cameras: string[]): void {
    this.chosen = cameras.slice(0, CAMERAS_MAX);
    this.#write();
    const { open } = this;
    if (!open) return;
    if (this.chosen.length === 0) return this.end();
    if (this.chosen.every((camera) => open.cameras.includes(camera))) queueMicrotask(() => this.#equip());
    else void this.#again(open);
  }

  select(span: Span | undefined): void {
    this.selection = span;
    this.#write();
  }

  /** The selection begins, or ends, at the moment. */
  mark(end: 'start' | 'end'): void {
    const at = this.moment;
    const { selection } = this;
    if (end === 'start') this.select({ start: at, end: selection && selection.end > at ? selection.end : at + MINUTE });
    else this.select({ start: selection && selection.start < at ? selection.start : at - MINUTE, end: at });
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#address);
    this.coverage.close();
    this.end();
  }

  /** The address follows, but not with every picture. */
  #write(): void {
    if (this.#address !== undefined || this.#closed) return;
    this.#address = setTimeout(() => {
      this.#address = undefined;
      if (this.#closed) return;
      setQuery({
        cameras: this.chosen.join(','),
        at: toIso(Math.round(this.moment / 1_000) * 1_000),
        from: this.selection && toIso(this.selection.start),
        to: this.selection && toIso(this.selection.end),
      });
    }, ADDRESS_EVERY_MS);
  }
}
