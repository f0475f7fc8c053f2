/**
 * The little of ISO/IEC 14496-12 that a player must read itself: when each picture of a fragment is shown, for exact steps;
 * the bytes of the first one and how it is decoded, for stills.
 */

/** A picture of a fragment. Times in the units of the fragment's timescale, counted from its origin. */
export interface Picture {
  /** When it is shown. */
  shown: number;
  /** How long it is decoded; what it is shown but for reordering. */
  duration: number;
  isKey: boolean;
  /** Where its bytes are in what was parsed. */
  offset: number;
  size: number;
}

/** How pictures are decoded: for `VideoDecoder`. */
export interface Parameters {
  /** `avcC` or `hvcC`, without its header. */
  description: Uint8Array;
  timescale: number;
}

/** What is wrong with bytes that should be MP4. */
export class Mp4Error extends Error {}

interface Box {
  type: string;
  /** Of its content. */
  start: number;
  end: number;
  /** Of its header. */
  at: number;
}

function* boxes(view: DataView, from: number, to: number): Generator<Box> {
  let at = from;
  while (at + 8 <= to) {
    let size = view.getUint32(at);
    let header = 8;
    if (size === 1 && at + 16 <= to) {
      size = Number(view.getBigUint64(at + 8));
      header = 16;
    }
    if (size < header || at + size > to) throw new Mp4Error('a box is longer than what holds it');
    const type = String.fromCharCode(...[4, 5, 6, 7].map((i) => view.getUint8(at + i)));
    yield { type, start: at + header, end: at + size, at };
    at += size;
  }
}

function child(view: DataView, of: Box, type: string): Box {
  for (const box of boxes(view, of.start, of.end)) if (box.type === type) return box;
  throw new Mp4Error(`${of.type} has no ${type}`);
}

/** Every picture of whole fragments, in the order in which they are decoded. */
export function pictures(bytes: Uint8Array): Picture[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const all: Picture[] = [];
  for (const box of boxes(view, 0, bytes.byteLength)) {
    if (box.type !== 'moof') continue;
    const traf = child(view, box, 'traf');
    all.push(...ofTrack(view, box.at, traf));
  }
  return all;
}

/** `tfhd`: what `trun` may leave out. */
function defaults(view: DataView, traf: Box): { duration: number; size: number; flags: number } {
  const tfhd = child(view, traf, 'tfhd');
  const flags = view.getUint32(tfhd.start) & 0xffffff;
  let at = tfhd.start + 8 + (flags & 0x01 ? 8 : 0) + (flags & 0x02 ? 4 : 0);
  const found = { duration: 0, size: 0, flags: 0 };
  if (flags & 0x08) [found.duration, at] = [view.getUint32(at), at + 4];
  if (flags & 0x10) [found.size, at] = [view.getUint32(at), at + 4];
  if (flags & 0x20) found.flags = view.getUint32(at);
  return found;
}

function ofTrack(view: DataView, moof: number, traf: Box): Picture[] {
  const usual = defaults(view, traf);
  const tfdt = child(view, traf, 'tfdt');
  const isLong = view.getUint8(tfdt.start) === 1;
  let decoded = isLong ? Number(view.getBigUint64(tfdt.start + 4)) : view.getUint32(tfdt.start + 4);
  const found: Picture[] = [];
  for (const trun of boxes(view, traf.start, traf.end)) {
    if (trun.type !== 'trun') continue;
    const flags = view.getUint32(trun.start) & 0xffffff;
    const isSigned = view.getUint8(trun.start) === 1;
    const count = view.getUint32(trun.start + 4);
    let at = trun.start + 8;
    const take = (bit: number, otherwise: number) => {
      if (!(flags & bit)) return otherwise;
      at += 4;
      return view.getUint32(at - 4);
    };
    let offset = moof + (flags & 0x01 ? view.getInt32(at) : 0);
    take(0x01, 0);
    const first = flags & 0x04 ? take(0x04, 0) : undefined;
    for (let i = 0; i < count; i++) {
      const duration = take(0x100, usual.duration);
      const size = take(0x200, usual.size);
      const own = take(0x400, (i === 0 ? first : undefined) ?? usual.flags);
      const shift = flags & 0x800 ? (isSigned ? view.getInt32(at) : view.getUint32(at)) : 0;
      take(0x800, 0);
      // sample_is_non_sync_sample
      found.push({ shown: decoded + shift, duration, isKey: !(own & 0x10000), offset, size });
      decoded += duration;
      offset += size;
    }
  }
  return found;
}

/** From what stands before the fragments. */
export function parameters(bytes: Uint8Array): Parameters {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const whole: Box = { type: 'file', start: 0, end: bytes.byteLength, at: 0 };
  const mdia = ['moov', 'trak', 'mdia'].reduce((box, type) => child(view, box, type), whole);
  const mdhd = child(view, mdia, 'mdhd');
  const timescale = view.getUint32(mdhd.start + (view.getUint8(mdhd.start) === 1 ? 20 : 12));
  const stsd = ['minf', 'stbl', 'stsd'].reduce((box, type) => child(view, box, type), mdia);
  const [entry] = boxes(view, stsd.start + 8, stsd.end);
  if (!entry) throw new Mp4Error('there is no sample entry');
  // A visual sample entry has 78 bytes before its boxes.
  for (const box of boxes(view, entry.start + 78, entry.end)) {
    if (box.type === 'avcC' || box.type === 'hvcC') {
      return { description: bytes.slice(box.start, box.end), timescale };
    }
  }
  throw new Mp4Error('the sample entry does not say how pictures are decoded');
}
