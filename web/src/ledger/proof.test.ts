import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { Broken, canonical, leafHash, openCheckpoint, rootOf, type Shown, toHex, verify } from './proof';

const sha = (...parts: Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();
const leafOf = (line: string): Buffer => sha(Buffer.of(0), Buffer.from(line));

/** The largest power of two below `n`. */
const split = (n: number): number => 2 ** Math.ceil(Math.log2(n) - 1);

// RFC 6962, 2.1 and 2.1.1, as they are written there.
function root(leaves: Buffer[]): Buffer {
  if (leaves.length === 1) return leaves[0] as Buffer;
  const k = split(leaves.length);
  return sha(Buffer.of(1), root(leaves.slice(0, k)), root(leaves.slice(k)));
}

function path(m: number, leaves: Buffer[]): Buffer[] {
  if (leaves.length === 1) return [];
  const k = split(leaves.length);
  return m < k ? [...path(m, leaves.slice(0, k)), root(leaves.slice(k))] : [...path(m - k, leaves.slice(k)), root(leaves.slice(0, k))];
}

const lines = (count: number): string[] => Array.from({ length: count }, (_, i) => `entry ${i}`);

describe('the tree', () => {
  it('leads from every leaf of every size to the root', async () => {
    for (let size = 1; size <= 35; size++) {
      const leaves = lines(size).map(leafOf);
      for (let i = 0; i < size; i++) {
        const found = await rootOf(await leafHash(`entry ${i}`), i, size, path(i, leaves));
        expect(toHex(found)).toBe(root(leaves).toString('hex'));
      }
    }
  });

  it('leads nowhere with a hash too many, one too few, or another place', async () => {
    const leaves = lines(7).map(leafOf);
    const leaf = await leafHash('entry 3');
    const good = path(3, leaves);
    await expect(rootOf(leaf, 3, 7, good.slice(1))).rejects.toThrow(Broken);
    await expect(rootOf(leaf, 3, 7, [...good, leaves[0] as Buffer])).rejects.toThrow(Broken);
    await expect(rootOf(leaf, 7, 7, good)).rejects.toThrow(Broken);
    expect(toHex(await rootOf(leaf, 2, 7, good))).not.toBe(root(leaves).toString('hex'));
  });
});

const NAME = 'sinetti/2f1c7a0e-0000-4000-8000-000000000000/1';

interface Signer {
  key: KeyObject;
  verifier: string;
  id: Buffer;
}

function signer(name = NAME): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
  const typed = Buffer.concat([Buffer.of(1), raw]);
  const id = sha(Buffer.from(`${name}\n`), typed).subarray(0, 4);
  return { key: privateKey, id, verifier: `${name}+${id.toString('hex')}+${typed.toString('base64')}` };
}

function note(by: Signer, size: number, over: Buffer, origin = NAME): string {
  const body = `${origin}\n${size}\n${over.toString('base64')}\n`;
  const signature = Buffer.concat([by.id, sign(null, Buffer.from(body), by.key)]);
  return `${body}\n— ${NAME} ${signature.toString('base64')}\n`;
}

describe('the checkpoint', () => {
  const over = root(lines(3).map(leafOf));

  it('is opened by the key that signed it', async () => {
    const by = signer();
    const opened = await openCheckpoint(note(by, 3, over), by.verifier);
    expect(opened).toMatchObject({ origin: NAME, size: 3 });
    expect(toHex(opened.root)).toBe(over.toString('hex'));
    expect(opened.fingerprint).toMatch(/^([0-9a-f]{4} ){7}[0-9a-f]{4}$/);
  });

  it('is opened by no other key, nor when a character of it or of the key is another', async () => {
    const by = signer();
    const good = note(by, 3, over);
    const why = (text: string, verifier: string): Promise<string> =>
      openCheckpoint(text, verifier).then(
        () => 'opened',
        (e: unknown) => (e instanceof Broken ? e.why : String(e)),
      );
    expect(await why(good, by.verifier)).toBe('opened');
    expect(await why(good.replace('\n3\n', '\n4\n'), by.verifier)).toBe('signature');
    expect(await why(good, signer().verifier)).toBe('signature');
    expect(await why(note(by, 3, over, `${NAME}0`), by.verifier)).toBe('form');
    expect(await why(good, by.verifier.replace('2f1c', '2f1d'))).toBe('key');
    expect(await why('', by.verifier)).toBe('form');
  });
});

describe('an entry', () => {
  const salt = 'ab'.repeat(32);
  const details = { name: 'manager1', address: '192.168.10.5' };
  const commitment = sha(Buffer.from(salt, 'hex'), Buffer.from(canonical(details))).toString('hex');
  const fields = { seq: 3, epoch: 1, at: '2026-11-23T15:45:00.123000Z', actor: 'x', action: 'playback', object: 'kassa-1', result: 'ok', facts: { b: 1, a: ['ä'] } };
  const line = canonical({ ...fields, detail: commitment });
  const leaves = ['entry 1', 'entry 2', line, 'entry 4'].map(leafOf);
  const by = signer();
  const proof = {
    line,
    index: 2,
    path: path(2, leaves).map((hash) => hash.toString('hex')),
    checkpoint: { note: note(by, 4, root(leaves)), verifier_key: by.verifier },
  };
  const shown: Shown = { ...fields, at: '2026-11-23T15:45:00.123Z', leaf: leafOf(line).toString('hex'), detail: { value: details, salt } };

  it('is proven when everything fits', async () => {
    expect((await verify(shown, proof)).size).toBe(4);
  });

  it.each([
    ['another result', { ...shown, result: 'refused' }, 'entry'],
    ['another time', { ...shown, at: '2026-11-23T15:45:00.124Z' }, 'entry'],
    ['other facts', { ...shown, facts: { b: 2, a: ['ä'] } }, 'entry'],
    ['other details', { ...shown, detail: { value: { ...details, name: 'manager2' }, salt } }, 'details'],
    ['another salt', { ...shown, detail: { value: details, salt: 'ac'.repeat(32) } }, 'details'],
  ])('is not with %s', async (_, altered, why) => {
    await expect(verify(altered, proof)).rejects.toMatchObject({ why });
  });

  it('is not when another line is under the checkpoint', async () => {
    const other = canonical({ ...fields, result: 'refused', detail: commitment });
    await expect(verify({ ...shown, result: 'refused', leaf: leafOf(other).toString('hex') }, { ...proof, line: other })).rejects.toMatchObject({ why: 'path' });
  });
});
