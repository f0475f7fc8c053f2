// What is recorded of cameras, for the timeline, the calendar and the player: read once as far back as there is anything, and
// at the end again and again. Activity is read for what the timeline shows.
import { api, ask, type Schemas } from '../../api/client';
import { SEAM, spliced, type Known } from '../../timeline/known';
import type { Activity, Held, Lane } from '../../timeline/lanes';
import { perPixel, type Scale } from '../../timeline/scale';
import { boxClock } from '../../time/box-clock';
import { after, at as holding, union, type Span } from '../../time/spans';
import { DAY, HOUR, MS, SECOND, fromIso, toIso, type Micros, type Zone } from '../../time/zone';

type Report = Schemas['CoverageReport'];
type Stream = Known['stream'];

/** As far back as the box answers. */
const LONGEST: Micros = 399 * DAY;
/** What may have changed lately, besides what was recorded. */
const TAIL: Micros = 2 * HOUR;
/** All of it is read anew this often. */
const WHOLE_EVERY_MS = 10 * 60_000;
const ACTIVITY_LONGEST: Micros = 30 * DAY;
const ACTIVITY_VALUES_MAX = 6_000;

function instant(text: string): Micros {
  return fromIso(text) ?? 0;
}

function spanOf(of: { start: string; end: string }): Span {
  return { start: instant(of.start), end: instant(of.end) };
}

function read(report: Report, stream: Stream): Known {
  const recorded = report.recorded.map(spanOf);
  if (report.growing) recorded.push(spanOf(report.growing));
  return {
    stream,
    recorded: union(recorded, SEAM),
    deleted: report.deleted.map((part) => ({ ...spanOf(part), rule: part.rule })),
    withheld: report.withheld.map((part) => ({ ...spanOf(part), why: part.why })),
    gaps: report.gaps.map((gap) => ({ ...spanOf(gap), cause: gap.cause })),
    keep: report.keep_s == null ? undefined : report.keep_s * SECOND,
  };
}

export class Coverage {
  #known = $state.raw(new Map<string, Known>());
  #activity = $state.raw(new Map<string, Activity>());
  #held = $state.raw(new Map<string, Held[]>());
  /** Why what is recorded cannot be read. */
  failure = $state.raw<unknown>();
  /** When all of a camera's time was read. */
  readonly #whole = new Map<string, number>();
  #activityFor = '';
  #abort = new AbortController();

  /** True once something is known of the camera. */
  has(camera: string): boolean {
    return this.#known.has(camera);
  }

  /** The lane of a camera. */
  lane(camera: string, name: string): Lane {
    const known = this.#known.get(camera);
    return {
      camera,
      name,
      recorded: known?.recorded ?? [],
      deleted: known?.deleted ?? [],
      withheld: known?.withheld ?? [],
      gaps: known?.gaps ?? [],
      held: this.#held.get(camera) ?? [],
      activity: this.#activity.get(camera),
    };
  }

  /** How long footage of a camera is kept. */
  keep(camera: string): Micros | undefined {
    return this.#known.get(camera)?.keep;
  }

  /** Reads what is kept past its time, as far as one may know of it. */
  async loadHolds(): Promise<void> {
    const { signal } = this.#abort;
    const { holds } = await ask(api.GET('/api/v1/holds', { signal }));
    if (signal.aborted) return;
    const held = new Map<string, Held[]>();
    for (const hold of holds.filter((one) => !one.ended)) {
      for (const camera of hold.cameras) held.set(camera, [...(held.get(camera) ?? []), { ...spanOf(hold), name: String(hold.hold) }]);
    }
    for (const spans of held.values()) spans.sort((a, b) => a.start - b.start);
    this.#held = held;
  }

  /** From the first thing that is known of these cameras up to the end of the present day. */
  limits(cameras: readonly string[], zone: Zone): Span {
    const now = boxClock.now;
    let start = now - DAY;
    for (const camera of cameras) {
      const known = this.#known.get(camera);
      for (const spans of [known?.recorded, known?.deleted, known?.withheld, known?.gaps]) start = Math.min(start, spans?.[0]?.start ?? start);
    }
    return { start: Math.max(start, now - LONGEST), end: zone.daySpan(zone.day(now)).end };
  }

  /** The first instant from `at` on at which any of these is recorded. */
  next(cameras: readonly string[], at: Micros): Micros | undefined {
    const starts = cameras.flatMap((camera) => {
      const recorded = this.#known.get(camera)?.recorded ?? [];
      const start = holding(recorded, at) ? at : after(recorded, at)?.start;
      return start === undefined ? [] : [start];
    });
    return starts.length === 0 ? undefined : Math.min(...starts);
  }

  /** Reads what is recorded of these cameras: all of it, or what may be new. */
  async load(cameras: readonly { camera: string; stream: Stream }[]): Promise<void> {
    const { signal } = this.#abort;
    const now = boxClock.now;
    const found = await Promise.allSettled(
      cameras.map(async ({ camera, stream }) => {
        const old = this.#known.get(camera);
        // Also at the other end something changes: what is deleted.
        const isKnown = old?.stream === stream && performance.now() - (this.#whole.get(camera) ?? -Infinity) < WHOLE_EVERY_MS;
        const from = isKnown ? now - TAIL : now - LONGEST;
        const report = await ask(
          api.GET('/api/v1/cameras/{camera}/{stream}/coverage', {
            params: { path: { camera, stream }, query: { start: toIso(from), end: toIso(now + SECOND) } },
            signal,
          }),
        );
        const fresh = read(report, stream);
        if (!isKnown) this.#whole.set(camera, performance.now());
        return [camera, old && isKnown ? spliced(old, fresh, from) : fresh] as const;
      }),
    );
    if (signal.aborted) return;
    const known = new Map(this.#known);
    this.failure = undefined;
    for (const result of found) {
      if (result.status === 'fulfilled') known.set(...result.value);
      else this.failure = result.reason;
    }
    this.#known = known;
  }

  /** Reads where something moved, as finely as it is shown. */
  async look(cameras: readonly { camera: string; stream: Stream }[], scale: Scale): Promise<void> {
    const length = scale.end - scale.start;
    const margin = Math.min(length, HOUR);
    const start = Math.max(scale.start - margin, boxClock.now - LONGEST);
    const end = Math.min(scale.end + margin, boxClock.now, start + ACTIVITY_LONGEST);
    if (end <= start || length > ACTIVITY_LONGEST) return;
    const step = Math.max(1, Math.ceil(Math.max(perPixel(scale), (end - start) / ACTIVITY_VALUES_MAX) / SECOND));
    const asked = cameras.map(({ camera }) => camera).join(' ');
    const grain = Math.max(MS, Math.floor(length / 4));
    const key = `${asked} ${step} ${Math.floor(start / grain)} ${Math.floor(end / grain)} ${end > boxClock.now - 2 * SECOND ? Math.floor(end / (10 * SECOND)) : ''}`;
    if (key === this.#activityFor) return;
    this.#activityFor = key;
    const { signal } = this.#abort;
    await Promise.allSettled(
      cameras.map(async ({ camera, stream }) => {
        const report = await ask(
          api.GET('/api/v1/cameras/{camera}/{stream}/activity', {
            params: { path: { camera, stream }, query: { start: toIso(start), end: toIso(end), step } },
            signal,
          }),
        );
        const activity: Activity = { start: instant(report.start), step: report.step * SECOND, values: Uint8Array.from(report.values) };
        if (!signal.aborted) this.#activity = new Map(this.#activity).set(camera, activity);
      }),
    );
  }

  close(): void {
    this.#abort.abort();
  }
}
