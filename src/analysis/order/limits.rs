//! What a ruler allows no plugin, and what the phases decide, as sentences.

use super::ruler::Mark;
use crate::model::plugin::Phase;

/// What can never stand before or after what. All of it follows from the ruler.
pub fn limits(ruler: &[Mark]) -> Vec<String> {
    let all: Vec<String> = ruler.iter().filter_map(phase).collect();
    if all.is_empty() {
        return vec!["Istio puts no plugin into this list.".to_owned()];
    }
    let mut passed = 0;
    let mut sentences = Vec::new();
    for run in ruler.chunk_by(|a, b| phase(a).is_some() == phase(b).is_some()) {
        let phases: Vec<String> = run.iter().filter_map(phase).collect();
        passed += phases.len();
        let (before, after) = (&all[..passed], &all[passed..]);
        let names: Vec<String> = run.iter().filter_map(built_in).collect();
        let them = if names.len() == 1 { "it" } else { "them" };
        match (phases.len(), before.is_empty(), after.is_empty()) {
            (0, true, _) => sentences.push(format!("Every plugin runs after {}; none can be put before {them}.", and(&names))),
            (0, _, true) => sentences.push(format!("Every plugin runs before {}; none can be put after {them}.", and(&names))),
            (0, ..) => sentences.push(format!(
                "Plugins of phase {} run before {}, those of {} after {them}.",
                and(before),
                and(&names),
                and(after)
            )),
            (1, ..) => {}
            _ => sentences.push(format!("Plugins of phase {} follow each other with no built-in filter between them.", and(&phases))),
        }
    }
    sentences
}

fn phase(mark: &Mark) -> Option<String> {
    match mark {
        Mark::Phase(Phase::Unspecified) => Some("no phase".to_owned()),
        Mark::Phase(phase) => Some(phase.as_str().to_owned()),
        Mark::BuiltIn(_) => None,
    }
}

fn built_in(mark: &Mark) -> Option<String> {
    match mark {
        Mark::BuiltIn(built_in) => Some(built_in.what.to_owned()),
        Mark::Phase(_) => None,
    }
}

/// `a, b and c`.
fn and(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
