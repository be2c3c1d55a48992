//! The steps of the page on deployment that need a container engine, run as they stand there.

use std::{net::TcpListener, process::Command};

use crate::{dockerfile::read, engine::Engine, host::good, skipped::skipped};

const PAGE: &str = "docs/deployment.md";

/// What the blocks are marked with that are run here.
const MARK: &str = "sh not-run: it needs a container engine, and docker/test runs it";

/// What the steps make. It must not be there before, lest it be somebody's.
const MADE: &str = "monsterdb";

/// All steps in one shell, in a copy of the repository; and each line of output that the page shows
/// comes, in that order.
#[test]
fn the_steps_of_the_page_on_deployment_run() {
    let Some(engine) = Engine::get() else { return };
    let names =
        engine.good("ps --all --format {{.Names}}") + "\n" + &engine.good("volume ls --quiet");
    if names.lines().any(|name| name.starts_with(MADE) && !name.starts_with("monsterdb-test")) {
        skipped("the steps of docs/deployment.md, since this engine has a monsterdb already");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let copy =
        "tar --exclude=./target --exclude=./.git --create . | tar --directory \"$0\" --extract";
    let mut copying = Command::new("bash");
    let copying = copying.args(["-c", copy]).arg(folder.path());
    assert!(copying.current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap().success());
    let (steps, shown) = blocks(&read(PAGE), MARK);
    assert!(steps.len() > 8, "{PAGE} has steps");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let script = format!("{}\n", steps.concat())
        .replace("docker build ", &format!("docker build {}", build_arguments()))
        .replace("docker compose ", &format!("{} ", compose()))
        .replace("127.0.0.1:7117", &format!("127.0.0.1:{port}"));
    let mut shell = Command::new("bash");
    shell.args(["-euc", &script]).current_dir(folder.path());
    let output = shell.env("PUBLISH", format!("127.0.0.1:{port}")).output();
    remove_what_is_left();
    let told = good(&output.unwrap());
    let mut lines = told.lines();
    for line in shown {
        assert!(lines.any(|found| found.contains(&line)), "{line:?} does not come:\n{told}");
    }
}

/// What is there when a step has failed.
fn remove_what_is_left() {
    let ours = format!("grep '^{MADE}' | grep -v '^monsterdb-test' | xargs --no-run-if-empty");
    let script = format!(
        "docker ps --all --format '{{{{.Names}}}}' | {ours} docker rm --force --volumes
         docker volume ls --quiet | {ours} docker volume rm
         docker network ls --format '{{{{.Name}}}}' | {ours} docker network rm"
    );
    let _ = Command::new("bash").args(["-c", &script]).output();
}

/// The steps with this mark, and the lines of the output that is shown behind them.
pub(crate) fn blocks(text: &str, mark: &str) -> (Vec<String>, Vec<String>) {
    let (mut steps, mut shown) = (Vec::new(), Vec::new());
    let mut parts = text.split("\n```");
    parts.next();
    let mut follows = false;
    // What is in a block, what is behind it, and so on.
    while let Some(block) = parts.next() {
        let (kind, text) = block.split_once('\n').unwrap_or((block, ""));
        match kind {
            _ if kind == mark => steps.push(format!("{text}\n")),
            "text" if follows => shown.extend(text.lines().map(str::to_owned)),
            _ => {}
        }
        follows = kind == mark && parts.next().is_some_and(|between| between.trim().is_empty());
    }
    (steps, shown)
}

/// Those that `docker/test` builds the image with.
fn build_arguments() -> String {
    let given = ["BUILD_IMAGE", "RUNTIME_IMAGE"].map(|name| (name, std::env::var(name)));
    let given = given.into_iter().filter_map(|(name, value)| Some((name, value.ok()?)));
    given.map(|(name, value)| format!("--build-arg {name}={value} ")).collect()
}

fn compose() -> String {
    std::env::var("MONSTERDB_TEST_COMPOSE").unwrap_or_else(|_| "docker compose".to_owned())
}

#[test]
fn steps_and_what_they_show_are_told_apart() {
    let text = format!(
        "a\n\n```{MARK}\none\n```\n\n```text\nshown\n```\n\nb\n\n```text\nnot\n```\n\n```sh tour\nno\n```\n"
    );
    assert_eq!(blocks(&text, MARK), (vec!["one\n".to_owned()], vec!["shown".to_owned()]));
}
