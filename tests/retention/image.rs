//! Deletion as somebody sees it who takes the disk: no slot in the image of the block device opens an expired segment.

use std::collections::{HashMap, HashSet};
use std::fs;

use sinetti::base::disk;
use sinetti::base::id::SegmentId;
use sinetti::catalog::SegmentRow;
use sinetti::store::slots::{self, Place};
use sinetti::vault::identity::Identity;
use sinetti::vault::slot::{self, SLOT_BYTES, Slot};

use crate::plant::{DAY, HOUR, MINUTE, Plant, T0};
use crate::support::{Ext4, with_own_mounts};

/// The end of a wrapped key: it is like no other.
type Tail = [u8; 32];

fn tail(plant: &Plant, row: &SegmentRow) -> Tail {
    let place = Place {
        day: row.key_day.clone(),
        index: row.key_index,
    };
    let bytes = slots::read(&plant.volume, &row.stream, &place).expect("a slot");
    let Ok(Slot::Whole(wrapped)) = slot::decode(&bytes) else {
        panic!("a whole slot");
    };
    let (_, tail) = wrapped.age().split_last_chunk::<32>().expect("long enough");
    *tail
}

/// Which of the tails lie in the image, wherever.
fn found(image: &[u8], tails: &HashMap<Tail, SegmentId>) -> HashSet<SegmentId> {
    let heads: HashSet<[u8; 4]> = tails.keys().map(|t| [t[0], t[1], t[2], t[3]]).collect();
    let windows = image.array_windows::<32>();
    let hits = windows.filter(|w| heads.contains(&[w[0], w[1], w[2], w[3]]));
    hits.filter_map(|window| tails.get(window).copied())
        .collect()
}

/// Every segment that some slot in the image opens, at any place where slots may begin.
fn opened(image: &[u8], with: &Identity) -> HashSet<SegmentId> {
    let (slots, _) = image.as_chunks::<SLOT_BYTES>();
    let whole = slots.iter().filter_map(|bytes| match slot::decode(bytes) {
        Ok(Slot::Whole(wrapped)) => Some(wrapped),
        _ => None,
    });
    whole
        .filter(|wrapped| wrapped.open(with).is_ok())
        .map(|wrapped| wrapped.segment)
        .collect()
}

#[test]
fn no_slot_in_the_image_of_the_disk_opens_an_expired_segment() {
    with_own_mounts(
        "image::no_slot_in_the_image_of_the_disk_opens_an_expired_segment",
        on_a_disk_of_its_own,
    );
}

fn on_a_disk_of_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let (image, mounted) = (at("disk.img"), at("footage"));
    fs::create_dir(&mounted).expect("a folder");
    let ext4 = Ext4::make(&image, 24, &mounted);

    let recovery = Identity::generate();
    let vault = Identity::generate();
    let plant = Plant::make(&at("state"), &mounted, &recovery, &vault);
    plant.record("kassa/main", T0, 60, 30, 40_000);
    plant.record("ovi/main", T0.plus_us(-DAY), 60, 10, 40_000);
    plant.keep("kassa/main", HOUR);
    plant.keep("ovi/main", 2 * HOUR);
    let mut rows = plant.segments("kassa/main");
    rows.extend(plant.segments("ovi/main"));
    let tails: HashMap<Tail, SegmentId> = rows
        .iter()
        .map(|row| (tail(&plant, row), row.segment))
        .collect();
    let all: HashSet<_> = tails.values().copied().collect();
    disk::sync_file_system(&mounted).expect("synced");
    let before = fs::read(&image).expect("the image");
    for identity in [&recovery, &vault] {
        let opened = opened(&before, identity);
        assert_eq!(opened, all, "the image shows what is there");
    }
    assert_eq!(found(&before, &tails), all);

    // Half of the one stream and all of the other go.
    plant.set_clock(T0.plus_us(HOUR + 15 * MINUTE + 1));
    assert_eq!(plant.sweep().segments, 25);
    let kept: HashSet<_> = plant
        .segments("kassa/main")
        .iter()
        .map(|r| r.segment)
        .collect();
    assert_eq!(kept.len(), 15);
    disk::sync_file_system(&mounted).expect("synced");
    let after = fs::read(&image).expect("the image");
    for identity in [&recovery, &vault] {
        assert_eq!(opened(&after, identity), kept);
    }
    assert_eq!(found(&after, &tails), kept, "nowhere in the image");
    drop(plant);
    ext4.unmount(|| ());
    let unmounted = fs::read(&image).expect("the image");
    assert_eq!(found(&unmounted, &tails), kept, "nor when it is unmounted");
}
