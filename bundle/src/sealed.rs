//! Bundles that only their recipient can open: age (<https://age-encryption.org/v1>)
//! with X25519 keys.
//!
//! Owns both directions, and what recipients and identities look like in
//! options and files. Works in memory: at no time is there a plain file that
//! somebody did not ask for. What is inside is for [`crate::read`].

use age::armor::ArmoredReader;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Largest file of recipients or identities that is read, in bytes. A key is 74.
const KEYS_LIMIT: u64 = 1 << 20;
/// Most recipients of one bundle: each costs an X25519 operation and 100 bytes.
const RECIPIENTS: usize = 64;

/// How a binary age file begins.
const BINARY: &[u8] = b"age-encryption.org/";
/// How an armoured one begins.
const ARMOURED: &[u8] = b"-----BEGIN AGE ENCRYPTED FILE-----";

/// Whom a bundle is encrypted to: one or several public keys.
#[derive(Clone)]
pub struct Recipients {
    keys: Vec<age::x25519::Recipient>,
    shown: Vec<String>,
}

impl Recipients {
    /// Understands `--encrypt-to`: `age1…`, or `@FILE` with one such key a line
    /// (empty lines and `#` comments are passed over, as by `age -R`).
    ///
    /// # Errors
    /// One sentence: which value or line is wrong, and what would be right. It
    /// never repeats a private key.
    pub fn parse(given: &[String]) -> Result<Self, String> {
        let mut found = Self { keys: Vec::new(), shown: Vec::new() };
        for one in given {
            match one.strip_prefix('@') {
                Some(file) => found.file(Path::new(file))?,
                None => found.key(one.trim(), "--encrypt-to")?,
            }
        }
        if found.keys.is_empty() {
            return Err("--encrypt-to: no recipient was given".to_owned());
        }
        if found.keys.len() > RECIPIENTS {
            return Err(format!("--encrypt-to: more than {RECIPIENTS} recipients"));
        }
        Ok(found)
    }

    /// The public keys, for people.
    #[must_use]
    pub fn shown(&self) -> &[String] {
        &self.shown
    }

    fn file(&mut self, path: &Path) -> Result<(), String> {
        let text = keys_file(path).map_err(|why| format!("--encrypt-to @{why}"))?;
        let before = self.keys.len();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            self.key(line, &format!("{}, line {}", path.display(), number + 1))?;
        }
        if self.keys.len() == before {
            return Err(format!("{}: no recipient in it; expected age1… lines", path.display()));
        }
        Ok(())
    }

    fn key(&mut self, text: &str, place: &str) -> Result<(), String> {
        let wrong = if is_private(text) {
            "that is a private key; give its public key (age-keygen -y FILE shows it), and \
             consider this one known to others"
        } else if text.starts_with("ssh-") {
            "SSH keys are not supported; expected an age public key (age1…)"
        } else if text.starts_with("age1") && text.get(4..).is_some_and(|rest| rest.contains('1')) {
            "keys of plugins and post-quantum keys are not supported; expected an X25519 public \
             key (age1 and 58 letters and digits)"
        } else {
            match text.parse() {
                Ok(key) => {
                    if !self.shown.iter().any(|known| known == text) {
                        self.keys.push(key);
                        self.shown.push(text.to_owned());
                    }
                    return Ok(());
                }
                Err(_) => {
                    "not an age public key; expected age1 and 58 letters and digits, or @FILE \
                     with one a line"
                }
            }
        };
        Err(format!("{place}: {wrong}"))
    }
}

impl std::fmt::Debug for Recipients {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(&self.shown).finish()
    }
}

/// Private keys that open bundles.
#[derive(Clone)]
pub struct Identities {
    keys: Vec<age::x25519::Identity>,
    path: PathBuf,
}

impl Identities {
    /// Reads a file as `age-keygen` writes it.
    ///
    /// # Errors
    /// One sentence that names the file, the line and the way out; never a key.
    pub fn file(path: &Path) -> Result<Self, String> {
        Self::text(path, &keys_file(path)?)
    }

