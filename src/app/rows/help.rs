//! The lines of the help screen: what every key does on the screen that it was opened from, then what that screen's words mean.

use crate::analysis::connection::FORM;
use crate::app::action::View;
use crate::app::keymap::{self, Context};

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// The name of a part.
    Heading(&'static str),
    /// A key, and what it does.
    Key {
        /// How the keys are written, in Unicode and in ASCII.
        keys: [String; 2],
        /// What they do.
        does: &'static str,
    },
    /// A word, and what it means.
    Word {
        /// The word as the screen writes it.
        word: &'static str,
        /// Its meaning.
        means: &'static str,
    },
}

impl Line {
    /// What a search looks at.
    pub fn text(&self) -> String {
        match self {
            Self::Heading(heading) => (*heading).to_owned(),
            Self::Key { does, .. } => (*does).to_owned(),
            Self::Word { word, means } => format!("{word} {means}"),
        }
    }
}

/// All lines for the screen that help was opened from.
pub fn lines(of: &Context) -> Vec<Line> {
    let mut lines = vec![Line::Heading("Keys")];
    let keys = keymap::help(of, false).into_iter().zip(keymap::help(of, true));
    lines.extend(keys.map(|(hint, ascii)| Line::Key { keys: [hint.keys, ascii.keys], does: hint.word }));
    lines.push(Line::Heading("What the words of this screen mean"));
    lines.extend(words(of.view).iter().map(|(word, means)| Line::Word { word, means }));
    if of.view == View::Connection {
        lines.push(Line::Heading("What can be said of a connection"));
        lines.extend(FORM.map(|(word, means)| Line::Word { word, means }));
    }
    lines
}

const PLUGINS: &[(&str, &str)] = &[
    ("MATCHES", "To how many workloads the plugin applies, of all that run a proxy, by its namespace, selector or targetRefs."),
    (
        "STATE",
        "What the proxies hold, by their ECDS section. running: the module is in place. stub: the module could not be fetched, so a filter of the same name allows or denies every request (failStrategy). rejected: Envoy refused it. pending: listeners wait for it. absent: it applies and is not there. h shows what says so. matches nothing: no workload is reached; in no chain: match keeps it out of every chain; n shows what keeps it from each.",
    ),
    (
        "ON 15006",
        "How often the plugin's filter stands in a proxy's inbound listener, which is virtualInbound on port 15006. A range where proxies differ; - where no proxy's config dump was read, and for gateways, which have no such listener.",
    ),
    ("PHASE, PRIO", "spec.phase and spec.priority: where among the HTTP filters it stands. Higher priority comes first; unset is lowest."),
    (
        "MODE",
        "spec.match: CLIENT is the sidecar's outbound side and gateways, SERVER the inbound side, any is both; with ports where it names some.",
    ),
    ("IMAGE", "The module's url, without its scheme and registry."),
];

const WORKLOADS: &[(&str, &str)] = &[
    ("PODS", "How many pods are ready, of how many there are."),
    ("WHY", "The rule by which the plugin applies to the workload, or the first that failed."),
    (
        "not matched",
        "Workloads that the plugin does not reach, those first of which the fewest conditions fail. On a wide terminal the selected one's labels stand beside the selector's, with what would have to change.",
    ),
    (
        "mTLS",
        "The mutual TLS mode in force for the workload: STRICT takes only mTLS, PERMISSIVE also plain text, DISABLE only plain text. It decides how many chains a port has.",
    ),
    ("N in/out", "How often the plugin's filter stands in a proxy's inbound listener, and in all its other listeners together."),
    ("STATE", "What the proxies hold; see the words of Plugins."),
];

const CHAINS: &[(&str, &str)] = &[
    ("listener", "Where a proxy takes connections: virtualInbound on 15006 takes all that come to the pod, the others what leaves it."),
    (
        "chain",
        "A filter chain. The listener looks at each connection once (port, TLS or not, ALPN, SNI) and hands it to exactly one chain.",
    ),
    ("tls, raw_buffer", "transport_protocol: whether the first bytes are a TLS handshake."),
    ("istio, istio-peer-exchange", "The ALPN by which sidecars tell mesh mTLS from foreign TLS."),
    ("passthrough", "Chains for ports that no service declares."),
    ("N = 4, 4×", "How many filters of the plugin stand in the listener: the sum over its chains."),
    ("[warming]", "A listener that waits for what it refers to before it takes connections; the active one of the same name still does."),
    ("[draining]", "A listener that was replaced: it serves the connections it has and takes no new ones."),
    ("[error]", "A listener that istiod sent and the proxy refused, with the reason; the one before stays in force."),
];

