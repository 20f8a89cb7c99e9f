//! tilewright compiles and tunes transformer models.

pub mod import;
