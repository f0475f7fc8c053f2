-- From version 4 to 5: what footage is promised for, times that are about to be shortened, and holds. Kinds of alarms are a
-- closed list in the table's text, so the table is made anew around its rows; numbers go on.
create table alarm_before as select * from alarm;
create table alarm_numbers as select seq from sqlite_sequence where name = 'alarm';
drop table alarm;
create table alarm (
    id               integer primary key autoincrement,                     -- its number; never used twice
    kind             text not null check (kind in (
        'camera-lost', 'gap', 'volume-missing', 'volume-full', 'volume-failing', 'volume-behind', 'sync-lag', 'sweep-late',
        'early-deletion', 'clock-unsynchronised', 'clock-in-doubt', 'clock-stepped', 'scrub-damage', 'scrub-missing',
        'stranger', 'certificate', 'vault-holder', 'no-anchor', 'ledger-trouble', 'ledger-mirror', 'delivery',
        'guarantee-lost', 'hold-review')),                                                       -- what is wrong
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

-- What a stream's policy says beyond how long it is kept (stream.keep_s), as last configured.
create table policy (
    stream          integer primary key references stream (id),             -- whose
    guarantee_s     integer not null check (guarantee_s >= 0),              -- seconds promised at least; 0: nothing is
    keep_from       text not null check (keep_from in ('default', 'site', 'camera', 'stream')), -- where the time that it is kept stands
    guarantee_from  text not null check (guarantee_from in ('default', 'site', 'camera', 'stream')), -- where the promise stands
    purposes        text not null,                                          -- what it is recorded for, separated by spaces
    justification   text,                                                   -- why it is kept for more than 72 hours
    special_reason  text,                                                   -- why it is kept for more than 365 days
    documented_in   text,                                                   -- where the sentence for it stands
    since_us        integer not null,                                       -- since when
    expired_us      integer                                                 -- what ended before this was expired once, and stays so; null: nothing
) strict;

-- Shorter times that the configuration asks for and that are not in force yet: two persons confirm, then a day passes.
create table shortening (
    id           integer primary key autoincrement,                         -- its number; never used twice
    camera       text not null unique check (length(camera) between 1 and 40), -- whose streams
    main_keep_s  integer check (main_keep_s > 0),                           -- seconds for the full picture; null: is not shortened
    sub_keep_s   integer check (sub_keep_s > 0),                            -- seconds for the small picture; null: is not shortened
    asked_us     integer not null,                                          -- since when the configuration asks for it
    first_us     integer,                                                   -- when the first person confirmed; null: nobody yet
    first_by     text,                                                      -- who that was
    second_us    integer,                                                   -- when the second did; null: nobody yet
    second_by    text check (second_by <> first_by),                        -- who that was
    runs_us      integer,                                                   -- when it comes into force; null: not before both
    check (main_keep_s is not null or sub_keep_s is not null),
    check ((first_us is null) = (first_by is null) and (second_us is null) = (second_by is null)),
    check (second_us is null or first_us is not null),
    check ((second_us is null) = (runs_us is null))
) strict;

-- What keeps footage past its time: an interval of some cameras, recorded already or not.
create table hold (
    id           integer primary key check (id between 100000 and 999999),  -- its number: by chance, so that none can be missed
    kind         text not null check (kind in ('case', 'preservation-order', 'restriction', 'access-request')), -- what for
    start_us     integer not null,                                          -- first instant that is held
    end_us       integer not null check (end_us > start_us),                -- first instant after
    matter       text not null check (length(matter) between 1 and 200),    -- the case, order or request, as it is called elsewhere
    reason       text not null check (length(reason) between 1 and 1000),   -- why, in words
    placed_us    integer not null,                                          -- since when
    placed_by    text not null,                                             -- by whom: a person's id
    review_us    integer not null,                                          -- somebody looks at it again by then
    reviewed_us  integer,                                                   -- when a controller last stood behind it; null: none did yet
    reviewed_by  text,                                                      -- who that was
    until_us     integer,                                                   -- it ends by itself then; null: when it is released
    ended_us     integer,                                                   -- when it was released, or ended by itself; null: it is in force
    ended_by     text,                                                      -- who released it: a person's id, or box
    gone_us      integer,                                                   -- up to then what it held is kept all the same
    check ((reviewed_us is null) = (reviewed_by is null)),
    check ((ended_us is null) = (ended_by is null) and (ended_us is null) = (gone_us is null)),
    check (gone_us is null or gone_us >= ended_us),
    check (kind <> 'preservation-order' or until_us is not null)
) strict;

create table hold_camera (
    hold    integer not null references hold (id),                          -- which hold
    camera  text not null check (length(camera) between 1 and 40),          -- a camera of it, by its id in the configuration
    primary key (hold, camera)
) strict, without rowid;
create index hold_of_camera on hold_camera (camera);
