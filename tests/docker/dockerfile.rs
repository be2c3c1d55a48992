//! The Dockerfile as text: what an image must not lack, for whoever cannot build one.

use std::{collections::BTreeSet, fs, path::Path};

use crate::{environment::variables, host::environment, plain::Plain};

/// One instruction, its continued lines put together.
#[derive(Debug)]
struct Instruction {
    name: String,
    rest: String,
}

/// What is between one FROM and the next.
struct Stage {
    from: String,
    instructions: Vec<Instruction>,
}

pub(crate) fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_image_is_built_as_it_should_be() {
    assert_eq!(problems(&read("docker/Dockerfile")), [""; 0]);
}

/// Each of these would go unnoticed until somebody runs the image.
#[test]
fn what_an_image_lacks_is_found() {
    let good = read("docker/Dockerfile");
    for (from, to, problem) in [
        ("USER 10001:10001", "USER 0:0", "it runs as root"),
        ("USER 10001:10001\n", "", "it runs as root"),
        ("USER 10001:10001", "USER monsterdb", "its user is no number"),
        ("rust:1.95-bookworm", "rust:latest", "BUILD_IMAGE is not one version"),
        ("debian:bookworm-slim", "debian", "RUNTIME_IMAGE is not one version"),
        ("FROM ${RUNTIME_IMAGE}", "FROM debian:bookworm-slim", "a base is no argument"),
        ("\"monsterdb\", \"health\"", "\"true\"", "its health is not asked for"),
        (" --locked", "", "a build takes other dependencies than those of Cargo.lock"),
        ("MONSTERDB_LISTEN=", "MONSTERDB_LSITEN=", "MONSTERDB_LSITEN is no setting"),
        ("0.0.0.0:7117", "127.0.0.1:7117", "it does not listen on every address"),
        ("EXPOSE 7117", "EXPOSE 80", "its port is not exposed"),
        ("\"/data\", ", "", "the data is in no volume"),
        ("COPY benches/Cargo.toml benches/\n", "", "benches/Cargo.toml is not copied"),
        ("version=\"0.1.0\"", "version=\"0.0.1\"", "its version is not that of the program"),
        ("RUN touch", "RUN --mount=type=cache touch", "it takes BuildKit"),
        ("--chown=10001:10001 ", "", "its folders are root's"),
    ] {
        let bad = good.replacen(from, to, if from == " --locked" { 1 } else { 9 });
        assert_ne!(bad, good, "{from}");
        assert!(problems(&bad).iter().any(|found| found == problem), "{to}: {:?}", problems(&bad));
    }
}

