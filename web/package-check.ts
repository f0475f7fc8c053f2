// What checks a package, taken from the page that lies in each package (src/evidence/package/verify.html): there is one such
// code. The page's policy allows inline scripts, that of the box does not, so here it becomes a module: `virtual:package-check`.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import type { Plugin } from 'vite';

const NAME = 'virtual:package-check';
const PAGE = fileURLToPath(new URL('../src/evidence/package/verify.html', import.meta.url));
/** The checker stands between these lines: it knows of no document and no network. */
const BEGINS = 'const Sinetti = (() => {';
const ENDS = '\n})();\n';

export function packageCheck(): Plugin {
  return {
    name: 'package-check',
    resolveId: (id) => (id === NAME ? `\0${NAME}` : undefined),
    load(id) {
      if (id !== `\0${NAME}`) return undefined;
      this.addWatchFile(PAGE);
      const page = readFileSync(PAGE, 'utf8');
      const from = page.indexOf(BEGINS);
      const to = page.indexOf(ENDS, from);
      if (from < 0 || to < 0) throw new Error(`${PAGE} has no checker between "${BEGINS}" and "})();"`);
      return `${page.slice(from, to + ENDS.length)}export const { check } = Sinetti;\n`;
    },
  };
}
