// Disclosures as the pages use them: one place where the names of the API are written. What a screen does with them does not
// belong here.
import { Refused, send, type Schemas } from './client';

export type Kind = Schemas['Disclosure']['kind'];
export type State = Schemas['Disclosure']['state'];
export const KINDS: readonly Kind[] = ['authority-request', 'own-initiative', 'seizure', 'viewing', 'oral', 'access-request', 'internal', 'maintenance'];
export const STATES: readonly State[] = ['draft', 'requested', 'approved', 'refused', 'prepared', 'handed-over', 'received', 'destroyed', 'withdrawn'];

/** Of these nothing is copied: somebody is shown or told something. */
export function hasFile(kind: Kind): boolean {
  return kind !== 'viewing' && kind !== 'oral';
}

export type Texts = Schemas['TextsLine'];
export type Choice = Schemas['ChoiceLine'];
export type KindRules = Schemas['KindLine'];
export type Catalogue = Schemas['CatalogueAnswer'];

/** Fields in which something is typed or chosen. */
export const TEXT_FIELDS = [
  'channel', 'recipient', 'organisation', 'person', 'rank', 'unit', 'contact', 'verified_how', 'case_number', 'case_absent', 'basis',
  'purpose', 'necessity', 'appearance', 'secret_reason',
] as const;
export type TextField = (typeof TEXT_FIELDS)[number];

/** As it is asked with: each field may be left out but those that the pages always have. */
export type Form = Partial<Schemas['Form']> & Pick<Schemas['Form'], 'cameras' | 'secret' | 'viewing_copy'>;
export type GivenCamera = Schemas['CameraLine'];
export type SnappedCamera = Schemas['SnappedLine'];
/** A step, as the history shows it. */
export type Step = Schemas['StepLine'];
export type Review = Schemas['ReviewLine'];

/** The catalogue's texts as they were when it was decided. */
export interface Frozen {
  basis?: { texts: Texts } | null;
  purpose?: { texts: Texts } | null;
  recipient?: { texts: Texts } | null;
}

/** What the API document leaves open: a form is whole, and texts are the catalogue's. */
interface Told {
  form: Form;
  frozen?: Frozen | null;
}

/** A disclosure, as the register lists it. */
export type Line = Omit<Schemas['Disclosure'], keyof Told> & Told;
/** With all that was done with it. */
export type Disclosure = Omit<Schemas['DisclosureDetail'], keyof Told> & Told;
export type Register = Omit<Schemas['Register'], 'disclosures'> & { disclosures: Line[] };
export type Part = Schemas['PackagePart'];
/** How far the job is that makes a package; the API document has it as a text. */
export type JobState = 'queued' | 'running' | 'done' | 'failed' | 'cancelled';
export type Package = Omit<Schemas['Package'], 'state'> & { state: JobState };
export type NewPackage = Schemas['NewPackage'];
export type HandOver = Schemas['ToHandOver'];

/** The scan of the written request, as the record tells of it. */
export type Scan = Schemas['Scan'];

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
  putScan: async (id: number, file: Blob): Promise<Scan> => {
    const headers = { 'content-type': 'application/octet-stream' };
    const response = await send(new Request(`/api/v1/disclosures/${id}/scan`, { method: 'PUT', body: file, headers }));
    return (await response.json()) as Scan;
  },
  removeScan: (id: number) => call<void>('DELETE', `/disclosures/${id}/scan`),
  scan: async (id: number): Promise<Blob> => (await send(new Request(`/api/v1/disclosures/${id}/scan`))).blob(),
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
