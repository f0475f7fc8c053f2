// The files in a ZIP of a package (APPNOTE 6.3.10), as slices of it: nothing is unpacked, and none is held in memory. Stored files
// alone, with ZIP64. What is encrypted or compressed has to be unpacked first. Whether the files are a package does not belong here.

/** Why a ZIP is not read. */
export type Why = 'encrypted' | 'compressed' | 'broken';

export class ZipTrouble extends Error {
  constructor(
    readonly why: Why,
    readonly file: string,
  ) {
    super(`${file}: ${why}`);
    this.name = 'ZipTrouble';
  }
}

const LOCAL = 0x04034b50;
const LOCAL_BYTES = 30;
const CENTRAL = 0x02014b50;
const CENTRAL_BYTES = 46;
const END = 0x06054b50;
const END_BYTES = 22;
const END64 = 0x06064b50;
const END64_BYTES = 56;
const LOCATOR = 0x07064b50;
const LOCATOR_BYTES = 20;
const COMMENT_MAX = 0xffff;
/** In a field of 32 or 16 bits: the number stands in the one of ZIP64. */
const FULL = 0xffff_ffff;
const FULL16 = 0xffff;
const EXTRA64 = 0x0001;
/** A package has a clip for each camera and unbroken stretch: far fewer. */
const FILES_MAX = 100_000;
const DIRECTORY_MAX = 64 << 20;
const ENCRYPTED = 1;
const STORED = 0;

/** A file in the directory of a ZIP. */
interface Listed {
  name: string;
  raw: Uint8Array;
  bytes: number;
  at: number;
}

/** What a name ends with that is one of a ZIP. */
export function isZip(name: string): boolean {
  return name.toLowerCase().endsWith('.zip');
}

/** The files of a ZIP with their paths, as slices. Folders are left out. */
export async function filesOf(zip: Blob, called: string): Promise<[string, Blob][]> {
  const reader = new Reader(zip, called);
  const listed = await reader.directory();
  const found: [string, Blob][] = [];
  const names = new Set<string>();
  for (const file of listed) {
    // Which of two of a name comes out depends on what unpacks it.
    if (names.has(file.name)) throw new ZipTrouble('broken', called);
    names.add(file.name);
    const slice = await reader.slice(file);
    if (!file.name.endsWith('/')) found.push([file.name, slice]);
  }
  return found;
}

class Reader {
  constructor(
    readonly zip: Blob,
    readonly called: string,
  ) {}

