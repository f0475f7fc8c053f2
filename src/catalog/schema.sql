-- The whole catalog as a new box gets it. Times are microseconds since 1970-01-01T00:00:00Z (`_us`), ids of 16
-- bytes are UUIDs, hashes are 32 bytes. A key, a password or a picture never comes in here in the clear.

create table meta (
    id          integer primary key check (id = 1),                     -- there is one row
    box         blob not null check (length(box) = 16),                 -- the box whose catalog this is
    created_us  integer not null,                                       -- when it was made
    format      integer not null check (format > 0),                    -- the schema's version when it was made
    mark_us     integer,                                                -- the last time that was believed; null before the first
    latch       text                                                    -- why nothing is deleted until somebody has looked; null: no reason
) strict;

create table camera (
    id             integer primary key,                                 -- internal
    name           text not null unique check (length(name) between 1 and 40), -- the id in the configuration
    first_seen_us  integer not null                                     -- the earliest that is known of it
) strict;

create table stream (
    id            integer primary key,                                  -- internal
    camera        integer not null references camera (id),              -- whose it is
    kind          text not null check (kind in ('main', 'sub')),        -- which of the camera's streams
    segments      integer not null default 0 check (segments >= 0),     -- running total: rows in segment
    bytes         integer not null default 0 check (bytes >= 0),        -- running total: their bytes
    longest_us    integer not null default 0 check (longest_us >= 0),   -- no segment is or was longer than this
    last_segment  integer,                                              -- segment.id whose row was written last
    last_root     blob check (length(last_root) = 32),                  -- its content root, also when it is deleted
    keep_s        integer check (keep_s > 0),                           -- seconds kept, as last configured; null: never was
    unique (camera, kind)
) strict;

create table run (
    id          integer primary key,                                    -- internal
    uuid        blob not null unique check (length(uuid) = 16),         -- the run
    stream      integer not null references stream (id),                -- whose session it was
    started_us  integer not null,                                       -- wall time of its first access unit
    ended_us    integer,                                                -- wall time of its end; null while it lasts
    end_cause   text,                                                   -- why it ended; null while it lasts
    check ((ended_us is null) = (end_cause is null))
) strict;
create index run_open on run (stream) where ended_us is null;

create table volume (
    id    integer primary key,                                          -- internal
    uuid  blob not null unique check (length(uuid) = 16),               -- the volume, as its own marker says
    name  text not null,                                                -- its name in the configuration
    path  text not null                                                 -- where it was mounted when last seen
) strict;

create table sample_entry (
    id       integer primary key,                                       -- internal
    hash     blob not null unique check (length(hash) = 32),            -- SHA-256 of entry
    codec    text not null check (codec in ('h264', 'h265')),           -- the codec
    rfc6381  text not null,                                             -- codec parameters: avc1.640028
    width    integer not null check (width between 1 and 65535),        -- picture width, pixels
    height   integer not null check (height between 1 and 65535),       -- picture height, pixels
    entry    blob not null                                              -- the clear avc1 or hvc1 box
) strict;

-- A row is a promise: the file is whole and durable. Its path follows from volume, stream, start and uuid.
create table segment (
    id                 integer primary key autoincrement,               -- internal; grows with every row written
    uuid               blob not null unique check (length(uuid) = 16),  -- the segment; the key id of its encryption
    stream             integer not null references stream (id),         -- what was recorded
    run                integer not null references run (id),            -- in which session
    volume             integer not null references volume (id),         -- where the file is
    start_us           integer not null,                                -- wall time of its first access unit
    end_us             integer not null check (end_us >= start_us),     -- wall time of the end of its last one
    media_ticks        integer not null check (media_ticks >= 0),       -- duration by the camera, 1/90000 s
    bytes              integer not null check (bytes >= 0),             -- size of the file
    samples            integer not null check (samples >= 0),           -- access units
    fragments          integer not null check (fragments >= 0),         -- movie fragments, each with a leaf
    key_day            text not null check (length(key_day) = 8),       -- its key is in keys/STREAM/DAY.keys
    key_index          integer not null check (key_index >= 0),         -- slot number in that file
    generation         blob not null check (length(generation) = 16),   -- vault generation that wraps its key
    content_root       blob not null check (length(content_root) = 32), -- Merkle root over its leaves
    previous_root      blob not null check (length(previous_root) = 32), -- that of the stream's segment before; zeros for none
    recovered          integer not null check (recovered in (0, 1)),    -- it was adopted after a crash
    time_uncertain     integer not null check (time_uncertain in (0, 1)), -- its time of day is not to be trusted
    packets_lost       integer not null check (packets_lost >= 0),      -- RTP packets that never came
    corrupt_units      integer not null check (corrupt_units >= 0),     -- access units left out as broken
    discontinuities    integer not null check (discontinuities >= 0),   -- jumps of the camera's time
    host_synchronised  integer not null check (host_synchronised in (0, 1)), -- the host's clock had a time source
    host_error_us      integer not null,                                -- the kernel's estimate of its error
    camera_offset_ms   integer,                                         -- camera's clock minus the host's; null if it tells none
    sample_entry       integer not null references sample_entry (id),   -- how it is decoded
    garbage            text check (garbage in ('expired', 'early'))     -- why it is being deleted; null: it is kept
) strict;
create index segment_time on segment (stream, start_us, end_us, bytes);
create index segment_age on segment (volume, end_us) where garbage is null;
create index segment_garbage on segment (id) where garbage is not null;

