// Disclosures as the pages use them: one place where the names of the API are written. What a screen does with them does not
// belong here.
import { Refused, send } from './client';

export const KINDS = ['authority-request', 'own-initiative', 'seizure', 'viewing', 'oral', 'access-request', 'internal', 'maintenance'] as const;
export type Kind = (typeof KINDS)[number];
export const STATES = ['draft', 'requested', 'approved', 'refused', 'prepared', 'handed-over', 'received', 'destroyed', 'withdrawn'] as const;
export type State = (typeof STATES)[number];

/** Of these nothing is copied: somebody is shown or told something. */
export function hasFile(kind: Kind): boolean {
  return kind !== 'viewing' && kind !== 'oral';
}

export interface Texts {
  fi: string;
  sv: string;
  en: string;
}

export interface Choice {
  code: string;
  kinds: string[];
  /** It may be chosen today. */
  open: boolean;
  approvers: number;
  texts: Texts;
}

export interface KindRules {
  kind: Kind;
  mandatory: string[];
  answer_within_months?: number | null;
  texts: Texts;
}

export interface Catalogue {
  version: string;
  note: Texts;
  bases: Choice[];
  purposes: Choice[];
  recipients: Choice[];
  kinds: KindRules[];
}

/** Fields in which something is typed or chosen. */
export const TEXT_FIELDS = [
  'channel', 'recipient', 'organisation', 'person', 'rank', 'unit', 'contact', 'verified_how', 'case_number', 'case_absent', 'basis',
  'purpose', 'necessity', 'appearance', 'secret_reason',
] as const;
export type TextField = (typeof TEXT_FIELDS)[number];

export interface Form extends Partial<Record<TextField, string | null>> {
  received?: string | null;
  cameras: string[];
  start?: string | null;
  end?: string | null;
  hold?: number | null;
  secret: boolean;
  language?: string | null;
  viewing_copy: boolean;
}

export interface Interval {
  start: string;
  end: string;
}

export interface Gap extends Interval {
  cause: string;
}

export interface GivenCamera {
  camera: string;
  name: string;
  asked: Interval;
  given: Interval;
  gaps: Gap[];
}

export interface SnappedCamera extends GivenCamera {
  bytes: number;
  segments: number;
}

/** A step, as the history shows it. */
export interface Step {
  at: string;
  by: string;
  by_name?: string | null;
  step: string;
  entry: number;
  detail: Record<string, unknown> | null;
}

export interface Review {
  at: string;
  by: string;
  by_name?: string | null;
  remark?: string | null;
}

/** The catalogue's texts as they were when it was decided. */
export interface Frozen {
  basis?: { texts: Texts } | null;
  purpose?: { texts: Texts } | null;
  recipient?: { texts: Texts } | null;
}

/** A disclosure, as the register lists it. */
export interface Line {
  disclosure: number;
  serial?: string | null;
  kind: Kind;
  state: State;
  version: number;
  form: Form;
  asked_by: string;
  asked_by_name?: string | null;
  drafted: string;
  changed: string;
  requested?: string | null;
  due?: string | null;
  hold?: number | null;
  approvers?: number | null;
  cameras: GivenCamera[];
  frozen?: Frozen | null;
  decided?: string | null;
  prepared?: string | null;
  manifest?: string | null;
  handed_over?: string | null;
  received?: string | null;
  copies_until?: string | null;
  destroyed?: string | null;
}

/** With all that was done with it. */
export interface Disclosure extends Line {
  steps: Step[];
  reviews: Review[];
  /** So many have approved it and still could. */
  approved_by: number;
  /** Each step has its entry in the ledger, unchanged. */
  intact: boolean;
}

export interface Register {
  disclosures: Line[];
  next?: string | null;
  searched: number;
  found: number;
  chain: {
    intact: boolean;
    entries: number;
    compared: number;
    wrong: number[];
    trouble?: string | null;
  };
}

export interface Part {
  part: number;
  name: string;
  bytes: number;
  sha256: string;
  wiped?: string | null;
}

export interface Package {
  state: 'queued' | 'running' | 'done' | 'failed' | 'cancelled';
  phase: string;
  bytes_done: number;
  bytes_total: number;
  seconds_left?: number | null;
  cause?: string | null;
  by: string;
  begun: string;
  ended?: string | null;
  parts: Part[];
}

