//! Coverage over generated histories.

use proptest::prelude::*;

use crate::base::time::Span;
use crate::catalog::tests::{
    Fixture, HOUR, SECOND, T0, closed, gap_closed, gap_opened, sound, span, stream,
};
use crate::catalog::{Change, GapCause};

/// Segments and gaps laid out one after the other, with seams, some segments removed again.
fn history() -> impl Strategy<Value = Vec<(bool, i64, i64, bool)>> {
    let piece = (
        any::<bool>(),
        2_000_i64..90 * SECOND,
        0_i64..=1000,
        prop::bool::weighted(0.2),
    );
    prop::collection::vec(piece, 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn segments_and_gaps_are_all_of_time(pieces in history(), from in 0_i64..=1000, to in 0_i64..=1000) {
        let f = Fixture::new();
        let kassa = stream("kassa");
        let (mut at, mut changes, mut removed) = (0, Vec::new(), Vec::new());
        // Microseconds of which it is known how they are accounted for.
        let mut facts = Vec::new();
        for (is_gap, us, seam, is_removed) in pieces {
            let end = at + us;
            if is_gap {
                changes.push(gap_opened(at, GapCause::Stalled, ""));
                changes.push(gap_closed(end));
            } else {
                let row = f.row(at, end);
                if is_removed {
                    removed.push(Change::SegmentRemoved(row.segment));
                }
                changes.push(closed(row));
            }
            facts.push((at + us / 2, is_gap, is_removed && !is_gap));
            at = end + seam;
        }
        f.catalog.commit(changes, None).expect("history");
        let reader = f.reader();
        let [from, to] = [from, to].map(|part| part * at / 1000);
        let asked = span(from.min(to), from.max(to));
        let now = T0.plus_us(at);
        let whole = reader.coverage(&kassa, asked, now).expect("query");
        let unknown: i64 = whole.unknown.iter().map(Span::us).sum();
        prop_assert!(unknown <= 2000, "only a seam at either end: {:?}", whole.unknown);

        f.catalog.commit(removed, None).expect("removed");
        sound(&reader);
        let coverage = reader.coverage(&kassa, asked, now).expect("query");
        let mut parts = coverage.recorded.clone();
        parts.extend(coverage.gaps.iter().map(|gap| gap.span));
        parts.extend(&coverage.unknown);
        parts.sort_by_key(|part| part.start);
        let mut end = asked.start;
        for part in &parts {
            prop_assert!(part.us() > 0);
            prop_assert_eq!(part.start, end, "no overlap, nothing left out");
            end = part.end;
        }
        prop_assert_eq!(end, asked.end);
        for (us, is_gap, is_removed) in facts {
            let instant = span(us, us + 1);
            if !instant.overlaps(&asked) || instant.end > asked.end || instant.start < asked.start {
                continue;
            }
            let within = |spans: &[Span]| spans.iter().any(|s| s.overlaps(&instant));
            let gaps: Vec<_> = coverage.gaps.iter().map(|gap| gap.span).collect();
            prop_assert_eq!(within(&coverage.recorded), !is_gap && !is_removed);
            prop_assert_eq!(within(&gaps), is_gap);
            prop_assert_eq!(within(&coverage.unknown), is_removed);
        }
    }

    #[test]
    fn recordings_are_the_union_of_segments_whatever_their_order(
        spans in prop::collection::vec((0_i64..600, 0_i64..90), 1..20),
        keep in prop::collection::vec(any::<bool>(), 20),
    ) {
        // In units of 10 ms, well above a seam; segments may overlap as after a backward step of the clock.
        const UNIT: i64 = 10_000;
        let f = Fixture::new();
        let rows: Vec<_> = spans.iter().map(|(start, us)| f.row(start * UNIT, (start + us) * UNIT)).collect();
        let changes: Vec<_> = rows.iter().cloned().map(closed).collect();
        f.catalog.commit(changes, None).expect("segments");
        let removed: Vec<_> = rows.iter().zip(&keep).filter(|(_, keep)| !**keep)
            .map(|(row, _)| Change::SegmentRemoved(row.segment)).collect();
        f.catalog.commit(removed, None).expect("removed");
        let reader = f.reader();
        sound(&reader);
        let coverage = reader.coverage(&stream("kassa"), span(0, 700 * UNIT), T0.plus_us(HOUR)).expect("query");
        for unit in 0..700 {
            let instant = span(unit * UNIT, (unit + 1) * UNIT);
            let want = spans.iter().zip(&keep).any(|((start, us), keep)| *keep && (*start..start + us).contains(&unit));
            let is = coverage.recorded.iter().any(|s| s.overlaps(&instant));
            prop_assert_eq!(is, want, "unit {}", unit);
        }
    }
}
