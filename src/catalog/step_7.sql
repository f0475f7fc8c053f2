-- From version 6 to 7: disclosures. A request for footage, what became of it, the package that was made for it, and what an auditor
-- says of it.
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
