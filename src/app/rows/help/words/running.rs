//! The words of the screens that say what became of it: what istiods and proxies did, what they wrote, and what is wrong.

use super::Words;

pub(super) const TIMELINE: Words = &[
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

pub(super) const SYNC: Words = &[
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

pub(super) const DIFF: Words = &[
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

pub(super) const HEALTH: Words = &[
    ("running", "The proxy has what the object asks for, Envoy made a plugin of it, and nothing contradicts that."),
    ("has it, not verified", "The proxy has it, and nothing was read yet that shows whether it runs."),
    ("outdated", "It runs as the object was before, and not as the object is now."),
    ("VM failed", "The proxy has it, and its VM has failed: requests fail, or pass without it (failStrategy)."),
    (
        "stub",
        "The module could not be fetched, so the agent put a filter of the same name in its place that allows or denies every request (failStrategy). istiod sees that as accepted.",
    ),
    (
        "rejected",
        "Envoy refused the configuration. Its dump can list the module all the same, so its counters and its log are looked at too.",
    ),
    ("pending", "Listeners wait for it, and take no connections yet."),
    ("removed", "Filter chains that the objects put it into do not have it: an EnvoyFilter can take it out."),
    ("absent, unexpected", "It applies and no listener has it; it does not apply and listeners have it."),
    ("left over", "No listener has it, and the ECDS section of the proxy still does, which does no harm."),
    (
        "the lines under a proxy",
        "What each source says, what decided first, with the field, metric or time of the line. Counters go on since the start of Envoy or of the agent.",
    ),
    ("digest", "The checksum that the agent puts into the name of the module's file: of the OCI image's manifest."),
    (
        "Secret",
        "imagePullSecret, in the plugin's own namespace: whether it is there and of the type that istiod takes. It is looked for when the screen is opened and with r, and what is in it is never asked for.",
    ),
];

pub(super) const LOGS: Words = &[
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

pub(super) const RECORD: Words = &[
    ("says", "The line in short, as the list has it."),
    ("raw", "The line as it was written. Control characters are shown and never obeyed; y copies it as it is."),
    ("note", "How the plugin was found, where the line does not name it, or why it is not known."),
];

pub(super) const FINDINGS: Words = &[
    (
        "error, warning, information",
        "An error does not work, a warning may not be what was meant, information is worth to know. The word behind it is the finding's code: `meshscope check --ignore CODE` leaves it out.",
    ),
    ("evidence, matters, fix", "What shows it, why it matters, what to do; for the selected one. Enter goes to its chain, or to Sync."),
    ("not looked at", "What could not be read, and the codes of findings that may be missing for that."),
    (
        "a warning",
        "Something that could not be read or understood, on what, and what to do. Answers leave it out, so they may be incomplete.",
    ),
];
