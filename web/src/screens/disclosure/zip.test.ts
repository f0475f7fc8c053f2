import { describe, expect, it } from 'vitest';

import { packageOf, Several } from './package-files';
import { filesOf, type Why, ZipTrouble } from './zip';

interface Given {
  name: string;
  text: string;
  method?: number;
  flags?: number;
  /** What it is called in its place, if not what the directory calls it. */
  local?: string;
  /** How long the directory says it is, if not as long as it is. */
  bytes?: number;
}

const utf8 = new TextEncoder();
/** Little-endian numbers of so many bytes each. */
function numbers(...given: [number, number][]): Uint8Array {
  const out = new Uint8Array(given.reduce((n, [, bytes]) => n + bytes, 0));
  let at = 0;
  for (const [value, bytes] of given) {
    let rest = BigInt(value);
    for (let i = 0; i < bytes; i++, rest >>= 8n) out[at++] = Number(rest & 255n);
  }
  return out;
}

function size(parts: readonly Uint8Array[]): number {
  return parts.reduce((n, part) => n + part.length, 0);
}

/** A ZIP as the box writes it (sizes stand behind each file), or with the numbers of ZIP64. */
function zipOf(files: Given[], { is64 = false, comment = '' } = {}): File {
  const parts: Uint8Array[] = [];
  const lines: Uint8Array[] = [];
  for (const { name, text, method = 0, flags = 8, local = name, bytes } of files) {
    const [at, data, long] = [size(parts), utf8.encode(text), bytes ?? utf8.encode(text).length];
    parts.push(numbers([0x04034b50, 4], [20, 2], [flags, 2], [method, 2], [0, 4], [0, 4], [0, 4], [0, 4], [utf8.encode(local).length, 2], [0, 2]), utf8.encode(local), data);
    parts.push(numbers([0x08074b50, 4], [0, 4], [long, 4], [long, 4]));
    const full = 0xffff_ffff;
    const extra = is64 ? numbers([0x9999, 2], [1, 2], [7, 1], [1, 2], [24, 2], [long, 8], [long, 8], [at, 8]) : new Uint8Array();
    const [told, place] = is64 ? [full, full] : [long, at];
    lines.push(numbers([0x02014b50, 4], [20, 2], [20, 2], [flags, 2], [method, 2], [0, 4], [0, 4], [told, 4], [told, 4], [utf8.encode(name).length, 2]));
    lines.push(numbers([extra.length, 2], [0, 2], [0, 2], [0, 2], [0, 4], [place, 4]), utf8.encode(name), extra);
  }
  const [from, bytes, end] = [size(parts), size(lines), size(parts) + size(lines)];
  const all = [...parts, ...lines];
  if (is64) {
    all.push(numbers([0x06064b50, 4], [44, 8], [45, 2], [45, 2], [0, 4], [0, 4], [files.length, 8], [files.length, 8], [bytes, 8], [from, 8]));
    all.push(numbers([0x07064b50, 4], [0, 4], [end, 8], [1, 4]));
  }
  const [count, told, place] = is64 ? [0xffff, 0xffff_ffff, 0xffff_ffff] : [files.length, bytes, from];
  all.push(numbers([0x06054b50, 4], [0, 2], [0, 2], [count, 2], [count, 2], [told, 4], [place, 4], [utf8.encode(comment).length, 2]), utf8.encode(comment));
  return new File(all as BlobPart[], '2026-0001.zip');
}

async function texts(zip: Blob): Promise<string[][]> {
  return Promise.all((await filesOf(zip, '2026-0001.zip')).map(async ([name, file]) => [name, await file.text()]));
}

async function trouble(zip: Blob): Promise<Why | undefined> {
  try {
    await filesOf(zip, '2026-0001.zip');
    return undefined;
  } catch (e) {
    expect(e).toBeInstanceOf(ZipTrouble);
    return (e as ZipTrouble).why;
  }
}

const FILES: Given[] = [
  { name: '2026-0001/', text: '' },
  { name: '2026-0001/manifest.json', text: '{}' },
  { name: '2026-0001/kassa-1_ä.mp4', text: 'pictures' },
  { name: '2026-0001/empty', text: '' },
];
const INSIDE = FILES.slice(1).map(({ name, text }) => [name, text]);

