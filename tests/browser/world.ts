// The box that the tests use, and who signs in to it.
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Where it is made; anew for each run. */
export const BOX_DIR = resolve(process.env['SINETTI_BROWSER_DIR'] ?? join(import.meta.dirname, '../../target/browser'));
export const PORT = Number(process.env['SINETTI_BROWSER_PORT'] ?? 18443);
export const ADDRESS = `https://127.0.0.1:${PORT}`;

export const ROLES = ['staff', 'manager', 'controller', 'auditor', 'admin', 'maintenance'] as const;
export type Role = (typeof ROLES)[number];

export interface World {
  /** The password of everybody: the pictures are made up. */
  password: string;
  /** Address of the simulated cameras, and their login. */
  camera: string;
  login: { user: string; password: string };
  /** The enrolment token of staff2. */
  token: string;
  people: Record<string, { secret: string; codes: string[] }>;
}

export function world(): World {
  return JSON.parse(readFileSync(join(BOX_DIR, 'world.json'), 'utf8')) as World;
}

/** The file with the session of a role, made once for the whole run. */
export const sessionOf = (role: Role): string => join(BOX_DIR, `session-${role}.json`);

/** The code of a secret for a time step around now (RFC 6238). */
export function totp(secret: string, ahead = 0): string {
  const bits = [...secret.replace(/[= ]/g, '')].map((char) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(char).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + ahead));
  const mac = createHmac('sha1', key).update(counter).digest();
  const offset = (mac[19] ?? 0) & 15;
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

/** A recovery code of a person. Each is good once: every test that wants one has a place of its own. */
export function recoveryCode(name: string, place: number): string {
  const code = world().people[name]?.codes[place];
  if (code === undefined) throw new Error(`${name} has no recovery code ${place}`);
  return code;
}
