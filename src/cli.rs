//! The command line's arguments.

mod values;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::analysis::connection::Asked;
use crate::analysis::findings::Ignore;
use crate::analysis::logs::Severity;
use crate::model::peer_authentication::MtlsMode;

pub use values::{Most, duration};
use values::{level, mode};

/// See which WasmPlugin sits in which filter chain of which proxy of an Istio mesh, how often, and why.
///
/// Without a command it opens the terminal program on the current kubeconfig context; where standard output is not a
/// terminal, it prints the overview as text.
#[derive(Debug, Parser)]
#[command(name = "meshscope", version, max_term_width = 120, disable_help_subcommand = true)]
pub struct Cli {
    /// Options that every command takes.
    #[command(flatten)]
    pub common: Common,
    /// What to answer.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options that every command takes.
#[derive(Clone, Debug, Args)]
pub struct Common {
    /// The kubeconfig context (default: the current one)
    #[arg(long, global = true, value_name = "NAME")]
    pub context: Option<String>,
    /// The kubeconfig file (default: $KUBECONFIG, then ~/.kube/config)
    #[arg(long, global = true, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// The namespace to look at (default: the context's)
    #[arg(short, long, global = true, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// Look at all namespaces that may be read
    #[arg(short = 'A', long, global = true)]
    pub all_namespaces: bool,
    /// The namespace of istiod
    #[arg(short, long, global = true, value_name = "NAMESPACE", default_value = "istio-system")]
    pub istio_namespace: String,
    /// Work offline: an Envoy config_dump file, a recording folder or archive, a .log file for `logs`, or - for a dump on standard input
    #[arg(long, global = true, value_name = "PATH", conflicts_with_all = ["demo", "context", "kubeconfig"])]
    pub from: Option<PathBuf>,
    /// Work on the embedded recorded mesh
    #[arg(long, global = true, value_name = "MODE", num_args = 0..=1, require_equals = true, default_missing_value = "permissive", conflicts_with_all = ["context", "kubeconfig"])]
    pub demo: Option<Scene>,
    /// The form of the answer
    #[arg(short, long, global = true, value_enum, default_value_t = Format::Text)]
    pub output: Format,
    /// When to colour text
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub color: Color,
    /// The theme of the terminal program
    #[arg(long, global = true, value_name = "NAME")]
    pub theme: Option<String>,
    /// How long a command, and each question to a proxy, may take: 500ms, 30s, 2m
    #[arg(long, global = true, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub timeout: Duration,
}

/// The states of the recorded mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scene {
    /// No PeerAuthentication: Istio's default.
    Permissive,
    /// PeerAuthentication STRICT in the namespace.
    Strict,
    /// PeerAuthentication DISABLE in the namespace.
    Disable,
}

