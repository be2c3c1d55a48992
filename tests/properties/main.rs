//! The properties of the specification, each a proptest of the same number.

mod p02;
mod p03;
