import { beforeEach, describe, expect, it, vi } from 'vitest';

import { Refused } from '../../api/client';
import { disclosures, type Choice, type Form, type Kind, type Line } from '../../api/disclosures';
import { Draft } from './draft.svelte';
import { fitted } from './presets';

const FORM: Form = { cameras: ['kassa-1'], secret: false, viewing_copy: true };
const row = (version: number, form: Form = FORM): Line =>
  ({ disclosure: 10_000_001, kind: 'authority-request', state: 'draft', version, form, changed: '2026-11-23T11:00:00Z' }) as Line;

describe('a draft', () => {
  const saves: [number, Form][] = [];

  beforeEach(() => {
    vi.useFakeTimers();
    saves.length = 0;
    vi.spyOn(disclosures, 'save').mockImplementation((_id: number, version: number, _kind: Kind, form: Form) => {
      saves.push([version, form]);
      return Promise.resolve(row(version + 1, form));
    });
  });

  it('saves by itself a moment after the last change, once, and each time with the version that the box gave', async () => {
    const kept: number[] = [];
    const draft = new Draft(row(1), ({ version }) => kept.push(version));
    draft.touched();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(saves, 'nothing was changed').toEqual([]);
    for (const name of ['P', 'Po', 'Poliisi']) {
      draft.form.organisation = name;
      draft.touched();
      await vi.advanceTimersByTimeAsync(300);
    }
    expect(draft.saving).toBe('waiting');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(draft.saving).toBe('saved');
    draft.form.person = 'Poliisi 1';
    await draft.save();
    expect(saves.map(([version, form]) => [version, form.organisation, form.person])).toEqual([
      [1, 'Poliisi', undefined],
      [2, 'Poliisi', 'Poliisi 1'],
    ]);
    expect(kept).toEqual([2, 3]);
  });

  it('never saves twice at a time, and what is typed meanwhile is saved after it', async () => {
    let answer = (_: Line): void => {};
    vi.mocked(disclosures.save).mockImplementationOnce((_id, version, _kind, form) => {
      saves.push([version, form]);
      return new Promise((resolve) => (answer = resolve));
    });
    const draft = new Draft(row(1), () => {});
    draft.form.unit = 'A';
    const first = draft.save();
    draft.form.unit = 'AB';
    const second = draft.save();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(saves).toHaveLength(1);
    answer(row(2));
    await Promise.all([first, second]);
    expect(saves.map(([version, form]) => [version, form.unit])).toEqual([
      [1, 'A'],
      [2, 'AB'],
    ]);
    expect(draft.saving).toBe('saved');
  });

  it('says that it was changed elsewhere, and keeps what was typed', async () => {
    vi.mocked(disclosures.save).mockRejectedValueOnce(new Refused('exists', 409, ''));
    const draft = new Draft(row(1), () => {});
    draft.form.unit = 'A';
    await expect(draft.save()).rejects.toThrow(Refused);
    expect([draft.saving, draft.isStale, draft.form.unit]).toEqual(['failed', true, 'A']);
  });

  it('left while the box takes nothing is found again by the same person, once, and never over what was saved since', async () => {
    const leave = async (person: string, unit: string): Promise<void> => {
      vi.mocked(disclosures.save).mockRejectedValueOnce(new Refused('not-signed-in', 401, ''));
      const draft = new Draft(row(1), () => {}, person);
      draft.form.unit = unit;
      draft.touched();
      draft.close();
      await vi.advanceTimersByTimeAsync(10);
    };
    const found = (person: string, version = 1): string | null | undefined => new Draft(row(version), () => {}, person).form.unit;
    await leave('a', 'typed');
    expect([found('a'), found('a')]).toEqual(['typed', undefined]);
    await leave('a', 'typed');
    expect([found('b'), found('a')], 'another person, and nobody after them').toEqual([undefined, undefined]);
    await leave('a', 'typed');
    expect(found('a', 2), 'saved elsewhere meanwhile').toBeUndefined();
  });
});

describe('what is chosen', () => {
  const choice = (code: string, kinds: string[], open = true): Choice => ({ code, kinds, open, approvers: 1, texts: { fi: code, sv: code, en: code } });

  it('stays while it goes with the kind; where one alone does, it is that one; nothing that is closed', () => {
    const choices = [choice('a', ['internal']), choice('b', ['internal', 'oral']), choice('c', ['viewing'], false)];
    expect(fitted(choices, 'internal', 'a')).toBe('a');
    expect(fitted(choices, 'oral', 'a')).toBe('b');
    expect(fitted(choices, 'internal', 'c')).toBeNull();
    expect(fitted(choices, 'viewing', 'c')).toBeNull();
  });
});
