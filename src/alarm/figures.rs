//! What measuring programs get of alarms: families of figures, for whoever writes them out. No names of people, no details.

use std::collections::BTreeMap;

use crate::catalog::{AlarmKind, AlarmRow};

/// Alarms that are up, and how their delivery goes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Figures {
    /// By kind: how many are up, and how many of them nobody has acknowledged.
    pub up: BTreeMap<AlarmKind, (u64, u64)>,
    /// Messages that the alarm target took, since the start.
    pub delivered: u64,
    /// Messages that were given up, since the start.
    pub given_up: u64,
}

/// A family of figures, as Prometheus has them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// `gauge` or `counter`.
    pub kind: &'static str,
    /// What it is.
    pub help: &'static str,
    /// Labels and value of each sample.
    pub samples: Vec<(Vec<(&'static str, &'static str)>, u64)>,
}

impl Figures {
    /// Of the alarms that are up.
    pub fn of(up: &[AlarmRow]) -> Self {
        let mut figures = Self::default();
        for row in up {
            let (all, unseen) = figures.up.entry(row.kind).or_default();
            *all += 1;
            *unseen += u64::from(row.acknowledged.is_none());
        }
        figures
    }

    /// Every family; every kind of alarm has its sample, so that a rule can be written before the first one.
    pub fn families(&self) -> Vec<Family> {
        let each = |pick: fn(&(u64, u64)) -> u64| {
            let sample = |kind: &AlarmKind| {
                let value = self.up.get(kind).map_or(0, pick);
                (vec![("kind", kind.as_str())], value)
            };
            AlarmKind::ALL.iter().map(sample).collect()
        };
        let one = |name, help, value| Family {
            name,
            kind: "counter",
            help,
            samples: vec![(Vec::new(), value)],
        };
        vec![
            Family {
                name: "sinetti_alarms",
                kind: "gauge",
                help: "Alarms that are up.",
                samples: each(|(all, _)| *all),
            },
            Family {
                name: "sinetti_alarms_unacknowledged",
                kind: "gauge",
                help: "Alarms that are up and that nobody has acknowledged.",
                samples: each(|(_, unseen)| *unseen),
            },
            one(
                "sinetti_alarm_messages_delivered_total",
                "Messages that the alarm target took.",
                self.delivered,
            ),
            one(
                "sinetti_alarm_messages_given_up_total",
                "Messages that the alarm target did not take.",
                self.given_up,
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Wall;

    #[test]
    fn every_kind_has_its_sample() {
        let row = |kind, acknowledged| AlarmRow {
            id: 1,
            kind,
            object: "levy-1".to_owned(),
            detail: "-".to_owned(),
            raised: Wall::from_secs(0),
            acknowledged,
            acknowledged_by: None,
            cleared: None,
        };
        let rows = [
            row(AlarmKind::Stranger, None),
            row(AlarmKind::Stranger, Some(Wall::from_secs(1))),
        ];
        let families = Figures::of(&rows).families();
        let value = |name: &str, kind: AlarmKind| {
            let family = families.iter().find(|f| f.name == name).expect("family");
            let label = vec![("kind", kind.as_str())];
            let sample = family.samples.iter().find(|(labels, _)| *labels == label);
            sample.expect("sample").1
        };
        assert_eq!(value("sinetti_alarms", AlarmKind::Stranger), 2);
        assert_eq!(
            value("sinetti_alarms_unacknowledged", AlarmKind::Stranger),
            1
        );
        for kind in AlarmKind::ALL.iter().filter(|k| **k != AlarmKind::Stranger) {
            assert_eq!(value("sinetti_alarms", *kind), 0);
        }
    }
}
