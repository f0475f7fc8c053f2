// Moments that a person wants to find again. They are in the browser only: nothing of them is known to the box.
import { remember, remembered } from '../../app/kept';
import type { Micros } from '../../time/zone';

/** One moment of one camera. */
export interface Bookmark {
  camera: string;
  at: Micros;
}

const COUNT_MAX = 100;

function isBookmark(value: unknown): value is Bookmark {
  const found = value as Partial<Bookmark> | null;
  return typeof found?.camera === 'string' && typeof found.at === 'number';
}

export class Bookmarks {
  all = $state.raw<Bookmark[]>([]);
  readonly #name: string;

  constructor(person: string) {
    this.#name = `bookmarks.${person}`;
    try {
      const kept: unknown = JSON.parse(remembered(this.#name) ?? '[]');
      this.all = Array.isArray(kept) ? kept.filter(isBookmark) : [];
    } catch {
      this.all = [];
    }
  }

  /** The latest moments are kept when there are too many. */
  add(bookmark: Bookmark): void {
    const others = this.all.filter((other) => other.camera !== bookmark.camera || other.at !== bookmark.at);
    this.#set([...others, bookmark].slice(-COUNT_MAX));
  }

  remove(bookmark: Bookmark): void {
    this.#set(this.all.filter((other) => other !== bookmark));
  }

  #set(all: Bookmark[]): void {
    this.all = all.toSorted((a, b) => a.at - b.at);
    remember(this.#name, JSON.stringify(this.all));
  }
}
