//! Segments written and read back, whole, cut, and spoilt.

use proptest::prelude::*;

use super::*;
use crate::base::hash::hex;
use crate::base::time::Wall;
use crate::media::access_unit::Codec;
use crate::media::header::{ClockState, Losses};
use crate::media::segment::{SegmentBuilder, rebuild_trailer};
use crate::media::testing::{entry, file, header, key, samples};

fn closed(groups: &[&[usize]]) -> Vec<u8> {
    let (mut bytes, builder) = file(groups);
    let end = builder.header().start.plus_us(1);
    let (trailer, _) = builder.trailer(end, Losses::default(), ClockState::default(), false);
    bytes.extend(trailer);
    bytes
}

fn whole_scan(bytes: &[u8]) -> (Initial, Scan) {
    let initial = read_initial(bytes).expect("a head");
    let scan = scan(bytes, &initial, true).expect("readable");
    (initial, scan)
}

#[test]
fn a_segment_reads_back() {
    let groups: [&[usize]; 3] = [&[100_000, 0, 7, 20_000], &[1], &[16_384, 16_385]];
    let bytes = closed(&groups);
    let (initial, scan) = whole_scan(&bytes);
    assert_eq!(initial.header, header());
    assert_eq!(initial.entry, entry(Codec::H264));
    assert_eq!((scan.damage, scan.fragments.len()), (None, 3));
    let trailer = scan.trailer.expect("a trailer");
    assert_eq!(trailer.fragments, scan.fragments);
    assert_eq!(trailer_from_end(&bytes).expect("readable"), Some(trailer));
    let mut dts = 1_000_000;
    for (number, (sizes, index)) in (0..).zip(groups.iter().zip(&scan.fragments)) {
        let raw = read_fragment(&bytes, &initial, number, index).expect("whole");
        assert_eq!(raw.open(&key()).expect("our key"), samples(dts, sizes));
        dts += 3000 * i64::from(index.samples);
    }
}

/// Computed from the words of `leaf` and of the standards alone, by another program in another language.
#[test]
fn leaf_seal_and_root_are_as_documented() {
    let (_, mut builder) = file(&[]);
    let fragment = builder
        .fragment(samples(1_000_000, &[20, 3]))
        .expect("good");
    assert_eq!(
        fragment.index.leaf.to_string(),
        "bdccb9b7e62acceeff9f881de9de8b730969cd928ed5c3d46cdd5d46b37451e9"
    );
    let sealed: Vec<_> = fragment.samples.iter().map(|s| hex(s)).collect();
    assert_eq!(
        sealed,
        ["0b9c1bcf57678ac42d228989944457bc71c732bd", "c117c1"]
    );
    builder.written(&fragment);
    let end = Wall::from_secs(1);
    let (_, root) = builder.trailer(end, Losses::default(), ClockState::default(), false);
    assert_eq!(
        root.to_string(),
        "1199f86b30c30b4747d48f28d76eaedeb3af8737e4527406bdf90e9240a90b50"
    );
}

#[test]
fn an_h265_entry_comes_back_byte_for_byte() {
    let entry = entry(Codec::H265);
    assert_eq!(entry.rfc6381, "hvc1.1.6.L93.90");
    let builder = SegmentBuilder::new(header(), &entry, &key()).expect("good");
    let initial = read_initial(&builder.initial_bytes()).expect("a head");
    assert_eq!(initial.entry, entry);
}

#[test]
fn negative_composition_offsets_come_back() {
    let (_, mut builder) = file(&[]);
    let mut group = samples(1_000_000, &[9, 9, 9]);
    for (sample, pts) in group.iter_mut().zip([0, 6000, 3000]) {
        sample.pts = Ticks(1_000_000 + pts);
    }
    (group[1].pts, group[2].pts) = (group[2].pts - Ticks(9000), group[1].pts);
    let fragment = builder.fragment(group.clone()).expect("good");
    let mut bytes = builder.initial_bytes();
    bytes.extend(fragment.parts().flatten());
    let (initial, scan) = whole_scan(&bytes);
    let raw = read_fragment(&bytes, &initial, 0, &scan.fragments[0]).expect("whole");
    assert_eq!(raw.open(&key()).expect("our key"), group);
}

#[test]
fn samples_are_not_in_the_clear_and_no_counter_is_used_twice() {
    let (_, mut builder) = file(&[]);
    let first = builder.fragment(samples(1_000_000, &[64])).expect("good");
    // Not confirmed: as if the write had failed.
    let second = builder.fragment(samples(1_000_000, &[64])).expect("good");
    assert_eq!(first.index, second.index);
    assert_ne!(first.samples, second.samples);
    assert_ne!(first.samples[0], samples(1_000_000, &[64])[0].data);
    assert_eq!(builder.fragments(), []);
    builder.written(&second);
    let third = builder.fragment(samples(1_003_000, &[64])).expect("good");
    assert_eq!(
        third.index.offset,
        second.index.offset + u64::from(second.index.bytes)
    );
}

#[test]
fn another_key_is_denied() {
    let bytes = closed(&[&[50]]);
    let (initial, scan) = whole_scan(&bytes);
    let raw = read_fragment(&bytes, &initial, 0, &scan.fragments[0]).expect("whole");
    let denied = raw.open(&SegmentKey::from_bytes([0; 16]));
    assert_eq!(denied.map_err(|e| e.kind()), Err(Kind::Denied));
}

