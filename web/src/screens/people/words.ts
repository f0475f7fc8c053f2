// Persons and roles in words.
import type { Schemas } from '../../api/client';
import type { Messages } from '../../messages/current.svelte';
import { boxClock } from '../../time/box-clock';
import { fromIso } from '../../time/zone';

type Role = Schemas['RoleLine'];

/** Roles that reach cameras: which ones is said when they are granted. */
export const CAMERA_ROLES: readonly string[] = ['staff', 'manager', 'maintenance'];
export const ROLES = ['staff', 'manager', 'controller', 'auditor', 'admin', 'maintenance'] as const;

export function roleWords(role: string, m: Messages): string {
  return (m.roles as Record<string, string>)[role] ?? role;
}

/** True while the role is held. */
export function isInForce(role: Role): boolean {
  if (role.ended) return false;
  const until = role.until ? fromIso(role.until) : undefined;
  return until === undefined || until > boxClock.now;
}

/** True when what the role says about footage waits for a controller. */
export function rests(role: Role): boolean {
  return !role.confirmed && (role.role === 'manager' || role.role === 'controller');
}

/** A role with the cameras that it reaches, where it reaches some. */
export function roleLine(role: Role, m: Messages): string {
  const words = roleWords(role.role, m);
  if (!CAMERA_ROLES.includes(role.role)) return words;
  return `${words}, ${camerasOf(role, m)}`;
}

/** The cameras that a role reaches. */
export function camerasOf(role: Role, m: Messages): string {
  if (!CAMERA_ROLES.includes(role.role)) return '–';
  return role.cameras ? role.cameras.join(', ') || m.people.noCameras : m.people.allCameras;
}