const WHY: &[(&str, &str)] = &[
    (
        "the sum",
        "Each term is a reason for filters of the plugin: a declared port has a chain for mTLS and one for plain text while the mode is PERMISSIVE, one under STRICT or DISABLE; undeclared ports share the passthrough chains.",
    ),
    ("counted in the proxy", "What the proxy's own config dump holds, chain by chain. ✓ says that the terms sum up to it."),
    ("was 4", "The count before the last change that was seen while this program was open."),
    ("mode", "The mutual TLS mode in force, and the PeerAuthentication that says so."),
];

const MTLS: &[(&str, &str)] = &[
    ("mode", "STRICT takes only the mesh's mutual TLS, PERMISSIVE also plain text, DISABLE only plain text."),
    (
        "ports",
        "Container ports, since portLevelMtls names those and not the service's. All others is what no service declares: the passthrough chains take it.",
    ),
    (
        "policies",
        "Every PeerAuthentication that could concern the workload. Of each scope the oldest counts; the narrowest scope that is not UNSET decides.",
    ),
    (
        "clients",
        "What a client sends to a port of a service, by its DestinationRule or else by auto mutual TLS, and whether the port takes it. depends: the objects do not show whether it does.",
    ),
];

const CONNECTION: &[(&str, &str)] = &[
    (
        "takes it",
        "Envoy looks at the destination port first, then at the destination address, SNI, transport protocol, application protocol and source. At each, the chains go on that match most narrowly; those that name nothing, only where none that names something matches. There is no way back.",
    ),
    ("wants", "What the chain names does not match the connection."),
    ("names no …", "The chain might match, but another one that names more goes before it."),
    ("Assumed", "What was not said of the connection, and is taken to be so; i says it."),
    ("Not looked at", "A listener filter that would tell it does not run for this port."),
];

const ORDER: &[(&str, &str)] = &[
    (
        "running order",
        "The order in which a request passes the plugins; answers pass them backwards. Compared are phase, priority (higher first, unset lowest), namespace, age and name, in this order. HTTP and NETWORK plugins stand in lists of their own.",
    ),
    ("[phase AUTHN]", "Where the plugins of a phase stand among Istio's own filters. [no phase] is where spec.phase is unset."),
    ("4 of 4", "In how many of the proxy's chains of this direction the filter stands, as its config dump says. none: in no chain."),
    ("rbac, ext_authz", "CUSTOM authorization asks another service; rbac alone is what the other actions of AuthorizationPolicy make."),
    ("rules of Istio", "The version whose order is shown: the istiod's, else the proxy's own, else the newest that is known."),
];

const TIMELINE: &[(&str, &str)] = &[
    (
        "the steps",
        "What happened to the last change of the plugin's spec, from the object over istiod to each proxy, with what shows it. The bar and the time behind it are since the step before.",
    ),
    ("created, changed", "By the object's own times, of which the API server keeps whole seconds."),
    (
        "received, debounced",
        "istiod waits for more changes before it pushes; its line says how long ago it received the first and the last.",
    ),
    ("LDS, ECDS accepted", "By last_updated in the proxy's config dump: no log line says that a proxy has taken something."),
    ("first line", "The first that the plugin wrote with the configuration that it has now."),
    ("(nearest)", "The evidence does not say that it is this change's; it is the nearest that fits, and the note says why."),
    ("(clock)", "Its time is before that of what it follows from: the clocks of those who wrote them differ."),
    ("what could not be seen", "Steps that must have been or could have been, and why nothing shows them."),
];

const SYNC: &[(&str, &str)] = &[
    (
        "synced",
        "The proxy took what istiod sent last of the type. It does not say that a plugin's module runs: a stub that stands in for one is synced too.",
    ),
    ("stale", "The proxy has not answered to what was sent last: it still has what it took before."),
    ("refused", "The proxy refused what was sent last, with the error that it gave; what it took before stays in force."),
    ("not sent", "The proxy asked for the type, and istiod has sent nothing."),
    ("not watched", "The proxy did not ask for the type. Without a plugin none asks for ECDS."),
    ("not told", "istiod of this version does not say it."),
    ("not connected", "No istiod that answered has the proxy: it keeps what it has, and hears of no change."),
    ("CDS, LDS, EDS, RDS, ECDS", "Clusters, listeners, endpoints, routes and extensions: plugins come by ECDS."),
];

const DIFF: &[(&str, &str)] = &[
    ("-", "istiod would send it, and the proxy has none."),
    ("+", "The proxy has it, and istiod would not send it."),
    ("!", "Both have it, in different ways, or the proxy refused what istiod sent."),
    (
        "no difference",
        "What is written otherwise and means the same: names of chains, the order of what has none, versions and states, the health of endpoints, and the file that the agent puts in the place of a module's URL.",
    ),
    (
        "held against the prediction",
        "istiod often cannot dump what it would send: then the chains stand in that it would make of the objects by the rules of its version.",
    ),
];

