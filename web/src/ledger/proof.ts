// Checks in the browser what the box says of its ledger: nothing here asks the box. The formats are those of RFC 6962 (tree),
// C2SP signed-note and tlog-checkpoint (checkpoint); see docs/ledger.md.
import { fromIso } from '../time/zone';

/** Why a proof does not hold. */
export class Broken extends Error {
  constructor(readonly why: 'signature' | 'key' | 'form' | 'path' | 'entry' | 'details' | 'unsupported') {
    super(why);
    this.name = 'Broken';
  }
}

/** What a checkpoint says, once its signature was found right. */
export interface Checkpoint {
  origin: string;
  size: number;
  root: Uint8Array;
  /** Of the key that signed it, as on paper. */
  fingerprint: string;
}

type Bytes = Uint8Array<ArrayBuffer>;

const text = new TextEncoder();

export function fromHex(hex: string): Bytes {
  if (!/^([0-9a-f]{2})*$/.test(hex)) throw new Broken('form');
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function fromBase64(base64: string): Bytes {
  try {
    return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  } catch {
    throw new Broken('form');
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

async function sha256(...parts: Uint8Array[]): Promise<Bytes> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return new Uint8Array(await crypto.subtle.digest('SHA-256', whole));
}

/** The leaf of an entry's line: SHA-256(0x00 ‖ line). */
export function leafHash(line: string): Promise<Bytes> {
  return sha256(Uint8Array.of(0), text.encode(line));
}

/** The root that a leaf leads to by the hashes of its path (RFC 9162, 2.1.3.2). */
export async function rootOf(leaf: Bytes, index: number, size: number, path: readonly Uint8Array[]): Promise<Bytes> {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) throw new Broken('path');
  // Of numbers above 2³¹ too: no bit operators.
  const isOdd = (n: number): boolean => n % 2 === 1;
  const half = (n: number): number => Math.floor(n / 2);
  let [node, last] = [index, size - 1];
  let hash = leaf;
  for (const sibling of path) {
    if (last === 0) throw new Broken('path');
    if (isOdd(node) || node === last) {
      hash = await sha256(Uint8Array.of(1), sibling, hash);
      while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      hash = await sha256(Uint8Array.of(1), hash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  if (last !== 0) throw new Broken('path');
  return hash;
}

interface VerifierKey {
  name: string;
  id: Bytes;
  key: Bytes;
}

const ED25519 = 1;

/** Reads a verifier key: `name+id+base64(1 ‖ key)`; the id is the beginning of SHA-256(name ‖ newline ‖ 1 ‖ key). */
async function verifierKey(given: string): Promise<VerifierKey> {
  const found = /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(given);
  if (!found) throw new Broken('key');
  const [, name = '', id = '', encoded = ''] = found;
  const typed = fromBase64(encoded);
  if (typed.length !== 33 || typed[0] !== ED25519) throw new Broken('key');
  const made = (await sha256(text.encode(`${name}\n`), typed)).slice(0, 4);
  if (toHex(made) !== id) throw new Broken('key');
  return { name, id: made, key: typed.slice(1) };
}

/** The short form of a key that stands on paper: eight groups of four hex digits. */
export async function fingerprintOf(key: Uint8Array): Promise<string> {
  const digest = toHex(await sha256(text.encode(toHex(key))));
  return (digest.match(/.{4}/g) ?? []).slice(0, 8).join(' ');
}

async function isSigned(key: Bytes, signature: Bytes, message: Bytes): Promise<boolean> {
  let imported: CryptoKey;
  try {
    imported = await crypto.subtle.importKey('raw', key, { name: 'Ed25519' }, false, ['verify']);
  } catch {
    throw new Broken('unsupported');
  }
  return crypto.subtle.verify({ name: 'Ed25519' }, imported, signature, message);
}

/** Opens a signed checkpoint: its signature must be that of the key, its log that of the key's name. */
export async function openCheckpoint(note: string, verifier: string): Promise<Checkpoint> {
  const key = await verifierKey(verifier);
  const end = note.lastIndexOf('\n\n');
  if (end < 0) throw new Broken('form');
  const body = note.slice(0, end + 1);
  const lines = note.slice(end + 2).split('\n');
  let isGood = false;
  for (const line of lines) {
    const found = /^— (\S+) (\S+)$/.exec(line);
    if (!found || found[1] !== key.name) continue;
    const bytes = fromBase64(found[2] ?? '');
    if (same(bytes.slice(0, 4), key.id) && (await isSigned(key.key, bytes.slice(4), text.encode(body)))) isGood = true;
  }
  if (!isGood) throw new Broken('signature');
  const [origin, count, root] = body.split('\n');
  if (origin !== key.name || !/^(0|[1-9]\d{0,15})$/.test(count ?? '')) throw new Broken('form');
  const bytes = fromBase64(root ?? '');
  if (bytes.length !== 32) throw new Broken('form');
  return { origin, size: Number(count), root: bytes, fingerprint: await fingerprintOf(key.key) };
}

/** An inclusion proof as the API gives it. */
export interface Proof {
  line: string;
  index: number;
  path: string[];
  checkpoint: { note: string; verifier_key: string };
}

/** What is shown of an entry, and must be what its line says. */
export interface Shown {
  seq: number;
  epoch: number;
  at: string;
  actor: string;
  action: string;
  object: string;
  result: string;
  leaf: string;
  facts: unknown;
  detail: { value?: unknown; salt?: string | null };
}

/** Checks that what is shown is the entry, that it is in the ledger of the checkpoint, and that the box signed it. */
export async function verify(shown: Shown, proof: Proof): Promise<Checkpoint> {
  const checkpoint = await openCheckpoint(proof.checkpoint.note, proof.checkpoint.verifier_key);
  const leaf = await leafHash(proof.line);
  const root = await rootOf(leaf, proof.index, checkpoint.size, proof.path.map(fromHex));
  if (!same(root, checkpoint.root)) throw new Broken('path');
  const line = JSON.parse(proof.line) as Record<string, unknown>;
  for (const name of ['seq', 'epoch', 'at', 'actor', 'action', 'object', 'result'] as const) {
    const isTime = name === 'at';
    const isSame = isTime ? sameInstant(String(line[name]), shown.at) : line[name] === shown[name];
    if (!isSame) throw new Broken('entry');
  }
  if (toHex(leaf) !== shown.leaf || canonical(line['facts']) !== canonical(shown.facts)) throw new Broken('entry');
  if (shown.detail.value !== undefined && shown.detail.value !== null) {
    const details = text.encode(canonical(shown.detail.value));
    const commitment = await sha256(fromHex(shown.detail.salt ?? ''), details);
    if (toHex(commitment) !== line['detail']) throw new Broken('details');
  }
  return checkpoint;
}

function sameInstant(a: string, b: string): boolean {
  const at = fromIso(a);
  return at !== undefined && at === fromIso(b);
}

/** Canonical JSON (RFC 8785) of what has neither fractions nor other names than text. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const names = Object.keys(value).sort();
    const fields = names.map((name) => `${JSON.stringify(name)}:${canonical((value as Record<string, unknown>)[name])}`);
    return `{${fields.join(',')}}`;
  }
  return JSON.stringify(value);
}