-- What the segments of a stream cover, touching ones merged: one row for each unbroken recording, so that a month
-- is answered without reading its segments.
create table recorded (
    stream    integer not null references stream (id),                  -- what was recorded
    start_us  integer not null,                                         -- first instant
    end_us    integer not null check (end_us > start_us),               -- first instant after
    primary key (stream, start_us)
) strict, without rowid;

-- What was recorded and is deleted, touching ones of one rule merged. It stays: deleted time is no gap.
create table deleted (
    stream    integer not null references stream (id),                  -- what had been recorded
    rule      text not null check (rule in ('expired', 'early')),       -- why it was deleted
    start_us  integer not null,                                         -- first instant
    end_us    integer not null check (end_us > start_us),               -- first instant after
    primary key (stream, rule, start_us)
) strict, without rowid;

create table sweep (
    id          integer primary key autoincrement,                      -- its number; never used twice
    started_us  integer not null,                                       -- when its first segment became garbage
    ended_us    integer,                                                -- when its event was written; null: under way
    segments    integer not null default 0 check (segments >= 0),       -- deleted so far
    bytes       integer not null default 0 check (bytes >= 0),          -- their bytes
    failures    integer not null default 0 check (failures >= 0)        -- segments that could not be deleted at its end
) strict;
create unique index sweep_open on sweep ((ended_us is null)) where ended_us is null;

-- What the sweep that is under way has deleted so far; its event says it for good.
create table swept (
    stream    integer not null references stream (id),                  -- of which stream
    rule      text not null check (rule in ('expired', 'early')),       -- why
    start_us  integer not null,                                         -- earliest instant
    end_us    integer not null,                                         -- latest instant
    segments  integer not null check (segments > 0),                    -- how many
    bytes     integer not null check (bytes >= 0),                      -- their bytes
    tree      blob not null,                                            -- Merkle tree over their content roots: its right edge
    primary key (stream, rule)
) strict, without rowid;

create table coverage_hour (
    stream       integer not null references stream (id),               -- what was recorded
    hour_us      integer not null check (hour_us % 3600000000 = 0),     -- beginning of the hour, UTC
    recorded_us  integer not null check (recorded_us >= 0),             -- in segments; over an hour if the clock went back
    primary key (stream, hour_us)
) strict, without rowid;

create table gap (
    id        integer primary key,                                      -- internal
    stream    integer not null references stream (id),                  -- what was not recorded
    start_us  integer not null,                                         -- first instant without recording
    end_us    integer,                                                  -- first instant after; null while it lasts
    cause     text not null check (cause in (
        'not-started', 'stopped', 'killed', 'disabled', 'removed', 'connect-failed', 'refused', 'camera-closed',
        'stalled', 'protocol', 'no-key-frame', 'storage-slow', 'disk-full', 'write-error', 'clock-step',
        'time-uncertain', 'volume-missing', 'unreadable', 'internal',
        'unknown')), -- why
    detail    text,                                                     -- what more is known; for people
    check (end_us is null or end_us > start_us)
) strict;
create unique index gap_open on gap (stream) where end_us is null;
create index gap_time on gap (stream, end_us, start_us);

