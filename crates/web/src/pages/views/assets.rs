//! The files pages load, built into the binary. Their names hold a hash of their content, so that browsers may keep
//! them for ever.

use std::sync::LazyLock;

use doorward_model::secret::TokenHash;

/// A file that pages load.
pub struct Asset {
    /// Its content.
    pub bytes: &'static [u8],
    /// Its media type.
    pub media_type: &'static str,
    path: String,
}

impl Asset {
    fn new(name: &str, extension: &str, media_type: &'static str, bytes: &'static [u8]) -> Self {
        let hash = TokenHash::of(bytes);
        // The first six bytes tell any two versions of one file apart.
        let short = hash.as_bytes()[..6].iter().fold(0u64, |number, byte| (number << 8) | u64::from(*byte));
        Self { bytes, media_type, path: format!("/assets/{name}-{short:012x}.{extension}") }
    }

    /// The address it is served at.
    pub fn path(&self) -> &str {
        &self.path
    }
}

/// The one stylesheet.
pub static STYLESHEET: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("doorward", "css", "text/css; charset=utf-8", include_bytes!("../../../assets/doorward.css"))
});

/// The one script module; every page works without it.
pub static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("doorward", "js", "text/javascript; charset=utf-8", include_bytes!("../../../assets/doorward.js"))
});

/// The mark, as the browser's icon for the site.
pub static MARK: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("mark", "svg", "image/svg+xml", include_bytes!("../../../assets/mark.svg")));

/// The asset served at `path`, only under its full name.
pub fn find_asset(path: &str) -> Option<&'static Asset> {
    [&*STYLESHEET, &*SCRIPT, &*MARK].into_iter().find(|asset| asset.path() == path)
}
