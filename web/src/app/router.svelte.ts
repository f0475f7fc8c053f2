// Where in the interface one is: all of it stands in the address, so that a reload, a bookmark or the way back leads there again.
import { parse } from 'regexparam';

/** The address as it is now. */
class Place {
  path = $state(location.pathname);
  query = $state.raw(new URLSearchParams(location.search));

  /** Path and query, as one goes back to it after signing in. */
  get full(): string {
    const query = this.query.toString();
    return query === '' ? this.path : `${this.path}?${query}`;
  }

  read(): void {
    this.path = location.pathname;
    this.query = new URLSearchParams(location.search);
  }
}

/** The address as it is now; reading it in a component follows it. */
export const place = new Place();

addEventListener('popstate', () => place.read());

/** Goes to an address of the interface. */
export function go(address: string, options: { replace?: boolean } = {}): void {
  if (options.replace) history.replaceState(null, '', address);
  else {
    history.pushState(null, '', address);
    scrollTo(0, 0);
  }
  place.read();
}

/** Changes parts of the query; `undefined` or an empty text takes one out. Does not add to the history. */
export function setQuery(changes: Record<string, string | undefined>): void {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === '') query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  go(text === '' ? location.pathname : `${location.pathname}?${text}`, { replace: true });
}

/** Follows links within the interface without loading the page anew; for one listener at the root. */
export function follow(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element | null)?.closest?.('a');
  if (!link || link.target !== '' || link.hasAttribute('download') || link.origin !== location.origin) return;
  if (link.dataset['load'] !== undefined) return;
  if (link.hash !== '' && link.pathname === location.pathname && link.search === location.search) return;
  event.preventDefault();
  go(link.pathname + link.search);
}

export interface Route<T> {
  /** As `regexparam` takes it. */
  pattern: string;
  value: T;
}

/** The first route that fits, with its named parts. */
export function match<T>(routes: readonly Route<T>[], path: string): { value: T; params: Record<string, string> } | undefined {
  for (const route of routes) {
    const { keys, pattern } = parse(route.pattern);
    const found = pattern.exec(path);
    if (!found) continue;
    const params: Record<string, string> = {};
    keys.forEach((key, i) => {
      const part = found[i + 1];
      if (part !== undefined) params[key] = decode(part);
    });
    return { value: route.value, params };
  }
  return undefined;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
