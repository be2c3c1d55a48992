//! A container's life: its start, its health, its end, and what it may and may not do meanwhile.

use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    engine::Engine,
    host::{KEY, good},
    lines::Lines,
    skipped::skipped,
    wire::Client,
};

/// From the engine's being asked to the container's being healthy.
const START_MAX: Duration = Duration::from_secs(5);

/// A container that is removed at the end, with its volumes.
struct Started<'a> {
    engine: &'a Engine,
    name: String,
    events: Events,
}

/// What the engine tells of one container's health.
struct Events {
    follower: Child,
    lines: Lines,
}

/// A project of the compose files, removed at the end with its volumes.
struct Project<'a> {
    engine: &'a Engine,
    name: String,
    /// The files over docker-compose.yml.
    more: &'static str,
    environment: Vec<(&'static str, String)>,
}

impl Events {
    fn of(engine: &Engine, container: &str) -> Events {
        let filter = format!("container={container}");
        let mut command = engine.command([
            "events",
            "--filter",
            &filter,
            "--filter",
            "event=health_status",
            "--format",
            "{{.Status}}",
            // Also those from before it is asked.
            "--since",
            "10m",
        ]);
        let mut follower = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = Lines::of(vec![Box::new(follower.stdout.take().unwrap())]);
        Events { follower, lines }
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        let _ = self.follower.kill();
        let _ = self.follower.wait();
    }
}

impl<'a> Started<'a> {
    fn new(engine: &'a Engine, options: &str) -> Started<'a> {
        let name = engine.name();
        let events = Events::of(engine, &name);
        let (key, image) = (format!("MONSTERDB_ADMIN_KEY={KEY}"), &engine.image);
        let command = ["run", "--detach", "--name", &name, "--publish", "127.0.0.1::7117"];
        let options = command.into_iter().chain(options.split_whitespace());
        good(&engine.run(options.chain(["--env", &key, image])));
        Started { engine, name, events }
    }

    fn client(&self) -> Client {
        Client::new(&self.engine.good(&format!("port {} 7117/tcp", self.name)), KEY)
    }
}

impl Drop for Started<'_> {
    fn drop(&mut self) {
        self.engine.run(["rm", "--force", "--volumes", &self.name]);
    }
}

impl<'a> Project<'a> {
    fn new(engine: &'a Engine, more: &'static str) -> Project<'a> {
        let environment = vec![("PUBLISH", "127.0.0.1:".to_owned())];
        Project { engine, name: engine.name(), more, environment }
    }

    fn command(&self, arguments: &str) -> Command {
        let (name, more) = (&self.name, self.more);
        let files = format!("--file docker/docker-compose.yml {more}");
        let mut command =
            self.engine.compose(&format!("--project-name {name} {files} {arguments}"));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    #[track_caller]
    fn good(&self, arguments: &str) -> String {
        good(&self.command(arguments).output().unwrap()).trim().to_owned()
    }

    /// Starts it, and waits until it is healthy.
    fn up(&self) -> Client {
        self.good("up --detach --no-build");
        let events = Events::of(self.engine, &self.container());
        events.lines.expect("healthy");
        Client::new(&self.good("port monsterdb 7117"), KEY)
    }

    fn container(&self) -> String {
        self.good("ps --quiet monsterdb")
    }
}

impl Drop for Project<'_> {
    fn drop(&mut self) {
        let _ = self.command("down --volumes").output();
    }
}

#[test]
fn a_container_is_healthy_soon_and_ends_well() {
    let Some(engine) = Engine::get() else { return };
    let begun = Instant::now();
    let started = Started::new(&engine, "");
    started.events.lines.expect("health_status: healthy");
    let time = begun.elapsed();
    println!("healthy after {time:.1?}");
    assert!(time < START_MAX, "{time:?}");
    started.client().insert();
    engine.good(&format!("stop --time 20 {}", started.name));
    assert_eq!(engine.inspect(&started.name, "{{.State.ExitCode}}"), "0");
    // The same container again, and again after a kill.
    engine.good(&format!("start {}", started.name));
    started.client().insert();
    engine.good(&format!("kill {}", started.name));
    assert_eq!(engine.inspect(&started.name, "{{.State.ExitCode}}"), "137");
    engine.good(&format!("start {}", started.name));
    assert_eq!(started.client().get("/collections/c").expect(200)["count"], 2);
}

/// Not root, no capability, and nothing is written but to the volumes.
#[test]
fn a_container_keeps_to_its_volumes() {
    let Some(engine) = Engine::get() else { return };
    let started = Started::new(&engine, "");
    started.events.lines.expect("health_status: healthy");
    let client = started.client();
    client.insert();
    client.ask("POST", "/admin/checkpoint", "").expect(200);
    assert_eq!(engine.good(&format!("diff {}", started.name)), "", "all is in the volumes");
    let top = engine.good(&format!("top {} -o pid,uid,args", started.name));
    let uids: Vec<&str> =
        top.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!(uids, ["10001"], "{top}");
    assert_eq!(engine.inspect(&started.name, "{{.Config.User}}"), "10001:10001");
}

#[test]
fn a_server_with_tls_is_healthy() {
    let Some(engine) = Engine::get() else { return };
    let certificates = format!("{}/tests/http/certificates", env!("CARGO_MANIFEST_DIR"));
    let started = Started::new(
        &engine,
        &format!(
            "--volume {certificates}:/tls:ro --env MONSTERDB_TLS_CERT=/tls/one.pem \
             --env MONSTERDB_TLS_KEY=/tls/one.key.pem"
        ),
    );
    started.events.lines.expect("health_status: healthy");
    assert!(started.client().try_ask("GET", "/health", "").is_err(), "it speaks TLS alone");
}

