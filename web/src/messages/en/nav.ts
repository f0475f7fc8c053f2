import type { Messages } from '../fi';

export default {
  label: 'Screens',
  skip: 'Skip to content',
  language: 'Language',
  signOut: 'Sign out',
  live: 'Live',
  playback: 'Playback',
  disclosures: 'Disclosures',
  verify: 'Check of a package',
  ledger: 'Ledger',
  retention: 'Retention',
  health: 'Health and alarms',
  cameras: 'Cameras',
  people: 'People',
  account: 'Your account',
  notice: 'Privacy notice',
  enrol: 'Enrolment',
  missing: 'No such page',
} satisfies Messages['nav'];
