// A draft while it is filled in: what was typed is saved by itself a moment later, one save after another, and it says so. What the
// box has not taken when its screen goes away (the session ended meanwhile) waits in this window's memory for the same person.
import { Refused } from '../../api/client';
import { disclosures, type Form, type Kind, type Line } from '../../api/disclosures';

/** So long after the last change it is saved. */
const SAVE_AFTER_MS = 800;

interface Left {
  person: string;
  id: number;
  version: number;
  kind: Kind;
  form: Form;
}
/** What was typed and not saved when a form was left: of one draft, in memory alone. */
let left: Left | undefined;

export type Saving = 'saved' | 'waiting' | 'saving' | 'failed';

export class Draft {
  readonly id: number;
  kind = $state<Kind>('authority-request');
  form = $state<Form>({ cameras: [], secret: false, viewing_copy: true });
  saving = $state<Saving>('saved');
  /** When the box last had it. */
  savedAt = $state('');
  failure = $state.raw<unknown>();
  #version: number;
  #sent = '';
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<void> | undefined;

  /** `saved` learns of each row that the box has kept; `person`: who fills it in. */
  constructor(
    row: Line,
    readonly saved: (row: Line) => void,
    readonly person = '',
  ) {
    this.id = row.disclosure;
    this.kind = row.kind;
    this.form = { ...row.form };
    this.savedAt = row.changed;
    this.#version = row.version;
    this.#sent = this.#text();
    const found = left;
    left = undefined;
    // Of an older version nothing is put over what was saved since.
    if (found?.person !== person || found.id !== row.disclosure || found.version !== row.version) return;
    this.kind = found.kind;
    this.form = found.form;
  }

  get version(): number {
    return this.#version;
  }

  #text(): string {
    return JSON.stringify([this.kind, this.form]);
  }

  /** Something was changed; reading the form here makes an effect follow it. */
  touched(): void {
    if (this.#text() === this.#sent) return;
    this.saving = 'waiting';
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.save().catch(() => {}), SAVE_AFTER_MS);
  }

  /** Saves what is not saved yet; throws what the box refuses. */
  async save(): Promise<void> {
    clearTimeout(this.#timer);
    while (this.#running) await this.#running.catch(() => {});
    if (this.#text() === this.#sent) {
      this.saving = 'saved';
      return;
    }
    this.#running = this.#save();
    try {
      await this.#running;
    } finally {
      this.#running = undefined;
    }
  }

  async #save(): Promise<void> {
    const text = this.#text();
    this.saving = 'saving';
    try {
      const row = await disclosures.save(this.id, this.#version, this.kind, $state.snapshot(this.form));
      this.#version = row.version;
      this.#sent = text;
      this.savedAt = row.changed;
      this.saved(row);
      this.failure = undefined;
      this.saving = this.#text() === text ? 'saved' : 'waiting';
      if (this.saving === 'waiting') this.touched();
    } catch (e) {
      this.saving = 'failed';
      this.failure = e;
      throw e;
    }
  }

  /** True when it was saved in another window meanwhile. */
  get isStale(): boolean {
    return this.failure instanceof Refused && this.failure.word === 'exists';
  }

  close(): void {
    // What was typed last is not lost by leaving.
    if (this.saving !== 'saved') {
      void this.save().catch(() => {
        left = { person: this.person, id: this.id, version: this.#version, kind: this.kind, form: $state.snapshot(this.form) };
      });
    }
    clearTimeout(this.#timer);
  }
}
