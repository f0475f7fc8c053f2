import type { Messages } from '../fi';

export default {
  loading: 'Loading…',
  retry: 'Try again',
  cancel: 'Cancel',
  confirm: 'Confirm',
  save: 'Save',
  close: 'Close',
  noPage: 'There is nothing at this address.',
  deniedTitle: 'Not permitted',
  deniedText: 'Your rights do not reach this. Ask the administrator of the box for the right.',
} satisfies Messages['common'];
