//! The program in a container of the image, its data in a volume that outlives each container.

use std::{
    collections::BTreeMap,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    process::{Child, Output, Stdio},
};

use tempfile::TempDir;

use crate::{
    engine::Engine,
    host::{Ended, Environment, Host, Served},
    lines::Lines,
    plain::{address, files},
};

/// A volume for the data, and two folders of this machine that containers have as `/given` and `/out`.
pub(crate) struct Container<'a> {
    engine: &'a Engine,
    volume: String,
    folder: TempDir,
}

struct Running<'a> {
    engine: &'a Engine,
    name: String,
    /// Follows what the container prints.
    follower: Child,
    lines: Option<Lines>,
    port: String,
}

impl<'a> Container<'a> {
    pub(crate) fn new(engine: &'a Engine) -> Container<'a> {
        let folder = tempfile::tempdir().unwrap();
        for name in ["given", "out"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        // The user within is none of this machine.
        fs::set_permissions(folder.path().join("out"), Permissions::from_mode(0o777)).unwrap();
        let volume = engine.name();
        engine.good(&format!("volume create {volume}"));
        Container { engine, volume, folder }
    }

    /// Arguments of `run`, as a careful person gives them.
    fn arguments(&self, environment: &Environment) -> Vec<String> {
        let folder = self.folder.path().to_str().unwrap();
        let mut arguments: Vec<String> = [
            "--read-only",
            "--cap-drop=ALL",
            "--security-opt=no-new-privileges",
            "--publish=127.0.0.1::7117",
            "--publish=127.0.0.1::7200",
        ]
        .map(str::to_owned)
        .into();
        arguments.push(format!("--volume={}:/data", self.volume));
        arguments.push(format!("--volume={folder}/given:/given:ro"));
        arguments.push(format!("--volume={folder}/out:/out"));
        let given = environment.iter();
        arguments.extend(given.map(|(name, value)| format!("--env={name}={}", self.named(value))));
        arguments
    }
}

impl Host for Container<'_> {
    fn named(&self, text: &str) -> String {
        let text = text.replace("{given}", "/given").replace("{out}", "/out");
        text.replace("{listen}", "0.0.0.0:7200").replace("{loopback}", "127.0.0.1:7117")
    }

    fn give(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join("given").join(name), text).unwrap();
    }

    fn made(&self) -> BTreeMap<String, u64> {
        files(&self.folder.path().join("out"))
    }

    fn run(&self, environment: &Environment, arguments: &[&str]) -> Output {
        let options = self.arguments(environment);
        let options = options.iter().map(String::as_str);
        let command = ["run", "--rm"].into_iter().chain(options).chain([&*self.engine.image]);
        self.engine.run(command.chain(arguments.iter().copied()))
    }

    fn serve(&self, environment: &Environment) -> Box<dyn Served + '_> {
        let name = self.engine.name();
        let options = self.arguments(environment);
        let options = options.iter().map(String::as_str);
        let command = ["run", "--detach", "--name", &name].into_iter().chain(options);
        let started = self.engine.run(command.chain([&*self.engine.image]));
        assert!(started.status.success(), "{started:?}");
        let mut follower = self.engine.command(["logs", "--follow", &name]);
        let follower = follower.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut follower = follower.spawn().unwrap();
        let (out, err) = (follower.stdout.take().unwrap(), follower.stderr.take().unwrap());
        let lines = Lines::of(vec![Box::new(out), Box::new(err)]);
        let address = lines.find(address);
        let address = address.unwrap_or_else(|| panic!("it does not listen: {:#?}", lines.all()));
        let port = address.rsplit(':').next().unwrap().to_owned();
        let engine = self.engine;
        Box::new(Running { engine, name, follower, lines: Some(lines), port })
    }
}

impl Served for Running<'_> {
    fn address(&self) -> String {
        self.engine.good(&format!("port {} {}/tcp", self.name, self.port))
    }

    fn address_beside(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn lines(&self) -> &Lines {
        self.lines.as_ref().unwrap()
    }

    fn beside(&self, arguments: &[&str]) -> Output {
        let command = ["exec", &self.name, "monsterdb"].into_iter();
        self.engine.run(command.chain(arguments.iter().copied()))
    }

    fn hang_up(&self) {
        self.engine.good(&format!("kill --signal HUP {}", self.name));
    }

    fn stop(mut self: Box<Self>) -> Ended {
        self.engine.good(&format!("stop --time 30 {}", self.name));
        let code = self.engine.inspect(&self.name, "{{.State.ExitCode}}").parse().unwrap();
        self.follower.wait().unwrap();
        Ended { code, lines: self.lines.take().unwrap().until_the_end() }
    }

    fn kill(self: Box<Self>) {
        self.engine.good(&format!("kill {}", self.name));
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.engine.run(["rm", "--force", "--volumes", &self.name]);
        let _ = self.follower.kill();
        let _ = self.follower.wait();
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        self.engine.run(["volume", "rm", "--force", &self.volume]);
    }
}
