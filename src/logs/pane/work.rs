//! What is asked of the records that are held: which pass a filter, where something is next, and that they be saved.

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use regex::Regex;

use crate::analysis::logs::{Activity, Filter, Severity, Typed, summary};
use crate::logs::Tie;
use crate::model::ids::PluginId;
use crate::model::logs::{LogOrigin, LogRecord};
use crate::model::snapshot::Snapshot;
use crate::report::{LogPrinter, Paint};
use crate::source::private;

/// The number of a held record: how many came before it.
pub type Place = u64;

/// Makes the filter that was typed.
///
/// # Errors
/// What of it cannot be understood.
pub fn narrow(typed: &Typed, plugin: Option<&PluginId>, snapshot: &Snapshot, namespace: &str) -> Result<Arc<Filter>, String> {
    let spec = typed.spec(snapshot, plugin, namespace).map_err(|error| error.0)?;
    Filter::new(spec, &snapshot.objects).map(Arc::new).map_err(|error| error.0)
}

/// The records that pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Their places, in order.
    pub places: Vec<Place>,
    /// The same over time.
    pub activity: Activity,
    /// Those of all the records that are tied otherwise now, in order.
    pub tied: Vec<Tied>,
}

/// What a record is tied to now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tied {
    /// Its place.
    pub place: Place,
    /// The plugin that it is about.
    pub plugin: Option<PluginId>,
    /// How that was found, or why not.
    pub note: Option<String>,
}

/// Holds records against a filter; the first has this place. With `tie`, each is tied to its plugin anew before.
pub fn filter(filter: &Filter, first: Place, records: &[Arc<LogRecord>], tie: Option<&Tie>) -> Found {
    let mut found = Found::default();
    let mut tie = tie.cloned();
    for (place, record) in (first..).zip(records) {
        let mut passes = filter.matches(record);
        if let Some((plugin, note)) = tie.as_mut().and_then(|tie| tie.again(record)) {
            let now = LogRecord { plugin, plugin_note: note, ..(**record).clone() };
            passes = filter.matches(&now);
            found.tied.push(Tied { place, plugin: now.plugin, note: now.plugin_note });
        }
        if passes {
            found.places.push(place);
            found.activity.add(record);
        }
    }
    found
}

/// What is looked for.
#[derive(Clone, Debug)]
pub enum Sought {
    /// A record that this matches.
    Text(Regex),
    /// A record at least so grave.
    Level(Severity),
}

impl Sought {
    fn is(&self, record: &LogRecord) -> bool {
        match self {
            // What is shown of it can have other words than what was written.
            Self::Text(pattern) => pattern.is_match(&record.raw) || pattern.is_match(&summary::words(record)),
            Self::Level(level) => level.is_reached(record),
        }
    }
}

/// The first of the records, in the order in which they are given.
pub fn seek(sought: &Sought, records: &[(Place, Arc<LogRecord>)]) -> Option<Place> {
    records.iter().find(|(_, record)| sought.is(record)).map(|(place, _)| *place)
}

/// Writes records as text into a file that is not there yet; says how much.
///
/// # Errors
/// Why it was not written, in words.
pub fn save(file: &Path, records: &[Arc<LogRecord>], origins: &[Arc<LogOrigin>]) -> Result<String, String> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => format!("{} is there already; choose another name", file.display()),
        _ => format!("{} cannot be written: {error}", file.display()),
    };
    let mut out = BufWriter::new(private::create(file).map_err(failed)?);
    let mut printer = LogPrinter::new(false, Paint::Plain, origins);
    let mut bytes = 0;
    for record in records {
        let line = printer.print(record);
        bytes += line.len();
        out.write_all(line.as_bytes()).map_err(failed)?;
    }
    out.flush().map_err(failed)?;
    let whole = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    Ok(format!("{} lines, {bytes} bytes, written to {}", records.len(), whole.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_never_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("view.log");
        assert!(save(&file, &[], &[]).unwrap().starts_with("0 lines, 0 bytes, written to "));
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions()) & 0o777, 0o600);
        std::fs::write(&file, "mine").unwrap();
        assert!(save(&file, &[], &[]).unwrap_err().contains("is there already"));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
        assert!(save(&directory.path().join("no/view.log"), &[], &[]).unwrap_err().contains("cannot be written"));
    }
}
