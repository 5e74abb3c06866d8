//! The walls around a script whose engine failed: what its process may not do, whatever code it runs.
//!
//! A worker raises them before it reads a script, and says which are up. Each stands by itself: where a kernel lacks
//! one the others still hold, and `turnstone hook doctor` says so. Systems other than Linux have none of them but the
//! empty environment.
//!
//! Not here: the limits of the JavaScript engine (the sandbox), and the deadline (the pool).

use std::io;

use serde::{Deserialize, Serialize};

/// A program that exists nowhere.
const NO_PROGRAM: &str = "/no/such/program";

/// How far a wall is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum WallState {
    /// It stands.
    Up,
    /// This kernel knows only a part of it.
    Partial,
    /// It is not there.
    Absent,
}

/// A wall around a worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wall {
    /// Its name.
    pub name: String,
    /// How far it is up.
    pub state: WallState,
    /// What it holds back, or why it is missing.
    pub detail: String,
}

impl Wall {
    fn new(name: &str, state: WallState, detail: impl Into<String>) -> Self {
        Wall { name: name.to_owned(), state, detail: detail.into() }
    }
}

/// Something that a worker tried from behind its walls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// What it tried.
    pub name: String,
    /// Whether it was refused, as it should be.
    pub is_refused: bool,
    /// The system's words.
    pub detail: String,
}

impl Probe {
    fn new<T>(name: &str, outcome: io::Result<T>) -> Self {
        let (is_refused, detail) = match outcome {
            Ok(_) => (false, "it was allowed".to_owned()),
            Err(error) => (is_refusal(&error), error.to_string()),
        };
        Probe { name: name.to_owned(), is_refused, detail }
    }
}

/// Whether the system said no, and not that there is nothing there. A process without room for another file or process
/// cannot have one either.
fn is_refusal(error: &io::Error) -> bool {
    const TOO_MANY_FILES: i32 = 24;
    const NO_MORE_PROCESSES: i32 = 11;
    error.kind() == io::ErrorKind::PermissionDenied
        || matches!(error.raw_os_error(), Some(TOO_MANY_FILES | NO_MORE_PROCESSES))
}

/// The environment is cleared by whoever starts a worker; what is left must be only what it was given.
fn environment() -> Wall {
    let others = std::env::vars_os().filter(|(name, _)| name != super::pool::TIME_ZONE.0).count();
    match others {
        0 => Wall::new("environment", WallState::Up, "no variable but the time zone, which is UTC"),
        count => {
            let detail =
                format!("{count} variables are visible; only the program itself starts workers well");
            Wall::new("environment", WallState::Absent, detail)
        }
    }
}

/// The process that started this one. Behind the walls nobody can ask for it any more.
pub(super) type Parent = Option<u32>;

/// Who started this process.
pub(super) fn parent() -> Parent {
    system::parent()
}

/// Raises every wall that there is. Nothing can be opened afterwards.
pub(super) fn raise() -> Vec<Wall> {
    let mut walls = vec![environment()];
    walls.extend(system::raise());
    walls
}

/// Tries what a script that broke out would try. A program that is not there is started: refused is another answer than
/// not found.
pub(super) fn probe(parent: Parent) -> Vec<Probe> {
    use std::fs::{File, OpenOptions};
    use std::net::{TcpStream, UdpSocket};
    use std::process::Command;

    let start = || Command::new(NO_PROGRAM).spawn();
    let connect = || TcpStream::connect(("127.0.0.1", 9));
    let mut probes = vec![
        Probe::new("read a file", File::open("/")),
        Probe::new("write a file", OpenOptions::new().append(true).open("/dev/null")),
        Probe::new("open a datagram socket", UdpSocket::bind(("127.0.0.1", 0))),
        Probe::new("connect to a port", connect()),
        Probe::new("start a process", start()),
        Probe::new("start a thread", std::thread::Builder::new().spawn(|| ())),
    ];
    probes.extend(system::probe(parent));
    probes
}

#[cfg(target_os = "linux")]
mod system {
    //! Linux: resource limits, no new privileges, landlock, seccomp.

    use std::collections::BTreeMap;
    use std::io;
    use std::os::unix::process::CommandExt as _;
    use std::process::Command;

