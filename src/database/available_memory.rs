//! How much memory there is for this process: the machine's, or less where a control group around it
//! says so, as those of containers and services do.
//!
//! ```text
//! /proc/self/cgroup    0::/system.slice/monsterdb.service     groups of version 2
//!                      5:memory:/docker/4f1c                  groups of version 1
//! ```
//!
//! A limit of a group holds for those within it, so the least on the way up counts. Within a
//! container the way may be that of the machine, which is not there; its last step, the top, is the
//! container's own group.

use std::fs;

/// Where groups of version 2 are, each with `memory.max`.
const UNIFIED: &str = "/sys/fs/cgroup";

/// Where groups of version 1 are that bound memory, each with `memory.limit_in_bytes`.
const OF_MEMORY: &str = "/sys/fs/cgroup/memory";

/// Bytes of memory that this process may take, if the system tells.
pub(super) fn available_memory() -> Option<u64> {
    least(|path| fs::read_to_string(path).ok())
}

fn least(read: impl Fn(&str) -> Option<String>) -> Option<u64> {
    let groups = read("/proc/self/cgroup").unwrap_or_default();
    let files = groups.lines().flat_map(files_of);
    let limits = files.filter_map(|file| read(&file)?.trim().parse().ok());
    limits.chain(machine(&read)).min()
}

/// The files that may say a limit, for one line of the list of groups.
fn files_of(line: &str) -> Vec<String> {
    let mut parts = line.splitn(3, ':').skip(1);
    let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { return Vec::new() };
    let (top, name) = match controllers.split(',').any(|controller| controller == "memory") {
        true => (OF_MEMORY, "memory.limit_in_bytes"),
        false if controllers.is_empty() => (UNIFIED, "memory.max"),
        false => return Vec::new(),
    };
    let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
    ends.map(|end| format!("{top}{}/{name}", &path[..end])).collect()
}

fn machine(read: impl Fn(&str) -> Option<String>) -> Option<u64> {
    let text = read("/proc/meminfo")?;
    let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    kilobytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACHINE: (&str, &str) = ("/proc/meminfo", "MemTotal:  1000 kB\nMemFree:  1 kB\n");

    #[track_caller]
    fn expect(files: &[(&str, &str)], bytes: u64) {
        let read = |path: &str| {
            let found = files.iter().chain([&MACHINE]).find(|(name, _)| *name == path);
            found.map(|(_, text)| (*text).to_owned())
        };
        assert_eq!(least(read), Some(bytes));
    }

    #[test]
    fn the_least_limit_on_the_way_up_counts() {
        let own = ("/proc/self/cgroup", "0::/a.slice/b.service\n");
        expect(&[own], 1_024_000);
        expect(&[own, ("/sys/fs/cgroup/a.slice/b.service/memory.max", "max\n")], 1_024_000);
        expect(&[own, ("/sys/fs/cgroup/a.slice/b.service/memory.max", "4096\n")], 4096);
        let around = ("/sys/fs/cgroup/a.slice/memory.max", "2048\n");
        expect(&[own, around, ("/sys/fs/cgroup/a.slice/b.service/memory.max", "4096\n")], 2048);
        expect(&[own, ("/sys/fs/cgroup/a.slice/b.service/memory.max", "2048000\n")], 1_024_000);
    }

    #[test]
    fn within_a_container_the_top_is_its_own() {
        let unified = ("/proc/self/cgroup", "0::/\n");
        expect(&[unified, ("/sys/fs/cgroup/memory.max", "4096\n")], 4096);
        let old = ("/proc/self/cgroup", "9:cpu,cpuacct:/docker/4f\n5:memory:/docker/4f\n0::/x\n");
        expect(&[old, ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "4096\n")], 4096);
        let unlimited = "9223372036854771712\n";
        expect(&[old, ("/sys/fs/cgroup/memory/memory.limit_in_bytes", unlimited)], 1_024_000);
        expect(&[old, ("/sys/fs/cgroup/cpu,cpuacct/memory.limit_in_bytes", "1\n")], 1_024_000);
    }

    #[test]
    fn where_nothing_is_told_nothing_is_known() {
        assert_eq!(least(|_| None), None);
        assert_eq!(least(|_| Some("nonsense".to_owned())), None);
    }
}
