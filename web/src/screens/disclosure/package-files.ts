// A package that a person chose or dropped, as a folder or as its ZIPs, as what checks it takes it.

import { together } from './package-zip';

type Files = Map<string, Blob | null>;

/** The same when it is a package already; where there are only ZIPs, what is in them. Throws `ClosedZip`. */
export async function opened(entries: readonly (readonly [string, File])[]): Promise<readonly (readonly [string, Blob])[]> {
  const zips = entries.filter(([path]) => /\.zip$/i.test(path)).map(([, file]) => file);
  return zips.length === 0 || gather(entries) ? entries : together(zips);
}

/** The files of the folder nearest to the top that has a list of contents or a manifest in it. */
export function gather(entries: readonly (readonly [string, Blob])[]): Files | undefined {
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

/** Of a field for a folder. */
export function chosen(list: FileList | null): [string, File][] {
  return Array.from(list ?? [], (file) => [file.webkitRelativePath || file.name, file]);
}

/** Of what was dropped: folders with all that is in them. */
export async function dropped(items: DataTransferItemList): Promise<[string, File][]> {
  // The list is empty once somebody waits.
  const entries = Array.from(items, (item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  const out: [string, File][] = [];
  for (const entry of entries) await walk(entry, '', out);
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
