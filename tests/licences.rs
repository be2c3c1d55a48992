//! What the dependencies are allowed to be: their licences, their versions, their origin.
//!
//! `cargo tree` is asked and not `cargo metadata`, because it needs nothing but the packages that
//! this very build has used: it works in a fresh clone without a network.

use std::process::Command;

/// Licences that ask for no more than to be named; MPL-2.0 binds only its own files.
const ALLOWED: [&str; 14] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MPL-2.0",
    "MPL-2.0+",
    "Unicode-3.0",
    "Zlib",
];

/// Packages that are not taken below a version (`""`: not at all), and why.
const FORBIDDEN: [(&str, &str, &str); 5] = [
    ("h2", "0.4", "RUSTSEC-2026-0258 has no patch in 0.3: leave actix-web's http2 off"),
    ("actix-governor", "", "its licence is GPL-3.0"),
    ("im", "", "it is archived (RUSTSEC-2026-0248): take imbl"),
    ("imbl", "7.0.2", "earlier ones lose changes in OrdMap::diff"),
    ("arc-swap", "1.9.5", "earlier ones have uses after free"),
];

/// One package of the build.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Package {
    name: String,
    version: String,
    /// Where it is from, when not from the registry.
    origin: String,
    licence: String,
}

#[test]
fn every_dependency_has_a_licence_that_fits() {
    complain(packages().iter().filter(|package| !allows(&package.licence)), |package| {
        format!("its licence is {:?}: replace it", package.licence)
    });
}

#[test]
fn no_dependency_is_a_forbidden_one() {
    complain(packages().iter().filter(|package| reason_against(package).is_some()), |package| {
        reason_against(package).unwrap_or_default().to_owned()
    });
}

#[test]
fn every_dependency_comes_from_the_registry() {
    complain(packages().iter().filter(|package| !package.origin.is_empty()), |package| {
        format!("it comes from {}: take a published one", package.origin)
    });
}

#[test]
fn licence_expressions_are_understood() {
    for yes in [
        "MIT",
        "MIT OR GPL-3.0",
        "GPL-3.0-only OR MIT",
        "MIT/Apache-2.0",
        "Apache-2.0 / MIT",
        "Unlicense OR MIT",
        "(Apache-2.0 OR MIT) AND BSD-3-Clause",
        "(MIT OR Apache-2.0) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT",
        "MPL-2.0+",
    ] {
        assert!(allows(yes), "{yes}");
    }
    for no in [
        "",
        "GPL-3.0",
        "AGPL-3.0-or-later",
        "LGPL-2.1",
        "MIT AND GPL-3.0",
        "(MIT OR ISC) AND (GPL-2.0 OR LGPL-3.0)",
        "MIT AND (GPL-3.0",
        "GPL-3.0 WITH Classpath-exception-2.0",
    ] {
        assert!(!allows(no), "{no}");
    }
}

#[test]
fn forbidden_packages_and_origins_are_understood() {
    let package = |text| Package::parse(text).expect("it is a line of cargo tree");
    for bad in
        ["h2 v0.3.27|MIT", "im v15.1.0|MPL-2.0+", "imbl v7.0.1|MPL-2.0+", "arc-swap v1.9.4|MIT"]
    {
        assert!(reason_against(&package(bad)).is_some(), "{bad}");
    }
    for good in ["h2 v0.4.0|MIT", "imbl v7.0.2|MPL-2.0+", "arc-swap v1.10.0|MIT", "h2x v0.1.0|MIT"]
    {
        assert!(reason_against(&package(good)).is_none(), "{good}");
    }
    assert_eq!(package("a v1.0.0 (proc-macro)|MIT (*)").origin, "");
    assert_eq!(package("a v1.0.0 (proc-macro)|MIT (*)").licence, "MIT");
    assert_eq!(package("a v1.0.0 (https://host/a#1)|MIT").origin, "https://host/a#1");
}

/// All packages of the build but this one, whichever features are on.
fn packages() -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--all-features", "--prefix", "none"])
        .args(["--package", env!("CARGO_PKG_NAME")])
        .args(["--edges", "normal,build,dev", "--format", "{p}|{l}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo has built this test, so it can be run");
    let text = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    let mut found: Vec<Package> = text.lines().filter_map(Package::parse).collect();
    found.retain(|package| package.name != env!("CARGO_PKG_NAME"));
    found.sort_unstable();
    found.dedup();
    assert!(found.len() > 10, "cargo tree gave no dependencies: {text}");
    found
}

impl Package {
    /// From `name v1.2.3 (origin)|licence (*)`.
    fn parse(line: &str) -> Option<Package> {
        let (package, licence) = line.split_once('|')?;
        let mut words = package.splitn(3, ' ');
        let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
        // A star says that the package was listed before.
        let licence = licence.trim_end_matches("(*)").trim();
        let notes = words.next().unwrap_or_default().replace("(proc-macro)", "");
        Some(Package {
            name: name.to_owned(),
            version: version.to_owned(),
            origin: notes.trim().trim_matches(['(', ')']).to_owned(),
            licence: licence.to_owned(),
        })
    }
}

#[track_caller]
fn complain<'a>(bad: impl Iterator<Item = &'a Package>, why: impl Fn(&Package) -> String) {
    let lines: Vec<String> = bad
        .map(|package| format!("{} {}: {}", package.name, package.version, why(package)))
        .collect();
    assert!(lines.is_empty(), "\n{}\n", lines.join("\n"));
}

fn reason_against(package: &Package) -> Option<&'static str> {
    let (_, least, reason) = FORBIDDEN.iter().find(|(name, ..)| *name == package.name)?;
    (least.is_empty() || numbers(&package.version) < numbers(least)).then_some(reason)
}

fn numbers(version: &str) -> Vec<u64> {
    version.split(['.', '-', '+']).map_while(|part| part.parse().ok()).collect()
}

/// Whether an SPDX expression can be met by allowed licences. An `AND` binds closer than an `OR`.
fn allows(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    either(&mut words).is_some_and(|allowed| allowed && words.next().is_none())
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn either(words: &mut Words) -> Option<bool> {
    let mut allowed = both(words)?;
    while words.next_if_eq(&"OR").is_some() {
        allowed |= both(words)?;
    }
    Some(allowed)
}

fn both(words: &mut Words) -> Option<bool> {
    let mut allowed = one(words)?;
    while words.next_if_eq(&"AND").is_some() {
        allowed &= one(words)?;
    }
    Some(allowed)
}

fn one(words: &mut Words) -> Option<bool> {
    let first = words.next()?;
    if first == "(" {
        let allowed = either(words)?;
        return (words.next()? == ")").then_some(allowed);
    }
    let name = match words.next_if_eq(&"WITH") {
        Some(with) => format!("{first} {with} {}", words.next()?),
        None => first.to_owned(),
    };
    Some(ALLOWED.contains(&name.as_str()))
}
