/**
 * The timeline as an element: a canvas, and over it sliders for the playhead and the two ends of the selection, which the
 * keyboard and screen readers reach. Drag to pan, wheel or two fingers to zoom, tap to go there; the playhead and the ruler glance.
 */

import './timeline.css';

import type { Language } from '../time/format';
import type { Span } from '../time/spans';
import { MINUTE, SECOND, type Micros, type Zone } from '../time/zone';
import { Gestures } from './gestures';
import type { Lane } from './lanes';
import { coloursOf, height, paint, type Colours } from './paint';
import { instant, pan, showing, within, x, zoom, type Scale } from './scale';

/** What is shown. */
export interface Content {
  lanes: readonly Lane[];
  zone: Zone;
  language: Language;
  at: Micros;
  now: Micros;
  selection: Span | undefined;
  open: Span | undefined;
  /** As far as one can go. */
  limits: Span;
}

/** Words, and values as they are spoken. */
export interface Words {
  playhead: string;
  start: string;
  end: string;
  spoken: (at: Micros) => string;
  /** What lies under the pointer; of the lane of that number. */
  hover: (at: Micros, lane: number) => string;
  cause: (word: string) => string;
  deleted: string;
  withheld: string;
}

/** What somebody did. */
export interface Acts {
  /** Go there. */
  seek: (at: Micros) => void;
  /** A picture of there, while dragging; `undefined` when the drag is over. */
  glance: (at: Micros | undefined) => void;
  select: (span: Span | undefined) => void;
  /** What is shown has changed. */
  view: (scale: Scale) => void;
}

type Handle = 'playhead' | 'start' | 'end';

const STEP: Micros = 10 * SECOND;
const FINE: Micros = SECOND;

export class Timeline {
  #content: Content;
  #scale: Scale;
  #canvas = document.createElement('canvas');
  #sliders: Record<Handle, HTMLElement>;
  #hover = document.createElement('div');
  #colours: Colours | undefined;
  #frame = 0;
  #observer: ResizeObserver;
  #gestures: Gestures;
  /** The view goes with the playhead until somebody pans away. */
  #follows = true;

  constructor(
    readonly host: HTMLElement,
    content: Content,
    view: Span,
    readonly words: Words,
    readonly acts: Acts,
  ) {
    this.#content = content;
    this.#scale = { ...view, width: Math.max(1, host.clientWidth) };
    host.classList.add('timeline');
    this.#canvas.setAttribute('aria-hidden', 'true');
    this.#hover.className = 'hover';
    this.#hover.hidden = true;
    this.#sliders = { playhead: this.#slider('playhead'), start: this.#slider('start'), end: this.#slider('end') };
    host.append(this.#canvas, this.#sliders.start, this.#sliders.end, this.#sliders.playhead, this.#hover);
    this.#gestures = new Gestures(host, {
      handleOf: (target) => handleOf(target, this.#sliders),
      at: (px) => instant(this.#scale, px),
      width: () => this.#scale.width,
      pan: (px) => this.#move(pan(this.#scale, px, this.#content.limits)),
      zoom: (factor, px) => this.#move(zoom(this.#scale, factor, instant(this.#scale, px), this.#content.limits)),
      seek: (at) => this.#seek(at),
      glance: (at) => this.acts.glance(at === undefined ? undefined : this.#clamp(at)),
      drag: (handle, at) => this.#drag(handle, at),
      select: (from, to) => this.acts.select(this.#ordered(from, to)),
      hover: (px, y) => this.#point(px, y),
    });
    this.#observer = new ResizeObserver(() => this.#resize());
    this.#observer.observe(host);
    this.#resize();
  }

  /** Shows something else. */
  update(changes: Partial<Content>): void {
    const { at } = this.#content;
    this.#content = { ...this.#content, ...changes };
    if (changes.limits) this.#scale = within(this.#scale, changes.limits);
    const { at: now, limits } = this.#content;
    if (this.#follows && now !== at && !this.#gestures.isActive) {
      const next = showing(this.#scale, now, limits);
      if (next !== this.#scale) this.#set(next);
    }
    this.#draw();
  }

  /** Shows a span of time, as near as it may. */
  view(span: Span): void {
    this.#follows = true;
    this.#set(within({ ...span, width: this.#scale.width }, this.#content.limits));
  }

  /** Less or more time across the width, around the playhead. */
  zoom(factor: number): void {
    const { at, limits } = this.#content;
    const isShown = at >= this.#scale.start && at <= this.#scale.end;
    this.#set(zoom(this.#scale, factor, isShown ? at : (this.#scale.start + this.#scale.end) / 2, limits));
  }

  /** What is shown now. */
  get scale(): Scale {
    return this.#scale;
  }

  /** The theme may have changed. */
  recolour(): void {
    this.#colours = undefined;
    this.#draw();
  }

  close(): void {
    cancelAnimationFrame(this.#frame);
    this.#observer.disconnect();
    this.#gestures.close();
    this.host.replaceChildren();
  }

  // ---- within

  #slider(handle: Handle): HTMLElement {
    const slider = document.createElement('div');
    slider.setAttribute('role', 'slider');
    slider.setAttribute('aria-label', this.words[handle]);
    slider.tabIndex = 0;
    slider.classList.toggle('handle', handle !== 'playhead');
    slider.hidden = handle !== 'playhead';
    slider.addEventListener('keydown', (event) => this.#key(event, handle));
    return slider;
  }

  #key(event: KeyboardEvent, handle: Handle): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { start, end } = this.#scale;
    const page = (end - start) / 10;
    const step = handle === 'playhead' ? (event.shiftKey ? FINE : STEP) : event.shiftKey ? STEP : FINE;
    const at = this.#value(handle);
    const to: Record<string, Micros> = {
      ArrowLeft: at - step,
      ArrowDown: at - step,
      ArrowRight: at + step,
      ArrowUp: at + step,
      PageDown: at - page,
      PageUp: at + page,
      Home: start,
      End: end,
    };
    const target = to[event.key];
    if (target !== undefined) {
      if (handle === 'playhead') this.#seek(target);
      else this.#drag(handle, target);
    } else if (event.key === '+' || event.key === '-') this.zoom(event.key === '+' ? 1 / 1.5 : 1.5);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #value(handle: Handle): Micros {
    const { at, selection } = this.#content;
    if (handle === 'playhead') return at;
    return selection?.[handle] ?? at;
  }

  #clamp(at: Micros): Micros {
    const { limits, now } = this.#content;
    return Math.min(Math.max(at, limits.start), Math.min(limits.end - 1, now));
  }

  #seek(at: Micros): void {
    this.#follows = true;
    this.acts.seek(this.#clamp(Math.round(at)));
  }

  #drag(handle: Handle, at: Micros): void {
    const { selection } = this.#content;
    if (handle === 'playhead' || !selection) return;
    const other = handle === 'start' ? selection.end : selection.start;
    const to = this.#clamp(Math.round(at));
    // The ends never pass each other.
    const bound = handle === 'start' ? Math.min(to, other - SECOND) : Math.max(to, other + SECOND);
    this.acts.select(handle === 'start' ? { start: bound, end: other } : { start: other, end: bound });
  }

  #ordered(from: Micros, to: Micros): Span | undefined {
    const start = this.#clamp(Math.min(from, to));
    const end = this.#clamp(Math.max(from, to));
    return end > start ? { start, end } : undefined;
  }

  #move(scale: Scale): void {
    this.#follows = false;
    this.#set(scale);
  }

  #set(scale: Scale): void {
    this.#scale = scale;
    this.acts.view(scale);
    this.#draw();
  }

