// Who is signed in, and what they may.
import { api, ask, type Schemas } from '../api/client';
import { languageOf, texts } from '../messages/current.svelte';

export type Me = Schemas['Me'];
export type Right = Schemas['RightLine']['right'];

/** Where each role begins. */
const LANDINGS: readonly (readonly [string, string])[] = [
  ['manager', '/playback'],
  ['controller', '/playback'],
  ['staff', '/live'],
  ['auditor', '/disclosures'],
  ['admin', '/health'],
  ['maintenance', '/health'],
];

class Session {
  /** Who is signed in; undefined: nobody. */
  me = $state.raw<Me>();
  /** False until the box has said whether somebody is signed in. */
  known = $state(false);
  /** Why the last session ended, as a word; undefined: none did, or by signing out. */
  ended = $state<string>();

  /** Asks the box who is signed in. */
  async find(): Promise<void> {
    try {
      await this.begin(await ask(api.GET('/api/v1/session')));
    } catch (e) {
      this.me = undefined;
      // Nobody was signed in: nothing has ended.
      this.ended = undefined;
      throw e;
    } finally {
      this.known = true;
    }
  }

  /** Somebody has signed in. */
  async begin(me: Me): Promise<void> {
    await texts.use(languageOf(me.person, me.language));
    this.me = me;
    this.ended = undefined;
  }

  async signOut(): Promise<void> {
    try {
      await api.DELETE('/api/v1/session');
    } finally {
      this.me = undefined;
      this.ended = undefined;
    }
  }

  /** The box says that the session is over. */
  lost(word: string): void {
    // The box has forgotten the session: for whoever had one, it is over.
    if (this.me) this.ended = word === 'not-signed-in' ? 'expired' : word;
    this.me = undefined;
  }

  /** True when the person has the right, for the camera if one is named. */
  may(right: Right, camera?: string): boolean {
    const line = this.me?.rights.find((line) => line.right === right);
    if (!line) return false;
    return camera === undefined || !line.cameras || line.cameras.includes(camera);
  }

  /** Where the person begins. */
  get landing(): string {
    const roles = this.me?.roles ?? [];
    return LANDINGS.find(([role]) => roles.includes(role))?.[1] ?? '/notice';
  }
}

export const session = new Session();
