-- From version 1 to 2: events become entries of a ledger. Their rows are moved by the code of this step, which then drops the
-- table of version 1. What is made here stands word for word in schema.sql.

-- A log of its own since the last lawful restore, with its last signed checkpoint.
create table epoch (
    number      integer primary key check (number > 0),                 -- 1, and one more after each restore
    first_seq   integer not null unique check (first_seq > 0),          -- number of its first entry
    started_us  integer not null,                                       -- when it began
    size        integer not null default 0 check (size >= 0),           -- entries under the checkpoint
    root        blob check (length(root) = 32),                         -- root over them; null before the first checkpoint
    note        text,                                                   -- the signed checkpoint; null before the first
    check ((root is null) = (note is null))
) strict;

create table entry (
    seq     integer primary key check (seq > 0),                        -- its number; one more than the one before
    epoch   integer not null references epoch (number),                 -- in which log
    at_us   integer not null,                                           -- when
    actor   text not null,                                              -- person id, or box
    action  text not null,                                              -- what was done
    object  text not null,                                              -- to what
    result  text not null,                                              -- how it went
    facts   text not null check (json_valid(facts)),                    -- canonical JSON that stays: roots, counts, hashes
    detail  blob check (length(detail) = 32),                           -- commitment to what may be erased; null: nothing
    leaf    blob not null check (length(leaf) = 32)                     -- leaf hash of its canonical line
) strict;
create index entry_action on entry (action);
create index entry_actor on entry (actor) where actor <> 'box';
create index entry_time on entry (at_us);

-- What may lawfully be erased of an entry. The row stays, so that a reader sees when it was.
create table detail (
    seq        integer primary key references entry (seq),              -- of which entry
    class      text not null check (class in ('operation', 'sign-in', 'access', 'configuration', 'people', 'request',
        'disclosure')),                                                 -- how long it is kept; as of version 6
    salt       blob check (length(salt) = 32),                          -- salt of the commitment; null: erased
    text       text check (json_valid(text)),                           -- canonical JSON; null: erased
    erased_us  integer,                                                 -- when it was erased; null: it is there
    check ((text is null) = (erased_us is not null) and (text is null) = (salt is null))
) strict;
create index detail_class on detail (class, seq) where erased_us is null;

-- Full tiles (C2SP tlog-tiles). What is not full yet follows from the entries.
create table tile (
    id      integer primary key,                                        -- internal
    epoch   integer not null references epoch (number),                 -- of which log
    level   integer not null check (level between 0 and 7),             -- level of tiles
    number  integer not null check (number >= 0),                       -- its place on the level
    root    blob not null check (length(root) = 32),                    -- what the tile above says of it
    hashes  blob not null check (length(hashes) = 8192),                -- 256 hashes
    unique (epoch, level, number)
) strict;

-- Acts that were begun and whose outcome is not known yet.
create table intent (
    seq     integer primary key references entry (seq)                  -- the entry that says so
) strict;

-- What can happen without end (a flapping camera, a stranger at the door), counted over a minute.
create table tally (
    actor      text not null,                                           -- as in entry
    action     text not null,                                           -- as in entry
    object     text not null,                                           -- as in entry
    result     text not null,                                           -- as in entry
    minute_us  integer not null check (minute_us % 60000000 = 0),       -- which minute
    times      integer not null check (times > 0),                      -- how often in it
    held       integer not null check (held between 0 and times),       -- how often without an entry of its own
    first_us   integer not null,                                        -- first time without one
    last_us    integer not null,                                        -- last time
    primary key (actor, action, object, result)
) strict, without rowid;

-- Footage seals: which segments' records are under which entry.
create table seal (
    seq       integer primary key references entry (seq),               -- the entry that states its root
    upto      integer not null,                                         -- segment.id up to which all is sealed; 0: of another catalog
    start_us  integer not null,                                         -- earliest start of its segments
    end_us    integer not null,                                         -- latest end
    segments  integer not null check (segments > 0),                    -- how many
    leaves    blob check (length(leaves) = 32 * segments)               -- their leaves in order; null once none of them is left
) strict;
create index seal_time on seal (end_us) where leaves is not null;
