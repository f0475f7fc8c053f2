import type { Messages } from '../fi';

export default {
  staff: 'Staff',
  manager: 'Manager',
  controller: 'Controller',
  auditor: 'Auditor',
  admin: 'Administrator',
  maintenance: 'Maintenance',
} satisfies Messages['roles'];
