//! The properties of the specification, each a proptest of the same number.

mod p02;
mod p03;
mod p04;
mod p16;
mod p17;
mod p18;