export interface NewPackage {
  encryption: 'none' | 'made' | 'typed';
  passphrase?: string;
}

export interface HandOver {
  to: string;
  /** Without one: now. */
  at?: string;
  identity: string;
  medium: string;
  encryption?: string;
  copies_until?: string;
}

export type Decision = 'approve' | 'refuse';

/** Who approves at the workstation of whoever asked. */
export interface Second {
  name: string;
  password: string;
  code: string;
}

export type Filter = Partial<Record<'camera' | 'footage_start' | 'footage_end' | 'disclosed_start' | 'disclosed_end' | 'recipient' | 'person' | 'state' | 'kind' | 'basis', string>>;

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const request = new Request(`/api/v1${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  const response = await send(request);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

function query(filter: Record<string, string | number | undefined>): string {
  const words = Object.entries(filter).filter(([, value]) => value !== undefined && value !== '');
  const text = new URLSearchParams(words.map(([name, value]) => [name, String(value)])).toString();
  return text === '' ? '' : `?${text}`;
}

export const disclosures = {
  catalogue: () => call<Catalogue>('GET', '/catalogue'),
  snap: (cameras: string[], start: string, end: string, hold?: number | null) =>
    call<{ cameras: SnappedCamera[] }>('POST', '/disclosures/snap', { cameras, start, end, hold }),
  list: (filter: Filter, after?: string, count = 100) => call<Register>('GET', `/disclosures${query({ ...filter, after, count })}`),
  get: (id: number | string) => call<Disclosure>('GET', `/disclosures/${id}`),
  draft: (kind: Kind, form: Form) => call<Line>('POST', '/disclosures', { kind, form }),
  save: (id: number, version: number, kind: Kind, form: Form) => call<Line>('PUT', `/disclosures/${id}`, { version, kind, form }),
  discard: (id: number) => call<void>('DELETE', `/disclosures/${id}`),
  request: (id: number, version: number) => call<Line>('POST', `/disclosures/${id}/request`, { version }),
  decide: (id: number, decision: Decision, reason: string) => call<Disclosure>('POST', `/disclosures/${id}/approval`, { decision, reason }),
  decideHere: (id: number, decision: Decision, reason: string, second: Second) =>
    call<Disclosure>('POST', `/disclosures/${id}/approval/here`, { decision, reason, ...second }),
  withdraw: (id: number, reason: string) => call<Disclosure>('POST', `/disclosures/${id}/withdrawal`, { reason }),
  handOver: (id: number, how: HandOver) => call<Disclosure>('POST', `/disclosures/${id}/hand-over`, how),
  receive: (id: number, how: string) => call<Disclosure>('POST', `/disclosures/${id}/receipt`, { how }),
  destroy: (id: number, how: string) => call<Disclosure>('POST', `/disclosures/${id}/destruction`, { how }),
  review: (id: number, remark: string | undefined) => call<Disclosure>('POST', `/disclosures/${id}/review`, { remark }),
  package: async (id: number): Promise<Package | null> => {
    try {
      return await call<Package>('GET', `/disclosures/${id}/package`);
    } catch (e) {
      // None was made.
      if (e instanceof Refused && e.status === 404) return null;
      throw e;
    }
  },
  prepare: (id: number, wanted: NewPackage) => call<{ passphrase?: string | null }>('POST', `/disclosures/${id}/package`, wanted),
  cancel: (id: number) => call<void>('DELETE', `/disclosures/${id}/package`),
  /** The register as a file, of all that fits. */
  registerAddress: (form: 'csv' | 'pdf', filter: Filter): string => `/api/v1/disclosures.${form}${query(filter)}`,
  /** The handover document, as the record is now. */
  handoverAddress: (id: number): string => `/api/v1/disclosures/${id}/handover.pdf`,
  partAddress: (id: number, part: number): string => `/api/v1/disclosures/${id}/package/${part}`,
  /**
   * Opens the way for a download by the browser itself, which can ask nobody for a code: asks for what lies after the end of the
   * part. The box refuses that with 416 only when everything else is in order, and nothing is delivered, so nothing is logged.
   */
  async openPart(id: number, part: Part): Promise<void> {
    try {
      await send(new Request(this.partAddress(id, part.part), { headers: { range: `bytes=${part.bytes}-` } }));
    } catch (e) {
      if (!(e instanceof Refused && e.status === 416)) throw e;
    }
  },
};
