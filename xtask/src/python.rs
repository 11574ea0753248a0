//! Virtual environments in the user's cache, each with exactly the pinned packages of a list.

use std::path::PathBuf;
use std::process::Command;

use crate::failure::{Context, Failure};
use crate::{repository, shell};

/// An environment.
pub(crate) struct Environment {
    /// Its folder in the cache.
    pub(crate) name: &'static str,
    /// The list of its packages, from the root of the repository.
    pub(crate) list: &'static str,
}

/// What the running server is asked with.
pub(crate) const SCHEMATHESIS: Environment = Environment { name: "schemathesis", list: "xtask/schemathesis.txt" };
/// Libraries that applications sign people in with.
pub(crate) const CLIENTS: Environment = Environment { name: "clients", list: "crates/testkit/browser/python.txt" };

/// The service in Python that the benchmarks compare with.
pub(crate) const PYJWT: Environment = Environment { name: "pyjwt", list: "bench/peers/pyjwt/python.txt" };

impl Environment {
    /// Installs the packages unless exactly these are there.
    pub(crate) fn install(&self) -> Result<(), Failure> {
        let (folder, list) = (self.folder()?, repository::root()?.join(self.list));
        let packages = std::fs::read_to_string(&list).context("reading which Python packages are wanted")?;
        // The environment keeps a copy of what it was made from.
        let installed = folder.join("installed.txt");
        if std::fs::read_to_string(&installed).is_ok_and(|there| there == packages) {
            println!("    Python packages of {} are up to date", self.name);
            return Ok(());
        }
        shell::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
        let mut install = Command::new(folder.join("bin/pip"));
        install.args(["install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:", "--no-deps"]);
        shell::run(install.arg("--requirement").arg(list))?;
        std::fs::write(installed, packages).context("noting which Python packages are installed")
    }

    /// A program of the environment.
    pub(crate) fn program(&self, name: &str) -> Result<PathBuf, Failure> {
        Ok(self.folder()?.join("bin").join(name))
    }

    /// Beneath `$XDG_CACHE_HOME/doorward`, by default `~/.cache/doorward`.
    fn folder(&self) -> Result<PathBuf, Failure> {
        let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let cache = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")));
        let cache =
            cache.ok_or_else(|| Failure::new("neither XDG_CACHE_HOME nor HOME names a folder for Python packages"))?;
        Ok(cache.join("doorward").join(self.name))
    }
}
