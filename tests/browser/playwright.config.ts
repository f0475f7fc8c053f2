import { join } from 'node:path';

import { defineConfig } from '@playwright/test';

import { ADDRESS, BOX_DIR, PORT } from './world';

const PICTURES = /pictures\.spec\.ts/;
const isDark = { colorScheme: 'dark' as const };

// One recorder for all tests, with simulated cameras: no answer is made up. Debian's Chromium.
export default defineConfig({
  testDir: '.',
  outputDir: 'results',
  fullyParallel: true,
  workers: 2,
  retries: 0,
  timeout: 40_000,
  expect: { timeout: 10_000 },
  reporter: [['list']],
  forbidOnly: true,
  // Debian's Chromium draws letters a little differently from version to version.
  snapshotPathTemplate: '{testDir}/looks/{arg}{ext}',
  updateSnapshots: process.env['SINETTI_LOOKS'] === 'anew' ? 'all' : 'none',
  globalSetup: './setup.ts',
  webServer: {
    command: `${join(import.meta.dirname, 'start')} ${BOX_DIR} ${PORT}`,
    url: `${ADDRESS}/api/v1/site`,
    ignoreHTTPSErrors: true,
    timeout: 120_000,
    reuseExistingServer: process.env['SINETTI_BROWSER_REUSE'] === '1',
    gracefulShutdown: { signal: 'SIGTERM', timeout: 30_000 },
    stdout: 'ignore',
    stderr: 'pipe',
  },
  use: {
    baseURL: ADDRESS,
    ignoreHTTPSErrors: true,
    locale: 'fi-FI',
    // Not that of the site: times are shown in its zone all the same.
    timezoneId: 'America/New_York',
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: process.env['SINETTI_CHROMIUM'] ?? '/usr/bin/chromium',
      args: ['--autoplay-policy=no-user-gesture-required'],
    },
  },
  projects: [
    { name: 'light', testIgnore: PICTURES, use: { colorScheme: 'light' } },
    { name: 'dark', testMatch: /looks\.spec\.ts/, use: isDark },
    // Only when asked for: they are written into docs/.
    ...(process.env['SINETTI_SCREENSHOTS'] ? [{ name: 'pictures', testMatch: PICTURES, use: { colorScheme: 'light' as const } }] : []),
  ],
});
