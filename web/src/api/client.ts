// Requests to the box. A refusal becomes a `Refused`; what a fresh factor, the password or a new sign-in makes good is asked
// for and then tried once more, wherever the request came from.
import createClient from 'openapi-fetch';

import type { components, paths } from './schema';

/** The objects of the API by name. */
export type Schemas = components['schemas'];

/** Why a request was not done. */
export class Refused extends Error {
  /** The last part of `urn:sinetti:…`, or `unreachable` when there was no answer, or `unknown`. */
  readonly word: string;
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** What is wrong with which field: by JSON pointer, or `?name`. */
  readonly fields: ReadonlyMap<string, string>;
  /** Seconds after which it may be tried again. */
  readonly retryAfter: number | undefined;

  constructor(word: string, status: number, detail: string, fields: ReadonlyMap<string, string> = new Map(), retryAfter?: number) {
    super(detail);
    this.name = 'Refused';
    this.word = word;
    this.status = status;
    this.fields = fields;
    this.retryAfter = retryAfter;
  }
}

/** What makes a refused request good: true when it is worth another try. */
export interface Remedies {
  /** Asks for a code of the second factor. */
  stepUp(): Promise<boolean>;
  /** Asks for the password, since the vault is locked. */
  unlock(): Promise<boolean>;
  /** The session is over: `word` says why. */
  lost(word: string): void;
}

let remedies: Remedies | undefined;

/** Says who asks the person for what a request lacks. */
export function useRemedies(given: Remedies): void {
  remedies = given;
}

const PREFIX = 'urn:sinetti:';

async function problem(response: Response): Promise<Refused> {
  const header = response.headers.get('retry-after');
  const retryAfter = header === null ? undefined : Number(header);
  try {
    const body = (await response.json()) as Partial<Schemas['Problem']>;
    const word = body.type?.startsWith(PREFIX) ? body.type.slice(PREFIX.length) : 'unknown';
    const fields = new Map((body.errors ?? []).map((e) => [e.pointer, e.detail]));
    return new Refused(word, response.status, body.detail ?? '', fields, retryAfter);
  } catch {
    return new Refused('unknown', response.status, response.statusText, new Map(), retryAfter);
  }
}

/** True for the answer to a sign-in itself, which a lost session is not the cause of. */
function isSignIn(request: Request): boolean {
  const path = new URL(request.url).pathname;
  return path.startsWith('/api/v1/enrolment') || (path === '/api/v1/session' && request.method === 'POST');
}

/** As `fetch`, but it throws a `Refused` where there is no answer or a refusal. */
export async function send(request: Request): Promise<Response> {
  const again = request.clone();
  const response = await answer(request);
  if (response.ok) return response;
  const refused = await problem(response);
  if (isSignIn(request)) throw refused;
  // A wrong code or password ends no session.
  if (response.status === 401 && refused.word !== 'wrong') remedies?.lost(refused.word);
  const good =
    (refused.word === 'step-up' && (await remedies?.stepUp())) || (refused.word === 'vault-locked' && (await remedies?.unlock()));
  if (!good) throw refused;
  const second = await answer(again);
  if (second.ok) return second;
  throw await problem(second);
}

async function answer(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch (e) {
    if (request.signal.aborted) throw e;
    throw new Refused('unreachable', 0, String(e));
  }
}

/** The typed client. Answers are taken out with `ask`. */
export const api = createClient<paths>({ baseUrl: '/', fetch: send });

/** The body of an answer; a refusal has been thrown as `Refused`. */
export async function ask<T>(asked: Promise<{ data?: T }>): Promise<T> {
  const { data } = await asked;
  return data as T;
}
