//! Verdicts, kept: an SQLite database in a folder (`wss.db`), and what is
//! counted of them.
//!
//! Every bundle goes in whole or not at all, keyed by its id, with everything
//! that is counted (`rollup`) in one transaction: whoever reads sees both or
//! neither, and two writers wait for each other. `write` puts in, `kept` is what a
//! bundle leaves to be judged again, `query` reads; what the numbers mean is the page's.

pub mod kept;
pub mod query;
pub mod rollup;
mod write;

pub use write::{Batch, Rejudged};

use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The database's name in its folder.
const NAME: &str = "wss.db";
/// How long one writer waits for another. A batch takes well under a second.
const PATIENCE: Duration = Duration::from_secs(120);
/// One script a version, each from the version before it.
const MIGRATIONS: &[&str] = &[
    include_str!("1.sql"),
    include_str!("2.sql"),
    include_str!("3.sql"),
    include_str!("4.sql"),
    include_str!("5.sql"),
];

/// A store that can be written to.
pub struct Store {
    db: Connection,
    path: PathBuf,
}

/// A sentence about the database.
fn said(path: &Path) -> impl Fn(rusqlite::Error) -> String + '_ {
    move |error| format!("{}: {error}", path.display())
}

impl Store {
    /// Opens the store in a folder; makes both where they are missing.
    ///
    /// # Errors
    /// One sentence that names the file: it cannot be made, is no store, or is of
    /// a newer version.
    pub fn open(folder: &Path) -> Result<Self, String> {
        std::fs::create_dir_all(folder)
            .map_err(|error| format!("{}: {error}", folder.display()))?;
        let path = folder.join(NAME);
        let db = Connection::open(&path).map_err(said(&path))?;
        let mut store = Self { db, path: path.clone() };
        store.prepare().map_err(|error| match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase) => {
                format!(
                    "{}: it is no SQLite database; give another folder with --store",
                    path.display()
                )
            }
            _ => said(&path)(error),
        })?;
        store.migrate()?;
        Ok(store)
    }

    fn prepare(&mut self) -> rusqlite::Result<()> {
        self.db.busy_timeout(PATIENCE)?;
        // Readers go on while a writer writes. What was committed survives the
        // program; a power cut may cost the last batches, never half of one.
        write_ahead(&self.db)?;
        self.db.execute_batch(
            "PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -32768;
             PRAGMA wal_autocheckpoint = 4000;",
        )?;
        self.db.set_prepared_statement_cache_capacity(128);
        self.db.execute_batch(rollup::TOUCHED)
    }

    fn migrate(&mut self) -> Result<(), String> {
        let path = self.path.clone();
        let transaction = self
            .db
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
            .map_err(said(&path))?;
        let version = version(&transaction).map_err(said(&path))?;
        check_version(version, &path)?;
        for script in &MIGRATIONS[version..] {
            transaction.execute_batch(script).map_err(said(&path))?;
        }
        if version < MIGRATIONS.len() {
            // A version may count otherwise than the one before it.
            rollup::renew(&transaction).map_err(said(&path))?;
        }
        transaction
            .pragma_update(None, "user_version", MIGRATIONS.len() as i64)
            .map_err(said(&path))?;
        transaction.commit().map_err(said(&path))
    }

    /// Where the roll-ups differ from what they count; see [`rollup::differences`].
    ///
    /// # Errors
    /// The database's own.
    pub fn differences(&self) -> Result<Vec<(&'static str, i64)>, String> {
        rollup::differences(&self.db).map_err(said(&self.path))
    }
}

/// Turns write-ahead logging on. For this change SQLite does not wait while
/// another process makes it, whatever the busy timeout says; so it is asked again.
fn write_ahead(db: &Connection) -> rusqlite::Result<()> {
    let until = Instant::now() + PATIENCE;
    loop {
        match db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0)) {
            Err(error)
                if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy)
                    && Instant::now() < until =>
            {
                std::thread::sleep(Duration::from_millis(20));
            }
            answer => return answer.map(|mode| debug_assert_eq!(mode, "wal")),
        }
    }
}

fn version(db: &Connection) -> rusqlite::Result<usize> {
    let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    Ok(usize::try_from(version).unwrap_or(usize::MAX))
}

fn check_version(version: usize, path: &Path) -> Result<(), String> {
    if version > MIGRATIONS.len() {
        return Err(format!(
            "{}: it was written by a newer wss-analyzer (version {version} of the store, {} is known \
             here); update wss-analyzer, or give another folder with --store",
            path.display(),
            MIGRATIONS.len()
        ));
    }
    Ok(())
}

/// A connection that reads, and can do nothing else.
pub struct Reader {
    db: Connection,
    path: PathBuf,
}

impl Reader {
    /// Opens the store in a folder for reading.
    ///
    /// # Errors
    /// There is none, or none of this version.
    pub fn open(folder: &Path) -> Result<Self, String> {
        let path = folder.join(NAME);
        if !path.is_file() {
            return Err(format!(
                "{}: there is no store; wss-analyzer trends PATH... --store {} makes one",
                path.display(),
                folder.display()
            ));
        }
        Self::renewed(folder, &path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(&path, flags).map_err(said(&path))?;
        db.busy_timeout(PATIENCE).map_err(said(&path))?;
        db.execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -32768;")
            .map_err(said(&path))?;
        let version = version(&db).map_err(said(&path))?;
        check_version(version, &path)?;
        if version == 0 {
            return Err(format!("{}: it is no store of wss-analyzer", path.display()));
        }
        Ok(Self { db, path })
    }

    /// Brings a store of an older version up to this one.
    fn renewed(folder: &Path, path: &Path) -> Result<(), String> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let found = Connection::open_with_flags(path, flags).and_then(|db| {
            db.busy_timeout(PATIENCE)?;
            version(&db)
        });
        match found.map_err(said(path))? {
            older if older > 0 && older < MIGRATIONS.len() => Store::open(folder).map(drop),
            _ => Ok(()),
        }
    }

    /// Whether a bundle is in. A database that does not answer says no: the
    /// writer looks again.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        let found = self
            .db
            .prepare_cached("SELECT 1 FROM bundle_data WHERE bundle_id = ?1")
            .and_then(|mut statement| statement.exists([id]));
        found.unwrap_or(false)
    }

    /// Whether an object of a bucket is in, by its URL. As [`Reader::has`]: in
    /// doubt it is not.
    #[must_use]
    pub fn has_source(&self, url: &str) -> bool {
        let sql = "SELECT 1 FROM bundle_data WHERE source = ?1 AND INSTR(source, '://') > 0";
        let found = self.db.prepare_cached(sql).and_then(|mut statement| statement.exists([url]));
        found.unwrap_or(false)
    }
}
