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
  stale: 'What is shown is not fresh.',
  noPage: 'There is nothing at this address.',
  deniedTitle: 'Not permitted',
  deniedText: 'Your rights do not reach this. Ask the administrator of the box for the right.',
} satisfies Messages['common'];