/// What is copied has to be among what the engine is given.
#[test]
fn what_the_image_is_built_from_is_given() {
    let given = read(".dockerignore");
    let given: BTreeSet<&str> = given.lines().filter_map(|line| line.strip_prefix('!')).collect();
    let copied: BTreeSet<String> = stages(&read("docker/Dockerfile"))
        .iter()
        .flat_map(|stage| &stage.instructions)
        .filter(|one| one.name == "COPY" && !one.rest.contains("--from"))
        .flat_map(|one| {
            let words: Vec<&str> = one.rest.split_whitespace().collect();
            words[..words.len() - 1].iter().map(|&word| word.to_owned()).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(copied.iter().map(String::as_str).collect::<BTreeSet<_>>(), given);
    for name in given {
        assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(name).exists(), "there is no {name}");
    }
}

/// What the sources take in from outside of their folder is copied too, or they would not compile.
#[test]
fn what_the_sources_take_in_is_copied() {
    let library = read("src/lib.rs");
    let taken = library.split("include_str!(\"../").skip(1);
    let taken: Vec<&str> = taken.filter_map(|rest| rest.split('"').next()).collect();
    assert!(taken.contains(&"README.md"), "{taken:?}");
    let copied = stages(&read("docker/Dockerfile")).remove(1).instructions;
    for name in taken {
        let is_copied = |one: &Instruction| one.rest.split_whitespace().any(|word| word == name);
        assert!(copied.iter().any(|one| one.name == "COPY" && is_copied(one)), "{name}");
    }
}

fn problems(text: &str) -> Vec<String> {
    let stages = stages(text);
    let mut found = of_bases(text, &stages);
    if stages.len() < 3 {
        found.push("it takes its tools along, or builds the dependencies each time".to_owned());
        return found;
    }
    if text.contains("--mount") || text.contains("<<") {
        found.push("it takes BuildKit".to_owned());
    }
    let builds = text.matches("cargo build").count();
    if builds < 2 || text.matches("--locked").count() != builds {
        let problem = "a build takes other dependencies than those of Cargo.lock";
        found.push(problem.to_owned());
    }
    found.extend(of_dependencies(&stages[0]));
    found.extend(of_the_last(stages.last().unwrap()));
    found
}

/// Every base is an argument whose default is one version of an image, or an earlier stage.
fn of_bases(text: &str, stages: &[Stage]) -> Vec<String> {
    let before = text.split("\nFROM ").next().unwrap();
    let arguments = before.lines().filter_map(|line| line.strip_prefix("ARG ")?.split_once('='));
    let mut found = Vec::new();
    let mut known = BTreeSet::new();
    for (name, default) in arguments {
        known.insert(format!("${{{name}}}"));
        let tag = default.rsplit_once(':').map(|(_, tag)| tag);
        if matches!(tag, None | Some("latest" | "stable" | "1")) {
            found.push(format!("{name} is not one version"));
        }
    }
    for stage in stages {
        let (base, name) = stage.from.split_once(" AS ").unwrap_or((&stage.from, ""));
        if !known.contains(base) {
            found.push("a base is no argument".to_owned());
        }
        known.insert(name.to_owned());
    }
    found
}

/// Every manifest of the workspace, and none of its sources.
fn of_dependencies(stage: &Stage) -> Vec<String> {
    let manifest = read("Cargo.toml");
    let members = manifest.split("members = [").nth(1).unwrap().split(']').next().unwrap();
    let members = members.split(',').map(|member| member.trim().trim_matches('"'));
    let members = members.map(|member| format!("{member}/Cargo.toml").replace("./", ""));
    let copies = |name: &str| {
        let mut copies = stage.instructions.iter().filter(|one| one.name == "COPY");
        copies.any(|one| one.rest.split_whitespace().any(|word| word == name))
    };
    let mut found: Vec<String> = members
        .chain(["Cargo.lock".to_owned()])
        .filter(|name| !copies(name))
        .map(|name| format!("{name} is not copied"))
        .collect();
    if copies("src") {
        found.push("every change of a source builds the dependencies again".to_owned());
    }
    found
}

fn of_the_last(stage: &Stage) -> Vec<String> {
    let find = |name: &str| stage.instructions.iter().rfind(|one| one.name == name);
    let rest = |name: &str| find(name).map_or("", |one| &one.rest);
    let mut found = Vec::new();
    let mut expect = |is_so: bool, problem: &str| {
        if !is_so {
            found.push(problem.to_owned());
        }
    };
    let user = rest("USER").split(':').next().unwrap();
    expect(!["", "0", "root"].contains(&user), "it runs as root");
    expect(user.is_empty() || user.parse::<u32>().is_ok(), "its user is no number");
    let chown = format!("--chown={} ", rest("USER"));
    let mut copies = stage.instructions.iter().filter(|one| one.name == "COPY");
    expect(copies.any(|one| one.rest.contains(&chown)), "its folders are root's");
    let health = rest("HEALTHCHECK").split_once("CMD ").map(|(_, command)| command);
    expect(health == Some(r#"["monsterdb", "health"]"#), "its health is not asked for");
    expect(rest("STOPSIGNAL") == "SIGTERM", "it is not stopped by SIGTERM");
    expect(rest("EXPOSE") == "7117", "its port is not exposed");
    expect(rest("VOLUME").contains("\"/data\""), "the data is in no volume");
    expect(rest("ENTRYPOINT") == r#"["monsterdb"]"#, "it is not the program");
    expect(rest("CMD") == r#"["serve"]"#, "it does not serve");
    let version = format!("image.version=\"{}\"", env!("CARGO_PKG_VERSION"));
    expect(rest("LABEL").contains(&version), "its version is not that of the program");
    expect(stage.instructions.iter().all(|one| one.name != "RUN"), "its base needs a shell");
    let pairs: Vec<(&str, &str)> =
        rest("ENV").split_whitespace().filter_map(|pair| pair.split_once('=')).collect();
    let settings = variables();
    for (name, _) in &pairs {
        expect(settings.contains(*name), &format!("{name} is no setting"));
    }
    expect(pairs.contains(&("MONSTERDB_DATA", "/data")), "the data is in no volume");
    let listens = pairs.contains(&("MONSTERDB_LISTEN", "0.0.0.0:7117"));
    expect(listens, "it does not listen on every address");
    found
}

fn stages(text: &str) -> Vec<Stage> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let joined = lines.collect::<Vec<_>>().join("\n").replace("\\\n", " ");
    let mut stages: Vec<Stage> = Vec::new();
    for line in joined.lines().filter(|line| !line.trim().is_empty()) {
        let (name, rest) = line.split_once(' ').unwrap();
        let rest = rest.split_whitespace().collect::<Vec<_>>().join(" ");
        match stages.last_mut() {
            _ if name == "FROM" => stages.push(Stage { from: rest, instructions: Vec::new() }),
            Some(stage) => stage.instructions.push(Instruction { name: name.to_owned(), rest }),
            // Arguments of the bases.
            None => {}
        }
    }
    stages
}

/// The image's variables are understood by the program, and what they say is so.
#[test]
fn the_variables_of_the_image_are_understood() {
    let stages = stages(&read("docker/Dockerfile"));
    let last = stages.last().unwrap().instructions.iter().filter(|one| one.name == "ENV");
    let pairs = last.flat_map(|one| one.rest.split_whitespace().map(str::to_owned));
    let pairs: Vec<String> = pairs.collect();
    let pairs: Vec<(&str, &str)> = pairs.iter().filter_map(|pair| pair.split_once('=')).collect();
    let shown = crate::environment::configuration(&Plain::new(), &environment(&pairs));
    for (name, value) in pairs {
        assert_eq!(
            (&shown[name]["value"], &shown[name]["source"]),
            (&value.into(), &"environment".into())
        );
    }
}
