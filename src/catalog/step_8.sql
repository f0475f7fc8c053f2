-- From version 7 to 8: the written request beside a disclosure, and alarms about what was promised of one. Their kinds are a closed
-- list in the text of a table, so it is made anew around its rows.
create table alarm_before as select * from alarm;
create table alarm_numbers as select seq from sqlite_sequence where name = 'alarm';
drop table alarm;
create table alarm (
    id               integer primary key autoincrement,                     -- its number; never used twice
    kind             text not null check (kind in (
        'camera-lost', 'gap', 'volume-missing', 'volume-full', 'volume-failing', 'volume-behind', 'sync-lag', 'sweep-late',
        'early-deletion', 'clock-unsynchronised', 'clock-in-doubt', 'clock-stepped', 'scrub-damage', 'scrub-missing',
        'stranger', 'certificate', 'vault-holder', 'no-anchor', 'ledger-trouble', 'ledger-mirror', 'delivery',
        'guarantee-lost', 'hold-review', 'backup-overdue', 'over-age', 'quarantine', 'answer-due', 'copies-due')), -- what is wrong
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
insert into alarm select * from alarm_before;
delete from sqlite_sequence where name = 'alarm';
insert into sqlite_sequence (name, seq) select 'alarm', seq from alarm_numbers;
drop table alarm_before;
drop table alarm_numbers;

-- The written request that a disclosure answers, as somebody scanned it: sealed, and opened by who may play back.
create table disclosure_scan (
    disclosure  integer primary key references disclosure (id),             -- of which disclosure; one has one at most
    at_us       integer not null,                                           -- when it was put there
    person      text not null,                                              -- who did: a person's id
    kind        text not null check (kind in ('pdf', 'jpeg', 'png')),       -- what its first bytes say it is
    bytes       integer not null check (bytes > 0),                         -- as it was given
    sha256      blob not null check (length(sha256) = 32),                  -- of it as it was given
    generation  blob not null check (length(generation) = 16),              -- the vault generation that opens it
    key         blob not null check (length(key) = 512),                    -- its key, wrapped to that generation
    sealed      blob not null check (length(sealed) > 0)                    -- it, encrypted
) strict;
