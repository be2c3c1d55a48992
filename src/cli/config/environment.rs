//! The environment: which of its variables are meant for MonsterDB, and whether each is a setting.

use clap::error::ErrorKind;

use super::{
    super::Failure,
    Refusal,
    settings::{PREFIX, Setting, nearest},
};

/// Variables that the tests of MonsterDB use, and the programs that they start inherit.
const OF_TESTS: &str = "MONSTERDB_TEST_";

/// Refuses a variable that looks like a setting and is none: it was meant to have an effect.
///
/// # Errors
///
/// [`Failure::Setting`] with the variable, and the nearest that there is.
pub(super) fn check(
    names: impl Iterator<Item = String>,
    settings: &[Setting],
) -> Result<(), Failure> {
    let known = || settings.iter().map(Setting::variable);
    for name in names {
        let Some(rest) = name.strip_prefix(PREFIX) else { continue };
        let is_known = known().any(|variable| variable == name);
        if is_known || name.starts_with(OF_TESTS) || is_of_an_orchestrator(rest) {
            continue;
        }
        let reason = match nearest(&name, known()) {
            Some(near) => format!("it is no setting; did you mean {near}?"),
            None => "it is no setting".to_owned(),
        };
        return Err(Failure::Setting { place: format!("environment variable {name}"), reason });
    }
    Ok(())
}

/// Lays a value that does not fit to the variable that it came from: the argument parser names the
/// flag, which nobody may have given.
pub(super) fn blame(error: clap::Error, settings: &[Setting]) -> Refusal {
    if !matches!(error.kind(), ErrorKind::InvalidValue | ErrorKind::ValueValidation) {
        return error.into();
    }
    let wrong = settings.iter().find_map(|setting| {
        let name = setting.variable();
        let reason = setting.check(&[std::env::var(name).ok()?]).err()?;
        Some(Failure::Setting { place: format!("environment variable {name}"), reason })
    });
    wrong.map_or_else(|| error.into(), Refusal::from)
}

/// Kubernetes, and Docker with links, tell every container where the service called `monsterdb`
/// is, in variables such as `MONSTERDB_SERVICE_HOST` and `MONSTERDB_PORT_7117_TCP_ADDR`. Nobody
/// wrote them, so nobody can correct them.
fn is_of_an_orchestrator(rest: &str) -> bool {
    let is_port = |(before, after): (&str, &str)| {
        let begins = before.is_empty() || before.ends_with('_');
        begins && (after.is_empty() || after.starts_with('_'))
    };
    rest.contains("SERVICE_HOST")
        || rest.contains("SERVICE_PORT")
        || rest.split_once("PORT").is_some_and(is_port)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    fn refused(name: &str) -> Option<String> {
        let names = [name, "PATH", "MONSTERDB_LISTEN"].map(str::to_owned).into_iter();
        check(names, &Setting::all()).err().map(|failure| failure.to_string())
    }

    #[test]
    fn a_slip_in_a_name_is_told() {
        let told = refused("MONSTERDB_RATELIMIT").unwrap();
        assert_eq!(
            told,
            "environment variable MONSTERDB_RATELIMIT: it is no setting; did you mean \
             MONSTERDB_RATE_LIMIT?"
        );
        assert!(refused("MONSTERDB_FROBNICATE").unwrap().ends_with("it is no setting"));
        assert!(refused("MONSTERDB_EXPORTS").is_some() && refused("MONSTERDB_").is_some());
    }

    #[test]
    fn what_is_not_meant_for_us_is_let_be() {
        for name in [
            "MONSTERDB",
            "MONSTERDBS_LISTNE",
            "MONSTERDB_LISTEN",
            "MONSTERDB_TEST_DEPTH",
            "MONSTERDB_SERVICE_HOST",
            "MONSTERDB_SERVICE_PORT_HTTP",
            "MONSTERDB_PORT",
            "MONSTERDB_PORT_7117_TCP_ADDR",
            "MONSTERDB_ADMIN_SERVICE_HOST",
            "MONSTERDB_ADMIN_PORT_7117_TCP",
        ] {
            assert_eq!(refused(name), None, "{name}");
        }
    }
}
