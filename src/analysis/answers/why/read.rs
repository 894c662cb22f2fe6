//! How a proxy's dump was read, or why it was not.

use crate::analysis::placement;
use crate::model::ids::ProxyId;
use crate::model::snapshot::{Dump, LoadedDump, Snapshot};

/// How a proxy's dump was read, or why there is none.
pub(in crate::analysis::answers) fn dump_note(snapshot: &Snapshot, proxy: &ProxyId) -> String {
    match snapshot.dumps.get(proxy) {
        Some(Dump::Loaded(loaded)) if placement::awaits_listeners(snapshot, proxy, &loaded.dump) => {
            format!("{}; {}", read_note(loaded), placement::NO_LISTENERS)
        }
        Some(Dump::Loaded(loaded)) => read_note(loaded),
        Some(Dump::Loading) => "is being read".to_owned(),
        Some(Dump::Failed(why)) => why.clone(),
        None => "was not asked for".to_owned(),
    }
}

/// How a dump was read, how large it was, and how long that took.
fn read_note(loaded: &LoadedDump) -> String {
    let way = match loaded.way {
        "file" => "from a file".to_owned(),
        "istiod" => "from istiod, which does not say what the proxy has".to_owned(),
        way => format!("by {way} in {} ms", loaded.took_ms),
    };
    format!("read {way}, {} kB", loaded.dump.bytes.div_ceil(1000))
}
