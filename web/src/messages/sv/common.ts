import type { Messages } from '../fi';

export default {
  loading: 'Hämtar…',
  retry: 'Försök igen',
  cancel: 'Avbryt',
  confirm: 'Bekräfta',
  save: 'Spara',
  close: 'Stäng',
  noPage: 'Det finns ingenting på den här adressen.',
  deniedTitle: 'Ingen behörighet',
  deniedText: 'Dina rättigheter räcker inte till detta. Be enhetens administratör om rättigheten.',
} satisfies Messages['common'];
