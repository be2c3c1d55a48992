//! Models of the commit protocol; see the test files beside this one.
