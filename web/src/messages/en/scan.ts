import type { Messages } from '../fi';

// The scan of the written request beside a disclosure.
export default {
  title: 'Written request',
  none: 'There is no scan of the request.',
  there: (kind, size, by, at) => `${kind}, ${size}. Attached by ${by}, ${at}.`,
  kinds: { pdf: 'PDF', jpeg: 'JPEG picture', png: 'PNG picture' },
  add: 'Attach the scan',
  replace: 'Replace the scan',
  text: 'PDF, JPEG or PNG, at most 10 MB. The scan can be replaced or removed until the first decision is made. Attach no copy of an identity document.',
  save: 'Save as a file',
  remove: 'Remove the scan',
  put: 'The scan is attached.',
  removed: 'The scan is removed.',
  saved: 'The scan is saved on this computer. Delete the file when you do not need it any more.',
  tooLarge: 'The file is too large. At most 10 MB.',
} satisfies Messages['scan'];
