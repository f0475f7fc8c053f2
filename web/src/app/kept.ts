// What a browser remembers between visits. Without storage (a private window may have none) nothing is remembered.

export function remembered(name: string): string | undefined {
  try {
    return localStorage.getItem(`sinetti.${name}`) ?? undefined;
  } catch {
    return undefined;
  }
}

export function remember(name: string, value: string): void {
  try {
    localStorage.setItem(`sinetti.${name}`, value);
  } catch {
    // Nothing is lost but the memory of it.
  }
}
