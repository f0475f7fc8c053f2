import type { Messages } from '../fi';

export default {
  staff: 'Försäljare',
  manager: 'Chef',
  controller: 'Personuppgiftsansvarig',
  auditor: 'Granskare',
  admin: 'Administratör',
  maintenance: 'Underhåll',
} satisfies Messages['roles'];
