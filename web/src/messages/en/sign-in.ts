import type { Messages } from '../fi';

export default {
  title: 'Sign in',
  name: 'User name',
  password: 'Password',
  code: 'Code',
  codeHint: 'Six digits of your authenticator, or a recovery code.',
  enrol: 'Enrol',
  go: 'Sign in',
  wait: (seconds) => `Too many failed attempts. Wait ${seconds} s, then try again.`,
} satisfies Messages['signIn'];
