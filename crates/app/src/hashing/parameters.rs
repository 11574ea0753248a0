//! How expensive a password hash is.

use argon2::Params;
use thiserror::Error;

/// Cost of one Argon2id hash (RFC 9106).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashParameters {
    memory_kib: u32,
    iterations: u32,
    parallelism: u32,
}

/// A setting outside of what is possible or safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{setting} must be at least {least} and at most {most}")]
pub struct HashParametersError {
    /// The name of the setting.
    pub setting: &'static str,
    /// Its smallest value.
    pub least: u32,
    /// Its greatest value.
    pub most: u32,
}

const MEMORY: &str = "password.hash_memory_kib";
const ITERATIONS: &str = "password.hash_iterations";
const PARALLELISM: &str = "password.hash_parallelism";

impl HashParameters {
    /// 19 MiB, two passes, one lane: the least that is safe (OWASP Password Storage Cheat Sheet) and the default.
    pub const DEFAULT: Self = Self { memory_kib: 19 * 1024, iterations: 2, parallelism: 1 };
    /// 1 GiB, 32 passes, 16 lanes: more is a mistake, in the configuration or in a stored hash.
    pub const CEILING: Self = Self { memory_kib: 1024 * 1024, iterations: 32, parallelism: 16 };

    /// Any parameters that can be computed, however weak: configuration adds [`check_floor`](Self::check_floor), tests
    /// do not (8 KiB, one pass, one lane is the least).
    pub const fn new(memory_kib: u32, iterations: u32, parallelism: u32) -> Result<Self, HashParametersError> {
        if let Err(error) = check(PARALLELISM, parallelism, 1, Self::CEILING.parallelism) {
            return Err(error);
        }
        if let Err(error) = check(ITERATIONS, iterations, 1, Self::CEILING.iterations) {
            return Err(error);
        }
        // RFC 9106 section 3.1: at least eight blocks a lane.
        if let Err(error) = check(MEMORY, memory_kib, 8 * parallelism, Self::CEILING.memory_kib) {
            return Err(error);
        }
        Ok(Self { memory_kib, iterations, parallelism })
    }

    /// Refuses parameters weaker than [`DEFAULT`](Self::DEFAULT), naming the setting. For start-up.
    pub const fn check_floor(&self) -> Result<(), HashParametersError> {
        if let Err(error) = check(MEMORY, self.memory_kib, Self::DEFAULT.memory_kib, Self::CEILING.memory_kib) {
            return Err(error);
        }
        check(ITERATIONS, self.iterations, Self::DEFAULT.iterations, Self::CEILING.iterations)
    }

    /// Memory that one hash fills, in bytes.
    pub const fn memory_bytes(&self) -> u64 {
        self.memory_kib as u64 * 1024
    }

    /// Blocks of 1 KiB that one hash computes: what its time is proportional to.
    pub(super) const fn blocks(&self) -> u64 {
        self.memory_kib as u64 * self.iterations as u64
    }

    /// Parameters that compute about `blocks` blocks in at most as much memory; none when that is next to nothing.
    pub(super) fn filling(&self, blocks: u64) -> Option<Self> {
        let iterations = u32::try_from(blocks.div_ceil(u64::from(self.memory_kib))).ok()?;
        let memory_kib = u32::try_from(blocks.checked_div(u64::from(iterations))?).ok()?;
        Self::new(memory_kib, iterations, 1).ok()
    }

    pub(super) fn to_argon2(self) -> Result<Params, argon2::Error> {
        Params::new(self.memory_kib, self.iterations, self.parallelism, None)
    }

    pub(super) fn from_argon2(params: &Params) -> Result<Self, HashParametersError> {
        Self::new(params.m_cost(), params.t_cost(), params.p_cost())
    }
}

impl Default for HashParameters {
    fn default() -> Self {
        Self::DEFAULT
    }
}

const fn check(setting: &'static str, value: u32, least: u32, most: u32) -> Result<(), HashParametersError> {
    if least <= value && value <= most { Ok(()) } else { Err(HashParametersError { setting, least, most }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floor(memory_kib: u32, iterations: u32) -> Result<(), &'static str> {
        HashParameters::new(memory_kib, iterations, 1).unwrap().check_floor().map_err(|error| error.setting)
    }

    /// Proves: V11.4.2
    #[test]
    fn weaker_parameters_are_refused_by_name() {
        assert_eq!(HashParameters::DEFAULT.check_floor(), Ok(()));
        assert_eq!(floor(19_456, 2), Ok(()));
        assert_eq!(floor(65_536, 3), Ok(()));
        assert_eq!(floor(19_455, 2), Err("password.hash_memory_kib"));
        assert_eq!(floor(65_536, 1), Err("password.hash_iterations"));
        let message = HashParameters::new(8, 1, 1).unwrap().check_floor().unwrap_err().to_string();
        assert_eq!(message, "password.hash_memory_kib must be at least 19456 and at most 1048576");
    }

    #[test]
    fn impossible_parameters_cannot_be_made() {
        for (memory_kib, iterations, parallelism, setting) in [
            (7, 1, 1, MEMORY),
            (31, 1, 4, MEMORY),
            (u32::MAX, 1, 1, MEMORY),
            (8, 0, 1, ITERATIONS),
            (8, u32::MAX, 1, ITERATIONS),
            (8, 1, 0, PARALLELISM),
            (8, 1, u32::MAX, PARALLELISM),
        ] {
            let error = HashParameters::new(memory_kib, iterations, parallelism).unwrap_err();
            assert_eq!(error.setting, setting);
        }
    }

    #[test]
    fn filling_comes_close_without_more_memory() {
        for blocks in [8, 9, 1_000, 19_456, 19_457, 30_000, 38_911, 100_000] {
            let filling = HashParameters::DEFAULT.filling(blocks).unwrap();
            assert!(filling.memory_kib <= HashParameters::DEFAULT.memory_kib);
            assert!(filling.blocks() <= blocks && blocks - filling.blocks() <= 8, "{blocks}");
        }
        assert_eq!(HashParameters::DEFAULT.filling(0), None);
        assert_eq!(HashParameters::DEFAULT.filling(7), None);
    }
}