    /// The same of its text; messages call it by `path`.
    ///
    /// # Errors
    /// As [`Self::file`].
    pub fn text(path: &Path, text: &str) -> Result<Self, String> {
        let at = |why: &str| Err(format!("{}: {why}", path.display()));
        if text.as_bytes().starts_with(BINARY) || text.as_bytes().starts_with(ARMOURED) {
            return at("this identity is itself encrypted; decrypt it first: age -d -o KEY-FILE \
                       ENCRYPTED-KEY-FILE");
        }
        if text.trim_start().starts_with("-----BEGIN") {
            return at("SSH and PEM keys are not supported; expected AGE-SECRET-KEY-1… lines, as \
                       age-keygen writes them");
        }
        let mut keys = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = if line.starts_with("age1") {
                "that is a public key, which encrypts and does not open"
            } else if line.starts_with("AGE-PLUGIN-") {
                "keys of plugins are not supported"
            } else {
                match line.parse() {
                    Ok(key) => {
                        keys.push(key);
                        continue;
                    }
                    Err(_) => "not an age identity",
                }
            };
            let number = number + 1;
            return at(&format!("line {number}: {wrong}; expected AGE-SECRET-KEY-1…"));
        }
        if keys.is_empty() {
            return at("no identity in it; expected AGE-SECRET-KEY-1…, as age-keygen writes it");
        }
        Ok(Self { keys, path: path.to_owned() })
    }

    /// Where they were read from.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl std::fmt::Debug for Identities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} identities of {}", self.keys.len(), self.path.display())
    }
}

/// Whether a file is encrypted with age, by its first bytes.
#[must_use]
pub fn is_sealed(content: &[u8]) -> bool {
    content.starts_with(BINARY) || content.starts_with(ARMOURED)
}

/// Encrypts.
///
/// # Errors
/// One sentence. Nothing has been written anywhere.
pub fn seal(plain: &[u8], to: &Recipients) -> Result<Vec<u8>, String> {
    let why = |error: &dyn std::fmt::Display| format!("the bundle could not be encrypted: {error}");
    let recipients = to.keys.iter().map(|key| key as &dyn age::Recipient);
    let encryptor = age::Encryptor::with_recipients(recipients).map_err(|e| why(&e))?;
    let mut sealed = Vec::with_capacity(plain.len() + plain.len() / 4096 + 1024);
    let mut writer = encryptor.wrap_output(&mut sealed).map_err(|e| why(&e))?;
    writer.write_all(plain).map_err(|e| why(&e))?;
    writer.finish().map_err(|e| why(&e))?;
    Ok(sealed)
}

/// Why something encrypted was not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It is for a passphrase, not for a key.
    #[error(
        "encrypted with a passphrase, not to a key; decrypt it first: age -d -o bundle.zip FILE"
    )]
    Passphrase,
    /// It is for somebody else.
    #[error("encrypted to another key than those in {}", .0.display())]
    OtherKey(PathBuf),
    /// It was cut off or changed.
    #[error("encrypted, and damaged ({0}): cut off or changed on its way; ask for it again")]
    Damaged(String),
    /// What comes out is larger than a bundle may be.
    #[error("encrypted, and larger than the {0} bytes that a bundle may have")]
    TooBig(u64),
}

/// Decrypts, at most `limit` bytes.
///
/// # Errors
/// [`OpenError`].
pub fn open(sealed: &[u8], with: &Identities, limit: u64) -> Result<Vec<u8>, OpenError> {
    let damaged = |error: &dyn std::fmt::Display| OpenError::Damaged(error.to_string());
    let decryptor =
        age::Decryptor::new_buffered(ArmoredReader::new(sealed)).map_err(|e| damaged(&e))?;
    if decryptor.is_scrypt() {
        return Err(OpenError::Passphrase);
    }
    let keys = with.keys.iter().map(|key| key as &dyn age::Identity);
    let reader = decryptor.decrypt(keys).map_err(|error| match error {
        age::DecryptError::NoMatchingKeys => OpenError::OtherKey(with.path.clone()),
        error => damaged(&error),
    })?;
    let mut plain = Vec::new();
    reader.take(limit + 1).read_to_end(&mut plain).map_err(|e| damaged(&e))?;
    if plain.len() as u64 > limit {
        return Err(OpenError::TooBig(limit));
    }
    Ok(plain)
}

/// Whether a sealed file's head is whole, as far as that can be told without a key.
///
/// # Errors
/// [`OpenError::Damaged`].
pub fn check(sealed: &[u8]) -> Result<(), OpenError> {
    age::Decryptor::new_buffered(ArmoredReader::new(sealed))
        .map(drop)
        .map_err(|error| OpenError::Damaged(error.to_string()))
}

fn is_private(text: &str) -> bool {
    text.get(..15).is_some_and(|start| start.eq_ignore_ascii_case("AGE-SECRET-KEY-"))
}

