//! The properties of the specification, each a proptest of the same number. Each fails when its
//! cases never met what it is about, and prints how often they did:
//!
//! ```text
//! cargo test --test properties -- --nocapture
//! ```

mod filtered;
#[path = "../support/generator.rs"]
mod generator;
#[path = "../support/indexed.rs"]
mod indexed;
#[path = "../support/met.rs"]
mod met;
mod order;
mod p01;
mod p02;
mod p03;
mod p04;
mod p05;
mod p06;
mod p07;
mod p08;
mod p09;
mod p10;
mod p11;
mod p12;
mod p13;
mod p14;
mod p15;
mod p16;
mod p17;
mod p18;
mod p19;
mod p20;
mod p21;
mod p22;
mod p23;
mod p24;
mod p25;
#[path = "../queries/reference.rs"]
mod reference;
mod support;
