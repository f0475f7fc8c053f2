// What screens read again and again. Asking in the background stops when nobody is there: a session ends by not being used.
import { QueryClient } from '@tanstack/svelte-query';

import { Refused } from '../api/client';

/** Without a key or a pointer for so long, nobody is there. */
const AWAY_AFTER_MS = 5 * 60_000;

let lastSeen = Date.now();
for (const kind of ['pointerdown', 'pointermove', 'keydown', 'wheel']) {
  addEventListener(kind, () => (lastSeen = Date.now()), { passive: true });
}

/** For `refetchInterval`: every so many seconds while somebody is there. */
export function every(seconds: number): () => number | false {
  return () => (Date.now() - lastSeen > AWAY_AFTER_MS ? false : seconds * 1000);
}

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // The box is in the same network, whatever the browser thinks of the Internet.
      networkMode: 'always',
      staleTime: 2000,
      retry: (count, error) => count < 2 && error instanceof Refused && (error.status === 0 || error.status === 503),
    },
    mutations: { networkMode: 'always' },
  },
});
