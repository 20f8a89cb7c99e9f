//! Why a database cannot be used.

use std::path::PathBuf;

use rusqlite::ErrorCode;

/// A database that cannot be opened, read or written. What was committed before stays.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// There is none.
    #[error("{}: wanted a tuning database, found nothing; help: `db import` makes one", path.display())]
    Missing {
        /// Where.
        path: PathBuf,
    },
    /// Another kind of file.
    #[error("{}: wanted a tuning database, found {found}", path.display())]
    Other {
        /// Where.
        path: PathBuf,
        /// What it is.
        found: String,
    },
    /// A later program wrote it.
    #[error(
        "{}: wanted a database of version {wanted} or earlier, found {found}; help: use the program that wrote it, \
         or export there and import here", path.display()
    )]
    Newer {
        /// Where.
        path: PathBuf,
        /// The version of this program.
        wanted: i64,
        /// The version of the file.
        found: i64,
    },
    /// The file was damaged.
    #[error(
        "{}: the database is damaged: {message}; help: `db export` what can still be read, then import it into a new one",
        path.display()
    )]
    Damaged {
        /// Where.
        path: PathBuf,
        /// What SQLite says.
        message: String,
    },
    /// Other processes hold it.
    #[error("{}: other processes have written for {seconds} s without a pause; help: try again", path.display())]
    Locked {
        /// Where.
        path: PathBuf,
        /// How long this one waited.
        seconds: u64,
    },
    /// It may not be written.
    #[error("{}: wanted to write, found a database or folder that may only be read", path.display())]
    ReadOnly {
        /// Where.
        path: PathBuf,
    },
    /// No room.
    #[error("{}: the disk is full; nothing of this step was kept, all before it was", path.display())]
    Full {
        /// Where.
        path: PathBuf,
    },
    /// Anything else.
    #[error("{}: {message}", path.display())]
    Sqlite {
        /// Where.
        path: PathBuf,
        /// What SQLite says.
        message: String,
    },
    /// A text to import or export that cannot be read or written.
    #[error("{}: {error}", path.display())]
    Text {
        /// Where.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// A record that this program wants to add but would not take from others.
    #[error("record: {0}")]
    Unsound(String),
}

/// Seconds for which a writer waits for others.
pub(super) const PATIENCE: u64 = 30;

/// The same error, with the file.
pub(super) fn at(path: &std::path::Path) -> impl Fn(rusqlite::Error) -> DatabaseError + '_ {
    move |error| {
        let path = path.to_owned();
        let message = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => DatabaseError::Other {
                path,
                found: "a file that SQLite does not know".into(),
            },
            Some(ErrorCode::DatabaseCorrupt) => DatabaseError::Damaged { path, message },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => DatabaseError::Locked {
                path,
                seconds: PATIENCE,
            },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                DatabaseError::ReadOnly { path }
            }
            Some(ErrorCode::DiskFull) => DatabaseError::Full { path },
            _ => DatabaseError::Sqlite { path, message },
        }
    }
}