/// A server that does not answer is found: here one that another process holds still.
#[test]
fn a_server_that_hangs_is_unhealthy() {
    let Some(engine) = Engine::get() else { return };
    let quick = "--health-interval 1s --health-timeout 1s --health-retries 2";
    let started = Started::new(&engine, quick);
    started.events.lines.expect("health_status: healthy");
    let process = engine.inspect(&started.name, "{{.State.Pid}}");
    let signal = |name: &str| Command::new("kill").args([name, &process]).status().unwrap();
    if !signal("-STOP").success() {
        skipped("the check of a server that hangs, since its process is another user's");
        return;
    }
    started.events.lines.expect("health_status: unhealthy");
    assert!(signal("-CONT").success());
    let again = |line: &str| (line == "health_status: healthy").then_some(());
    let count = || started.events.lines.all().iter().filter_map(|line| again(line)).count();
    let until = Instant::now() + Duration::from_secs(30);
    while count() < 2 {
        assert!(Instant::now() < until, "{:?}", started.events.lines.all());
        started.client().get("/health").expect(200);
    }
}

/// `down` and `up` make other containers of the same volumes.
#[test]
fn a_project_keeps_its_data() {
    let Some(engine) = Engine::get() else { return };
    let mut project = Project::new(&engine, "");
    let settings = [("MONSTERDB_ADMIN_KEY", KEY), ("MONSTERDB_RATE_LIMIT", "9/s")];
    project.environment.extend(settings.map(|(name, value)| (name, value.to_owned())));
    let client = project.up();
    client.insert();
    let policy = client.get("/collections").header("ratelimit-policy").to_owned();
    assert_eq!(policy, r#""default";q=9;w=1"#, "what the shell sets is handed on");
    let first = project.container();
    project.good("down");
    let client = project.up();
    assert_ne!(project.container(), first);
    client.insert();
    assert_eq!(client.get("/collections/c").expect(200)["count"], 2);
    engine.good(&format!("kill {}", project.container()));
    let client = project.up();
    assert_eq!(client.get("/collections/c").expect(200)["count"], 2);
    project.good("stop");
    assert_eq!(engine.inspect(&project.container(), "{{.State.ExitCode}}"), "0");
    let archive = format!("{}_archive:/archive", project.name);
    let list = format!("run --rm --entrypoint ls --volume {archive} {} -R /archive", engine.image);
    assert!(engine.good(&list).contains(".ndjson"), "the log is archived");
}

/// The limits of the compose file are those of the kernel, and the server knows them.
#[test]
fn a_project_has_limits() {
    let Some(engine) = Engine::get() else { return };
    let mut project = Project::new(&engine, "");
    let settings =
        [("MONSTERDB_ADMIN_KEY", KEY), ("MONSTERDB_RATE_LIMIT", "off"), ("MEMORY", "256m")];
    project.environment.extend(settings.map(|(name, value)| (name, value.to_owned())));
    project.environment.push(("CPUS", "0.5".to_owned()));
    let client = project.up();
    let container = project.container();
    for (what, value) in [
        ("{{.HostConfig.Memory}}", (256 << 20).to_string()),
        ("{{.HostConfig.NanoCpus}}", "500000000".to_owned()),
        ("{{.HostConfig.PidsLimit}}", "2048".to_owned()),
        ("{{.HostConfig.ReadonlyRootfs}}", "true".to_owned()),
        ("{{.HostConfig.CapDrop}}", "[ALL]".to_owned()),
        ("{{.HostConfig.SecurityOpt}}", "[no-new-privileges:true]".to_owned()),
    ] {
        assert_eq!(engine.inspect(&container, what), value, "{what}");
    }
    // Three quarters of the group's memory; more is refused by the server, not by the kernel.
    assert_eq!(client.stats()["memory_limit"], 192 << 20);
    let text = format!(r#"{{"text":"{}"}}"#, "x".repeat(4 << 20));
    let full = (0..100).map(|_| client.ask("POST", "/collections/c/documents", &text).status);
    assert_eq!(full.into_iter().find(|status| *status != 201), Some(507));
    client.get("/health/ready").expect(200);
    assert_eq!(engine.inspect(&container, "{{.State.OOMKilled}}"), "false");
    assert_eq!(engine.inspect(&container, "{{.RestartCount}}"), "0");
}

#[test]
fn a_project_takes_its_key_and_its_certificate_from_files() {
    let Some(engine) = Engine::get() else { return };
    let folder = tempfile::tempdir().unwrap();
    let certificates = format!("{}/tests/http/certificates", env!("CARGO_MANIFEST_DIR"));
    let tls = folder.path().join("tls");
    std::fs::create_dir(&tls).unwrap();
    for (from, to) in [("one.pem", "tls.crt"), ("one.key.pem", "tls.key")] {
        std::fs::copy(format!("{certificates}/{from}"), tls.join(to)).unwrap();
    }
    let key = folder.path().join("admin.key");
    std::fs::write(&key, "a key that is a secret\n").unwrap();
    let mut project = Project::new(&engine, "--file docker/secret.yml");
    project.environment.push(("ADMIN_KEY_FILE", key.to_str().unwrap().to_owned()));
    let client = project.up().with_key("a key that is a secret");
    client.get("/admin/stats").expect(200);
    let mut project = Project::new(&engine, "--file docker/tls.yml");
    project.environment.push(("TLS_FOLDER", tls.to_str().unwrap().to_owned()));
    assert!(project.up().try_ask("GET", "/health", "").is_err(), "it speaks TLS alone");
}
