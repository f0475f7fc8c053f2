// The files in a package's ZIPs (APPNOTE 4.3), as pieces of them: a package is stored in its ZIPs as it is, so nothing is unpacked,
// and nothing is read before it is checked. What is packed or encrypted has to be unpacked first.

/** The longest comment, and what stands before it, at the end of a ZIP. */
const END_BYTES = 22;
const COMMENT_BYTES_MAX = 65_535;
/** More than any part of a package has. */
const ENTRIES_MAX = 2_000;
const LIST_BYTES_MAX = 1 << 20;
const END = 0x06054b50;
const LISTED = 0x02014b50;
const LOCAL = 0x04034b50;
/** Flag: encrypted. */
const ENCRYPTED = 1;
const STORED = 0;

/** A ZIP that cannot be looked into: it is none of a package's, or it is packed or encrypted. */
export class ClosedZip extends Error {}

/** The files in `zip` by their paths. */
export async function inside(zip: Blob): Promise<[string, Blob][]> {
  const list = await listing(zip);
  const out: [string, Blob][] = [];
  for (let at = 0; at + 46 <= list.byteLength && list.getUint32(at, true) === LISTED; ) {
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((offset) => list.getUint16(at + offset, true)) as [number, number, number];
    const [flags, method] = [list.getUint16(at + 8, true), list.getUint16(at + 10, true)];
    const [packed, size, local] = [20, 24, 42].map((offset) => list.getUint32(at + offset, true)) as [number, number, number];
    if (at + 46 + nameBytes > list.byteLength) throw new ClosedZip();
    const path = new TextDecoder().decode(new Uint8Array(list.buffer, list.byteOffset + at + 46, nameBytes));
    at += 46 + nameBytes + extraBytes + commentBytes;
    if (path.endsWith('/')) continue;
    if ((flags & ENCRYPTED) !== 0 || method !== STORED || packed !== size) throw new ClosedZip();
    const start = await dataOf(zip, local);
    if (start + size > zip.size) throw new ClosedZip();
    out.push([path, zip.slice(start, start + size)]);
  }
  return out;
}

/** The files of several ZIPs together, which are parts of one package; no two have the same path. */
export async function together(zips: readonly Blob[]): Promise<[string, Blob][]> {
  const all = new Map<string, Blob>();
  for (const zip of zips) {
    for (const [path, file] of await inside(zip)) {
      if (all.has(path)) throw new ClosedZip();
      all.set(path, file);
    }
  }
  return [...all];
}

/** The list of what is in it, which stands at its end. */
async function listing(zip: Blob): Promise<DataView<ArrayBuffer>> {
  const from = Math.max(0, zip.size - END_BYTES - COMMENT_BYTES_MAX);
  const tail = await view(zip, from, zip.size);
  for (let at = tail.byteLength - END_BYTES; at >= 0; at--) {
    if (tail.getUint32(at, true) !== END) continue;
    const [entries, bytes, start] = [tail.getUint16(at + 10, true), tail.getUint32(at + 12, true), tail.getUint32(at + 16, true)];
    if (entries > ENTRIES_MAX || bytes > LIST_BYTES_MAX || start + bytes > from + at) throw new ClosedZip();
    return view(zip, start, start + bytes);
  }
  throw new ClosedZip();
}

/** Where the bytes of the file begin whose own head stands at `local`. */
async function dataOf(zip: Blob, local: number): Promise<number> {
  const head = await view(zip, local, local + 30);
  if (head.byteLength < 30 || head.getUint32(0, true) !== LOCAL) throw new ClosedZip();
  return local + 30 + head.getUint16(26, true) + head.getUint16(28, true);
}

async function view(zip: Blob, from: number, to: number): Promise<DataView<ArrayBuffer>> {
  return new DataView(await zip.slice(from, to).arrayBuffer());
}