create table activity (
    stream   integer not null references stream (id),                   -- where something moved
    hour_us  integer not null check (hour_us % 3600000000 = 0),         -- beginning of the hour, UTC
    levels   blob not null check (length(levels) <= 3600),              -- a byte a second, 0 = nothing; may stop early
    primary key (stream, hour_us)
) strict;

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
        'disclosure')),                                                 -- how long it is kept
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

create table person (
    uuid  blob primary key check (length(uuid) = 16),                   -- who
    name  text not null unique check (length(name) > 0),                -- name for signing in
    row   text not null check (json_valid(row))                         -- the vault's record of the person, JSON
) strict, without rowid;

create table generation (
    uuid        blob primary key check (length(uuid) = 16),             -- a vault generation
    recipient   text not null unique,                                   -- its public half (age)
    created_us  integer not null,                                       -- since when
    current     integer not null check (current in (0, 1))              -- new segment keys are wrapped to it
) strict, without rowid;
create unique index generation_current on generation (current) where current = 1;

create table wrap (
    id          integer primary key,                                    -- internal
    generation  blob not null references generation (uuid),             -- whose private half is wrapped
    person      blob references person (uuid),                          -- to whom; null = the recovery identity
    bytes       blob not null                                           -- age ciphertext
) strict;
create unique index wrap_person on wrap (person, generation) where person is not null;
create unique index wrap_recovery on wrap (generation) where person is null;

-- A person as rights go: known from the day on which they are added. Their keys (table person) come with their enrolment.
create table account (
    person             blob primary key check (length(person) = 16),        -- who; the same in table person
    name               text not null unique check (length(name) between 1 and 64), -- personal user name for signing in
    display            text not null check (length(display) between 1 and 80), -- name as people read it
    language           text not null check (language in ('fi', 'sv', 'en')), -- of what the person reads
    undertaking        text check (length(undertaking) between 1 and 40),   -- version of the confidentiality undertaking; null: none
    undertaking_us     integer,                                             -- when it was signed
    undertaking_until_us integer,                                           -- first instant at which it has lapsed; null: none is set
    valid_from_us      integer not null,                                    -- may sign in from then on
    valid_until_us     integer check (valid_until_us > valid_from_us),      -- first instant after; null: no end is set
    added_us           integer not null,                                    -- when the person was added
    removed_us         integer,                                             -- when every right was taken for good; null: was not
    reviewed_us        integer,                                             -- when somebody last confirmed the rights; null: never
    signed_in_us       integer,                                             -- last sign-in; null: never
    check ((undertaking is null) = (undertaking_us is null)),
    check (undertaking is not null or undertaking_until_us is null)
) strict, without rowid;

-- Who may what, since when, by whom. Rows stay when they end: an access review looks back.
create table granted (
    id            integer primary key autoincrement,                        -- its number; never used twice
    person        blob not null references account (person),                -- to whom
    role          text not null check (role in (
        'staff', 'manager', 'controller', 'auditor', 'admin', 'maintenance')), -- what the person is
    all_cameras   integer not null check (all_cameras in (0, 1)),           -- every camera, later ones too
    approves      integer not null check (approves in (0, 1)),              -- a manager who may approve disclosures
    since_us      integer not null,                                         -- from when on
    by            text not null,                                            -- who granted it: a person's id, or console
    until_us      integer check (until_us > since_us),                      -- first instant after; null: no end is set
    confirmed_us  integer,                                                  -- since when a controller stands behind it; null: it rests
    confirmed_by  text,                                                     -- who that was: a person's id, shares, or console
    ended_us      integer,                                                  -- when it was taken; null: it was not
    check ((confirmed_us is null) = (confirmed_by is null))
) strict;
create unique index granted_once on granted (person, role) where ended_us is null;

create table granted_camera (
    granted  integer not null references granted (id),                      -- which grant
    camera   text not null check (length(camera) between 1 and 40),         -- the camera's id in the configuration
    primary key (granted, camera)
) strict, without rowid;

create table factor (
    person      blob primary key references account (person),               -- whose second factor (TOTP, RFC 6238)
    secret      blob not null,                                              -- age ciphertext of its secret, to the person's own key
    created_us  integer not null,                                           -- since when
    last_step   integer not null                                            -- newest time step used; neither it nor an older one is taken
) strict, without rowid;

create table recovery_code (
    person   blob not null references account (person),                     -- whose
    hash     blob not null check (length(hash) = 32),                       -- SHA-256 over person id and code
    used_us  integer,                                                       -- when it was used up; null: was not
    primary key (person, hash)
) strict, without rowid;

