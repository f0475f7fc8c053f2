//! How the program locks itself in: limits, Landlock, seccomp. After [`lock_in`] it can read standard input, write standard output,
//! take memory up to a limit, and end; whatever else it tries ends it.
//!
//! What does not belong here: exceptions for a codec. One that needs more is not used.

use std::collections::BTreeMap;
use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetStatus,
    Scope,
};
use rustix::process::{Resource, Rlimit, Signal, setrlimit};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};
use sinetti::base::disk::DiskFile;
use sinetti::base::error::{Context, Error, Kind, Result};

/// What it may take. It cannot raise them again.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// Address space in bytes.
    memory: u64,
    /// Processor time in seconds.
    seconds: u64,
}

impl Limits {
    /// For one picture. Libraries take about a sixth of the memory (164 MB on Debian 12).
    pub(crate) const STILL: Self = Self {
        memory: 1 << 30,
        seconds: 30,
    };
    /// For a viewing copy: the encoder looks ahead.
    pub(crate) const VIEW: Self = Self {
        memory: 2 << 30,
        seconds: 24 * 3600,
    };
}

/// Locks the program in, for good.
///
/// # Errors
/// When anything of it cannot be had: then nothing is decoded.
pub(crate) fn lock_in(limits: Limits) -> Result<()> {
    limit(limits)?;
    landlock()?;
    seccomp()
}

fn limit(limits: Limits) -> Result<()> {
    // When memory is short it is ended before the recorder is. Where that cannot be said, the limits below hold all the same.
    let score = DiskFile::open_existing(Path::new("/proc/self/oom_score_adj"));
    score.and_then(|mut score| score.write_at(b"1000", 0)).ok();
    let set = |resource, at: u64| {
        let limit = Rlimit {
            current: Some(at),
            maximum: Some(at),
        };
        setrlimit(resource, limit).context(|| format!("limiting {resource:?}"))
    };
    set(Resource::Core, 0)?;
    set(Resource::As, limits.memory)?;
    set(Resource::Cpu, limits.seconds)?;
    set(Resource::Fsize, 0)?;
    // The pipes, and what Landlock needs for a moment.
    set(Resource::Nofile, 8)?;
    set(Resource::Memlock, 0)?;
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
        .context(|| "forbidding core dumps")?;
    // The recorder is served first.
    rustix::process::nice(10).context(|| "being nice")?;
    // What it was started for is over when whoever started it is.
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
        .context(|| "tying itself to the recorder")
}

/// No file, no network, no signal to others: also where seccomp should have a hole.
fn landlock() -> Result<()> {
    let failed = |e: landlock::RulesetError| {
        Error::new(
            Kind::Unavailable,
            format!("locking files away (Landlock): {e}"),
        )
    };
    let status = Ruleset::default()
        // Since Linux 5.13; what came later is taken where the kernel has it.
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V1))
        .map_err(failed)?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(ABI::V5))
        .map_err(failed)?
        .handle_access(AccessNet::from_all(ABI::V5))
        .map_err(failed)?
        .scope(Scope::AbstractUnixSocket | Scope::Signal)
        .map_err(failed)?
        .create()
        .map_err(failed)?
        .restrict_self()
        .map_err(failed)?;
    if status.ruleset == RulesetStatus::NotEnforced || !status.no_new_privs {
        let text = "this kernel does not lock files away (Landlock); nothing is decoded without";
        return Err(Error::new(Kind::Unavailable, text));
    }
    Ok(())
}