/// Forms of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For eyes.
    Text,
    /// For programs.
    Json,
    /// For programs and eyes.
    Yaml,
    /// To be pasted into an issue.
    Markdown,
    /// For CI, as SARIF 2.1.0; of `check` alone.
    Sarif,
    /// For CI, as JUnit's XML; of `check` alone.
    Junit,
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Every WasmPlugin and TrafficExtension: what it matches, and its state over its proxies
    Plugins,
    /// The workloads that a plugin applies to, and by which rule
    Workloads {
        /// namespace/name, wasmplugin/namespace/name, trafficextension/namespace/name (default: all workloads with their plugins)
        plugin: Option<String>,
        /// The workloads that it does not reach, the nearest first: why, and what would have to change (with -n of that namespace)
        #[arg(long, requires = "plugin")]
        near_misses: bool,
    },
    /// Listeners, filter chains and filters of a workload's proxies, in plain words
    Chains {
        /// deploy/NAME, statefulset/NAME, daemonset/NAME, gateway/NAME, workloadentry/NAME, pod/NAME or POD.NAMESPACE
        workload: Option<String>,
        /// Only listeners on this port
        #[arg(long)]
        port: Option<u16>,
        /// Only the listener of this name
        #[arg(long, value_name = "NAME")]
        listener: Option<String>,
        /// Only chains that have a filter of this plugin
        #[arg(long, value_name = "PLUGIN")]
        plugin: Option<String>,
        /// Which chain takes this connection, and why no other: port=PORT, address=IP, tls=none|mesh|foreign,
        /// http=1.1|2|1.0|none, alpn=NAME+NAME, sni=HOST|none, source=IP or IP:PORT, direction=inbound|outbound
        #[arg(long, value_name = "KEY=VALUE,..", conflicts_with_all = ["port", "listener", "plugin"])]
        connection: Option<Asked>,
    },
    /// How often a plugin's filter appears in each listener, and why: the sum, term by term
    Why {
        /// namespace/name, wasmplugin/namespace/name, trafficextension/namespace/name
        plugin: String,
        /// As for chains (default: all that the plugin applies to or that have its filter)
        workload: Option<String>,
        /// Say what would change if the workload's mutual TLS mode were another: PERMISSIVE, STRICT or DISABLE
        #[arg(long, value_name = "MODE", value_parser = mode)]
        mode: Option<MtlsMode>,
        /// Say what would change if the manifests of this file (- is standard input) were applied; nothing is written to the cluster
        #[arg(long, value_name = "FILE")]
        with: Vec<PathBuf>,
    },
    /// istiod's and the proxies' logs in the order of their times, each line tied to its plugin
    Logs(Logs),
    /// The plugins of a workload in running order, with the reason for each place, among the built-in filters
    Order {
        /// As for chains
        workload: String,
    },
    /// The mutual TLS mode of each workload and port, the policies that lost, and what clients send
    Mtls {
        /// As for chains (default: all workloads)
        workload: Option<String>,
    },
    /// The story of a plugin's last change: the object, istiod's push, the fetch, what each proxy took or refused, and when
    Timeline {
        /// namespace/name, wasmplugin/namespace/name, trafficextension/namespace/name; of a deleted one its last push
        plugin: String,
        /// Only log lines that are younger: 30s, 10m, 2h; of a recording, than its last line (default: all that the logs hold)
        #[arg(long, value_name = "TIME", value_parser = duration)]
        since: Option<Duration>,
    },
    /// What istiod sent to each proxy and what the proxy made of it, per type and per plugin: synced, stale, refused, not sent
    Sync {
        /// As for chains (default: all proxies of the namespace)
        workload: Option<String>,
    },
    /// What istiod would send to a workload's proxies against what they have: the differences that matter, type by type
    Diff {
        /// As for chains
        workload: String,
    },
    /// What is wrong or may not be what was meant, with evidence and what to do; exit status 1 for an error, 0 for warnings alone
    Check {
        /// Findings to leave out: CODE, or CODE:NAMESPACE/NAME, CODE:KIND/NAME, CODE:KIND/NAMESPACE/NAME; a pod's also by its workload,
        /// deploy/NAME; * stands for any letters between slashes
        #[arg(long, value_name = "CODE[:OBJECT]")]
        ignore: Vec<Ignore>,
        /// Ask at most so many proxies (default: all of the namespace, eight at a time: what is not read is not checked)
        #[arg(long, value_name = "N|all")]
        max_proxies: Option<Most>,
    },
    /// Whether plugins run on each of their proxies, with the evidence; which module each has, and when it is pulled again
    Health {
        /// namespace/name, wasmplugin/namespace/name, trafficextension/namespace/name (default: all, and what only proxies have)
        plugin: Option<String>,
        /// Ask at most so many proxies, eight at a time (default: 50 of a live mesh, those that plugins apply to first)
        #[arg(long, value_name = "N|all")]
        max_proxies: Option<Most>,
    },
    /// Write all that the answers need into a folder that --from reads, without the secrets that it recognises: look through it before
    /// you share it
    Record {
        /// An empty folder, or one that does not exist yet
        folder: PathBuf,
        /// Leave out every string of the plugins' configuration too: a secret may look like any other text there
        #[arg(long)]
        strict: bool,
    },
}

/// Whose log lines, and which of them.
#[derive(Clone, Debug, Args)]
pub struct Logs {
    /// As for chains; istiod's lines about them are among them (default: the proxies that --plugin applies to, else those of the
    /// namespace)
    pub workloads: Vec<String>,
    /// Go on with what comes
    #[arg(short, long)]
    pub follow: bool,
    /// Only lines that are younger: 30s, 10m, 2h; of a recording, than its last line
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub since: Option<Duration>,
    /// Only so many lines from the end of each log, before they are filtered
    #[arg(long, value_name = "LINES")]
    pub tail: Option<u64>,
    /// The logs of the containers that ran before these
    #[arg(long, conflicts_with = "follow")]
    pub previous: bool,
    /// Only what is about this plugin
    #[arg(long, value_name = "PLUGIN")]
    pub plugin: Option<String>,
    /// Only lines at least this grave: trace, debug, info, warning, error, critical
    #[arg(long, value_name = "LEVEL", value_parser = level)]
    pub level: Option<Severity>,
    /// Only lines of these scopes of istiod and the agent, or components of Envoy: ads, wasm, …; default for those without
    #[arg(long, value_name = "SCOPE", value_delimiter = ',')]
    pub scope: Vec<String>,
    /// Only lines that one of these regular expressions matches
    #[arg(long, value_name = "REGEX")]
    pub include: Vec<String>,
    /// No lines that one of these regular expressions matches
    #[arg(long, value_name = "REGEX")]
    pub exclude: Vec<String>,
}

/// What is wrong with the arguments, as one line like every other error.
pub fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let said = text.split("\n\n").map(str::trim).filter(|part| !part.starts_with("Usage:") && !part.starts_with("For more information"));
    let lines = said.map(|part| part.lines().map(str::trim).collect::<Vec<_>>().join(" "));
    let line = lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ");
    format!("{}; see `meshscope --help`", line.strip_prefix("error: ").unwrap_or(&line))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn wrong_usage_is_one_line() {
        for (arguments, expected) in [
            (&["meshscope", "why"][..], "the following required arguments were not provided: <PLUGIN>; see `meshscope --help`"),
            (
                &["meshscope", "plugins", "-o", "csv"],
                "invalid value 'csv' for '--output <OUTPUT>' [possible values: text, json, yaml, markdown, sarif, junit]; see `meshscope --help`",
            ),
        ] {
            assert_eq!(one_line(&Cli::try_parse_from(arguments).unwrap_err()), expected);
        }
    }
}
