import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants, gzipSync } from 'node:zlib';

import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type Plugin } from 'vite';

import { packageCheck } from './package-check.ts';

/** Beside every text a gzipped one: the box sends it as it is, and compresses nothing itself. */
function gzipped(): Plugin {
  let dir = '';
  return {
    name: 'gzipped',
    apply: 'build',
    configResolved: (config) => void (dir = join(config.root, config.build.outDir)),
    closeBundle() {
      for (const file of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
        if (!/\.(html|js|css|svg)$/.test(file)) continue;
        const path = join(dir, file);
        writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: constants.Z_BEST_COMPRESSION }));
      }
    },
  };
}

export default defineConfig({
  plugins: [svelte(), packageCheck(), gzipped()],
  // What lies under `public` would keep its name, and could not be cached for ever.
  publicDir: false,
  build: {
    outDir: 'dist',
    // For size.mjs.
    manifest: true,
    target: 'es2023',
    // The policy of the pages forbids `data:`.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
