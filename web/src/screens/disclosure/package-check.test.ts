import { check } from 'virtual:package-check';
import { describe, expect, it } from 'vitest';

import { gather } from './package-files';

describe('the checker of the page in a package', () => {
  it('runs here as well, and says what an empty folder lacks', async () => {
    const report = await check(new Map());
    expect(report.fingerprint).toBeNull();
    expect(report.findings.map(({ code, file }) => `${code} ${file}`)).toEqual(['missing contents.txt', 'missing manifest.json', 'missing manifest.sig']);
  });
});

describe('a folder', () => {
  const file = new File(['x'], 'x');

  it('is the one nearest to the top with a manifest, and folders in it are no files', () => {
    const files = gather([
      ['stick/other.txt', file],
      ['stick/2026-0001/manifest.json', file],
      ['stick/2026-0001/clip.mp4', file],
      ['stick/2026-0001/old/manifest.json', file],
    ]);
    expect([...(files ?? [])].map(([name, one]) => [name, one !== null])).toEqual([
      ['manifest.json', true],
      ['clip.mp4', true],
      ['old', false],
    ]);
  });

  it('is no package without one', () => {
    expect(gather([['stick/clip.mp4', file]])).toBeUndefined();
  });
});
