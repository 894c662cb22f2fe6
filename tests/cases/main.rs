//! Inputs that people really have, and inputs that somebody made to do harm: each with the right answer, named after its case.
//!
//! The inputs lie in `tests/fixtures/cases`, an archive a case (sources: public issues and test data of istio/istio, kiali/kiali and
//! envoyproxy/gateway, Apache-2.0; personal details are replaced).

#[path = "../prediction/mesh.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod mesh;
#[path = "../support/mod.rs"]
mod support;

mod chain_words;
mod diff_offline;
mod dump_around;
mod dumps;
mod fixes;
mod forms;
mod hostile_archives;
mod hostile_files;
mod inputs;
mod kubeconfig;
mod log_meaning;
mod log_saved;
mod logs;
mod newcomer;
mod policy;
mod proxies;
mod recordings;
mod redaction;
mod redaction_chosen;
mod redaction_written;
mod right;
mod selectors;
mod stubs;
mod unread;
mod what_if;