  #broken(): ZipTrouble {
    return new ZipTrouble('broken', this.called);
  }

  async #view(from: number, bytes: number): Promise<DataView> {
    if (!Number.isSafeInteger(from) || from < 0 || bytes < 0 || from + bytes > this.zip.size) throw this.#broken();
    return new DataView(await this.zip.slice(from, from + bytes).arrayBuffer());
  }

  #long(view: DataView, at: number): number {
    if (at + 8 > view.byteLength) throw this.#broken();
    const long = view.getBigUint64(at, true);
    if (long > BigInt(Number.MAX_SAFE_INTEGER)) throw this.#broken();
    return Number(long);
  }

  /** All that the ZIP says it holds. */
  async directory(): Promise<Listed[]> {
    const { from, bytes, files, end } = await this.#end();
    if (bytes > DIRECTORY_MAX || files > FILES_MAX || from + bytes > end) throw this.#broken();
    const view = await this.#view(from, bytes);
    const listed: Listed[] = [];
    let at = 0;
    for (let n = 0; n < files; n++) at = this.#listed(view, at, listed);
    // More than is counted would be there for some programs and not for others.
    if (at !== bytes) throw this.#broken();
    return listed;
  }

  /** Where the directory lies: the last record that reaches exactly to the end of the file says so. */
  async #end(): Promise<{ from: number; bytes: number; files: number; end: number }> {
    const { size } = this.zip;
    const start = Math.max(0, size - END_BYTES - COMMENT_MAX);
    const tail = await this.#view(start, size - start);
    for (let at = tail.byteLength - END_BYTES; at >= 0; at--) {
      if (tail.getUint32(at, true) !== END || at + END_BYTES + tail.getUint16(at + 20, true) !== tail.byteLength) continue;
      const [disk, files, bytes, from] = [tail.getUint16(at + 4, true), tail.getUint16(at + 10, true), tail.getUint32(at + 12, true), tail.getUint32(at + 16, true)];
      if (files === FULL16 || bytes === FULL || from === FULL) return this.#end64(start + at);
      // One that is split over several files is none of ours.
      if (disk !== 0) throw this.#broken();
      return { from, bytes, files, end: start + at };
    }
    throw this.#broken();
  }

  async #end64(end: number): Promise<{ from: number; bytes: number; files: number; end: number }> {
    const locator = await this.#view(end - LOCATOR_BYTES, LOCATOR_BYTES);
    if (locator.getUint32(0, true) !== LOCATOR || locator.getUint32(4, true) !== 0) throw this.#broken();
    const at = this.#long(locator, 8);
    const view = await this.#view(at, END64_BYTES);
    if (view.getUint32(0, true) !== END64 || at + END64_BYTES > end - LOCATOR_BYTES) throw this.#broken();
    return { from: this.#long(view, 48), bytes: this.#long(view, 40), files: this.#long(view, 32), end: at };
  }

  /** Reads one line of the directory; where the next begins. */
  #listed(view: DataView, at: number, listed: Listed[]): number {
    if (at + CENTRAL_BYTES > view.byteLength || view.getUint32(at, true) !== CENTRAL) throw this.#broken();
    const [flags, method] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)];
    const [name, extra, comment] = [view.getUint16(at + 28, true), view.getUint16(at + 30, true), view.getUint16(at + 32, true)];
    const extraAt = at + CENTRAL_BYTES + name;
    const next = extraAt + extra + comment;
    if (next > view.byteLength) throw this.#broken();
    if (flags & ENCRYPTED) throw new ZipTrouble('encrypted', this.called);
    if (method !== STORED) throw new ZipTrouble('compressed', this.called);
    const raw = new Uint8Array(view.buffer, view.byteOffset + at + CENTRAL_BYTES, name);
    const packed = view.getUint32(at + 20, true);
    const file = { bytes: view.getUint32(at + 24, true), at: view.getUint32(at + 42, true) };
    const isPackedFull = packed === FULL;
    const isFull = { bytes: file.bytes === FULL, at: file.at === FULL };
    if (isFull.bytes || isPackedFull || isFull.at) {
      let place = this.#extra(view, extraAt, extra);
      if (isFull.bytes) [file.bytes, place] = [this.#long(view, place), place + 8];
      if (isPackedFull) place += 8;
      if (isFull.at) file.at = this.#long(view, place);
    }
    if (!isPackedFull && packed !== file.bytes) throw this.#broken();
    listed.push({ name: this.#text(raw), raw, ...file });
    return next;
  }

  /** Where the numbers of ZIP64 stand in what is appended to a line. */
  #extra(view: DataView, from: number, bytes: number): number {
    for (let at = from; at + 4 <= from + bytes; at += 4 + view.getUint16(at + 2, true)) {
      if (view.getUint16(at, true) === EXTRA64) return at + 4;
    }
    throw this.#broken();
  }

  #text(raw: Uint8Array): string {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(raw);
    } catch {
      throw this.#broken();
    }
  }

  /** The bytes of a file, which has to be called in its place what the directory calls it. */
  async slice(file: Listed): Promise<Blob> {
    const head = await this.#view(file.at, LOCAL_BYTES + file.raw.length);
    const [name, extra] = [head.getUint16(26, true), head.getUint16(28, true)];
    const isSame =
      head.getUint32(0, true) === LOCAL &&
      (head.getUint16(6, true) & ENCRYPTED) === 0 &&
      head.getUint16(8, true) === STORED &&
      name === file.raw.length &&
      file.raw.every((byte, i) => byte === head.getUint8(LOCAL_BYTES + i));
    const from = file.at + LOCAL_BYTES + name + extra;
    if (!isSame || from + file.bytes > this.zip.size) throw this.#broken();
    return this.zip.slice(from, from + file.bytes);
  }
}
