import type { Messages } from '../fi';

export default {
  stepUpTitle: 'Bekräfta med en kod',
  stepUpText: 'För detta behövs en kod som har getts inom fem minuter. Ge autentiseringsappens kod eller en reservkod.',
  unlockTitle: 'Öppna inspelningarna med lösenordet',
  unlockText: 'Inspelningarnas nycklar låstes eftersom de inte har använts på en stund. Ge ditt lösenord.',
  wrongCode: 'Koden är fel eller redan använd. Vänta på en ny kod.',
  wrongPassword: 'Lösenordet är fel.',
} satisfies Messages['prompts'];
