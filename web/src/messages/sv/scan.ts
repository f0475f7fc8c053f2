import type { Messages } from '../fi';

// Skanningen av den skriftliga begäran bredvid ett utlämnande.
export default {
  title: 'Skriftlig begäran',
  none: 'Det finns ingen skanning av begäran.',
  there: (kind, size, by, at) => `${kind}, ${size}. Bifogad av ${by}, ${at}.`,
  kinds: { pdf: 'PDF', jpeg: 'JPEG-bild', png: 'PNG-bild' },
  add: 'Bifoga skanningen',
  replace: 'Byt skanningen',
  text: 'PDF, JPEG eller PNG, högst 10 MB. Skanningen kan bytas eller tas bort tills det första beslutet är fattat. Bifoga ingen kopia av en identitetshandling.',
  save: 'Spara som fil',
  remove: 'Ta bort skanningen',
  put: 'Skanningen är bifogad.',
  removed: 'Skanningen är borttagen.',
  saved: 'Skanningen är sparad på denna dator. Ta bort filen när du inte behöver den längre.',
  tooLarge: 'Filen är för stor. Högst 10 MB.',
} satisfies Messages['scan'];
