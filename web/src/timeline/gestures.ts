/** What a mouse, a pen or fingers do on the timeline, as acts: pan, zoom, go there, glance, select. */

import type { Micros } from '../time/zone';
import { RULER_PX } from './paint';

type Handle = 'playhead' | 'start' | 'end';

/** What the gestures lead to. Pixels count from the left of the timeline. */
export interface Deeds {
  handleOf: (target: EventTarget | null) => Handle | undefined;
  at: (px: number) => Micros;
  width: () => number;
  pan: (px: number) => void;
  zoom: (factor: number, px: number) => void;
  seek: (at: Micros) => void;
  glance: (at: Micros | undefined) => void;
  drag: (handle: Handle, at: Micros) => void;
  select: (from: Micros, to: Micros) => void;
  hover: (px: number | undefined, y: number) => void;
}

type Doing =
  | { kind: 'press'; px: number }
  | { kind: 'pan'; px: number }
  | { kind: 'glance' }
  | { kind: 'handle'; handle: 'start' | 'end' }
  | { kind: 'select'; from: Micros }
  | { kind: 'pinch'; apart: number };

/** Farther than this, a press is a drag. */
const SLACK_PX = 4;
/** So near to an edge, a drag moves the timeline along. */
const EDGE_PX = 28;
const EDGE_SPEED_PX = 8;
const WHEEL = 0.0016;

export class Gestures {
  #doing: Doing | undefined;
  #pointers = new Map<number, { px: number; y: number }>();
  #edge = 0;

  constructor(
    readonly host: HTMLElement,
    readonly deeds: Deeds,
  ) {
    host.addEventListener('pointerdown', this.#down);
    host.addEventListener('pointermove', this.#moved);
    host.addEventListener('pointerup', this.#up);
    host.addEventListener('pointercancel', this.#up);
    host.addEventListener('pointerleave', this.#left);
    host.addEventListener('wheel', this.#wheel, { passive: false });
  }

  /** Somebody holds something. */
  get isActive(): boolean {
    return this.#doing !== undefined;
  }

  close(): void {
    cancelAnimationFrame(this.#edge);
    this.host.removeEventListener('pointerdown', this.#down);
    this.host.removeEventListener('pointermove', this.#moved);
    this.host.removeEventListener('pointerup', this.#up);
    this.host.removeEventListener('pointercancel', this.#up);
    this.host.removeEventListener('pointerleave', this.#left);
    this.host.removeEventListener('wheel', this.#wheel);
  }

  #place(event: PointerEvent | WheelEvent): { px: number; y: number } {
    const box = this.host.getBoundingClientRect();
    return { px: event.clientX - box.left, y: event.clientY - box.top };
  }

  readonly #down = (event: PointerEvent) => {
    if (event.button !== 0) return;
    const { px, y } = this.#place(event);
    this.#pointers.set(event.pointerId, { px, y });
    this.host.setPointerCapture(event.pointerId);
    this.deeds.hover(undefined, 0);
    if (this.#pointers.size === 2) {
      this.#doing = { kind: 'pinch', apart: this.#apart() };
      return;
    }
    const handle = this.deeds.handleOf(event.target);
    if (handle === 'start' || handle === 'end') this.#doing = { kind: 'handle', handle };
    else if (event.shiftKey) this.#doing = { kind: 'select', from: this.deeds.at(px) };
    else if (handle === 'playhead' || y < RULER_PX) {
      this.#doing = { kind: 'glance' };
      if (handle !== 'playhead') this.deeds.glance(this.deeds.at(px));
    } else this.#doing = { kind: 'press', px };
    cancelAnimationFrame(this.#edge);
    this.#edge = requestAnimationFrame(this.#atEdge);
  };

  readonly #moved = (event: PointerEvent) => {
    const { px, y } = this.#place(event);
    const doing = this.#doing;
    if (!doing) {
      this.deeds.hover(event.pointerType === 'mouse' ? px : undefined, y);
      return;
    }
    if (!this.#pointers.has(event.pointerId)) return;
    this.#pointers.set(event.pointerId, { px, y });
    if (doing.kind === 'press' && Math.abs(px - doing.px) > SLACK_PX) this.#doing = { kind: 'pan', px: doing.px };
    this.#go(px);
  };

  #go(px: number): void {
    const doing = this.#doing;
    const { deeds } = this;
    switch (doing?.kind) {
      case 'pan':
        deeds.pan(doing.px - px);
        doing.px = px;
        break;
      case 'glance':
        deeds.glance(deeds.at(px));
        break;
      case 'handle':
        deeds.drag(doing.handle, deeds.at(px));
        break;
      case 'select':
        deeds.select(doing.from, deeds.at(px));
        break;
      case 'pinch': {
        const apart = this.#apart();
        const [a, b] = [...this.#pointers.values()];
        if (a && b && apart > 8) deeds.zoom(doing.apart / apart, (a.px + b.px) / 2);
        doing.apart = apart;
        break;
      }
    }
  }

  readonly #up = (event: PointerEvent) => {
    const { px } = this.#place(event);
    this.#pointers.delete(event.pointerId);
    const doing = this.#doing;
    if (this.#pointers.size > 0) {
      // One of two fingers is left: it does nothing of its own.
      this.#doing = { kind: 'pan', px: [...this.#pointers.values()][0]?.px ?? px };
      return;
    }
    this.#doing = undefined;
    cancelAnimationFrame(this.#edge);
    if (doing?.kind === 'press' && event.type === 'pointerup') this.deeds.seek(this.deeds.at(px));
    if (doing?.kind === 'glance') {
      this.deeds.glance(undefined);
      if (event.type === 'pointerup') this.deeds.seek(this.deeds.at(px));
    }
  };

  readonly #left = () => {
    if (!this.#doing) this.deeds.hover(undefined, 0);
  };

  readonly #wheel = (event: WheelEvent) => {
    event.preventDefault();
    const { px } = this.#place(event);
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const isSideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (isSideways) this.deeds.pan((event.deltaX || event.deltaY) * lines);
    else this.deeds.zoom(Math.exp(event.deltaY * lines * WHEEL), px);
  };

  #apart(): number {
    const [a, b] = [...this.#pointers.values()];
    return a && b ? Math.abs(a.px - b.px) : 0;
  }

  /** A drag that stands at an edge moves the timeline along under it. */
  readonly #atEdge = () => {
    const doing = this.#doing;
    if (!doing) return;
    this.#edge = requestAnimationFrame(this.#atEdge);
    if (doing.kind !== 'glance' && doing.kind !== 'handle' && doing.kind !== 'select') return;
    const pointer = [...this.#pointers.values()][0];
    if (!pointer) return;
    const beyond = pointer.px - (this.deeds.width() - EDGE_PX);
    const before = EDGE_PX - pointer.px;
    const by = beyond > 0 ? Math.min(1, beyond / EDGE_PX) : before > 0 ? -Math.min(1, before / EDGE_PX) : 0;
    if (by === 0) return;
    this.deeds.pan(by * EDGE_SPEED_PX);
    this.#go(pointer.px);
  };
}
