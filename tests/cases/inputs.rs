//! The inputs of a case.

use std::path::{Path, PathBuf};

/// The files of one case, unpacked into a folder that goes when the value does.
pub struct Case(tempfile::TempDir);

impl Case {
    /// Unpacks a case, for example `20-dump-wrappers`, `data` or `hostile`.
    pub fn open(name: &str) -> Self {
        let packed = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cases").join(format!("{name}.tar.zst"));
        let bytes = std::fs::read(&packed).unwrap_or_else(|error| panic!("{}: {error}", packed.display()));
        let folder = tempfile::tempdir().unwrap();
        tar::Archive::new(std::io::Cursor::new(zstd::decode_all(&bytes[..]).unwrap())).unpack(folder.path()).unwrap();
        Self(folder)
    }

    /// The path of a file of the case.
    pub fn path(&self, file: &str) -> PathBuf {
        let path = self.0.path().join(file);
        assert!(path.exists(), "{} is not there", path.display());
        path
    }

    /// The folder that holds the files.
    pub fn folder(&self) -> &Path {
        self.0.path()
    }
}
