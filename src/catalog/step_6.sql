-- From version 5 to 6: further kinds of alarms, and classes of details. Both are closed lists in the text of a table, so the
-- tables are made anew around their rows.
create table alarm_before as select * from alarm;
create table alarm_numbers as select seq from sqlite_sequence where name = 'alarm';
drop table alarm;
create table alarm (
    id               integer primary key autoincrement,                     -- its number; never used twice
    kind             text not null check (kind in (
        'camera-lost', 'gap', 'volume-missing', 'volume-full', 'volume-failing', 'volume-behind', 'sync-lag', 'sweep-late',
        'early-deletion', 'clock-unsynchronised', 'clock-in-doubt', 'clock-stepped', 'scrub-damage', 'scrub-missing',
        'stranger', 'certificate', 'vault-holder', 'no-anchor', 'ledger-trouble', 'ledger-mirror', 'delivery',
        'guarantee-lost', 'hold-review', 'backup-overdue', 'over-age', 'quarantine')), -- what is wrong
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

create table detail_before as select * from detail;
drop table detail;
create table detail (
    seq        integer primary key references entry (seq),              -- of which entry
    class      text not null check (class in ('operation', 'sign-in', 'access', 'configuration', 'people', 'request',
        'disclosure')),                                                 -- how long it is kept
    salt       blob check (length(salt) = 32),                          -- salt of the commitment; null: erased
    text       text check (json_valid(text)),                           -- canonical JSON; null: erased
    erased_us  integer,                                                 -- when it was erased; null: it is there
    check ((text is null) = (erased_us is not null) and (text is null) = (salt is null))
) strict;
create index detail_class on detail (class, seq) where erased_us is null;
insert into detail select * from detail_before;
drop table detail_before;
