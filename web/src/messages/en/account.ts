import type { Messages } from '../fi';

export default {
  password: 'Change of password',
  text: 'Your other sessions end. The footage that you may open still opens.',
  old: 'Present password',
  new: 'New password',
  change: 'Change the password',
  changed: 'The password was changed.',
  wrong: 'The present password or the code is wrong.',
} satisfies Messages['account'];
