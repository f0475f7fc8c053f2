import type { Messages } from '../fi';

export default {
  password: 'Byte av lösenord',
  text: 'Dina övriga sessioner avslutas. Inspelningarna som du får öppna öppnas fortfarande.',
  old: 'Nuvarande lösenord',
  new: 'Nytt lösenord',
  change: 'Byt lösenord',
  changed: 'Lösenordet är bytt.',
  wrong: 'Det nuvarande lösenordet eller koden är fel.',
} satisfies Messages['account'];