#[test]
fn a_header_of_another_day_is_denied() {
    let bytes = closed(&[&[50]]);
    let (mut initial, scan) = whole_scan(&bytes);
    initial.header.start = initial.header.start.plus_us(86_400_000_000);
    let raw = read_fragment(&bytes, &initial, 0, &scan.fragments[0]).expect("whole");
    assert_eq!(raw.open(&key()).map_err(|e| e.kind()), Err(Kind::Denied));
}

#[test]
fn out_of_order_samples_are_refused() {
    let (_, mut builder) = file(&[&[5, 5]]);
    let kind =
        |r: Result<crate::media::segment::SealedFragment>| r.map(|_| ()).map_err(|e| e.kind());
    assert_eq!(kind(builder.fragment(Vec::new())), Err(Kind::Invalid));
    let early = samples(1_003_000, &[5]);
    assert_eq!(kind(builder.fragment(early)), Err(Kind::Invalid));
    let mut gap = samples(1_006_000, &[5, 5]);
    gap[0].duration = Ticks(2999);
    assert_eq!(kind(builder.fragment(gap)), Err(Kind::Invalid));
    let many = vec![0; crate::media::fragment::SAMPLES_MAX + 1];
    let many = samples(1_006_000, &many);
    assert_eq!(kind(builder.fragment(many)), Err(Kind::Full));
}

#[test]
fn a_file_cut_anywhere_gives_its_whole_fragments_and_can_be_closed() {
    let bytes = closed(&[&[300, 20], &[10], &[40, 40]]);
    let (initial, full) = whole_scan(&bytes);
    let start = usize::try_from(initial.initial_len).expect("small");
    for len in start..bytes.len() {
        let cut = &bytes[..len];
        let part = scan(cut, &initial, true).expect("readable");
        assert!(full.fragments.starts_with(&part.fragments));
        assert!(part.trailer.is_none());
        assert_eq!(part.damage.is_none(), part.whole_len == len as u64);
        assert_eq!(trailer_from_end(cut).expect("readable"), None);
        let mut again = cut[..usize::try_from(part.whole_len).expect("small")].to_vec();
        let (trailer, root) = rebuild_trailer(
            &initial.header,
            part.fragments.clone(),
            Wall::from_secs(1),
            Losses::default(),
            ClockState::default(),
            true,
        );
        again.extend(trailer);
        let (_, closed) = whole_scan(&again);
        let trailer = closed.trailer.expect("a trailer");
        assert!(trailer.recovered);
        assert_eq!(trailer.content_root, root);
        assert_eq!(trailer.fragments, part.fragments);
    }
}

#[test]
fn a_tail_of_zeros_is_damage() {
    let (mut bytes, _) = file(&[&[300, 20]]);
    let whole = bytes.len() as u64;
    bytes.resize(bytes.len() + 4096, 0);
    let (_, scan) = whole_scan(&bytes);
    assert_eq!((scan.fragments.len(), scan.whole_len), (1, whole));
    assert!(scan.damage.is_some());
}

proptest! {
    #[test]
    fn one_changed_byte_is_found(at: usize, flip in 1u8..) {
        let bytes = closed(&[&[300, 20], &[10]]);
        let (initial, full) = whole_scan(&bytes);
        let start = usize::try_from(initial.initial_len).expect("small");
        let at = start + at % (bytes.len() - start);
        let mut spoilt = bytes.clone();
        spoilt[at] ^= flip;
        let part = scan(&spoilt[..], &initial, true);
        let shallow = scan(&spoilt[..], &initial, false);
        prop_assert!(shallow.is_ok() || part.is_err());
        trailer_from_end(&spoilt[..]).ok();
        let Ok(part) = part else { return Ok(()) };
        // A change within the trailer's own words (its end, its losses) is for the ledger to find.
        let in_trailer = at as u64 >= full.whole_len;
        prop_assert!(in_trailer || part.damage.is_some());
        for (number, index) in (0..).zip(&part.fragments) {
            // A changed leaf hash is found with the key.
            let opened = read_fragment(&spoilt[..], &initial, number, index).and_then(|f| f.open(&key()));
            prop_assert!(opened.is_ok() || part.damage.is_some());
        }
    }

    #[test]
    fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..600), at: usize) {
        read_initial(&bytes).ok();
        trailer_from_end(&bytes).ok();
        let mut file = closed(&[&[30]]);
        let at = at % file.len();
        let end = file.len().min(at + bytes.len());
        file[at..end].copy_from_slice(&bytes[..end - at]);
        if let Ok(initial) = read_initial(&file) {
            let found = scan(&file, &initial, true);
            if let Ok(found) = found {
                for (number, index) in (0..).zip(&found.fragments) {
                    read_fragment(&file, &initial, number, index).and_then(|f| f.open(&key())).ok();
                }
            }
        }
    }

    #[test]
    fn a_hostile_index_never_panics(offset: u64, bytes: u32, number: u32) {
        let file = closed(&[&[30]]);
        let (initial, scan) = whole_scan(&file);
        let mut index = scan.fragments[0].clone();
        (index.offset, index.bytes) = (offset, bytes);
        prop_assert!(read_fragment(&file, &initial, number, &index).is_err());
    }
}
