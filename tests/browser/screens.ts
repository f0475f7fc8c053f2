// The screens, for the tests that look at every one of them.
import type { Role } from './world';

/** Every screen with somebody who may see it. */
export const SCREENS: [string, Role | undefined][] = [
  ['/ledger', undefined],
  ['/enrol', undefined],
  ['/notice', undefined],
  ['/live', 'controller'],
  ['/live/kassa-1', 'controller'],
  ['/playback', 'controller'],
  ['/ledger', 'auditor'],
  ['/ledger/1', 'auditor'],
  ['/disclosures', 'controller'],
  ['/disclosures', 'staff'],
  ['/disclosures/verify', 'auditor'],
  ['/retention', 'controller'],
  ['/retention', 'admin'],
  ['/health?all=1', 'admin'],
  ['/cameras', 'admin'],
  ['/account', 'staff'],
  ['/people', 'admin'],
  ['/people/manager1', 'admin'],
  ['/ledger', 'staff'],
];
