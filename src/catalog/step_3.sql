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

-- A box of the first version had one person, who opened footage and answered for it: a controller. Who administers the box
-- is somebody else from now on, and is added at the console. There were no undertakings: the one who keeps opening what is
-- recorded is taken to have one.
insert into account (person, name, display, language, undertaking, undertaking_us, valid_from_us, added_us)
    select person.uuid, person.name, person.name, 'fi', 'first-version', meta.created_us, meta.created_us, meta.created_us
    from person, meta;
insert into granted (person, role, all_cameras, approves, since_us, by, confirmed_us, confirmed_by)
    select person.uuid, 'controller', 1, 1, meta.created_us, 'console', meta.created_us, 'console' from person, meta;
insert into held select generation, person from wrap where person is not null;