  #resize(): void {
    const width = Math.max(1, this.host.clientWidth);
    this.#scale = { ...this.#scale, width };
    this.acts.view(this.#scale);
    this.#draw();
  }

  #point(px: number | undefined, y: number): void {
    const at = px === undefined ? undefined : instant(this.#scale, px);
    this.#hover.hidden = at === undefined;
    if (at === undefined || px === undefined) return;
    const { lanes } = this.#content;
    const each = (height(lanes.length) - height(0)) / Math.max(1, lanes.length);
    const lane = Math.floor((y - height(0)) / each);
    this.#hover.textContent = this.words.hover(at, Math.min(Math.max(lane, 0), lanes.length - 1));
    const left = Math.min(Math.max(0, px + 12), Math.max(0, this.#scale.width - this.#hover.offsetWidth));
    this.#hover.style.left = `${left}px`;
  }

  #draw(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#paint());
  }

  #paint(): void {
    const began = performance.now();
    this.#colours ??= coloursOf(this.host);
    const { lanes, zone, language, selection, now, open } = this.#content;
    const tall = height(lanes.length);
    const ratio = devicePixelRatio || 1;
    const [wide, high] = [Math.round(this.#scale.width * ratio), Math.round(tall * ratio)];
    if (this.#canvas.width !== wide || this.#canvas.height !== high) {
      this.#canvas.width = wide;
      this.#canvas.height = high;
      this.#canvas.style.width = `${this.#scale.width}px`;
      this.#canvas.style.height = `${tall}px`;
      this.host.style.height = `${tall}px`;
    }
    const context = this.#canvas.getContext('2d');
    if (!context) return;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const { cause, deleted, withheld } = this.words;
    paint(context, { scale: this.#scale, lanes, zone, language, selection, now, open, cause, deleted, withheld }, this.#colours);
    for (const handle of ['playhead', 'start', 'end'] as const) this.#put(handle);
    // For whoever measures.
    this.host.dataset['drawn'] = (performance.now() - began).toFixed(1);
  }

  #put(handle: Handle): void {
    const slider = this.#sliders[handle];
    const { selection } = this.#content;
    const isThere = handle === 'playhead' || selection !== undefined;
    slider.hidden = !isThere;
    if (!isThere) return;
    const at = this.#value(handle);
    const { start, end } = this.#scale;
    slider.style.left = `${x(this.#scale, at)}px`;
    slider.setAttribute('aria-valuemin', String(Math.floor(Math.min(start, at) / SECOND)));
    slider.setAttribute('aria-valuemax', String(Math.ceil(Math.max(end, at + MINUTE) / SECOND)));
    slider.setAttribute('aria-valuenow', String(Math.round(at / SECOND)));
    slider.setAttribute('aria-valuetext', this.words.spoken(at));
  }
}

function handleOf(target: EventTarget | null, sliders: Record<Handle, HTMLElement>): Handle | undefined {
  return (['playhead', 'start', 'end'] as const).find((handle) => target === sliders[handle]);
}
