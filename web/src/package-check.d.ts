// The checker of the page that lies in each package (web/package-check.ts makes a module of it).
declare module 'virtual:package-check' {
  export interface Finding {
    code: string;
    file: string;
    text: string;
  }
  export interface Report {
    findings: Finding[];
    fingerprint: string | null;
    box: string | null;
    manifest: {
      site: string;
      made: string;
      purpose: string;
      disclosure?: { serial: string } | null;
      files: { name: string; span: { start: string; end: string }; pictures: number; viewing?: boolean; coded_from?: string; no_viewing?: string }[];
    } | null;
    /** Number of the ledger's entry that bears the manifest's hash. */
    entry: number | null;
  }
  /** `files`: what lies in the folder; null for a folder in it. */
  export function check(files: ReadonlyMap<string, Blob | null>, expected?: string, progress?: (share: number) => void): Promise<Report>;
}
