//! What the operating system says of this process, where it says so in files.

use std::fs;

/// What could be learned; on systems without `/proc` nothing.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) resident_bytes: Option<u64>,
    pub(super) open_files: Option<u64>,
}

impl Process {
    pub(super) fn look() -> Process {
        let status = fs::read_to_string("/proc/self/status").ok();
        // The folder that is being read is open too, and not afterwards.
        let names = fs::read_dir("/proc/self/fd").ok();
        let open = names.map(|names| (names.count() as u64).saturating_sub(1));
        Process { resident_bytes: status.as_deref().and_then(resident), open_files: open }
    }
}

/// Reads a line such as `VmRSS: 12345 kB`.
fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let number = line.trim().strip_suffix("kB")?.trim();
    number.parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_is_read_in_bytes() {
        assert_eq!(resident("VmSize:\t 9 kB\nVmRSS:\t   12 kB\n"), Some(12 * 1024));
        for unreadable in ["", "VmRSS: 12", "VmRSS: x kB", "VmRSS: 99999999999999999999 kB"] {
            assert_eq!(resident(unreadable), None, "{unreadable}");
        }
    }
}
