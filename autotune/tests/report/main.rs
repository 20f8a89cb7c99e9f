//! The report of a tuning run: its text, and how a browser shows it.

mod browser;
mod picture;
mod samples;
mod shown;
mod text;
