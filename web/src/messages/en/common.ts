import type { Messages } from '../fi';

export default {
  loading: 'Loading…',
  retry: 'Try again',
  cancel: 'Cancel',
  confirm: 'Confirm',
  save: 'Save',
  close: 'Close',
  print: 'Print',
  working: 'One moment…',
  check: 'Check this',
  yes: 'yes',
  no: 'no',
  timeHint: '14 May 13:05',
  dayHint: '14 May',
  notATime: 'Type a day and a time, for example 14 May 13:05.',
  notADay: 'Type a day, for example 14 May.',
  stale: 'What is shown is not fresh.',
  noPage: 'There is nothing at this address.',
  deniedTitle: 'Not permitted',
  deniedText: 'Your rights do not reach this. Ask the administrator of the box for the right.',
} satisfies Messages['common'];
