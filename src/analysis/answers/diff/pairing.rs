//! Which extension of the proxy is which of those that istiod would send.
//!
//! istiod's dump has the bare Wasm message, with `config.name` and not the name of the resource: an EnvoyFilter may give the two different
//! names, or the same `config.name` to several (`pilot/pkg/xds/debug.go: getConfigDumpByResourceType`).

use std::collections::{BTreeMap, BTreeSet};

use super::extensions::short;
use crate::analysis::settings::typed_config;
use crate::model::envoy::{EcdsFilter, ExtensionConfig};

/// What istiod would send under a name, and what of it is known.
pub(super) struct Wanted<'v> {
    pub(super) name: &'v str,
    /// None where only a listener's reference to it is known.
    pub(super) entry: Option<&'v EcdsFilter>,
}

/// What belongs together, and what does not.
#[derive(Default)]
pub(super) struct Pairing<'w, 'v> {
    pub(super) pairs: Vec<(&'w Wanted<'v>, &'w EcdsFilter)>,
    /// What the proxy lacks.
    pub(super) lacking: Vec<&'w Wanted<'v>>,
    /// What the proxy has besides.
    pub(super) others: Vec<&'w EcdsFilter>,
}

/// Pairs by the name in the message, then by the resource's, then what is left for what istiod's listeners ask for.
pub(super) fn pair<'w, 'v>(wanted: &'w [Wanted<'v>], entries: &'w [EcdsFilter], asked_for: &BTreeSet<&str>) -> Pairing<'w, 'v> {
    let mut open: Vec<&Wanted<'_>> = wanted.iter().collect();
    open.sort_by_key(|wanted| wanted.name);
    let mut here: Vec<&EcdsFilter> = entries.iter().collect();
    here.sort_by_key(|entry| entry.name.as_str());
    let mut found = Pairing::default();
    found.by(&mut open, &mut here, |wanted| wanted.entry.and_then(inner), |entry| inner(entry));
    found.by(&mut open, &mut here, |wanted| Some(short(wanted.name)), |entry| Some(short(&entry.name)));
    // A stub has no name in it: which of several it is in the place of, nothing says.
    let (mut asked, rest): (Vec<_>, Vec<_>) = here.into_iter().partition(|entry| asked_for.contains(entry.name.as_str()));
    if let ([wanted], [entry]) = (open.as_slice(), asked.as_slice()) {
        found.pairs.push((wanted, entry));
        (open, asked) = (Vec::new(), Vec::new());
    }
    found.pairs.sort_by_key(|(_, entry)| entry.name.as_str());
    (found.lacking, found.others) = (open, asked.into_iter().chain(rest).collect());
    found
}

/// The name in a Wasm message.
fn inner(entry: &EcdsFilter) -> Option<&str> {
    match &entry.config {
        ExtensionConfig::Wasm { name, .. } if !name.is_empty() => Some(name),
        _ => None,
    }
}

impl<'w, 'v> Pairing<'w, 'v> {
    /// Takes out of both lists what has the same key, in their order; of several, those first that are configured in the same way.
    fn by<'k>(
        &mut self,
        open: &mut Vec<&'w Wanted<'v>>,
        here: &mut Vec<&'w EcdsFilter>,
        of_wanted: impl Fn(&'w Wanted<'v>) -> Option<&'k str>,
        of_entry: impl Fn(&'w EcdsFilter) -> Option<&'k str>,
    ) where
        'w: 'k,
    {
        let mut by_key: BTreeMap<&str, Vec<&'w EcdsFilter>> = BTreeMap::new();
        let mut keep = Vec::new();
        for entry in here.drain(..) {
            match of_entry(entry) {
                Some(key) => by_key.entry(key).or_default().push(entry),
                None => keep.push(entry),
            }
        }
        let mut groups: BTreeMap<&str, Vec<&'w Wanted<'v>>> = BTreeMap::new();
        open.retain(|wanted| match of_wanted(wanted).filter(|key| by_key.contains_key(key)) {
            Some(key) => {
                groups.entry(key).or_default().push(wanted);
                false
            }
            None => true,
        });
        for (key, mut group) in groups {
            let Some(entries) = by_key.get_mut(key) else { continue };
            if group.len() > 1 || entries.len() > 1 {
                self.alike(&mut group, entries);
            }
            let both = group.len().min(entries.len());
            self.pairs.extend(group.drain(..both).zip(entries.drain(..both)));
            open.extend(group);
        }
        keep.extend(by_key.into_values().flatten());
        *here = keep;
        here.sort_by_key(|entry| entry.name.as_str());
    }

    /// Of several with one name, pairs those whose plugins have the same settings.
    fn alike(&mut self, group: &mut Vec<&'w Wanted<'v>>, entries: &mut Vec<&'w EcdsFilter>) {
        let settings = |entry: &EcdsFilter| {
            let mut config = typed_config(entry.raw.as_str())?.get_mut("config")?.take();
            // The agent changes these.
            config.as_object_mut()?.remove("vm_config");
            Some(config.to_string())
        };
        let mut by_settings: BTreeMap<Option<String>, Vec<&'w EcdsFilter>> = BTreeMap::new();
        entries.drain(..).rev().for_each(|entry| by_settings.entry(settings(entry)).or_default().push(entry));
        group.retain(|wanted| {
            let same = wanted.entry.and_then(|entry| by_settings.get_mut(&settings(entry))?.pop());
            self.pairs.extend(same.map(|entry| (*wanted, entry)));
            same.is_none()
        });
        entries.extend(by_settings.into_values().flatten());
        entries.sort_by_key(|entry| entry.name.as_str());
    }
}
