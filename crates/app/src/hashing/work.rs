//! One hash, computed where it is called: the work of a worker thread.

use argon2::password_hash::phc::{Output, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use aws_lc_rs::constant_time;
use doorward_model::password::Password;
use zeroize::Zeroize;

use super::{HashParameters, HashingError, Verdict};

/// A hash shorter than this (in bytes) can be found by trying.
const MIN_OUTPUT: usize = 16;
const OUTPUT: usize = Params::DEFAULT_OUTPUT_LEN;
const SALT: usize = argon2::RECOMMENDED_SALT_LEN;
/// For work whose result nobody sees.
const DUMMY_SALT: &[u8; SALT] = b"nobody's account";

/// How many blocks to reserve address space for: just above the 32 MiB up to which glibc may keep freed memory for
/// later (mallopt(3), `M_MMAP_THRESHOLD`). Above, an allocation is a mapping of its own, and freeing it returns it to
/// the system. Blocks that are never used are never resident.
const OWN_MAPPING: usize = 33 * 1024;

/// The memory that hashes are computed in, kept from one to the next. Zeroed when dropped.
#[derive(Default)]
pub(super) struct Memory {
    blocks: Vec<Block>,
    /// How many blocks were computed in it, for tests of equal cost.
    pub(super) computed: u64,
}

impl Memory {
    pub(super) fn is_held(&self) -> bool {
        !self.blocks.is_empty()
    }

    fn hold(&mut self, blocks: usize) -> Result<&mut [Block], HashingError> {
        if self.blocks.len() < blocks {
            self.release();
            // Without memory for it now, the caller may have more luck in a moment.
            self.blocks
                .try_reserve_exact(blocks.max(OWN_MAPPING))
                .map_err(|_| HashingError::TooBusy { retry_after_seconds: 1 })?;
            self.blocks.resize(blocks, Block::new());
        }
        Ok(&mut self.blocks)
    }

    /// Gives the memory back.
    pub(super) fn release(&mut self) {
        // Block by block: a `Vec` would also write to what was only reserved.
        for block in &mut self.blocks {
            block.zeroize();
        }
        self.blocks = Vec::new();
    }

    /// Gives the memory back when it is more than these parameters need: a stored hash with greater ones was verified.
    pub(super) fn release_beyond(&mut self, parameters: HashParameters) {
        if self.blocks.len() as u64 * Block::SIZE as u64 > parameters.memory_bytes() {
            self.release();
        }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.release();
    }
}

/// A hash in PHC form: `$argon2id$v=19$m=…,t=…,p=…$salt$hash`.
pub(super) fn hash(
    password: &Password,
    salt: [u8; SALT],
    parameters: HashParameters,
    memory: &mut Memory,
) -> Result<String, HashingError> {
    let params = parameters.to_argon2().map_err(|_| HashingError::Failed)?;
    let mut output = [0; OUTPUT];
    compute(&Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone()), password, &salt, &mut output, memory)?;
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: (&params).try_into().map_err(|_| HashingError::Failed)?,
        salt: Some(Salt::new(&salt).map_err(|_| HashingError::Failed)?),
        hash: Some(Output::new(&output).map_err(|_| HashingError::Failed)?),
    };
    Ok(hash.to_string())
}

/// Compares with a stored hash. Whatever is stored — nothing, something unreadable, a hash with cheaper parameters — it
/// computes as many blocks as a hash with `parameters`; only a hash with greater ones costs more.
pub(super) fn verify(
    password: &Password,
    stored: Option<&str>,
    parameters: HashParameters,
    memory: &mut Memory,
) -> Result<Verdict, HashingError> {
    let stored = stored.map(Stored::parse);
    let (verdict, blocks) = match &stored {
        Some(Some(stored)) => (stored.verify(password, parameters, memory), stored.parameters.blocks()),
        Some(None) => (Err(HashingError::UnreadableHash), 0),
        None => (Ok(Verdict { matches: false, needs_rehash: false }), 0),
    };
    if let Some(rest) = parameters.filling(parameters.blocks().saturating_sub(blocks)) {
        let params = rest.to_argon2().map_err(|_| HashingError::Failed)?;
        let mut output = [0; OUTPUT];
        compute(&Argon2::new(Algorithm::Argon2id, Version::V0x13, params), password, DUMMY_SALT, &mut output, memory)?;
        std::hint::black_box(&output);
    }
    verdict
}

fn compute(
    argon2: &Argon2<'_>,
    password: &Password,
    salt: &[u8],
    output: &mut [u8],
    memory: &mut Memory,
) -> Result<(), HashingError> {
    let params = argon2.params();
    let blocks = memory.hold(params.block_count())?;
    argon2
        .hash_password_into_with_memory(password.reveal().as_bytes(), salt, output, blocks)
        .map_err(|_| HashingError::Failed)?;
    memory.computed += u64::from(params.m_cost()) * u64::from(params.t_cost());
    Ok(())
}

/// A stored hash, read.
struct Stored {
    argon2: Argon2<'static>,
    parameters: HashParameters,
    is_current_form: bool,
    salt: Salt,
    output: Output,
}

impl Stored {
    /// None for what is not an Argon2 hash, or one with parameters beyond reason.
    fn parse(phc: &str) -> Option<Self> {
        let hash = PasswordHash::new(phc).ok()?;
        let algorithm = Algorithm::try_from(hash.algorithm.as_str()).ok()?;
        // Hashes without a version are of the first one.
        let version = hash.version.map_or(Ok(Version::V0x10), Version::try_from).ok()?;
        let params = Params::try_from(&hash).ok()?;
        let (salt, output) = (hash.salt?, hash.hash?);
        if output.len() < MIN_OUTPUT {
            return None;
        }
        Some(Self {
            parameters: HashParameters::from_argon2(&params).ok()?,
            is_current_form: algorithm == Algorithm::Argon2id
                && version == Version::V0x13
                && output.len() == OUTPUT
                && salt.len() >= SALT,
            argon2: Argon2::new(algorithm, version, params),
            salt,
            output,
        })
    }

    fn verify(
        &self,
        password: &Password,
        current: HashParameters,
        memory: &mut Memory,
    ) -> Result<Verdict, HashingError> {
        let mut computed = [0; Output::MAX_LENGTH];
        let computed = &mut computed[..self.output.len()];
        compute(&self.argon2, password, &self.salt, computed, memory)?;
        let matches = constant_time::verify_slices_are_equal(computed, self.output.as_bytes()).is_ok();
        computed.zeroize();
        Ok(Verdict { matches, needs_rehash: !self.is_current_form || self.parameters != current })
    }
}

#[cfg(test)]
mod tests;
