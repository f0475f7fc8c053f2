// Every screen with its address, its place in the navigation, and the right that it needs.
import type { Component } from 'svelte';

import type { Right } from './session.svelte';

export interface Screen {
  /** Its name in the messages (`nav`). */
  name: keyof typeof NAMES;
  /** Each screen takes the `params` of its address, or nothing. */
  load: () => Promise<{ default: Component<any> }>;
  /** One of these is needed; none: everybody who is signed in. */
  rights?: readonly Right[];
  /** Shown without a sign-in. */
  isPublic?: boolean;
  /** Dark by itself: pictures are judged on it. */
  isDark?: boolean;
  /** Without the frame: sign-in, enrolment. */
  isBare?: boolean;
}

/** All names, so that each has its words. */
const NAMES = {
  live: 1,
  playback: 1,
  disclosures: 1,
  verify: 1,
  ledger: 1,
  retention: 1,
  health: 1,
  cameras: 1,
  people: 1,
  account: 1,
  notice: 1,
  enrol: 1,
  missing: 1,
} as const;

const live: Screen = { name: 'live', load: () => import('../screens/Live.svelte'), rights: ['live'], isDark: true };
const playback: Screen = { name: 'playback', load: () => import('../screens/Playback.svelte'), rights: ['playback'], isDark: true };
const register: Screen = { name: 'disclosures', load: () => import('../screens/Disclosures.svelte'), rights: ['records'] };
const begin: Screen = { name: 'disclosures', load: () => import('../screens/NewDisclosure.svelte'), rights: ['ask'] };
const disclosure: Screen = { name: 'disclosures', load: () => import('../screens/Disclosure.svelte'), rights: ['records'] };
const verify: Screen = { name: 'verify', load: () => import('../screens/VerifyPackage.svelte'), rights: ['records'] };
const ledger: Screen = { name: 'ledger', load: () => import('../screens/Ledger.svelte'), rights: ['records'] };
const entry: Screen = { name: 'ledger', load: () => import('../screens/Entry.svelte'), rights: ['records'] };
const retention: Screen = { name: 'retention', load: () => import('../screens/Retention.svelte'), rights: ['see-health'] };
const health: Screen = { name: 'health', load: () => import('../screens/Health.svelte'), rights: ['see-health'] };
const cameras: Screen = { name: 'cameras', load: () => import('../screens/Cameras.svelte'), rights: ['see-health'] };
const people: Screen = { name: 'people', load: () => import('../screens/People.svelte'), rights: ['see-people'] };
const person: Screen = { name: 'people', load: () => import('../screens/Person.svelte'), rights: ['see-people'] };
const account: Screen = { name: 'account', load: () => import('../screens/Account.svelte') };
const notice: Screen = { name: 'notice', load: () => import('../screens/Notice.svelte'), isPublic: true };
const enrol: Screen = { name: 'enrol', load: () => import('../screens/Enrol.svelte'), isPublic: true, isBare: true };

/** By address. */
export const ROUTES = [
  { pattern: '/live', value: live },
  { pattern: '/live/:camera', value: live },
  { pattern: '/playback', value: playback },
  { pattern: '/ledger', value: ledger },
  { pattern: '/ledger/:seq', value: entry },
  { pattern: '/disclosures', value: register },
  { pattern: '/disclosures/new', value: begin },
  { pattern: '/disclosures/verify', value: verify },
  { pattern: '/disclosures/:disclosure', value: disclosure },
  { pattern: '/retention', value: retention },
  { pattern: '/health', value: health },
  { pattern: '/cameras', value: cameras },
  { pattern: '/people', value: people },
  { pattern: '/people/:name', value: person },
  { pattern: '/account', value: account },
  { pattern: '/notice', value: notice },
  { pattern: '/enrol', value: enrol },
] as const;

/** The navigation, in order. */
export const NAVIGATION = [
  { address: '/live', screen: live },
  { address: '/playback', screen: playback },
  { address: '/disclosures', screen: register },
  { address: '/ledger', screen: ledger },
  { address: '/retention', screen: retention },
  { address: '/health', screen: health },
  { address: '/cameras', screen: cameras },
  { address: '/people', screen: people },
] as const;