create table enrolment (
    hash        blob primary key check (length(hash) = 32),                 -- SHA-256 of the one-time token
    person      blob not null references account (person),                  -- who may use it
    kind        text not null check (kind in ('new', 'factor')),            -- new: password, keys and factor; factor: the factor alone
    created_us  integer not null,                                           -- when it was made
    expires_us  integer not null check (expires_us > created_us),           -- first instant at which it is not taken any more
    used_us     integer                                                     -- when it was used, or replaced by another; null: it is open
) strict, without rowid;
create index enrolment_person on enrolment (person) where used_us is null;

-- To whom a generation was ever wrapped: also when the wrap is gone by now, since a copy of it may be somewhere.
create table held (
    generation  blob not null references generation (uuid),                 -- which
    person      blob not null check (length(person) = 16),                  -- to whom
    primary key (generation, person)
) strict, without rowid;

-- What somebody has to look at, since when, and who has. Rows stay when it is over: see alarm.rs for how long.
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

-- A request for footage, what became of it, the package that was made for it, and what an auditor says of it.
create table disclosure (
    id              integer primary key check (id between 10000000 and 99999999), -- its number in addresses: by chance
    kind            text not null check (kind in (
        'authority-request', 'own-initiative', 'seizure', 'viewing', 'oral', 'access-request', 'internal',
        'maintenance')),                                                    -- what it is
    state           text not null check (state in (
        'draft', 'requested', 'approved', 'refused', 'prepared', 'handed-over', 'received', 'destroyed',
        'withdrawn')),                                                      -- how far it is
    year            integer check (year between 2000 and 9999),             -- of its serial number, at the site; null: a draft
    number          integer check (number > 0),                             -- of its serial number, in that year; null: a draft
    version         integer not null check (version > 0),                   -- how often its form was saved
    form            text not null check (json_valid(form)),                 -- its fields; of a draft as they were typed
    basis           text check (length(basis) between 1 and 60),            -- legal basis, by its code in the catalogue; null: a draft
    purpose         text check (length(purpose) between 1 and 60),          -- purpose, by its code in the catalogue; null: a draft
    recipient       text check (length(recipient) between 1 and 1000),      -- who receives it, in small letters, for searching; null: a draft
    frozen          text check (json_valid(frozen)),                        -- the catalogue's texts when it was decided; null: it is not
    approvers       integer check (approvers in (1, 2)),                    -- so many persons have to approve; null: a draft
    secret          integer not null check (secret in (0, 1)),              -- 1: those whom it is about are not told for now
    asked_by        text not null,                                          -- who asks: a person's id
    drafted_us      integer not null,                                       -- when it was begun
    changed_us      integer not null,                                       -- when something about it changed last
    requested_us    integer,                                                -- when it was asked for; null: a draft
    due_us          integer,                                                -- it is answered by then; null: no law says so
    hold            integer check (hold between 100000 and 999999),         -- the hold that was placed with it; it may be forgotten since
    decided_us      integer,                                                -- when enough had approved, or it was refused; null: neither
    prepared_us     integer,                                                -- when its package was whole; null: it has none
    manifest        blob check (length(manifest) = 32),                     -- SHA-256 of the package's manifest; null: it has none
    handed_us       integer,                                                -- when it was handed over, shown or told; null: it was not
    received_us     integer,                                                -- when the receipt was confirmed; null: it was not
    copies_us       integer,                                                -- the house's own copies are destroyed by then; null: a draft, or none are made
    destroyed_us    integer,                                                -- when that was done; null: it was not
    unique (year, number),
    check ((state = 'draft') = (requested_us is null) and (state = 'draft') = (year is null)),
    check ((year is null) = (number is null) and (year is null) = (hold is null) and (year is null) = (basis is null)),
    check ((year is null) = (purpose is null) and (year is null) = (recipient is null) and (year is null) = (approvers is null)),
    check ((manifest is null) = (prepared_us is null)),
    check (state not in ('approved', 'refused', 'prepared', 'handed-over', 'received', 'destroyed') or decided_us is not null),
    check (state not in ('handed-over', 'received', 'destroyed') or handed_us is not null),
    check (state not in ('received', 'destroyed') or received_us is not null),
    check ((state = 'destroyed') = (destroyed_us is not null))
) strict;
create index disclosure_state on disclosure (state, changed_us);

