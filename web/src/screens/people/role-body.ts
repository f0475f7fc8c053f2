// A role as the API takes it.
import type { Schemas } from '../../api/client';
import { site } from '../../app/site.svelte';
import type { RoleGiven } from './RoleFields.svelte';
import { CAMERA_ROLES } from './words';

export function roleBody(given: RoleGiven): Schemas['NewRole'] {
  const isLimited = CAMERA_ROLES.includes(given.role) && !given.isEveryCamera;
  return {
    role: given.role,
    cameras: isLimited ? [...given.cameras] : undefined,
    approves: given.role === 'manager' && given.approves,
    // The day that is named belongs to it.
    until: site.midnight(given.until, 1),
  };
}
