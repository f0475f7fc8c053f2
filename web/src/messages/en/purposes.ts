import type { Messages } from '../fi';

export default {
  'protection-of-persons': 'safety of employees and customers',
  'protection-of-property': 'protection of property',
  'crime-prevention': 'preventing and clearing up crime',
  misuse: 'clearing up misuse',
  'false-alarms': 'clearing up false alarms',
  identification: 'identifying persons who move in the premises',
  maintenance: 'an aid in installation and maintenance',
} satisfies Messages['purposes'];
