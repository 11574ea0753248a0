//! Numbers that make no sense.

use super::{Finding, error};
use crate::configuration::Configuration;

pub(super) fn judge(configuration: &Configuration, found: &mut Vec<Finding>) {
    let (sessions, password, limits) = (&configuration.sessions, &configuration.password, &configuration.limits);
    let rules = [
        (limits.scale.is_finite() && limits.scale > 0.0, "limits.scale", "A number above 0; 1 is the default."),
        (limits.connections >= 1, "limits.connections", "At least 1."),
        (limits.connections_per_address >= 1, "limits.connections_per_address", "At least 1."),
        ((1..=24 * 365).contains(&sessions.idle_hours), "sessions.idle_hours", "From one hour to a year."),
        ((1..=365).contains(&sessions.absolute_days), "sessions.absolute_days", "From 1 to 365 days."),
        (
            (1..=60).contains(&sessions.overlap_seconds),
            "sessions.overlap_seconds",
            "From 1 to 60 seconds: a client needs it to repeat a renewal, a thief uses it to hide.",
        ),
        ((1..=1_000).contains(&sessions.per_user), "sessions.per_user", "From 1 to 1000."),
        (
            (1..=60).contains(&configuration.tokens.access_minutes),
            "tokens.access_minutes",
            "From 1 to 60 minutes: others accept the token until it expires.",
        ),
        ((1..=1_000).contains(&configuration.database_connections), "database_connections", "From 1 to 1000."),
        (password.min_length <= 64, "password.min_length", "At most 64: longer demands keep password managers out."),
        (password.memory_kib <= 4 * 1024 * 1024, "password.memory_kib", "At most 4 GiB."),
        (password.iterations <= 100, "password.iterations", "At most 100."),
        (password.parallelism <= 64, "password.parallelism", "At most 64."),
        (
            password.hashing_memory_mib.is_none_or(|mib| mib >= password.memory_kib.div_ceil(1024)),
            "password.hashing_memory_mib",
            "At least the memory of one hash.",
        ),
        (
            (1..=100).contains(&configuration.service_name.trim().chars().count()),
            "service_name",
            "From 1 to 100 characters.",
        ),
    ];
    found.extend(
        rules
            .into_iter()
            .filter(|(fine, ..)| !fine)
            .map(|(_, setting, remedy)| error("setting_out_of_range", setting, remedy)),
    );
}