-- The last number of each year: none is given twice, also when what bore it is gone.
create table disclosure_serial (
    year  integer primary key check (year between 2000 and 9999),           -- the year, at the site
    last  integer not null check (last > 0)                                 -- the last number that was given in it
) strict;

create table disclosure_camera (
    disclosure      integer not null references disclosure (id),            -- of which disclosure; of a draft there are none
    camera          text not null check (length(camera) between 1 and 40),  -- a camera, by its id in the configuration
    name            text not null check (length(name) between 1 and 200),   -- as it was called then
    asked_start_us  integer not null,                                       -- first instant that was asked for
    asked_end_us    integer not null,                                       -- first instant after
    given_start_us  integer not null,                                       -- first instant that may be given: outward to whole GOPs
    given_end_us    integer not null,                                       -- first instant after
    gaps            text not null check (json_valid(gaps)),                 -- what was not recorded in it, as it was known then
    primary key (disclosure, camera),
    check (asked_end_us > asked_start_us),
    check (given_start_us <= asked_start_us and given_end_us >= asked_end_us)
) strict, without rowid;
create index disclosure_of_camera on disclosure_camera (camera, given_start_us);

create table disclosure_step (
    disclosure  integer not null references disclosure (id),                -- of which disclosure
    number      integer not null check (number > 0),                        -- from 1, in the order in which they happened
    at_us       integer not null,                                           -- when
    person      text not null,                                              -- who: a person's id, or box
    step        text not null check (step in (
        'drafted', 'requested', 'approved', 'refused', 'withdrawn', 'prepared', 'handed-over', 'received',
        'destroyed')),                                                      -- what
    entry       integer not null check (entry > 0),                         -- number of its entry in the ledger
    detail      text not null check (json_valid(detail)),                   -- why, to whom, how: in words
    primary key (disclosure, number)
) strict, without rowid;

-- The making of a package, in the background.
create table disclosure_job (
    id           integer primary key autoincrement,                         -- its number; never used twice
    disclosure   integer not null references disclosure (id),               -- for which disclosure
    state        text not null check (state in ('queued', 'running', 'done', 'failed', 'cancelled')), -- how far it is
    phase        text not null check (length(phase) between 1 and 40),      -- what it does, or did last
    bytes_done   integer not null check (bytes_done >= 0),                  -- so many bytes are made
    bytes_total  integer not null check (bytes_total >= 0),                 -- of about so many
    cause        text check (length(cause) between 1 and 1000),             -- why it failed
    person       text not null,                                             -- who began it: a person's id
    begun_us     integer not null,                                          -- when
    ended_us     integer,                                                   -- when it was over; null: it is not
    check ((ended_us is null) = (state in ('queued', 'running'))),
    check ((cause is null) = (state <> 'failed'))
) strict;
create unique index disclosure_job_open on disclosure_job (disclosure) where ended_us is null;

-- Parts of a package as they lie in the state folder, sealed.
create table disclosure_file (
    job         integer not null references disclosure_job (id),            -- which job made it
    part        integer not null check (part > 0),                          -- its number, from 1
    disclosure  integer not null references disclosure (id),                -- for which disclosure
    name        text not null check (length(name) between 1 and 200),       -- as it is handed out
    bytes       integer not null check (bytes >= 0),                        -- as it is handed out
    sha256      blob not null check (length(sha256) = 32),                  -- of it as it is handed out
    place       text not null check (length(place) between 1 and 200),      -- its file, below the folder of packages
    generation  blob not null check (length(generation) = 16),              -- the vault generation that opens it
    key         blob,                                                       -- its key, wrapped to that generation; null: it is wiped
    wiped_us    integer,                                                    -- when it was wiped; null: it is there
    primary key (job, part),
    check ((key is null) = (wiped_us is not null))
) strict, without rowid;
create index disclosure_file_there on disclosure_file (disclosure) where wiped_us is null;

create table disclosure_review (
    disclosure  integer not null references disclosure (id),                -- of which disclosure
    number      integer not null check (number > 0),                        -- from 1
    at_us       integer not null,                                           -- when
    person      text not null,                                              -- the auditor: a person's id
    remark      text check (length(remark) between 1 and 1000),             -- what they say of it; null: nothing
    primary key (disclosure, number)
) strict, without rowid;

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
