//! Panics: logged with their place and counted; never with a formatted message, which may hold a secret.

use std::panic::PanicHookInfo;

/// Replaces the hook that prints to standard error.
pub fn watch() {
    std::panic::set_hook(Box::new(|info| {
        metrics::counter!("panics_total").increment(1);
        let thread = std::thread::current();
        let location = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(
            thread = thread.name().unwrap_or("unnamed"),
            location,
            reason = reason(info),
            "a part of the process panicked"
        );
    }));
}

/// A literal message is part of the program and safe to show; a formatted one may quote what it worked on.
fn reason<'a>(info: &'a PanicHookInfo<'_>) -> &'a str {
    info.payload().downcast_ref::<&'static str>().copied().unwrap_or("not shown: the message is not a literal")
}
