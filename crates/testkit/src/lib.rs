//! Test harness, actors and the one integration-test binary.