    use landlock::{
        ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetStatus, Scope,
    };
    use nix::libc;
    use rustix::process::{Pid, Resource, Rlimit};
    use seccompiler::{
        BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
        SeccompRule,
    };
    use turnstone_core::limits;

    use super::{NO_PROGRAM, Parent, Probe, Wall, WallState};

    /// The newest landlock that this program knows; older kernels enforce what they have.
    const LANDLOCK: ABI = ABI::V7;

    pub(super) fn raise() -> Vec<Wall> {
        let limits = limits();
        let privileges = privileges();
        let landlock = landlock();
        // Landlock needs a descriptor for a moment; from here on there is none to be had.
        let files = limit(Resource::Nofile, 0);
        vec![merge_limits(limits, files), privileges, landlock, seccomp()]
    }

    fn limit(resource: Resource, most: u64) -> io::Result<()> {
        rustix::process::setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })
            .map_err(Into::into)
    }

    /// Bytes of address space: what the program has already, one script, and the frames of one call.
    fn limits() -> io::Result<()> {
        let statm = std::fs::read_to_string("/proc/self/statm")?;
        let pages: u64 =
            statm.split(' ').next().and_then(|text| text.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
        let page = rustix::param::page_size() as u64;
        let more = (limits::HOOK_MEMORY_BYTES_MAX + limits::HOOK_PROCESS_BYTES_SPARE) as u64;
        limit(Resource::As, pages * page + more)?;
        limit(Resource::Cpu, limits::HOOK_WORKER_CPU_MAX.as_secs())?;
        limit(Resource::Core, 0)?;
        limit(Resource::Fsize, 0)?;
        limit(Resource::Nproc, 0)
    }

    fn merge_limits(others: io::Result<()>, files: io::Result<()>) -> Wall {
        match others.and(files) {
            Ok(()) => Wall::new(
                "limits",
                WallState::Up,
                "memory, processor time, no files, no processes, no core dump",
            ),
            Err(error) => {
                Wall::new("limits", WallState::Partial, format!("not all limits were accepted ({error})"))
            }
        }
    }

    fn privileges() -> Wall {
        match rustix::thread::set_no_new_privs(true) {
            Ok(()) => Wall::new("privileges", WallState::Up, "no program can give it more rights"),
            Err(error) => Wall::new("privileges", WallState::Absent, format!("the kernel refuses ({error})")),
        }
    }

    fn landlock() -> Wall {
        let restrict = || -> Result<RulesetStatus, landlock::RulesetError> {
            let ruleset = Ruleset::default()
                .set_compatibility(CompatLevel::BestEffort)
                .handle_access(AccessFs::from_all(LANDLOCK))?
                .handle_access(AccessNet::from_all(LANDLOCK))?
                .scope(Scope::from_all(LANDLOCK))?;
            Ok(ruleset.create()?.restrict_self()?.ruleset)
        };
        match restrict() {
            Ok(RulesetStatus::FullyEnforced) => {
                Wall::new("landlock", WallState::Up, "no file, no port, no signal to others")
            }
            Ok(RulesetStatus::PartiallyEnforced) => Wall::new(
                "landlock",
                WallState::Partial,
                "no file; this kernel's landlock does not know the rest",
            ),
            Ok(RulesetStatus::NotEnforced) => {
                Wall::new("landlock", WallState::Absent, "this kernel has no landlock, or it is switched off")
            }
            Err(error) => Wall::new("landlock", WallState::Absent, format!("the kernel refuses ({error})")),
        }
    }

    fn seccomp() -> Wall {
        let apply = || -> Result<(), String> {
            let arch = std::env::consts::ARCH.try_into().map_err(|_| "not for this processor".to_owned())?;
            let (no, yes) = (SeccompAction::Errno(libc::EPERM as u32), SeccompAction::Allow);
            let rules = rules().map_err(|error| error.to_string())?;
            let filter = SeccompFilter::new(rules, no, yes, arch).map_err(|error| error.to_string())?;
            let program: BpfProgram =
                filter.try_into().map_err(|error: seccompiler::BackendError| error.to_string())?;
            seccompiler::apply_filter(&program).map_err(|error| error.to_string())
        };
        match apply() {
            Ok(()) => {
                Wall::new("seccomp", WallState::Up, "only reading calls, answering, memory, clock and exit")
            }
            Err(why) => Wall::new("seccomp", WallState::Absent, format!("the kernel refuses ({why})")),
        }
    }

    /// The system calls that a worker needs. Everything else is refused.
    fn rules() -> Result<BTreeMap<i64, Vec<SeccompRule>>, seccompiler::BackendError> {
        let has = |at: u8, bits: i32, value: i32| {
            let operation = SeccompCmpOp::MaskedEq(u64::from(bits.unsigned_abs()));
            SeccompCondition::new(at, SeccompCmpArgLen::Dword, operation, u64::from(value.unsigned_abs()))
        };
        let stream = |number: u64| {
            SeccompRule::new(vec![SeccompCondition::new(
                0,
                SeccompCmpArgLen::Dword,
                SeccompCmpOp::Eq,
                number,
            )?])
        };
        let not_executable = has(2, libc::PROT_EXEC, 0)?;
        let of_no_file = has(3, libc::MAP_ANONYMOUS, libc::MAP_ANONYMOUS)?;

        let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
        // Calls come in at standard input, answers go out at standard output, last words at standard error.
        rules.insert(libc::SYS_read, vec![stream(0)?]);
        rules.insert(libc::SYS_write, vec![stream(1)?, stream(2)?]);
        rules.insert(libc::SYS_writev, vec![stream(1)?, stream(2)?]);
        // Memory, of no file, never executable.
        rules.insert(libc::SYS_mmap, vec![SeccompRule::new(vec![not_executable.clone(), of_no_file])?]);
        rules.insert(libc::SYS_mprotect, vec![SeccompRule::new(vec![not_executable])?]);
        for call in [
            libc::SYS_brk,
            libc::SYS_munmap,
            libc::SYS_mremap,
            libc::SYS_madvise,
            libc::SYS_futex,
            libc::SYS_clock_gettime,
            libc::SYS_gettimeofday,
            libc::SYS_getrandom,
            libc::SYS_sched_yield,
            libc::SYS_sigaltstack,
            libc::SYS_rt_sigprocmask,
            libc::SYS_rt_sigreturn,
            libc::SYS_restart_syscall,
            libc::SYS_exit,
            libc::SYS_exit_group,
        ] {
            rules.insert(call, Vec::new());
        }
        Ok(rules)
    }

    pub(super) fn parent() -> Parent {
        Some(std::os::unix::process::parent_id())
    }

    /// What only Linux can be asked for.
    pub(super) fn probe(parent: Parent) -> Vec<Probe> {
        let unix =
            rustix::net::socket(rustix::net::AddressFamily::UNIX, rustix::net::SocketType::STREAM, None);
        let memory = rustix::fs::memfd_create("probe", rustix::fs::MemfdFlags::empty());
        let parent = parent.and_then(|parent| Pid::from_raw(i32::try_from(parent).ok()?));
        let signal = parent.ok_or(io::Error::from(io::ErrorKind::NotFound));
        let signal = signal.and_then(|parent| Ok(rustix::process::test_kill_process(parent)?));
        let trace = nix::sys::ptrace::traceme().map_err(io::Error::from);
        vec![
            Probe::new("open a local socket", unix.map_err(io::Error::from)),
            Probe::new("make a file in memory", memory.map_err(io::Error::from)),
            Probe::new("signal its parent", signal),
            Probe::new("trace a process", trace),
            Probe::new::<()>("execute a program", Err(Command::new(NO_PROGRAM).exec())),
        ]
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    //! Elsewhere there are none.

    use super::{Parent, Probe, Wall, WallState};

    pub(super) fn raise() -> Vec<Wall> {
        let names = ["limits", "privileges", "landlock", "seccomp"];
        names.map(|name| Wall::new(name, WallState::Absent, "it is Linux's alone")).to_vec()
    }

    pub(super) fn parent() -> Parent {
        None
    }

    pub(super) fn probe(_: Parent) -> Vec<Probe> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn not_found_is_no_refusal() {
        let probe = |kind: io::ErrorKind| Probe::new::<()>("x", Err(kind.into())).is_refused;
        assert!(probe(io::ErrorKind::PermissionDenied));
        assert!(!probe(io::ErrorKind::NotFound));
        assert!(!Probe::new("x", Ok(())).is_refused);
    }
}
