#!/usr/bin/env bash
# What demo, bench and soak share: setting up a Debian machine, building, footage, simulated cameras, a box that records.
#
# Sourced, not run. Whoever sources it calls `common_start` first; whatever is started through it is ended by `end_all`.
# shellcheck disable=SC2034,SC2120 # what is set here is used, and what is defined is called, where it is sourced
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
rust_needed=1.95
node_needed=20.19
user=controller1
# Where the API is served; empty: nowhere.
listen=

# Filled by the functions below.
bin=
footage=
base=
recorder=
simulator=
simulator_address=

say() { printf '%s\n' "$*"; }

die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# A whole number from 1 on, of an option.
number() {
    [[ $2 =~ ^[1-9][0-9]{0,5}$ ]] || die "$1 wants a whole number from 1 on, not \"$2\""
}

# ---- Machine

# Installs packages for what is missing: pairs of what to look for (a command, a file or pattern of files, or pc:LIBRARY as
# pkg-config knows it) and the package that has it.
need_packages() {
    local missing=() as_root=()
    while [ $# -ge 2 ]; do
        case $1 in
            /*) compgen -G "$1" >/dev/null || missing+=("$2") ;;
            pc:*) pkg-config --exists "${1#pc:}" 2>/dev/null || missing+=("$2") ;;
            *) command -v "$1" >/dev/null || missing+=("$2") ;;
        esac
        shift 2
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null || die "these Debian packages, or what they hold, are needed: ${missing[*]}"
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || die "as root: apt-get install ${missing[*]}"
        as_root=(sudo)
    fi
    say "Installing Debian packages: ${missing[*]}"
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

need_usual_packages() {
    need_packages ffmpeg ffmpeg /usr/share/fonts/truetype/dejavu/DejaVuSansMono-Bold.ttf fonts-dejavu-core \
        cc build-essential jq jq openssl openssl pkg-config pkg-config '/usr/lib/llvm-*/lib/libclang*.so*' libclang-dev \
        pc:libavcodec libavcodec-dev pc:libavformat libavformat-dev pc:libavutil libavutil-dev pc:libswscale libswscale-dev "$@"
}

need_rust() {
    local found
    command -v cargo >/dev/null || PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin
    found=$(cargo --version 2>/dev/null | cut -d' ' -f2 || true)
    if [ -n "$found" ] && [ "$(printf '%s\n' "$rust_needed" "$found" | sort -V | head -n 1)" = "$rust_needed" ]; then
        return 0
    fi
    cat >&2 <<END
Rust $rust_needed or newer is needed; found: ${found:-none}. Get it in one of these ways, then run this again:

  - rustup, as https://www.rust-lang.org/tools/install says
  - Debian 13: apt install rustup && rustup default stable
  - Debian's packages cargo and rustc, where they are new enough
END
    exit 1
}

# True when the program `node` that is found is new enough.
node_is_new() {
    local found
    found=$(node --version 2>/dev/null) || return 1
    [ "$(printf '%s\n' "$node_needed" "${found#v}" | sort -V | head -n 1)" = "$node_needed" ]
}

# Sees to it that `npm` and a new enough `node` are found: Debian's packages, and where its Node.js is too old (Debian 12 has 18) the
# pinned one of config/node, kept in the cache.
need_node() {
    local pinned kept store=${SINETTI_CACHE:-$(target_dir)}
    need_packages node nodejs npm npm
    ! node_is_new || return 0
    pinned=$(sha256sum "$root/config/node/package-lock.json")
    kept=$store/node-${pinned:0:12}
    if ! compgen -G "$kept/node_modules/node-linux-*/bin/node" >/dev/null; then
        say "Node.js $(node --version 2>/dev/null || true) is older than $node_needed: fetching a newer one into $kept"
        rm -rf "$kept"
        mkdir -p "$kept"
        cp "$root/config/node/package.json" "$root/config/node/package-lock.json" "$kept"
        (cd "$kept" && npm ci --silent --no-audit --no-fund) || die "the pinned Node.js could not be fetched (config/node)"
    fi
    PATH=$(dirname "$(compgen -G "$kept/node_modules/node-linux-*/bin/node" | head -n 1)"):$PATH
    export PATH
    node_is_new || die "Node.js $node_needed or newer is needed; the one in $kept does not run here"
}

# ---- Build and footage

target_dir() {
    local dir=${CARGO_TARGET_DIR:-$root/target}
    [[ $dir == /* ]] || dir=$root/$dir
    printf '%s' "$dir"
}

# Builds the pages; where that cannot be, the recorder says what is missing.
build_pages() {
    say "Building the pages …"
    "$root/scripts/web" --if-needed || say "The pages could not be built, see above; all else goes on."
}

# Builds recorder and simulator; further arguments go to cargo. Sets `bin`.
build() {
    local profile=$1 flag=()
    shift
    bin=$(target_dir)/debug
    [ "$profile" = dev ] || { flag=(--release) bin=$(target_dir)/release; }
    say "Building ($profile) …"
    (cd "$root" && cargo build --quiet --locked "${flag[@]}" -p sinetti -p sinetti-simulator --bins "$@")
}

# Makes footage of a size, small or full. Sets `footage`.
make_footage() {
    footage=$(target_dir)/footage-full
    local arguments=("$footage")
    if [ "$1" = small ]; then
        footage=$(target_dir)/footage
        arguments=("$footage" --small)
    elif [ ! -e "$footage/.made" ]; then
        say "Making footage; once, a few minutes …"
    fi
    "$root/scripts/make-footage" "${arguments[@]}"
}

# ---- Processes

# The files that belong to this run; removed at the end.
run_dir=

common_start() {
    run_dir=$(mktemp -d)
    trap end_all EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
}

# Starts a program in a session of its own, so that Ctrl-C at the terminal reaches only the script, which then stops things
# in order; and the kernel ends it should the script itself be killed. Sets `started`.
started=
start() {
    local out=$1 err=$2
    shift 2
    setsid setpriv --pdeathsig TERM "$@" </dev/null >"$out" 2>>"$err" &
    started=$!
}

alive() { [ -n "$1" ] && kill -0 "$1" 2>/dev/null; }

# Sends SIGTERM and waits, at most 30 s; then kills. The exit status is the program's.
stop() {
    local pid=$1 status=0 tries
    [ -n "$pid" ] || return 0
    kill -TERM "$pid" 2>/dev/null || true
    for ((tries = 0; tries < 600; tries++)); do
        alive "$pid" || break
        sleep 0.05
    done
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || status=$?
    return "$status"
}

# Further processes of a script, to be ended with the rest.
others=()

end_all() {
    local status=$? pid
    trap '' INT TERM HUP
    stop "$recorder" || true
    for pid in "${others[@]}"; do stop "$pid" || true; done
    stop "$simulator" || true
    [ -z "$run_dir" ] || rm -rf "$run_dir"
    exit "$status"
}

# Waits; a signal's trap does not have to wait for it.
pause() {
    sleep "$1" &
    local sleeper=$!
    # A trap that leaves the script must not leave the sleep.
    others+=("$sleeper")
    wait "$sleeper" || true
    unset 'others[-1]'
}

# ---- Cameras

# The n-th camera, from 0: id, name, area, footage of the full and of the small picture, separated by |.
camera() {
    local round=$(($1 / 4))
    case $(($1 % 4)) in
        0) printf 'kassa-%d|Kassa %d|Kassat|till.264|till-sub.264' $((2 * round + 1)) $((2 * round + 1)) ;;
        1) printf 'hylly-%d|Hylly %d|Myymälätila|aisle.264|aisle-sub.264' $((round + 1)) $((round + 1)) ;;
        2) printf 'ovi-%d|Ovi %d|Sisäänkäynti|door.264|door-sub.264' $((round + 1)) $((round + 1)) ;;
        3) printf 'kassa-%d|Kassa %d|Kassat|till-h265.265|till-sub.264' $((2 * round + 2)) $((2 * round + 2)) ;;
    esac
}

# The footage that a stream, such as kassa-1/main, is served from.
footage_of() {
    local n id main sub
    for ((n = 0; n < cameras; n++)); do
        IFS='|' read -r id _ _ main sub <<<"$(camera "$n")"
        case $1 in
            "$id/main") printf '%s' "$footage/$main" ;;
            "$id/sub") printf '%s' "$footage/$sub" ;;
        esac
    done
}

# Starts a simulator with the given arguments at an address, or when it is taken at any free port; waits until it listens.
# Sets `simulator` and `simulator_address`.
start_simulator() {
    local address=$1 log=$run_dir/simulator.log out=$run_dir/simulator.out line tries
    shift
    for address in "$address" 127.0.0.1:0; do
        : >"$out"
        start "$out" "$log" "$bin/sinetti-simulator" --listen "$address" "$@"
        simulator=$started
        for ((tries = 0; tries < 300; tries++)); do
            read -r line <"$out" || line=
            if [[ $line == ready\ * ]]; then
                simulator_address=${line#ready }
                return 0
            fi
            alive "$simulator" || break
            sleep 0.1
        done
        stop "$simulator" || true
        simulator=
    done
    die "the simulated cameras did not start: $(tail -n 1 "$log")"
}

# All cameras of a box in the folder `base`, with their login.
start_cameras() {
    local n id main sub arguments=(--user "$user" --password-file "$base/camera-password")
    for ((n = 0; n < cameras; n++)); do
        IFS='|' read -r id _ _ main sub <<<"$(camera "$n")"
        arguments+=(--camera "/$id/main=$footage/$main" --camera "/$id/sub=$footage/$sub")
    done
    start_simulator "$(cat "$base/camera-address" 2>/dev/null || echo 127.0.0.1:0)" "${arguments[@]}"
    move_cameras "$simulator_address"
}

# Where the cameras were before is taken by somebody else: tell the configuration where they are now.
move_cameras() {
    local before
    before=$(cat "$base/camera-address" 2>/dev/null || echo "$1")
    [ "$before" = "$1" ] || sed -i "s/^address = \"${before//./\\.}\"\$/address = \"$1\"/" "$base/box/sinetti.toml"
    printf '%s\n' "$1" >"$base/camera-address"
}

# ---- Box

sinetti() { "$bin/sinetti" --dir "$base/box" "$@"; }

secret() { od -An -N12 -tx1 /dev/urandom | tr -d ' \n'; }

# Person $1 enrols with their token: passphrase, second factor, recovery codes.
enrol_person() {
    sinetti enrol --token "$base/tokens/$1.token" --passphrase-file "$base/passphrase" \
        --factor-file "$base/$1.factor" --codes-file "$base/$1.codes" >/dev/null && rm "$base/tokens/$1.token"
}

# The code of time step $2 of the otpauth address in file $1 (RFC 6238).
totp() {
    local key mac offset
    key=$(sed 's/.*secret=\([A-Z2-7]*\).*/\1/' "$1" | tr -d '\n' | base32 -d | od -An -v -tx1 | tr -d ' \n')
    mac=$(printf '%b' "$(printf '%016x' "$2" | sed 's/../\\x&/g')" | openssl dgst -sha1 -mac HMAC -macopt "hexkey:$key" -r)
    offset=$((16#${mac:39:1} * 2))
    printf '%06d' $(((16#${mac:offset:8} & 16#7fffffff) % 1000000))
}

# Writes a code of person $1 into file $2. None is taken twice: those of the time steps around now first, then a recovery code,
# then it waits for the next step.
code_of() {
    local name=$1 present step=0 used=0
    present=$(($(date +%s) / 30))
    [ ! -e "$base/$name.step" ] || step=$(cat "$base/$name.step")
    step=$((step + 1 > present - 1 ? step + 1 : present - 1))
    if [ "$step" -gt $((present + 2)) ]; then
        [ ! -e "$base/$name.used" ] || used=$(cat "$base/$name.used")
        used=$((used + 1))
    fi
    if [ "$used" -gt 0 ] && [ "$used" -le "$(wc -l <"$base/$name.codes")" ]; then
        printf '%s\n' "$used" >"$base/$name.used"
        (umask 077 && sed -n "${used}p" "$base/$name.codes" >"$2")
    else
        while [ "$step" -gt $(($(date +%s) / 30 + 2)) ]; do pause 1; done
        printf '%s\n' "$step" >"$base/$name.step"
        (umask 077 && totp "$base/$name.factor" "$step" >"$2")
    fi
}

# Sets `proof`: the arguments by which $user shows who they are.
proof=()
prove() {
    code_of "$user" "$base/code"
    proof=(--person "$user" --passphrase-file "$base/passphrase" --code-file "$base/code")
}

# Sets `approval`: the arguments by which $approver approves that footage leaves the box, which nobody does alone. Unless somebody
# else was named that is a second controller, who is added once.
approver=controller2 approval=()
approve() {
    [ "$approver" != controller2 ] || add_approver
    code_of "$approver" "$base/approver-code"
    approval=(--approver "$approver" --approver-passphrase-file "$base/passphrase" --approver-code-file "$base/approver-code")
}

add_approver() {
    [ ! -e "$base/controller2.factor" ] || return 0
    sinetti user add controller2 --role controller --undertaking demo-1 --token-file "$base/tokens/controller2.token" >/dev/null ||
        die "the second controller could not be added"
    enrol_person controller2 || die "the second controller could not enrol"
    prove
    sinetti user confirm controller2 "${proof[@]}" >/dev/null || die "the second controller could not be confirmed"
}

# Takes the folder `base` for this run; makes a box in it if there is none, with a reserve of $1 GiB. Passphrase, second factors
# and shares lie beside it: right for made-up pictures only. Sets `cameras` to at least what the box has.
open_box() {
    mkdir -p "$base"
    chmod 700 "$base"
    exec 8>"$base/.lock"
    flock -n 8 || die "$base is in use by another run"
    if [ ! -e "$base/.ready" ]; then
        rm -rf "$base/box" "$base/footage" "$base/shares" "$base/tokens" "$base"/*.factor "$base"/*.codes "$base"/*.step \
            "$base"/*.used
        (umask 077 && secret >"$base/passphrase" && secret >"$base/.secret" &&
            { echo "$user"; cat "$base/.secret"; } >"$base/camera-login" && mv "$base/.secret" "$base/camera-password")
        sinetti init --site "Myymälä 1" --zone Europe/Helsinki --volume "$base/footage" --reserve-gib "$1" \
            --controller "$user" --undertaking demo-1 --justification "Näytös" ${listen:+--listen "$listen"} --tokens-dir "$base/tokens" --shares-dir "$base/shares" \
            >"$base/init.txt" || die "the box could not be made"
        enrol_person admin1 || die "the administrator could not enrol"
        enrol_person "$user" || die "the controller could not enrol"
        touch "$base/.ready"
    fi
    local there
    there=$(configured | wc -l)
    [ "$there" -le "$cameras" ] || cameras=$there
}

# Adds one person of each further role, once; a controller stands behind the manager. Their cameras must be there.
add_people() {
    [ ! -e "$base/.people" ] || return 0
    local name role
    for role in staff manager auditor maintenance; do
        name=${role}1
        local arguments=(--role "$role" --undertaking demo-1 --token-file "$base/tokens/$name.token")
        case $role in
            staff | maintenance) arguments+=(--all-cameras) ;;
            manager) arguments+=(--camera kassa-1 --camera hylly-1) ;;
        esac
        [ "$role" != maintenance ] || arguments+=(--role-until "$(date -u -d '+90 days' +%FT%TZ)")
        sinetti user add "$name" "${arguments[@]}" >/dev/null || die "$name could not be added"
        enrol_person "$name" || die "$name could not enrol"
    done
    prove
    sinetti user confirm manager1 "${proof[@]}" >/dev/null || die "the manager's rights could not be confirmed"
    touch "$base/.people"
}

# The secret of the second factor of person $1, in base 32.
factor_secret() { sed 's/.*secret=\([A-Z2-7]*\).*/\1/' "$base/$1.factor" | tr -d '\n'; }

# The ids of the cameras that are configured.
configured() { sed -n 's/^id = "\(.*\)"$/\1/p' "$base/box/sinetti.toml"; }

# Adds the cameras that the box does not have yet.
add_cameras() {
    local n id name area there
    there=$(configured)
    for ((n = 0; n < cameras; n++)); do
        IFS='|' read -r id name area _ _ <<<"$(camera "$n")"
        grep -qx -- "$id" <<<"$there" || sinetti camera add "$id" --name "$name" --area "$area" \
            --address "$simulator_address" --main "/$id/main" --sub "/$id/sub" --credentials "$base/camera-login" \
            --purpose protection-of-property >/dev/null
    done
}

start_recorder() {
    start /dev/null "$base/recorder.log" "$bin/sinetti" --dir "$base/box" run
    recorder=$started
}

# Stops it in order; fails when it did not end well.
stop_recorder() {
    local pid=$recorder
    recorder=
    stop "$pid"
}

recorder_died() { die "the recorder ended: $(tail -n 3 "$base/recorder.log")"; }

# Waits until every stream is being recorded, at most $1 seconds; fails when one is not by then.
all_recording() {
    local tries
    for ((tries = 0; tries < $1 * 5; tries++)); do
        alive "$recorder" || recorder_died
        sinetti status >/dev/null 2>&1 && return 0
        pause 0.2
    done
    return 1
}

# The same, for those who cannot go on without.
wait_recording() {
    ! all_recording "$1" || return 0
    sinetti status >&2 || true
    die "not every camera is recorded after $1 s"
}

# RFC 3339 to microseconds since 1970, and back.
us_of() { date -u -d "$1" +%s%6N; }
time_of() { date -u -d "@${1::-6}.${1: -6}" +%Y-%m-%dT%H:%M:%S.%6NZ; }
now_us() { date +%s%6N; }

# Waits until every stream is durable up to the time $1 in microseconds.
wait_recorded_until() {
    local behind tries
    for ((tries = 0; tries < 150; tries++)); do
        alive "$recorder" || recorder_died
        behind=$(sinetti status --json | jq --argjson until "$1" '
            def us: (.[0:19] + "Z" | fromdateiso8601) * 1000000 + (.[20:26] | tonumber);
            [.streams[] | select(.growing == null or (.growing.end | us) < $until)] | length')
        [ "$behind" != 0 ] || return 0
        pause 0.2
    done
    die "some stream is not recorded up to $(time_of "$1")"
}

# Builds a program of the folder benches. Sets `program`.
build_program() {
    program=$(cd "$root" && cargo build --quiet --locked --bench "$1" --message-format json |
        jq -r --arg name "$1" 'select(.target.name? == $name and .executable) | .executable')
    [ -x "$program" ] || die "the program $1 was not built"
}

# Footage of the past: from $1 seconds ago, every $2 seconds, $3 segments of $4 bytes for each of the streams that follow. The
# recorder does not run.
plant() {
    local program
    build_program plant
    say "Planting footage …"
    "$program" "$base/box" "$base/footage" "$@"
}

# The streams of the box, such as kassa-1/main.
streams() { sinetti ls --json | jq -r '.[].stream | "\(.camera)/\(.kind)"'; }
