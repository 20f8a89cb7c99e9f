//! The tuning database: what goes in comes out, what is not verified here is not served, and bad files and texts are
//! named.

mod costs;
mod earlier;
mod files;
mod records;
mod samples;
mod serving;
mod support;
mod texts;
