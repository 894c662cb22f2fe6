//! What would have to change where the labels of a selector and of a pod differ.

use super::LabelLine;
use super::change::Asked;
use super::fix::Fix;
use super::similar::{is_slip, nearest};
use crate::model::ids::WorkloadKind;
use crate::model::labels::{Labels, Selector};
use crate::model::plugin::Plugin;
use crate::model::service::Service;
use crate::model::workload::ProxyKind;

/// Labels by which workloads are usually known, the most usual first.
const NAMES: [&str; 6] =
    ["app", "app.kubernetes.io/name", "istio", "k8s-app", "app.kubernetes.io/instance", "service.istio.io/canonical-name"];

impl Asked<'_, '_> {
    /// A selector in the pod's own words that matches it, and no other workload which the plugin does not reach yet, as text and in the plugin;
    /// `prepare` is what else is changed in that.
    pub(super) fn own_selector(&self, prepare: impl Fn(&mut Plugin)) -> Option<(String, Plugin)> {
        let known = |key: &&str| Some(((*key).to_owned(), self.pod.labels.get(*key)?.clone()));
        let mut pairs: Vec<(String, String)> = NAMES.iter().filter_map(known).collect();
        // Istio knows its own gateways by this label.
        let classic = self.pod.proxy.as_ref().is_some_and(|proxy| proxy.kind == ProxyKind::ClassicGateway);
        pairs.sort_by_key(|(key, _)| classic && key != "istio");
        let all = (pairs.len() > 1).then(|| pairs.iter().cloned().collect::<Labels>());
        let each = pairs.into_iter().map(|pair| Labels::from([pair]));
        each.chain(all).map(Selector::of).find_map(|selector| {
            let mut changed = self.plugin.clone();
            let text = selector.text();
            changed.selector = Some(selector);
            prepare(&mut changed);
            self.reaches_only(&changed).then_some((text, changed))
        })
    }

    /// The commonest slip first: a label on the Deployment alone (istio#38433), then a letter, then the same value under another key.
    pub(super) fn by_labels(&self, labels: &[LabelLine]) -> Vec<Vec<Fix>> {
        let differing: Vec<&LabelLine> = labels.iter().filter(|line| !line.agrees).collect();
        let mut found = Vec::new();
        let on_owner: Vec<&LabelLine> = differing.iter().copied().filter(|line| line.on_owner && self.may_be_set(line)).collect();
        let kind = self.workload.kind.as_str();
        if !on_owner.is_empty() {
            let text = format!(
                "put {} into the pod template of the {kind} (spec.template.metadata.labels): it is on the {kind} itself, where no selector looks",
                pairs(&on_owner)
            );
            found.push(vec![Fix::labels(text, wanted(&on_owner))]);
        }
        if let [line] = differing.as_slice() {
            found.extend(self.of_one(line));
        }
        let holder = match self.workload.kind {
            // Its pods are made by istiod, which takes their labels from the Gateway.
            WorkloadKind::Gateway => {
                let targeting = self.targeting(&self.workload.name.name, |text| text);
                found.push([targeting].into_iter().chain(self.in_selector(labels)).collect());
                return found;
            }
            WorkloadKind::WorkloadEntry => "spec.labels of the WorkloadEntry".to_owned(),
            _ => self.template(),
        };
        let set = differing.iter().all(|line| self.may_be_set(line));
        let set = set.then(|| Fix::labels(format!("set {} on {holder}", pairs(&differing)), wanted(&differing)));
        found.push(self.in_selector(labels).into_iter().chain(set).collect());
        found
    }

    /// What may be a slip, where one label differs.
    fn of_one(&self, line: &LabelLine) -> Vec<Vec<Fix>> {
        let LabelLine { key, wanted, found, .. } = line;
        if let Some(found) = found {
            let text = format!("did you mean {key}={found}? Write it so in the selector");
            return is_slip(wanted, found)
                .then(|| vec![self.selecting(text, |labels| _ = labels.insert(key.clone(), found.clone()))])
                .into_iter()
                .collect();
        }
        let instead = |text: String, other: &str, value: &str| {
            self.selecting(text, |labels| {
                labels.remove(key);
                labels.insert(other.to_owned(), value.to_owned());
            })
        };
        let mut groups = Vec::new();
        if let Some(meant) = nearest(key, self.pod.labels.keys().map(String::as_str)) {
            let value = &self.pod.labels[meant];
            // A key that holds another value is no help by itself.
            let text = (value == wanted).then(|| format!("did you mean {meant}? The pod has {meant}={value}"));
            let both = || is_slip(wanted, value).then(|| format!("did you mean {meant}={value}? Write it so in the selector"));
            groups.extend(text.or_else(both).map(|text| vec![instead(text, meant, value)]));
        }
        if let Some((other, value)) = self.pod.labels.iter().find(|(_, value)| *value == wanted) {
            let give = Fix::labels(format!("give it {key}={wanted}"), [(key.clone(), wanted.clone())]);
            groups.push(vec![instead(format!("select by {other}={value}, which the pod has"), other, value), give]);
        }
        groups
    }

    /// A label that a Service looks for is not to be changed: the pods would get no request any more.
    fn may_be_set(&self, line: &LabelLine) -> bool {
        let looks_for = |service: &Service| service.selector.as_ref().is_some_and(|selector| selector.match_labels.contains_key(&line.key));
        line.found.is_none() || !self.objects.services.values().any(|service| looks_for(service) && service.selects(self.pod))
    }

    /// What the selector would have to say: the plugin is easier to change than what it is for.
    fn in_selector(&self, labels: &[LabelLine]) -> Option<Fix> {
        let other: Vec<(&String, &String)> =
            labels.iter().filter(|line| !line.agrees).filter_map(|line| Some((&line.key, line.found.as_ref()?))).collect();
        let lacking: Vec<&str> = labels.iter().filter(|line| line.found.is_none()).map(|line| line.key.as_str()).collect();
        let written = other.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",");
        let text = match (other.is_empty(), lacking.is_empty()) {
            // Without any label it would be for the whole namespace.
            (true, _) if lacking.len() == labels.len() => {
                let (own, changed) = self.own_selector(|_| ())?;
                return Some(Fix::changed(format!("select by a label that the pod has, such as {own}"), changed));
            }
            (true, _) => format!("take {} out of the selector", lacking.join(", ")),
            (false, true) => format!("write {written} in the selector"),
            (false, false) => format!("write {written} in the selector, and take {} out of it", lacking.join(", ")),
        };
        Some(self.selecting(text, |selector| {
            selector.retain(|key, _| !lacking.contains(&key.as_str()));
            selector.extend(other.iter().map(|(key, value)| ((*key).clone(), (*value).clone())));
        }))
    }

    fn selecting(&self, text: String, change: impl FnOnce(&mut Labels)) -> Fix {
        Fix::plugin(text, self.plugin, |plugin| change(&mut plugin.selector.get_or_insert_default().match_labels))
    }
}

fn pairs(lines: &[&LabelLine]) -> String {
    lines.iter().map(|line| format!("{}={}", line.key, line.wanted)).collect::<Vec<_>>().join(",")
}

fn wanted(lines: &[&LabelLine]) -> Vec<(String, String)> {
    lines.iter().map(|line| (line.key.clone(), line.wanted.clone())).collect()
}
