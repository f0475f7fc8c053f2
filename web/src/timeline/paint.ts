/** Draws the timeline on a canvas. It knows colours and pixels, and nothing of pointers or keys. */

import type { Language } from '../time/format';
import type { Span } from '../time/spans';
import type { Micros, Zone } from '../time/zone';
import { activityIn, columns, type Lane } from './lanes';
import { perPixel, x, type Scale } from './scale';
import { ticks } from './ticks';

/** What is drawn. */
export interface Picture {
  scale: Scale;
  lanes: readonly Lane[];
  zone: Zone;
  language: Language;
  selection: Span | undefined;
  now: Micros;
  /** What was opened for playback: the rest is dimmed. */
  open: Span | undefined;
  /** Words for causes of gaps and rules of deletion. */
  cause: (word: string) => string;
  deleted: string;
  withheld: string;
}

export interface Colours {
  ink: string;
  secondary: string;
  track: string;
  coverage: string;
  activity: string;
  hold: string;
  accent: string;
  rule: string;
  bg: string;
  font: string;
}

export const RULER_PX = 24;
const GAP_PX = 6;
/** A pause that is narrower is no place for a pattern. */
const HATCHED_PX = 4;
const NOTCH_PX = 3;

/** Heights of a lane by how many there are, in pixels: name, coverage, activity, holds. */
export function heights(count: number): { name: number; coverage: number; activity: number; hold: number } {
  if (count > 4) return { name: 13, coverage: 8, activity: 0, hold: 2 };
  return { name: 14, coverage: 14, activity: 14, hold: 3 };
}

/** Height of everything, in pixels. */
export function height(count: number): number {
  const { name, coverage, activity, hold } = heights(count);
  return RULER_PX + count * (name + coverage + activity + hold + GAP_PX) + 4;
}

/** The colours that the page has for the canvas. */
export function coloursOf(element: Element): Colours {
  const style = getComputedStyle(element);
  const of = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: of('ink'),
    secondary: of('secondary'),
    track: of('track'),
    coverage: of('coverage'),
    activity: of('ink'),
    hold: of('hold'),
    accent: of('accent'),
    rule: of('rule'),
    bg: of('bg'),
    font: style.fontFamily,
  };
}

/** Draws all of it. */
export function paint(context: CanvasRenderingContext2D, picture: Picture, colours: Colours): void {
  const { scale, lanes } = picture;
  const tall = height(lanes.length);
  context.clearRect(0, 0, scale.width, tall);
  ruler(context, picture, colours, tall);
  const size = heights(lanes.length);
  let y = RULER_PX;
  for (const lane of lanes) {
    drawLane(context, picture, colours, lane, y);
    y += size.name + size.coverage + size.activity + size.hold + GAP_PX;
  }
  dim(context, picture, colours, tall);
  selection(context, picture, colours, tall);
}

function ruler(context: CanvasRenderingContext2D, picture: Picture, colours: Colours, tall: number): void {
  const { scale, zone, language } = picture;
  context.textBaseline = 'middle';
  let free = -Infinity;
  for (const tick of ticks(scale, zone, language)) {
    const at = Math.round(x(scale, tick.at)) + 0.5;
    context.strokeStyle = colours.rule;
    context.beginPath();
    context.moveTo(at, tick.isDay ? 0 : RULER_PX - 6);
    context.lineTo(at, tall);
    context.stroke();
    const from = Math.max(2, at + 4);
    // A day that began earlier still has its name at the edge.
    if (from < free || (at < 0 && !tick.isDay)) continue;
    context.font = `${tick.isDay ? 600 : 400} 13px ${colours.font}`;
    context.fillStyle = tick.isDay ? colours.ink : colours.secondary;
    context.fillText(tick.label, from, RULER_PX / 2);
    free = from + context.measureText(tick.label).width + 8;
  }
}

function drawLane(context: CanvasRenderingContext2D, picture: Picture, colours: Colours, lane: Lane, top: number): void {
  const { scale } = picture;
  const size = heights(picture.lanes.length);
  const one = perPixel(scale);
  let y = top;
  if (size.name > 0) {
    context.font = `400 12px ${colours.font}`;
    context.fillStyle = colours.secondary;
    context.fillText(lane.name, 4, y + size.name / 2);
    y += size.name;
  }
  context.fillStyle = colours.track;
  context.fillRect(0, y, x(scale, Math.min(scale.end, picture.now)), size.coverage);
  context.fillStyle = colours.coverage;
  for (const [from, to] of columns(lane.recorded, scale, one)) context.fillRect(from, y, to - from, size.coverage);
  holes(context, picture, colours, lane, y, size.coverage);
  // Something is there, and is not shown.
  context.save();
  context.globalAlpha = 0.4;
  context.fillStyle = colours.coverage;
  for (const [from, to] of columns(lane.withheld, scale, one)) context.fillRect(from, y, to - from, size.coverage);
  context.restore();
  for (const part of lane.withheld) {
    if (part.end > scale.start && part.start < scale.end) label(context, picture, colours, part, y, size.coverage, picture.withheld);
  }
  for (const gone of lane.deleted) {
    if (gone.end <= scale.start || gone.start >= scale.end) continue;
    label(context, picture, colours, gone, y, size.coverage, picture.deleted);
  }
  y += size.coverage;
  if (size.activity > 0) activity(context, picture, colours, lane, y, size.activity);
  y += size.activity;
  context.fillStyle = colours.hold;
  for (const [from, to] of columns(lane.held, scale, one)) context.fillRect(from, y, Math.max(2, to - from), size.hold);
}

