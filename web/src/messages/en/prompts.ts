import type { Messages } from '../fi';

export default {
  stepUpTitle: 'Confirm with a code',
  stepUpText: 'This asks for a code given within the last five minutes. Enter the code of your authenticator, or a recovery code.',
  unlockTitle: 'Open the footage with your password',
  unlockText: 'The keys of the footage were put away after a time without use. Enter your password.',
  wrongCode: 'The code is wrong or was used already. Wait for the next one.',
  wrongPassword: 'The password is wrong.',
} satisfies Messages['prompts'];
