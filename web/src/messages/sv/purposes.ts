import type { Messages } from '../fi';

export default {
  'protection-of-persons': 'personalens och kundernas säkerhet',
  'protection-of-property': 'skydd av egendom',
  'crime-prevention': 'förebyggande och utredning av brott',
  misuse: 'utredning av missbruk',
  'false-alarms': 'utredning av falska larm',
  identification: 'identifiering av personer som rör sig i lokalerna',
  maintenance: 'hjälp vid installation och underhåll',
} satisfies Messages['purposes'];
