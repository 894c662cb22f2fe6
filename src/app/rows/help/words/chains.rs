//! The words of the screens that say which chains have a plugin, and why.

use super::Words;

pub(super) const PLUGINS: Words = &[
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

pub(super) const WORKLOADS: Words = &[
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

pub(super) const CHAINS: Words = &[
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

pub(super) const WHY: Words = &[
    (
        "the sum",
        "Each term is a reason for filters of the plugin: a declared port has a chain for mTLS and one for plain text while the mode is PERMISSIVE, one under STRICT or DISABLE; undeclared ports share the passthrough chains.",
    ),
    (
        "counted in the proxy",
        "What the proxy's own config dump holds, chain by chain. ✓ says that the terms add up to it, where its chains can be predicted.",
    ),
    ("was 4", "The count before the last change that was seen while this program was open."),
    ("mode", "The mutual TLS mode in force, and the PeerAuthentication that says so."),
];

pub(super) const WHAT_IF: Words = &[
    (
        "if …",
        "What is supposed: a mutual TLS mode in the place of the workload's, or objects as if they had been applied. Nothing is written.",
    ),
    ("+  -  !", "A chain or plugin that would come, that would go, and what would be otherwise. The rest of the listener stays as it is."),
    ("as it does now", "The difference is taken between what istiod would send now and what it would send then."),
    ("does not have what istiod would send", "The proxy has something else already; why says what."),
];

pub(super) const MTLS: Words = &[
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

pub(super) const CONNECTION: Words = &[
    (
        "takes it",
        "Envoy looks at the destination port first, then at the destination address, SNI, transport protocol, application protocol and source. At each, the chains go on that match most narrowly; those that name nothing, only where none that names something matches. There is no way back.",
    ),
    ("wants", "What the chain names does not match the connection."),
    ("names no …", "The chain might match, but another one that names more goes before it."),
    ("Assumed", "What was not said of the connection, and is taken to be so; i says it."),
    ("Not looked at", "A listener filter that would tell it does not run for this port."),
];

pub(super) const ORDER: Words = &[
    (
        "running order",
        "The order in which a request passes the plugins; answers pass them backwards. Compared are phase, priority (higher first, unset lowest), namespace, age and name, in this order. HTTP and NETWORK plugins stand in lists of their own.",
    ),
    ("[phase AUTHN]", "Where the plugins of a phase stand among Istio's own filters. [no phase] is where spec.phase is unset."),
    ("4 of 4", "In how many of the proxy's chains of this direction the filter stands, as its config dump says. none: in no chain."),
    ("rbac, ext_authz", "CUSTOM authorization asks another service; rbac alone is what the other actions of AuthorizationPolicy make."),
    ("rules of Istio", "The version whose order is shown: the istiod's, else the proxy's own, else the newest that is known."),
];

pub(super) const RAW: Words = &[(
    "the text",
    "The JSON as the proxy's config dump has it, indented. Keys, tokens and passwords are replaced before anything is kept.",
)];