/// Everything but a short list ends the program.
fn seccomp() -> Result<()> {
    let failed = |e: &dyn std::fmt::Display| {
        Error::new(
            Kind::Unavailable,
            format!("locking system calls away (seccomp): {e}"),
        )
    };
    let rules = rules().map_err(|e| failed(&e))?;
    let arch = std::env::consts::ARCH
        .try_into()
        .map_err(|e: seccompiler::BackendError| failed(&e))?;
    let filter = SeccompFilter::new(
        rules,
        SeccompAction::KillProcess,
        SeccompAction::Allow,
        arch,
    )
    .and_then(BpfProgram::try_from)
    .map_err(|e| failed(&e))?;
    seccompiler::apply_filter(&filter).map_err(|e| failed(&e))
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

fn rules() -> Result<Rules, seccompiler::BackendError> {
    let eq = |arg, value: i32| {
        SeccompCondition::new(
            arg,
            SeccompCmpArgLen::Dword,
            SeccompCmpOp::Eq,
            u64::from(value.unsigned_abs()),
        )
    };
    let masked = |arg, mask: i32, value: i32| {
        let mask = SeccompCmpOp::MaskedEq(u64::from(mask.unsigned_abs()));
        SeccompCondition::new(
            arg,
            SeccompCmpArgLen::Dword,
            mask,
            u64::from(value.unsigned_abs()),
        )
    };
    let mut rules: Rules = ALWAYS.iter().map(|call| (*call, Vec::new())).collect();
    // The pipes, and nothing else: what a shell may have left open is out of reach.
    rules.insert(libc::SYS_read, vec![SeccompRule::new(vec![eq(0, 0)?])?]);
    let out = |fd| SeccompRule::new(vec![eq(0, fd)?]);
    rules.insert(libc::SYS_write, vec![out(1)?, out(2)?]);
    // Memory of its own that no code can come to lie in.
    let no_code = masked(2, libc::PROT_EXEC, 0)?;
    let own = masked(3, libc::MAP_ANONYMOUS, libc::MAP_ANONYMOUS)?;
    rules.insert(
        libc::SYS_mmap,
        vec![SeccompRule::new(vec![no_code.clone(), own])?],
    );
    rules.insert(libc::SYS_mprotect, vec![SeccompRule::new(vec![no_code])?]);
    // Giving up (abort).
    let itself = eq(0, rustix::process::getpid().as_raw_pid())?;
    rules.insert(libc::SYS_tgkill, vec![SeccompRule::new(vec![itself])?]);
    Ok(rules)
}

/// Calls that reach nothing outside of the program.
const ALWAYS: &[i64] = &[
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_futex,
    libc::SYS_getrandom,
    libc::SYS_clock_gettime,
    libc::SYS_gettimeofday,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_rt_sigreturn,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigaction,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::{Read, Write};
    use std::net::UdpSocket;
    use std::os::unix::process::ExitStatusExt;
    use std::process::Command;

    /// Says to this test, run once more as a program of its own, what to try once it is locked in.
    const TRY: &str = "SINETTI_TEST_TRY";
    type Try = fn(&mut File) -> bool;
    /// What is tried, with a file that was open before; whether it could be done.
    const TRIES: &[(&str, Try)] = &[
        ("file", |_| std::fs::read("/etc/hostname").is_ok()),
        ("folder", |_| std::fs::read_dir("/").is_ok()),
        ("stat", |_| std::fs::metadata("/etc/hostname").is_ok()),
        ("write", |_| {
            DiskFile::create_new(Path::new(WRITTEN), 0o600).is_ok()
        }),
        ("left open", |file| file.read(&mut [0; 4]).is_ok()),
        ("network", |_| UdpSocket::bind("127.0.0.1:0").is_ok()),
        ("program", |_| Command::new("/bin/true").status().is_ok()),
        ("thread", |_| {
            std::thread::Builder::new().spawn(|| ()).is_ok()
        }),
        ("limit", |_| {
            setrlimit(
                Resource::Core,
                Rlimit {
                    current: None,
                    maximum: None,
                },
            )
            .is_ok()
        }),
        ("others", |_| {
            let parent = rustix::process::getppid().expect("a parent");
            rustix::process::kill_process(parent, Signal::WINCH).is_ok()
        }),
        ("nothing", |_| {
            std::io::stdout().write_all(b"still here\n").is_ok()
        }),
    ];
    const WRITTEN: &str = "/tmp/sinetti-codec-test";

    #[test]
    fn what_it_must_not_do_ends_it() {
        if let Ok(wanted) = std::env::var(TRY) {
            let mut file = File::open("/etc/hostname").expect("it can be opened before");
            landlock()
                .and_then(|()| seccomp())
                .expect("it locks itself in");
            let mut tries = TRIES.iter().filter(|(name, _)| *name == wanted);
            let done = tries.all(|(_, act)| act(&mut file));
            std::process::exit(i32::from(!done));
        }
        for (name, _) in TRIES {
            let ran = Command::new(std::env::current_exe().expect("a path"))
                .args([
                    "--exact",
                    "lock::tests::what_it_must_not_do_ends_it",
                    "--nocapture",
                ])
                .env(TRY, name)
                .output()
                .expect("it runs");
            let wanted = if *name == "nothing" {
                None
            } else {
                Some(libc::SIGSYS)
            };
            assert_eq!(ran.status.signal(), wanted, "{name}: {ran:?}");
        }
        assert!(!Path::new(WRITTEN).exists());
    }

    #[test]
    fn files_are_locked_away_even_without_the_filter() {
        // Of this thread alone.
        std::thread::spawn(|| {
            std::fs::read("/etc/hostname").expect("it can be read before");
            landlock().expect("Landlock");
            let after = std::fs::read("/etc/hostname").map_err(|e| e.kind());
            assert_eq!(after, Err(std::io::ErrorKind::PermissionDenied));
        })
        .join()
        .expect("it went well");
    }
}
