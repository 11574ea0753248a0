//! What the manual says of sessions and tokens is what the defaults do, and it does not promise more.

use doorward_app::settings::SessionSettings;
use doorward_model::rotation::Rotation;
use doorward_model::time::{DAY_MS, SECOND_MS};

const MANUAL: &str = include_str!("../../../../docs/sessions-and-tokens.md");

fn assert_says(sentence: &str) {
    let plain = MANUAL.replace("**", "").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(plain.contains(sentence), "the manual does not say {sentence:?}");
}

/// Proves: V7.1.1, V7.1.2
#[test]
fn the_manual_shows_the_limits_of_sessions_as_shipped() {
    let shipped = SessionSettings::default();
    assert_says(&format!("nobody used it for {} days (`sessions.idle_hours`)", shipped.idle_ms / DAY_MS));
    assert_says(&format!("at the latest after {} days (`sessions.absolute_days`)", shipped.absolute_ms / DAY_MS));
    assert_says(&format!("{} newer ones (`sessions.per_user`: the oldest ends)", shipped.per_user));
    assert_says(&format!("(`sessions.overlap_seconds`, {} by default)", shipped.overlap_ms / SECOND_MS));
    assert_eq!(shipped.rotation, Rotation::Recover);
    assert_says("With `sessions.rotation = \"recover\"`, the default");
    assert_says("renews at most 30 times a minute, after a burst of 60");
}

#[test]
fn the_manual_says_what_rotation_gives_and_what_it_does_not() {
    for sentence in [
        "a lost answer never signs anyone out, provided the client aborts a renewal before the overlap ends and keeps \
         one in flight",
        "A copy is found when its two holders present outside one overlap of each other",
        "A thief who shadows every renewal inside the overlap is not found by rotation",
        "A thief who gets a predecessor before its successor was shown can act until the owner's next renewal",
    ] {
        assert_says(sentence);
    }
}
