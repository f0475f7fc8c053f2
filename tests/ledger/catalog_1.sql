-- A catalog as version 1 of the format made it, with events: SINETTI_BOX stands for the box's id. Never changed.
create table meta (
    id          integer primary key check (id = 1),
    box         blob not null check (length(box) = 16),
    created_us  integer not null,
    format      integer not null check (format > 0),
    mark_us     integer,
    latch       text
) strict;
create table camera (
    id             integer primary key,
    name           text not null unique check (length(name) between 1 and 40),
    first_seen_us  integer not null
) strict;
create table stream (
    id            integer primary key,
    camera        integer not null references camera (id),
    kind          text not null check (kind in ('main', 'sub')),
    segments      integer not null default 0 check (segments >= 0),
    bytes         integer not null default 0 check (bytes >= 0),
    longest_us    integer not null default 0 check (longest_us >= 0),
    last_segment  integer,
    last_root     blob check (length(last_root) = 32),
    keep_s        integer check (keep_s > 0),
    unique (camera, kind)
) strict;
create table run (
    id          integer primary key,
    uuid        blob not null unique check (length(uuid) = 16),
    stream      integer not null references stream (id),
    started_us  integer not null,
    ended_us    integer,
    end_cause   text,
    check ((ended_us is null) = (end_cause is null))
) strict;
create index run_open on run (stream) where ended_us is null;
create table volume (
    id    integer primary key,
    uuid  blob not null unique check (length(uuid) = 16),
    name  text not null,
    path  text not null
) strict;
create table sample_entry (
    id       integer primary key,
    hash     blob not null unique check (length(hash) = 32),
    codec    text not null check (codec in ('h264', 'h265')),
    rfc6381  text not null,
    width    integer not null check (width between 1 and 65535),
    height   integer not null check (height between 1 and 65535),
    entry    blob not null
) strict;
create table segment (
    id                 integer primary key autoincrement,
    uuid               blob not null unique check (length(uuid) = 16),
    stream             integer not null references stream (id),
    run                integer not null references run (id),
    volume             integer not null references volume (id),
    start_us           integer not null,
    end_us             integer not null check (end_us >= start_us),
    media_ticks        integer not null check (media_ticks >= 0),
    bytes              integer not null check (bytes >= 0),
    samples            integer not null check (samples >= 0),
    fragments          integer not null check (fragments >= 0),
    key_day            text not null check (length(key_day) = 8),
    key_index          integer not null check (key_index >= 0),
    generation         blob not null check (length(generation) = 16),
    content_root       blob not null check (length(content_root) = 32),
    previous_root      blob not null check (length(previous_root) = 32),
    recovered          integer not null check (recovered in (0, 1)),
    time_uncertain     integer not null check (time_uncertain in (0, 1)),
    packets_lost       integer not null check (packets_lost >= 0),
    corrupt_units      integer not null check (corrupt_units >= 0),
    discontinuities    integer not null check (discontinuities >= 0),
    host_synchronised  integer not null check (host_synchronised in (0, 1)),
    host_error_us      integer not null,
    camera_offset_ms   integer,
    sample_entry       integer not null references sample_entry (id),
    garbage            text check (garbage in ('expired', 'early'))
) strict;
create index segment_time on segment (stream, start_us, end_us, bytes);
create index segment_age on segment (volume, end_us) where garbage is null;
create index segment_garbage on segment (id) where garbage is not null;
create table recorded (
    stream    integer not null references stream (id),
    start_us  integer not null,
    end_us    integer not null check (end_us > start_us),
    primary key (stream, start_us)
) strict, without rowid;
create table deleted (
    stream    integer not null references stream (id),
    rule      text not null check (rule in ('expired', 'early')),
    start_us  integer not null,
    end_us    integer not null check (end_us > start_us),
    primary key (stream, rule, start_us)
) strict, without rowid;
create table sweep (
    id          integer primary key autoincrement,
    started_us  integer not null,
    ended_us    integer,
    segments    integer not null default 0 check (segments >= 0),
    bytes       integer not null default 0 check (bytes >= 0),
    failures    integer not null default 0 check (failures >= 0)
) strict;
create unique index sweep_open on sweep ((ended_us is null)) where ended_us is null;
create table swept (
    stream    integer not null references stream (id),
    rule      text not null check (rule in ('expired', 'early')),
    start_us  integer not null,
    end_us    integer not null,
    segments  integer not null check (segments > 0),
    bytes     integer not null check (bytes >= 0),
    tree      blob not null,
    primary key (stream, rule)
) strict, without rowid;
create table coverage_hour (
    stream       integer not null references stream (id),
    hour_us      integer not null check (hour_us % 3600000000 = 0),
    recorded_us  integer not null check (recorded_us >= 0),
    primary key (stream, hour_us)
) strict, without rowid;
create table gap (
    id        integer primary key,
    stream    integer not null references stream (id),
    start_us  integer not null,
    end_us    integer,
    cause     text not null check (cause in (
        'not-started', 'stopped', 'killed', 'disabled', 'removed', 'connect-failed', 'refused', 'camera-closed',
        'stalled', 'protocol', 'no-key-frame', 'storage-slow', 'disk-full', 'write-error', 'clock-step',
        'time-uncertain', 'volume-missing', 'unreadable', 'internal',
        'unknown')),
    detail    text,
    check (end_us is null or end_us > start_us)
) strict;
create unique index gap_open on gap (stream) where end_us is null;
create index gap_time on gap (stream, end_us, start_us);
create table activity (
    stream   integer not null references stream (id),
    hour_us  integer not null check (hour_us % 3600000000 = 0),
    levels   blob not null check (length(levels) <= 3600),
    primary key (stream, hour_us)
) strict;
create table event (
    seq     integer primary key autoincrement,
    at_us   integer not null,
    actor   text not null,
    action  text not null,
    object  text not null,
    result  text not null,
    facts   text not null check (json_valid(facts)),
    detail  text check (detail is null or json_valid(detail))
) strict;
create table person (
    uuid  blob primary key check (length(uuid) = 16),
    name  text not null unique check (length(name) > 0),
    row   text not null check (json_valid(row))
) strict, without rowid;
create table generation (
    uuid        blob primary key check (length(uuid) = 16),
    recipient   text not null unique,
    created_us  integer not null,
    current     integer not null check (current in (0, 1))
) strict, without rowid;
create unique index generation_current on generation (current) where current = 1;
create table wrap (
    id          integer primary key,
    generation  blob not null references generation (uuid),
    person      blob references person (uuid),
    bytes       blob not null
) strict;
create unique index wrap_person on wrap (person, generation) where person is not null;
create unique index wrap_recovery on wrap (generation) where person is null;

