import type { Messages } from '../fi';

export default {
  title: 'Logga in',
  name: 'Användarnamn',
  password: 'Lösenord',
  code: 'Kod',
  go: 'Logga in',
  wait: (seconds) => `För många misslyckade försök. Vänta ${seconds} s och försök igen.`,
} satisfies Messages['signIn'];
