/** What the timeline shows of each camera, and the same as rows of a table. */

import { at as holding, common, overlap, type Span } from '../time/spans';
import type { Micros } from '../time/zone';

/** Where something moved: a value from 0 to 255 for each step. */
export interface Activity {
  start: Micros;
  step: Micros;
  values: Uint8Array;
}

/** A pause in the recording. */
export interface Gap extends Span {
  cause: string;
}

/** Footage that was deleted. */
export interface Deleted extends Span {
  rule: 'expired' | 'early';
}

/** Footage that is there and may not be seen: a data subject asked for that (GDPR 18), or it is not of the hold that was opened. */
export interface Withheld extends Span {
  why: 'restricted' | 'other';
}

/** Footage that is kept past its time. */
export interface Held extends Span {
  name: string;
}

/** One camera. */
export interface Lane {
  camera: string;
  name: string;
  recorded: Span[];
  deleted: Deleted[];
  withheld: Withheld[];
  gaps: Gap[];
  held: Held[];
  activity: Activity | undefined;
}

/** What there is at an instant. */
export type State =
  | { kind: 'recorded'; span: Span }
  | { kind: 'gap'; span: Gap }
  | { kind: 'deleted'; span: Deleted }
  | { kind: 'withheld'; span: Withheld }
  | { kind: 'unknown' };

/** From here on something is said to move. */
export const MOVES_FROM = 32;

/** What there is of a camera at an instant. */
export function stateAt(lane: Lane, at: Micros): State {
  const recorded = holding(lane.recorded, at);
  if (recorded) return { kind: 'recorded', span: recorded };
  const deleted = holding(lane.deleted, at);
  if (deleted) return { kind: 'deleted', span: deleted };
  const withheld = holding(lane.withheld, at);
  if (withheld) return { kind: 'withheld', span: withheld };
  const gap = holding(lane.gaps, at);
  return gap ? { kind: 'gap', span: gap } : { kind: 'unknown' };
}

/** The highest activity between two instants. */
export function activityIn(activity: Activity | undefined, span: Span): number {
  if (!activity) return 0;
  const from = Math.max(0, Math.floor((span.start - activity.start) / activity.step));
  const to = Math.min(activity.values.length, Math.max(from + 1, Math.ceil((span.end - activity.start) / activity.step)));
  let most = 0;
  for (let i = from; i < to; i++) most = Math.max(most, activity.values[i] ?? 0);
  return most;
}

/** A line of the table that says what the timeline draws. */
export interface Row extends Span {
  camera: string;
  name: string;
  kind: 'recorded' | 'gap' | 'deleted' | 'withheld' | 'held';
  /** Cause of a gap, rule of a deletion, why it is withheld, name of a hold. */
  why: string;
  /** Share of the time in which something moved, 0 to 1. */
  moves: number;
}

/** Everything between `window`, in order of time; at most `most` rows. */
export function rows(lanes: readonly Lane[], window: Span, most: number): { rows: Row[]; left: number } {
  const all: Row[] = [];
  const put = (lane: Lane, span: Span, kind: Row['kind'], why: string) => {
    const part = common(span, window);
    if (part) all.push({ camera: lane.camera, name: lane.name, ...part, kind, why, moves: kind === 'recorded' ? moving(lane.activity, part) : 0 });
  };
  for (const lane of lanes) {
    for (const span of lane.recorded) put(lane, span, 'recorded', '');
    for (const gap of lane.gaps) put(lane, gap, 'gap', gap.cause);
    for (const span of lane.deleted) put(lane, span, 'deleted', span.rule);
    for (const span of lane.withheld) put(lane, span, 'withheld', span.why);
    for (const held of lane.held) put(lane, held, 'held', held.name);
  }
  all.sort((a, b) => a.start - b.start || a.end - b.end || a.name.localeCompare(b.name));
  return { rows: all.slice(0, most), left: Math.max(0, all.length - most) };
}

function moving(activity: Activity | undefined, span: Span): number {
  if (!activity) return 0;
  const { start, step, values } = activity;
  const covered: Span = { start, end: start + step * values.length };
  if (!overlap(covered, span)) return 0;
  const from = Math.max(0, Math.floor((span.start - start) / step));
  const to = Math.min(values.length, Math.ceil((span.end - start) / step));
  let count = 0;
  for (let i = from; i < to; i++) if ((values[i] ?? 0) >= MOVES_FROM) count += 1;
  return to > from ? count / (to - from) : 0;
}

/** Spans as they are drawn: what is narrower than a pixel shares one. In pixels, from and to. */
export function columns(spans: readonly Span[], window: Span, perPixel: number): [number, number][] {
  const found: [number, number][] = [];
  for (const span of spans) {
    if (span.end <= window.start) continue;
    if (span.start >= window.end) break;
    const from = Math.max(0, (span.start - window.start) / perPixel);
    const to = (Math.min(span.end, window.end) - window.start) / perPixel;
    const last = found.at(-1);
    if (last && from <= last[1] + 0.5 && to - from < 1) last[1] = Math.max(last[1], to);
    else found.push([from, Math.max(to, from + 0.75)]);
  }
  return found;
}