fn keys_file(path: &Path) -> Result<String, String> {
    let at = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
    let mut content = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(KEYS_LIMIT + 1).read_to_end(&mut content))
        .map_err(|error| at(&error))?;
    if content.len() as u64 > KEYS_LIMIT {
        return Err(at(&"too large for a file of keys"));
    }
    // An encrypted identity is no text, and is told apart by its first line.
    Ok(String::from_utf8_lossy(&content).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use age::secrecy::ExposeSecret;

    fn key_file(folder: &Path, name: &str) -> (PathBuf, String) {
        let key = age::x25519::Identity::generate();
        let path = folder.join(name);
        let text = format!("# a comment\n{}\n", key.to_string().expose_secret());
        std::fs::write(&path, text).unwrap();
        (path, key.to_public().to_string())
    }

    #[test]
    fn only_the_recipient_opens_it() {
        let folder = tempfile::tempdir().unwrap();
        let (mine, public) = key_file(folder.path(), "mine");
        let (other, _) = key_file(folder.path(), "other");
        let to = Recipients::parse(std::slice::from_ref(&public)).unwrap();
        let plain: Vec<u8> = (0..200_000u32).map(|n| (n % 251) as u8).collect();
        let sealed = seal(&plain, &to).unwrap();
        assert!(is_sealed(&sealed) && check(&sealed).is_ok());
        let mine = Identities::file(&mine).unwrap();
        assert_eq!(open(&sealed, &mine, 1 << 20).unwrap(), plain);
        assert_eq!(open(&sealed, &mine, 1000), Err(OpenError::TooBig(1000)));
        let theirs = Identities::file(&other).unwrap();
        assert!(matches!(open(&sealed, &theirs, 1 << 20), Err(OpenError::OtherKey(_))));
        for cut in [30, 150, 250, sealed.len() - 1] {
            let opened = open(&sealed[..cut], &mine, 1 << 20);
            assert!(matches!(opened, Err(OpenError::Damaged(_))), "{cut}: {opened:?}");
        }
        for at in [40, 120, 300, sealed.len() - 5] {
            let mut bent = sealed.clone();
            bent[at] ^= 1;
            assert!(open(&bent, &mine, 1 << 20).is_err(), "{at}");
        }
        assert!(!format!("{mine:?}").contains("SECRET"));
    }

    #[test]
    fn what_is_no_recipient_is_said_and_no_private_key_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let (file, public) = key_file(folder.path(), "key");
        let private = std::fs::read_to_string(&file).unwrap();
        let private = private.lines().nth(1).unwrap();
        let list = folder.path().join("list.txt");
        std::fs::write(&list, format!("# support\n\n{public}\n{public}\n")).unwrap();
        let given = [format!("@{}", list.display())];
        assert_eq!(Recipients::parse(&given).unwrap().shown(), std::slice::from_ref(&public));
        let at_file = format!("@{}", file.display());
        for (given, says) in [
            ("", "not an age public key"),
            ("age1", "not an age public key"),
            (&public[..public.len() - 1], "not an age public key"),
            (private, "private key"),
            (at_file.as_str(), "key, line 2: that is a private key"),
            ("ssh-ed25519 AAAA", "SSH"),
            ("age1yubikey1qwerty", "plugins"),
            ("@/no/such/file", "@/no/such/file: "),
        ] {
            let error = Recipients::parse(&[given.to_owned()]).unwrap_err();
            assert!(error.contains(says), "{given}: {error}");
            assert!(!error.to_uppercase().contains(&private[15..]), "{error}");
        }
    }

    #[test]
    fn what_is_no_identity_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let (_, public) = key_file(folder.path(), "key");
        for (content, says) in [
            ("".to_owned(), "no identity"),
            (public, "public key"),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\n".to_owned(), "SSH"),
            ("age-encryption.org/v1\n-> scrypt x 18\n".to_owned(), "itself encrypted"),
            ("-----BEGIN AGE ENCRYPTED FILE-----\n".to_owned(), "itself encrypted"),
            ("AGE-PLUGIN-YUBIKEY-1ABC".to_owned(), "plugins"),
            ("AGE-SECRET-KEY-1QQ".to_owned(), "line 1: not an age identity"),
        ] {
            let path = folder.path().join("id");
            std::fs::write(&path, &content).unwrap();
            let error = Identities::file(&path).unwrap_err();
            assert!(error.contains(says) && error.contains("id: "), "{content}: {error}");
            assert!(!error.contains("1QQ"), "{error}");
        }
        assert!(Identities::file(&folder.path().join("none")).unwrap_err().contains("none: "));
    }
}
