//! How sessions begin, are listed, end and expire.

mod ending;
mod expiry;
mod listing;
mod nodes;
