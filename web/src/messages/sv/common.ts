import type { Messages } from '../fi';

export default {
  loading: 'Hämtar…',
  retry: 'Försök igen',
  cancel: 'Avbryt',
  confirm: 'Bekräfta',
  save: 'Spara',
  close: 'Stäng',
  print: 'Skriv ut',
  working: 'Ett ögonblick…',
  check: 'Kontrollera',
  yes: 'ja',
  no: 'nej',
  timeHint: '14.5. 13.05',
  dayHint: '14.5.',
  notATime: 'Skriv dag och klockslag, till exempel 14.5. 13.05.',
  notADay: 'Skriv en dag, till exempel 14.5.',
  stale: 'Uppgifterna är inte färska.',
  noPage: 'Det finns ingenting på den här adressen.',
  deniedTitle: 'Ingen behörighet',
  deniedText: 'Dina rättigheter räcker inte till detta. Be enhetens administratör om rättigheten.',
} satisfies Messages['common'];
