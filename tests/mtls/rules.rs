//! Which DestinationRule a client uses for a host.

use meshscope::analysis::era::Version;
use meshscope::analysis::mtls::rules::Rules;
use meshscope::model::kind::Kind;
use meshscope::model::labels::Labels;
use serde_json::{Value, json};

use super::mesh::{Object, rule, snapshot};

const HOST: &str = "w.n.svc.cluster.local";

/// The rules that a client of a namespace with the label `app` uses for the Service `n/w`, and their first TLS mode.
fn used(rules: &[Object], minor: u32, client: &str, app: &str) -> String {
    let snapshot = snapshot(rules);
    let labels: Labels = [("app".to_owned(), app.to_owned())].into_iter().collect();
    let all = Rules::of(&snapshot.objects, "cluster.local", Version::new(1, minor));
    let Some(found) = all.for_client(client, &labels, HOST, "n") else { return "none".to_owned() };
    let from: Vec<String> = found.from.iter().map(ToString::to_string).collect();
    let mode = found.policy.and_then(|policy| policy.tls.as_ref()).map(|tls| format!(" {}", tls.mode.as_str())).unwrap_or_default();
    from.join("+") + &mode
}

/// A rule for a host, exported to these namespaces.
fn of(name: &str, day: u8, host: &str, export_to: &[&str], mode: &str) -> Object {
    rule(name, day, json!({"host": host, "exportTo": export_to, "trafficPolicy": {"tls": {"mode": mode}}}))
}

fn selecting(name: &str, day: u8, app: &str, mode: &str) -> Object {
    let mut rule = of(name, day, HOST, &[], mode);
    rule.1["spec"]["workloadSelector"] = json!({"matchLabels": {"app": app}});
    rule
}

#[test]
fn the_clients_namespace_comes_first_then_the_services_then_the_root() {
    let own = of("c/c", 3, HOST, &[], "SIMPLE");
    let services = of("n/n", 2, HOST, &[], "DISABLE");
    let root = of("istio-system/r", 1, "*.local", &[], "ISTIO_MUTUAL");
    let all = [own.clone(), services.clone(), root.clone()];
    assert_eq!(used(&all, 31, "c", ""), "c/c SIMPLE");
    assert_eq!(used(&all, 31, "d", ""), "n/n DISABLE");
    assert_eq!(used(&all, 31, "istio-system", ""), "n/n DISABLE", "in the root namespace the service's own goes before");
    assert_eq!(used(&[own, root.clone()], 31, "d", ""), "istio-system/r ISTIO_MUTUAL");
    assert_eq!(used(&[of("d/d", 1, HOST, &[], "SIMPLE")], 31, "c", ""), "none", "a third namespace's rule is for nobody else");
    // What the own namespace has for the host is all there is, whatever it says and however general it is.
    let general = rule("c/c", 1, json!({"host": "*"}));
    assert_eq!(used(&[general, services, root], 31, "c", ""), "c/c");
}

#[test]
fn export_to_decides_who_sees_a_rule() {
    let to = |export_to: &[&str]| of("n/n", 1, HOST, export_to, "DISABLE");
    for (export_to, own, other, named) in [
        (&[][..], true, true, true),
        (&["*"], true, true, true),
        (&["."], true, false, false),
        (&["c"], false, false, true),
        (&["~"], false, false, false),
    ] {
        for (client, seen) in [("n", own), ("d", other), ("c", named)] {
            assert_eq!(used(&[to(export_to)], 31, client, "") != "none", seen, "{export_to:?} {client}");
        }
    }
    let private = (
        Kind::MeshConfigMap,
        json!({"metadata": {"namespace": "istio-system", "name": "istio"}, "data": {"mesh": "defaultDestinationRuleExportTo: ['.']"}}),
    );
    assert_eq!(used(&[to(&[]), private.clone()], 31, "c", ""), "none");
    assert_eq!(used(&[to(&["*"]), private], 31, "c", ""), "n/n DISABLE");
    // A private rule of the root namespace is for its own proxies.
    let of_root = of("istio-system/r", 1, HOST, &["."], "SIMPLE");
    assert_eq!(
        (used(std::slice::from_ref(&of_root), 31, "istio-system", ""), used(&[of_root], 31, "c", "")),
        ("istio-system/r SIMPLE".into(), "none".into())
    );
    // The most specific rule that is not exported hides the less specific one of its namespace.
    let hidden = [of("n/own", 1, HOST, &["d"], "DISABLE"), of("n/all", 2, "*.n.svc.cluster.local", &["*"], "SIMPLE")];
    assert_eq!((used(&hidden, 31, "c", ""), used(&hidden, 31, "d", "")), ("none".into(), "n/own DISABLE".into()));
}

