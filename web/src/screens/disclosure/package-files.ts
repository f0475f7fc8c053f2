// A package that a person chose or dropped, as what checks it takes it: a folder, or its ZIP files as they were handed out.

import { filesOf, isZip } from './zip';

type Files = Map<string, Blob | null>;
type Entries = readonly (readonly [string, Blob])[];

/** More than one package was given. */
export class Several extends Error {}

/** The package among what was given: a folder of files, or what its ZIP files hold; undefined: there is none. */
export async function packageOf(entries: Entries): Promise<Files | undefined> {
  const folder = gather(entries);
  const zips = entries.filter(([path]) => isZip(path));
  if (folder || zips.length === 0) return folder;
  const inside: (readonly [string, Blob])[] = [];
  for (const [path, zip] of zips) inside.push(...(await filesOf(zip, path.slice(path.lastIndexOf('/') + 1))));
  // Each part unpacks to the folder of the one package.
  const folders = new Set(inside.map(([path]) => path.slice(0, path.indexOf('/') + 1)));
  const paths = new Set(inside.map(([path]) => path));
  if (folders.size > 1 || paths.size < inside.length) throw new Several('files of more than one package');
  return gather(inside);
}

/** The files of the folder nearest to the top that has a list of contents or a manifest in it. */
export function gather(entries: Entries): Files | undefined {
  const roots = entries.filter(([path]) => /(^|\/)(contents\.txt|manifest\.json)$/.test(path)).map(([path]) => path.slice(0, path.lastIndexOf('/') + 1));
  const root = roots.sort((a, b) => a.length - b.length)[0];
  if (root === undefined) return undefined;
  const files: Files = new Map();
  for (const [path, file] of entries) {
    if (!path.startsWith(root)) continue;
    const name = path.slice(root.length);
    const slash = name.indexOf('/');
    if (slash < 0) files.set(name, file);
    else files.set(name.slice(0, slash), null);
  }
  return files;
}

/** Of a field for a folder or files. */
export function chosen(list: FileList | null): [string, File][] {
  return Array.from(list ?? [], (file) => [file.webkitRelativePath || file.name, file]);
}

/** Of what was dropped: files, and folders with all that is in them. */
export async function dropped(items: DataTransferItemList): Promise<[string, File][]> {
  // The list is empty once somebody waits.
  const given = Array.from(items, (item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
  const out: [string, File][] = [];
  for (const { entry, file } of given) {
    if (entry) await walk(entry, '', out);
    else if (file) out.push([file.name, file]);
  }
  return out;
}

async function walk(entry: FileSystemEntry, path: string, out: [string, File][]): Promise<void> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    out.push([path + entry.name, file]);
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (batch.length === 0) return;
    for (const child of batch) await walk(child, `${path}${entry.name}/`, out);
  }
}

/** SHA-256 in hexadecimal digits. */
export async function digest(file: Blob): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', await file.arrayBuffer());
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