const HEALTH: &[(&str, &str)] = &[
    ("running", "The module is in place and Envoy made a plugin of it."),
    (
        "stub",
        "The module could not be fetched, so the agent put a filter of the same name in its place that allows or denies every request (failStrategy). istiod sees that as accepted.",
    ),
    (
        "rejected",
        "Envoy refused the configuration. Its dump can list the module all the same, so its counters and its log are looked at too.",
    ),
    ("pending", "Listeners wait for it, and take no connections yet."),
    ("absent, unexpected", "It applies and no listener has it; it does not apply and listeners have it."),
    ("left over", "No listener has it, and the ECDS section of the proxy still does, which does no harm."),
    (
        "the lines under a proxy",
        "What each source says, what decided first, with the field, metric or time of the line. Counters go on since the start of Envoy or of the agent.",
    ),
    ("digest", "The checksum that the agent puts into the name of the module's file: of the OCI image's manifest."),
];

const WHAT_IF: &[(&str, &str)] = &[
    (
        "if …",
        "What is supposed: a mutual TLS mode in the place of the workload's, or objects as if they had been applied. Nothing is written.",
    ),
    ("+  -  !", "A chain or plugin that would come, that would go, and what would be otherwise. The rest of the listener stays as it is."),
    ("as it does now", "The difference is taken between what istiod would send now and what it would send then."),
    ("does not have what istiod would send", "The proxy has something else already; why says what."),
];

const LOGS: &[(&str, &str)] = &[
    (
        "which logs",
        "istiod's, all replicas, and those of the proxies that the plugin applies to, or of the workload. Pods that come are read too. Of a live mesh the last 500 lines of each log are read, and then what comes.",
    ),
    (
        "SOURCE, WHAT",
        "Whose log it is; and what the line is: push (istiod sends to proxies), fetch (an agent fetches a module), plugin (a plugin speaks), request (the access log), nack (a proxy refused what istiod sent). agent and envoy write into the same container.",
    ),
    (
        "restarted, resumed, waiting, skew",
        "What happened to the stream of a log, at its place among the lines: the container is another one now; the connection broke and goes on without a lost line; it cannot be read for now; clocks differ, so that the order of lines is not what it seems.",
    ),
    (
        "find",
        "What is typed after / is a regular expression: it is highlighted as it is typed, and Enter goes to the next line that has it.",
    ),
    (
        "dropped",
        "The oldest lines, for which there is no room: logs.memory of config.toml says how many megabytes are held, 64 unless set.",
    ),
    (
        "follow",
        "The youngest line stays in sight as lines come. Going up ends it, the end (G) begins it again. Lines are read all the while.",
    ),
    (
        "nothing said",
        "Envoy hides lines below its logger's level, which is warning unless set: a plugin's info and debug lines are not written then.",
    ),
];

const RECORD: &[(&str, &str)] = &[
    ("says", "The line in short, as the list has it."),
    ("raw", "The line as it was written. Control characters are shown and never obeyed; y copies it as it is."),
    ("note", "How the plugin was found, where the line does not name it, or why it is not known."),
];

const RAW: &[(&str, &str)] = &[(
    "the text",
    "The JSON as the proxy's config dump has it, indented. Keys, tokens and passwords are replaced before anything is kept.",
)];

const FINDINGS: &[(&str, &str)] = &[
    (
        "error, warning, information",
        "An error does not work, a warning may not be what was meant, information is worth to know. The word behind it is the finding's code: `meshscope check --ignore CODE` leaves it out.",
    ),
    ("evidence, matters, fix", "What shows it, why it matters, and what to do; for the selected finding. Enter goes to its chain."),
    ("not looked at", "What could not be read, and the codes of findings that may be missing for that."),
    (
        "a warning",
        "Something that could not be read or understood, on what, and what to do. Answers leave it out, so they may be incomplete.",
    ),
];

fn words(view: View) -> &'static [(&'static str, &'static str)] {
    match view {
        View::Plugins => PLUGINS,
        View::Workloads => WORKLOADS,
        View::Chains => CHAINS,
        View::Why => WHY,
        View::WhatIf => WHAT_IF,
        View::Mtls => MTLS,
        View::Connection => CONNECTION,
        View::Order => ORDER,
        View::Logs => LOGS,
        View::Record => RECORD,
        View::Timeline => TIMELINE,
        View::Sync => SYNC,
        View::Diff => DIFF,
        View::Health => HEALTH,
        View::Raw => RAW,
        View::Findings | View::Help => FINDINGS,
    }
}
