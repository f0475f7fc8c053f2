// What a request lacks and a person can give: a fresh code, or the password. Asked for in a dialog (ui/Prompts.svelte), one at a time.

export type Question = 'step-up' | 'unlock';

interface Asked {
  question: Question;
  answered: Promise<boolean>;
  settle: (good: boolean) => void;
}

class Prompts {
  #asked = $state.raw<Asked>();

  /** What is asked now. */
  get question(): Question | undefined {
    return this.#asked?.question;
  }

  /** Asks; whoever asks the same meanwhile waits for the same answer. */
  async ask(question: Question): Promise<boolean> {
    while (this.#asked) {
      const { question: present, answered } = this.#asked;
      const good = await answered;
      if (present === question) return good;
    }
    let settle = (_: boolean): void => {};
    const answered = new Promise<boolean>((resolve) => (settle = resolve));
    this.#asked = { question, answered, settle };
    return answered;
  }

  /** The person gave it, or did not want to. */
  answer(good: boolean): void {
    const asked = this.#asked;
    this.#asked = undefined;
    asked?.settle(good);
  }
}

export const prompts = new Prompts();
