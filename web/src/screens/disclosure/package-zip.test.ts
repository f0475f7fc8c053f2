import { describe, expect, it } from 'vitest';

import { ClosedZip, inside, together } from './package-zip';

interface Entry {
  path: string;
  text: string;
  method?: number;
  flags?: number;
}

const number = (value: number, bytes: number): number[] => Array.from({ length: bytes }, (_, i) => (value >>> (8 * i)) & 0xff);
const letters = (text: string): number[] => [...new TextEncoder().encode(text)];

/** A ZIP whose sizes follow each file, as the box writes it. */
function zip(entries: readonly Entry[], comment = ''): Blob {
  const bytes: number[] = [];
  const list: number[] = [];
  for (const { path, text, method = 0, flags = 8 } of entries) {
    const [name, data, at] = [letters(path), letters(text), bytes.length];
    const kind = [...number(20, 2), ...number(flags, 2), ...number(method, 2), ...number(0, 8)];
    bytes.push(...number(0x04034b50, 4), ...kind, ...number(0, 8), ...number(name.length, 2), ...number(4, 2), ...name, 1, 2, 3, 4, ...data);
    bytes.push(...number(0x08074b50, 4), ...number(0, 4), ...number(data.length, 4), ...number(data.length, 4));
    list.push(...number(0x02014b50, 4), ...number(20, 2), ...kind, ...number(data.length, 4), ...number(data.length, 4));
    list.push(...number(name.length, 2), ...number(0, 2), ...number(0, 2), ...number(0, 8), ...number(at, 4), ...name);
  }
  const end = [...number(0x06054b50, 4), ...number(0, 4), ...number(entries.length, 2), ...number(entries.length, 2)];
  end.push(...number(list.length, 4), ...number(bytes.length, 4), ...number(comment.length, 2), ...letters(comment));
  return new Blob([Uint8Array.from([...bytes, ...list, ...end])]);
}

const read = async (files: readonly (readonly [string, Blob])[]): Promise<[string, string][]> =>
  Promise.all(files.map(async ([path, file]): Promise<[string, string]> => [path, await file.text()]));

describe('a ZIP of a package', () => {
  const one = { path: '2026-0001/contents.txt', text: 'list' };
  const other = { path: '2026-0001/clip.mp4', text: 'pictures' };

  it('is looked into where it lies', async () => {
    const found = await inside(zip([{ path: '2026-0001/', text: '' }, one, other], 'PK'));
    expect(await read(found)).toEqual([
      [one.path, one.text],
      [other.path, other.text],
    ]);
  });

  it('may be one of several parts, of which no two have the same file', async () => {
    expect(await read(await together([zip([one]), zip([other])]))).toHaveLength(2);
    await expect(together([zip([one]), zip([one])])).rejects.toThrow(ClosedZip);
  });

  it('is refused when it is packed, encrypted, cut off, or none', async () => {
    for (const closed of [zip([{ ...one, method: 8 }]), zip([{ ...one, flags: 9 }]), zip([one]).slice(0, 60), zip([one]).slice(10), new Blob(['PK'])]) {
      await expect(inside(closed)).rejects.toThrow(ClosedZip);
    }
  });
});
