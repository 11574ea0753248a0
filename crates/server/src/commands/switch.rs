//! Whether somebody or something is let in.

use std::fmt;

use doorward_model::time::Timestamp;

/// Let in or kept out.
#[derive(Clone, Copy)]
pub(super) enum Switch {
    Off,
    On,
}

impl Switch {
    /// How it stands with what was disabled at this time.
    pub(super) fn of(disabled_at: Option<Timestamp>) -> Self {
        if disabled_at.is_some() { Self::Off } else { Self::On }
    }
}

impl fmt::Display for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "disabled",
            Self::On => "enabled",
        })
    }
}