insert into meta values (1, x'SINETTI_BOX', 1735689600000000, 1, 1735689700000000, null);
insert into camera values (1, 'kassa-1', 1735689600000000);
insert into stream values (1, 1, 'main', 0, 0, 0, null, null, 86400);
insert into gap values (1, 1, 1735689600000000, null, 'not-started', null);
insert into event (at_us, actor, action, object, result, facts, detail) values
    (1735689600000000, 'box', 'init', 'SINETTI_BOX', 'ok', '{"site": "Myymälä 1"}', null),
    (1735689601000000, 'box', 'start', 'recorder', 'ok', '{"version":"0.1.0","configuration":"00ff"}', null),
    (1735689602000000, 'box', 'gap-opened', 'kassa-1/main', 'ok', '{"start":"2025-01-01T00:00:00.000000Z","cause":"not-started"}', '{"text":"the camera was not there"}'),
    (1735689603000000, '0e1b0f9a-4a63-4d9c-8f0f-3d0c3f1f2a11', 'export', 'kassa-1/main', 'ok', '{"clips":1,"pictures":900}', '{"by":"manager1"}'),
    (1735689604500000, 'box', 'scrub', 'levy-1', 'ok', '{"mib_per_second":19.5}', '"only a text"'),
    (1735689603000000, 'box', 'stop', 'recorder', 'ok', '{}', 'null');
pragma application_id = 1399410260;
pragma user_version = 1;
