import type { Messages } from '../fi';

export default {
  title: 'Logga in',
  name: 'Användarnamn',
  password: 'Lösenord',
  code: 'Kod',
  codeHint: 'Autentiseringsappens sex siffror eller en reservkod.',
  enrol: 'Aktivera ditt användarnamn',
  go: 'Logga in',
  wait: (seconds) => `För många misslyckade försök. Vänta ${seconds} s och försök igen.`,
} satisfies Messages['signIn'];