/** Pauses: hatched where one sees that, else notches; what is recorded between them stays in sight. */
function holes(context: CanvasRenderingContext2D, picture: Picture, colours: Colours, lane: Lane, y: number, tall: number): void {
  const one = perPixel(picture.scale);
  const isWide = (gap: Span) => gap.end - gap.start >= HATCHED_PX * one;
  context.fillStyle = colours.bg;
  for (const [from, to] of columns(lane.gaps.filter((gap) => !isWide(gap)), picture.scale, one)) context.fillRect(from, y + tall - NOTCH_PX, Math.max(1, to - from), NOTCH_PX);
  for (const gap of lane.gaps) if (isWide(gap)) hole(context, picture, colours, gap, y, tall, picture.cause(gap.cause));
}

/** A pause: hatched, and labelled where there is room. */
function hole(
  context: CanvasRenderingContext2D,
  picture: Picture,
  colours: Colours,
  gap: Span,
  y: number,
  tall: number,
  text: string,
): void {
  const { scale } = picture;
  if (gap.end <= scale.start || gap.start >= scale.end) return;
  const from = Math.max(0, x(scale, gap.start));
  const to = Math.min(scale.width, x(scale, gap.end));
  context.save();
  context.beginPath();
  context.rect(from, y, Math.max(1, to - from), tall);
  context.clip();
  context.fillStyle = colours.bg;
  context.fill();
  context.strokeStyle = colours.secondary;
  context.beginPath();
  for (let at = from - tall - (from % 6); at < to; at += 6) {
    context.moveTo(at, y + tall);
    context.lineTo(at + tall, y);
  }
  context.stroke();
  context.restore();
  label(context, picture, colours, gap, y, tall, text);
}

function label(
  context: CanvasRenderingContext2D,
  picture: Picture,
  colours: Colours,
  span: Span,
  y: number,
  tall: number,
  text: string,
): void {
  const from = Math.max(0, x(picture.scale, span.start));
  const to = Math.min(picture.scale.width, x(picture.scale, span.end));
  if (tall < 12 || to - from < 48) return;
  context.font = `400 12px ${colours.font}`;
  const wide = context.measureText(text).width + 8;
  if (wide > to - from - 4) return;
  const left = (from + to - wide) / 2;
  context.fillStyle = colours.bg;
  context.fillRect(left, y, wide, tall);
  context.fillStyle = colours.ink;
  context.fillText(text, left + 4, y + tall / 2 + 0.5);
}

function activity(context: CanvasRenderingContext2D, picture: Picture, colours: Colours, lane: Lane, y: number, tall: number): void {
  if (!lane.activity) return;
  const { scale } = picture;
  const one = perPixel(scale);
  context.fillStyle = colours.activity;
  const { start, step, values } = lane.activity;
  const from = Math.max(0, Math.floor(x(scale, start)));
  const to = Math.min(scale.width, x(scale, start + step * values.length));
  for (let px = from; px < to; px++) {
    const at = scale.start + px * one;
    const value = activityIn(lane.activity, { start: at, end: at + one });
    if (value === 0) continue;
    const high = Math.max(1, Math.round((value / 255) * tall));
    context.fillRect(px, y + tall - high, 1, high);
  }
}

function dim(context: CanvasRenderingContext2D, picture: Picture, colours: Colours, tall: number): void {
  const { scale, open } = picture;
  if (!open) return;
  context.save();
  context.globalAlpha = 0.6;
  context.fillStyle = colours.bg;
  const from = x(scale, open.start);
  const to = x(scale, open.end);
  if (from > 0) context.fillRect(0, RULER_PX, from, tall);
  if (to < scale.width) context.fillRect(to, RULER_PX, scale.width - to, tall);
  context.restore();
}

function selection(context: CanvasRenderingContext2D, picture: Picture, colours: Colours, tall: number): void {
  if (!picture.selection) return;
  const from = x(picture.scale, picture.selection.start);
  const to = x(picture.scale, picture.selection.end);
  context.save();
  context.fillStyle = colours.accent;
  context.globalAlpha = 0.22;
  context.fillRect(from, RULER_PX, to - from, tall - RULER_PX);
  context.restore();
  context.fillStyle = colours.accent;
  context.fillRect(from, RULER_PX, to - from, 2);
  context.fillRect(from, tall - 2, to - from, 2);
}
