//! HTTP: the JSON API, the pages, the route table.

pub mod pages;
