import type { Messages } from '../fi';

export default {
  label: 'Vyer',
  skip: 'Gå till innehållet',
  language: 'Språk',
  signOut: 'Logga ut',
  live: 'Direktbild',
  playback: 'Inspelningar',
  disclosures: 'Utlämnanden',
  verify: 'Kontroll av paket',
  ledger: 'Logg',
  retention: 'Lagringstid',
  health: 'Tillstånd och larm',
  cameras: 'Kameror',
  people: 'Personer',
  account: 'Eget konto',
  notice: 'Dataskyddsbeskrivning',
  enrol: 'Aktivering',
  missing: 'Sidan finns inte',
} satisfies Messages['nav'];