describe('a ZIP', () => {
  it('gives its files, with ZIP64 and with a comment that looks like an end as well', async () => {
    expect(await texts(zipOf(FILES))).toEqual(INSIDE);
    expect(await texts(zipOf(FILES, { is64: true }))).toEqual(INSIDE);
    expect(await texts(zipOf(FILES, { comment: `PK\u0005\u0006${'\0'.repeat(20)}` }))).toEqual(INSIDE);
    expect(await texts(zipOf([]))).toEqual([]);
  });

  it('reads no more than its directory: the files stay where they are', async () => {
    const zip = zipOf([{ name: 'a/large', text: 'x'.repeat(1 << 20) }]);
    let read = 0;
    const slice = zip.slice.bind(zip);
    zip.slice = (from, to, type) => {
      const part = slice(from, to, type);
      const whole = part.arrayBuffer.bind(part);
      part.arrayBuffer = () => {
        read += part.size;
        return whole();
      };
      return part;
    };
    const [found] = await filesOf(zip, 'a.zip');
    expect(found?.[1].size).toBe(1 << 20);
    // The end is looked for in the last 64 KiB.
    expect(read).toBeLessThan(70_000);
  });

  it('says that it is encrypted or compressed', async () => {
    expect(await trouble(zipOf([{ name: 'a', text: 'x', flags: 9, method: 99 }]))).toBe('encrypted');
    expect(await trouble(zipOf([{ name: 'a', text: 'x', method: 8 }]))).toBe('compressed');
  });

  it('is broken when it is cut off, longer, of two minds about a name or has one twice', async () => {
    const whole = zipOf(FILES);
    for (const bytes of [0, 1, 21, 22, 100, whole.size - 23, whole.size - 1]) expect(await trouble(whole.slice(0, bytes)), `${bytes} bytes`).toBe('broken');
    expect(await trouble(new File([whole, 'x'], 'x.zip'))).toBe('broken');
    expect(await trouble(zipOf([{ name: 'a', text: 'x', local: 'b' }]))).toBe('broken');
    expect(await trouble(zipOf([{ name: 'a', text: 'x', bytes: 1 << 20 }]))).toBe('broken');
    expect(await trouble(zipOf([{ name: 'a', text: 'x' }, { name: 'a', text: 'y' }]))).toBe('broken');
  });

  it('whatever one of its bytes becomes, is read within its bounds or is broken', async () => {
    const whole = new Uint8Array(await zipOf(FILES, { is64: true }).arrayBuffer());
    for (let at = 0; at < whole.length; at++) {
      const changed = whole.slice();
      changed[at] = (changed[at] ?? 0) ^ 0xff;
      const zip = new Blob([changed]);
      const found = await filesOf(zip, 'x.zip').catch((e: unknown) => {
        expect(e, `byte ${at}`).toBeInstanceOf(ZipTrouble);
        return [];
      });
      for (const [, file] of found) expect(file.size).toBeLessThanOrEqual(zip.size);
    }
  });
});

describe('a package', () => {
  const part = (files: Given[], name: string): [string, File] => [name, new File([zipOf(files)], name)];

  it('is what its parts hold together, in a folder or not', async () => {
    const [manifest, clip] = [FILES.slice(0, 2), FILES.slice(2)];
    for (const folder of ['', 'stick/']) {
      const files = await packageOf([part(clip, `${folder}2026-0001_2-of-2.zip`), part(manifest, `${folder}2026-0001_1-of-2.ZIP`), [`${folder}note.txt`, new File(['x'], 'note.txt')]]);
      expect([...(files ?? [])].map(([name]) => name).sort()).toEqual(['empty', 'kassa-1_ä.mp4', 'manifest.json']);
    }
  });

  it('is the unpacked folder, where that lies beside its ZIP', async () => {
    const files = await packageOf([part(FILES, 'stick/2026-0001.zip'), ['stick/2026-0001/manifest.json', new File(['{}'], 'manifest.json')]]);
    expect([...(files ?? [])].map(([name]) => name)).toEqual(['manifest.json']);
  });

  it('is one: parts of two, or one twice, are not put together', async () => {
    await expect(packageOf([part(FILES, 'a.zip'), part([{ name: '2026-0002/manifest.json', text: '{}' }], 'b.zip')])).rejects.toThrow(Several);
    await expect(packageOf([part(FILES, 'a.zip'), part(FILES, 'b.zip')])).rejects.toThrow(Several);
    expect(await packageOf([part([{ name: 'a', text: 'x' }], 'a.zip')])).toBeUndefined();
  });
});
