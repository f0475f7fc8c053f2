/** Spans of time, and sets of them: sorted, disjoint, half open. */

import type { Micros } from './zone';

/** From `start` on, up to `end`, which does not belong to it. */
export interface Span {
  start: Micros;
  end: Micros;
}

/** True when `at` lies in it. */
export function holds(span: Span, at: Micros): boolean {
  return span.start <= at && at < span.end;
}

/** True when the two have an instant in common. */
export function overlap(a: Span, b: Span): boolean {
  return a.start < b.end && b.start < a.end;
}

/** What the two have in common. */
export function common(a: Span, b: Span): Span | undefined {
  const start = Math.max(a.start, b.start);
  const end = Math.min(a.end, b.end);
  return start < end ? { start, end } : undefined;
}

/** Any spans as a set; what is apart by no more than `seam` becomes one. */
export function union(spans: readonly Span[], seam: Micros = 0): Span[] {
  const sorted = spans.filter((s) => s.end > s.start).sort((a, b) => a.start - b.start);
  const set: Span[] = [];
  for (const span of sorted) {
    const last = set.at(-1);
    if (last && span.start <= last.end + seam) last.end = Math.max(last.end, span.end);
    else set.push({ start: span.start, end: span.end });
  }
  return set;
}

/** What of `span` is in none of the set. */
export function missing(span: Span, set: readonly Span[]): Span[] {
  const left: Span[] = [];
  let from = span.start;
  for (const part of set) {
    if (part.end <= from) continue;
    if (part.start >= span.end) break;
    if (part.start > from) left.push({ start: from, end: part.start });
    from = Math.max(from, part.end);
  }
  if (from < span.end) left.push({ start: from, end: span.end });
  return left;
}

/** Index of the last of `sorted` that begins at or before `at`; -1 when none does. */
export function indexAt<T extends { start: Micros }>(sorted: readonly T[], at: Micros): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const item = sorted[middle];
    if (item && item.start <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The one of a set that holds `at`. */
export function at<T extends Span>(set: readonly T[], instant: Micros): T | undefined {
  const found = set[indexAt(set, instant)];
  return found && instant < found.end ? found : undefined;
}

/** The first of a set that begins after `instant`. */
export function after<T extends Span>(set: readonly T[], instant: Micros): T | undefined {
  return set[indexAt(set, instant) + 1];
}
