//! The configuration that the program goes by, and the secrets that it was told by file.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use countermand::config::{Environment, ExecutionConfig, Form, Loader, Secret, WeatherlightSettings};

use crate::args::ConfigArgs;
use crate::configured::Configured;

/// See the head of the file.
#[derive(Debug)]
pub(crate) struct Setup {
    /// As it was at the start.
    pub(crate) config: ExecutionConfig,
    /// Where it can be loaded from again.
    pub(crate) configured: Arc<Configured>,
}

impl Setup {
    /// Loads the configuration: flags over the environment over files over defaults.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, for people to read.
    pub(crate) fn load(args: &ConfigArgs, environment: &Environment) -> Result<Self, String> {
        let mut loader = Loader::new().environment(environment.clone());
        for file in &args.config {
            loader = loader.file(file);
        }
        for set in &args.set {
            let (key, value) =
                set.split_once('=').ok_or("--set wants KEY=VALUE, as in weatherlight.packet_kibibytes=64")?;
            loader = loader.flag(key, value);
        }
        for (key, path) in [("journal", &args.journal), ("socket", &args.socket)] {
            if let Some(path) = path {
                let path = path.to_str().ok_or_else(|| format!("--{key} {}: not UTF-8", path.display()))?;
                loader = loader.flag(format!("weatherlight.{key}"), path);
            }
        }
        let configured = Configured::load(loader, args.subsystem.as_deref()).map_err(|error| error.to_string())?;
        Ok(Self { config: configured.config(), configured: Arc::new(configured) })
    }

    /// The section of this program.
    pub(crate) fn own(&self) -> &WeatherlightSettings {
        &self.config.weatherlight
    }

    /// Where the journal is.
    pub(crate) fn journal(&self) -> &Path {
        Path::new(&self.own().journal)
    }

    /// Where the socket is, if there is one.
    pub(crate) fn socket(&self) -> Option<PathBuf> {
        (!self.own().socket.is_empty()).then(|| PathBuf::from(&self.own().socket))
    }

    /// How large a packet may be.
    pub(crate) fn limits(&self) -> countermand_wire::Limits {
        countermand_wire::Limits::default().bytes((self.own().packet_kibibytes as usize) << 10)
    }

    /// The shared secret; empty if there is none.
    ///
    /// # Errors
    ///
    /// If its file cannot be read, if others may read it, or if it holds no secret. The secret is in no message.
    pub(crate) fn secret(&self) -> Result<Secret, String> {
        match self.own().secret_file.as_str() {
            "" => Ok(self.own().secret.clone()),
            file => secret_of(Path::new(file)).map_err(|why| format!("weatherlight.secret_file = {file}: {why}")),
        }
    }
}

fn secret_of(path: &Path) -> Result<Secret, String> {
    let file = File::open(path).map_err(|error| format!("it cannot be read: {error}"))?;
    let mode = file.metadata().map_err(|error| format!("it cannot be looked at: {error}"))?.mode();
    if mode & 0o077 != 0 {
        return Err(format!("others may read or write it (mode {:04o}); make it 0600", mode & 0o7777));
    }
    let mut line = String::new();
    let longest = Form::KEY.longest as u64;
    let mut reader = BufReader::new(file.take(longest + 2));
    reader.read_line(&mut line).map_err(|error| format!("it cannot be read: {error}"))?;
    let line = line.trim_end_matches(['\n', '\r']);
    match Form::KEY.examine(line) {
        Ok(()) if !line.is_empty() => Ok(Secret::from(line)),
        _ => Err(format!("its first line must be {}, and not empty", Form::KEY.what)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn load(text: &str) -> Setup {
        let args = ConfigArgs { set: vec![text.to_owned()], ..ConfigArgs::default() };
        Setup::load(&args, &Environment::empty()).unwrap()
    }

    #[test]
    fn the_secret_is_the_first_line_of_a_file_that_nobody_else_reads() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        let setup = load(&format!("weatherlight.secret_file={}", path.display()));
        assert!(setup.secret().unwrap_err().contains("cannot be read"));
        fs::write(&path, "correct-horse\nof no interest\n").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let open = setup.secret().unwrap_err();
        assert!(open.contains("mode 0640") && !open.contains("horse"), "{open}");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        assert_eq!(setup.secret().unwrap().expose(), "correct-horse");
        fs::write(&path, "correct horse\n").unwrap();
        let spaced = setup.secret().unwrap_err();
        assert!(spaced.contains("without spaces") && !spaced.contains("horse"), "{spaced}");
    }

    #[test]
    fn a_subsystem_is_a_supervisor_of_its_own() {
        let args = ConfigArgs {
            set: vec!["subsystem.lab.weatherlight.packet_kibibytes=3".to_owned()],
            subsystem: Some("lab".to_owned()),
            journal: Some("own.journal".into()),
            ..ConfigArgs::default()
        };
        let setup = Setup::load(&args, &Environment::empty()).unwrap();
        assert_eq!((setup.own().packet_kibibytes, setup.journal()), (3, Path::new("own.journal")));
    }
}
