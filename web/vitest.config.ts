import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

import { packageCheck } from './package-check.ts';

// Plain modules only: what needs a browser is tested in one, against the running box (tests/browser).
export default defineConfig({
  plugins: [svelte(), packageCheck()],
  test: { include: ['src/**/*.test.ts'], environment: 'node', env: { TZ: 'America/New_York' } },
});
