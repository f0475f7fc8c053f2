-- What somebody has to look at, since when, and who has. Rows stay when it is over: see alarm.rs for how long.
create table alarm (
    id               integer primary key autoincrement,                     -- its number; never used twice
    kind             text not null check (kind in (
        'camera-lost', 'gap', 'volume-missing', 'volume-full', 'volume-failing', 'volume-behind', 'sync-lag', 'sweep-late',
        'early-deletion', 'clock-unsynchronised', 'clock-in-doubt', 'clock-stepped', 'scrub-damage', 'scrub-missing',
        'stranger', 'certificate', 'vault-holder', 'no-anchor', 'ledger-trouble', 'ledger-mirror',
        'delivery')),                                                       -- what is wrong
    object           text not null check (length(object) between 1 and 200), -- with what: kassa-1/main, a volume, clock
    detail           text not null check (length(detail) between 1 and 1000), -- what more is known, for people; the last that was
    raised_us        integer not null,                                      -- since when
    acknowledged_us  integer,                                               -- when a person said that they had seen it; null: nobody yet
    acknowledged_by  text check (length(acknowledged_by) between 1 and 200), -- who that was: a person's id, or a user of this machine
    cleared_us       integer,                                               -- when it was over; null: it is up
    check ((acknowledged_us is null) = (acknowledged_by is null))
) strict;
create unique index alarm_up on alarm (kind, object) where cleared_us is null;
create index alarm_cleared on alarm (cleared_us) where cleared_us is not null;
