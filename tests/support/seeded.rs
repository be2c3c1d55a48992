//! Runs of random cases that print the seed they come from and can be repeated from it.

use std::env;

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// A runner whose cases come from the seed in a variable (64 hexadecimal digits), or from a new
/// one; with it that seed, as it is to be given.
pub(crate) fn seeded(variable: &str, config: Config) -> (TestRunner, String) {
    let seed = env::var(variable).map_or_else(|_| random_seed(), |seed| read_seed(&seed));
    let digits: String = seed.iter().map(|byte| format!("{byte:02x}")).collect();
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    (TestRunner::new_with_rng(config, rng), format!("{variable}={digits}"))
}

fn random_seed() -> [u8; 32] {
    let halves = [uuid::Uuid::now_v7(), uuid::Uuid::now_v7()];
    std::array::from_fn(|at| halves[at / 16].as_bytes()[at % 16])
}

fn read_seed(text: &str) -> [u8; 32] {
    let byte = |index: usize| u8::from_str_radix(&text[2 * index..2 * index + 2], 16);
    std::array::from_fn(|index| byte(index).expect("a seed is 64 hexadecimal digits"))
}
