//! The systemd unit under systemd: in a container, which is a machine of its own for it.

use std::env;

use crate::{dockerfile::read, engine::Engine, host::good, page::blocks, skipped::skipped};

/// What the block of docs/deployment.md is marked with that installs the unit.
const MARK: &str =
    "sh not-run: it changes the machine; docker/test runs it in a machine of its own";

/// What an engine does otherwise than systemd is used to: mounts are not shared, and the control groups
/// of the container can be read only.
const BOOT: &str = "mount --make-rshared /
    for top in /sys/fs/cgroup /sys/fs/cgroup/*; do
        if mountpoint --quiet $top; then mount --options remount,rw,bind $top; fi
    done
    exec /lib/systemd/systemd";

/// What systemd needs to be able to do, for a service that may do nothing of it.
const MAY: &str = "--cap-add SYS_ADMIN --cap-add NET_ADMIN --cap-add SYS_PTRACE \
                   --cap-add DAC_READ_SEARCH --cgroupns private --security-opt seccomp=unconfined \
                   --security-opt apparmor=unconfined --tmpfs /run --tmpfs /tmp --env container=docker";

/// A machine that runs systemd.
struct Machine<'a> {
    engine: &'a Engine,
    name: String,
}

impl Machine<'_> {
    /// Runs a script, which has to go well, and returns what it prints.
    #[track_caller]
    fn run(&self, script: &str) -> String {
        let script = format!("{ALWAYS}{script}");
        let command = ["exec", "--workdir", "/checkout", &self.name, "bash", "-euc", &script];
        good(&self.engine.run(command)).trim().to_owned()
    }
}

/// What all scripts know.
const ALWAYS: &str = r#"
healthy() { timeout 30 bash -c 'until monsterdb health; do sleep 0.1; done' 2>/dev/null >&2; }
ask() { curl -sSf -H "X-API-Key: $(cat /etc/monsterdb/admin.key)" -H 'Content-Type: application/json' "$@"; }
show() { systemctl show --property "$1" --value monsterdb; }
URL=http://127.0.0.1:7117
"#;

impl Drop for Machine<'_> {
    fn drop(&mut self) {
        self.engine.run(["rm", "--force", "--volumes", &self.name]);
    }
}

#[test]
fn the_unit_runs_the_program_and_little_else() {
    let Some(engine) = Engine::get() else { return };
    let Ok(image) = env::var("MONSTERDB_TEST_SYSTEMD") else {
        skipped("the unit under systemd, since docker/test could not make an image for it");
        return;
    };
    let machine = boot(&engine, &image);
    // As the page says.
    let (steps, _) = blocks(&read("docs/deployment.md"), MARK);
    assert_eq!(steps.len(), 1, "the page says how the unit is installed");
    machine.run(&steps.concat());
    machine.run("healthy");
    let inserted = machine.run(r#"ask $URL/collections/c/documents -d '{"_id":"1"}'"#);
    assert_eq!(inserted, r#"{"_id":"1","_version":1}"#, "the key is the one of the file");
    assert_harmless(&machine);
    assert_comes_back(&machine);
    assert_ends_well(&machine);
    assert_wrong_settings_stop_it(&machine);
}

fn boot<'a>(engine: &'a Engine, image: &str) -> Machine<'a> {
    let name = engine.name();
    let options = MAY.split_whitespace();
    let command = ["run", "--detach", "--name", &name].into_iter().chain(options);
    let started = engine.run(command.chain([image, "bash", "-c", BOOT]));
    let machine = Machine { engine, name };
    good(&started);
    let unit = concat!(env!("CARGO_MANIFEST_DIR"), "/docker/monsterdb.service");
    let to = format!("{}:/checkout/docker/monsterdb.service", machine.name);
    good(&engine.run(["cp", unit, &to]));
    machine.run("timeout 60 bash -c 'until systemctl is-system-running; do sleep 0.1; done'");
    machine
}

/// Nobody in particular, no capability, and only the system calls of a service.
fn assert_harmless(machine: &Machine<'_>) {
    let status = machine.run("cat /proc/$(show MainPID)/status");
    let value = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_default().split_whitespace().next().unwrap_or_default().to_owned()
    };
    assert!(value("Uid:").parse::<u32>().unwrap() > 60_000, "{status}");
    assert_eq!(value("CapEff:"), "0000000000000000");
    assert_eq!(value("CapBnd:"), "0000000000000000");
    assert_eq!((value("NoNewPrivs:"), value("Seccomp:")), ("1".into(), "2".into()));
    assert_eq!(machine.run("stat -L -c %a /var/lib/monsterdb/data"), "700");
}

/// After a kill with what it had, and with a limit of memory with less.
fn assert_comes_back(machine: &Machine<'_>) {
    machine.run("systemctl reload monsterdb");
    machine.run(
        "P=$(show MainPID); kill -KILL $P; while [ \"$(show NRestarts)\" = 0 ]; do sleep 0.1; done",
    );
    machine.run("healthy");
    let read = machine.run("ask $URL/collections/c/documents/1");
    assert_eq!(read, r#"{"_id":"1","_version":1}"#);
    machine.run(
        "systemctl set-property --runtime monsterdb MemoryMax=1G; systemctl restart monsterdb",
    );
    machine.run("healthy");
    let stats = machine.run("ask $URL/admin/stats");
    assert!(stats.contains(&format!("\"memory_limit\":{},", 768 << 20)), "{stats}");
}

fn assert_ends_well(machine: &Machine<'_>) {
    machine.run("systemctl stop monsterdb");
    let ended = machine.run("show Result; show ExecMainStatus; show ExecMainCode");
    assert_eq!(ended.lines().collect::<Vec<_>>(), ["success", "0", "1"]);
    let checked = machine.run("monsterdb check --data /var/lib/monsterdb/data");
    assert!(!checked.is_empty());
}

/// It would be the same wrong setting a second time.
fn assert_wrong_settings_stop_it(machine: &Machine<'_>) {
    machine.run(
        "echo MONSTERDB_RETAIN=soon >/etc/monsterdb/environment; systemctl start monsterdb || true",
    );
    machine.run(
        "timeout 30 bash -c 'while systemctl is-active monsterdb; do sleep 0.1; done' || true",
    );
    let ended = machine.run("show Result; show ExecMainStatus; show NRestarts; show ActiveState");
    assert_eq!(ended.lines().collect::<Vec<_>>(), ["exit-code", "2", "0", "failed"]);
}
