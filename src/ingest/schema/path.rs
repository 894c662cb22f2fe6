//! Where in an object a value is.

use std::fmt;

/// A place in an object, written out only where something is wrong there.
#[derive(Clone, Copy)]
pub(super) enum Path<'p> {
    /// The object itself.
    Root,
    /// A field, or an entry of a map.
    Key(&'p Path<'p>, &'p str),
    /// An element of a list.
    Place(&'p Path<'p>, usize),
}

impl Path<'_> {
    /// As a JSON pointer.
    pub(super) fn pointer(self) -> String {
        match self {
            Self::Root => String::new(),
            Self::Key(around, key) => format!("{}/{}", around.pointer(), key.replace('~', "~0").replace('/', "~1")),
            Self::Place(around, place) => format!("{}/{place}", around.pointer()),
        }
    }
}

/// As people write it: `spec.ports[0].port`.
impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Key(Path::Root, key) => f.write_str(key),
            Self::Key(around, key) => write!(f, "{around}.{key}"),
            Self::Place(around, place) => write!(f, "{around}[{place}]"),
        }
    }
}