#[test]
fn the_most_specific_host_is_taken() {
    let hosts = |hosts: &[&str]| {
        let rules: Vec<Object> =
            hosts.iter().enumerate().map(|(index, host)| of(&format!("n/r{index}"), 1, host, &[], "DISABLE")).collect();
        used(&rules, 31, "c", "").replace(" DISABLE", "")
    };
    assert_eq!(hosts(&["*", "*.local", "*.n.svc.cluster.local"]), "n/r2");
    assert_eq!(hosts(&["*.n.svc.cluster.local", HOST]), "n/r1");
    assert_eq!(hosts(&["w"]), "n/r0", "a short name is one of its own namespace");
    assert_eq!(hosts(&["w.n"]), "none", "and a name with a dot is taken as it is");
    assert_eq!(hosts(&["*.m.svc.cluster.local"]), "none");
    assert_eq!(used(&[of("c/c", 1, "w", &[], "DISABLE")], 31, "c", ""), "none", "there it is c/w");
}

#[test]
fn rules_of_one_host_become_one() {
    let subsets = |name: &str, day: u8| rule(name, day, json!({"host": HOST, "subsets": [{"name": "v1", "labels": {"v": "1"}}]}));
    assert_eq!(used(&[subsets("n/a", 1), of("n/b", 2, HOST, &[], "SIMPLE")], 31, "c", ""), "n/a+n/b SIMPLE");
    assert_eq!(
        used(&[of("n/a", 2, HOST, &[], "DISABLE"), of("n/b", 1, HOST, &[], "SIMPLE")], 31, "c", ""),
        "n/b+n/a SIMPLE",
        "the oldest policy"
    );
    // From 1.24 on only what is exported alike is merged; before, the exportTo of the first counts for both.
    let apart = [of("n/a", 1, HOST, &["c"], "DISABLE"), of("n/b", 2, HOST, &["d"], "SIMPLE")];
    for (minor, of_c, of_d) in [(31, "n/a DISABLE", "n/b SIMPLE"), (24, "n/a DISABLE", "n/b SIMPLE"), (23, "n/a+n/b DISABLE", "none")] {
        assert_eq!((used(&apart, minor, "c", "").as_str(), used(&apart, minor, "d", "").as_str()), (of_c, of_d), "1.{minor}");
    }
    // Of several that a client of the namespace sees, the youngest without a selector is taken.
    let own = [of("n/a", 1, HOST, &["."], "DISABLE"), of("n/b", 2, HOST, &["*"], "SIMPLE")];
    assert_eq!((used(&own, 31, "n", ""), used(&own, 23, "n", "")), ("n/b SIMPLE".into(), "n/a+n/b DISABLE".into()));
}

#[test]
fn a_rule_with_a_selector_is_for_those_clients_of_its_namespace_alone() {
    let one = selecting("c/one", 1, "a", "SIMPLE");
    let all = of("c/all", 2, HOST, &[], "DISABLE");
    let both = [one.clone(), all];
    assert_eq!((used(&both, 31, "c", "a"), used(&both, 31, "c", "b")), ("c/one SIMPLE".into(), "c/all DISABLE".into()));
    assert_eq!(used(std::slice::from_ref(&one), 31, "c", "b"), "none");
    assert_eq!(used(&[selecting("n/one", 1, "a", "SIMPLE")], 31, "d", "a"), "none", "it is never exported");
    // Until 1.23 the rule for all is merged into it too, and until 1.13 there is no such field.
    assert_eq!(used(&both, 23, "c", "a"), "c/one+c/all SIMPLE");
    assert_eq!(used(&both, 13, "c", "b"), "c/one+c/all SIMPLE");
    // With exportTo "." the rule for all is taken for the same as the private one, and is lost to everybody else.
    let lost = [one, of("c/all", 2, HOST, &["."], "DISABLE")];
    assert_eq!((used(&lost, 31, "c", "a"), used(&lost, 31, "c", "b")), ("c/one+c/all SIMPLE".into(), "none".into()));
}

#[test]
fn until_1_17_a_subset_marks_its_pods_for_everybody() {
    use super::mesh::{pod, service, snapshot_of};
    let subsets = json!([{"name": "v1", "labels": {"app": "w"}, "trafficPolicy": {"tls": {"mode": "DISABLE"}}}]);
    let objects = [pod("n", "w"), service(80, 8080, "http"), rule("n/r", 1, json!({"host": "w", "subsets": subsets}))];
    for (version, sends) in [("1.17.8", "plainText"), ("1.18.7", "mutualTls")] {
        let answer = meshscope::analysis::answers::mtls(&snapshot_of(version, &objects), &[meshscope::model::ids::ProxyId::new("w", "n")]);
        let first = serde_json::to_value(&answer.workloads[0].services[0].clients[0]).unwrap();
        assert_eq!((&first["sends"], &first["subset"]), (&json!(sends), &Value::Null), "{version}");
    }
}
