//! Every reason why a plugin does not reach a proxy: a mesh in which it is the first one, what is said then, and a mesh next to it
//! in which the plugin does reach it.

use meshscope::analysis::near_miss::{Rule, exclusion};
use meshscope::model::kind::Kind;
use meshscope::model::snapshot::Snapshot;
use serde_json::{Value, json};

use super::support::world::*;

/// A mesh in which a rule fails, one in which it does not, and what is said: rule, conditions that fail, part of the reason, part of
/// what would have to change.
type Case = (Vec<Object>, Vec<Object>, Rule, Option<usize>, &'static str, &'static str);

fn hold(cases: Vec<Case>) {
    for (fails, holds, rule, distance, reason, change) in cases {
        let (bad, good) = (world("1.31", &fails), world("1.31", &holds));
        assert!(decide(&good).attached, "{reason}: {}", decide(&good).reason);
        let (said, miss) = (decide(&bad).reason.to_string(), missed(&bad));
        assert!(said.contains(reason), "{reason:?} is not in: {said}");
        assert_eq!((miss.rule, miss.distance), (rule, distance), "{said}");
        let found = miss.change.unwrap_or_default();
        assert!(found.contains(change) && found.is_empty() == change.is_empty(), "{change:?} is not in: {found} ({said})");
        assert!(!miss.wanted.is_empty() && !miss.found.is_empty() && miss.failed.ends_with('.'), "{said}");
    }
}

fn none() -> Value {
    json!({})
}

#[test]
fn labels_and_namespaces() {
    let wants = |labels: Value| wasm_plugin("n", selecting(labels));
    let a = || json!({"app": "a"});
    let deployment = |labels: Value| named(Kind::Deployment, "n", "w", labels, json!({}));
    let app = |labels: Value| sidecar("n", labels);
    hold(vec![
        (
            vec![wants(a()), app(json!({"app": "zzz"}))],
            vec![wants(a()), app(a())],
            Rule::Labels,
            Some(1),
            "selector wants app=a, the pod has app=zzz",
            "write app=zzz in the selector, or set app=a on the pod template of the Deployment",
        ),
        (
            vec![wants(json!({"app": "a", "v": "1"})), app(json!({"v": "1"}))],
            vec![wants(json!({"app": "a", "v": "1"})), app(json!({"app": "a", "v": "1"}))],
            Rule::Labels,
            Some(1),
            "no label app",
            "set app=a",
        ),
        (
            vec![wants(json!({"app": "httpbn"})), app(json!({"app": "httpbin"}))],
            vec![wants(json!({"app": "httpbin"})), app(json!({"app": "httpbin"}))],
            Rule::Labels,
            Some(1),
            "app=httpbin",
            "did you mean app=httpbin?",
        ),
        (
            vec![wants(json!({"applic": "httpbin"})), app(json!({"applik": "httpbin"}))],
            vec![wants(json!({"applic": "httpbin"})), app(json!({"applic": "httpbin"}))],
            Rule::Labels,
            Some(1),
            "no label applic",
            "did you mean applik?",
        ),
        (
            vec![wants(a()), app(json!({"app.kubernetes.io/name": "a"}))],
            vec![wants(json!({"app.kubernetes.io/name": "a"})), app(json!({"app.kubernetes.io/name": "a"}))],
            Rule::Labels,
            Some(1),
            "no label app",
            "select by app.kubernetes.io/name=a",
        ),
        (
            vec![wants(a()), gateway("n", "web")],
            vec![wants(json!({GATEWAY_NAME: "web"})), gateway("n", "web")],
            Rule::Labels,
            Some(1),
            "no label app",
            "use targetRefs with group gateway.networking.k8s.io, kind Gateway, name web",
        ),
        // The commonest of all: the label is on the Deployment, where no selector looks.
        (
            vec![wants(a()), app(none()), deployment(a())],
            vec![wants(a()), app(a()), deployment(none())],
            Rule::Labels,
            Some(1),
            "no label app",
            "put app=a into the pod template of the Deployment",
        ),
        (
            vec![wants(json!({"topology.istio.io/network": "x"})), app(a())],
            vec![wants(a()), app(a())],
            Rule::Labels,
            Some(1),
            "which istiod itself adds to a proxy",
            "look in the proxy",
        ),
        (
            vec![wasm_plugin("m", none()), app(a())],
            vec![wasm_plugin("istio-system", none()), app(a())],
            Rule::Namespace,
            Some(1),
            "the plugin is in namespace m, the workload in n",
            "create the plugin in namespace n, or in the root namespace istio-system",
        ),
        (
            vec![wasm_plugin("m", selecting(json!({"app": "b", "v": "1"}))), app(a())],
            vec![wants(a()), app(a())],
            Rule::Namespace,
            Some(3),
            "only the root namespace reaches others",
            "create the plugin in namespace n, with selector app=a",
        ),
    ]);
}

#[test]
fn labels_stand_side_by_side() {
    let plugin = wasm_plugin("n", selecting(json!({"app": "a", "team": "t", "version": "v2"})));
    let deployment = named(Kind::Deployment, "n", "w", json!({"team": "t"}), json!({}));
    let miss = missed(&world("", &[plugin, sidecar("n", json!({"app": "a", "version": "v1"})), deployment]));
    assert_eq!(miss.distance, Some(2));
    assert_eq!((miss.wanted.as_str(), miss.found.as_str()), ("app=a,team=t,version=v2", "no label team, version=v1"));
    let lines = serde_json::to_value(&miss.labels).unwrap();
    assert_eq!(
        lines,
        json!([
            {"key": "app", "wanted": "a", "found": "a", "agrees": true, "onOwner": false},
            {"key": "team", "wanted": "t", "found": null, "agrees": false, "onOwner": true},
            {"key": "version", "wanted": "v2", "found": "v1", "agrees": false, "onOwner": false},
        ])
    );
}

#[test]
fn the_kind_of_proxy_and_the_way_of_attaching() {
    let to_web = || targeting(&[target(GATEWAY_GROUP, "Gateway", "web")]);
    let no_selectors = {
        let env = json!([{"name": "ENABLE_SELECTOR_BASED_K8S_GATEWAY_POLICY", "value": "false"}]);
        let spec = json!({"containers": [{"name": "discovery", "env": env}]});
        named(Kind::Pod, "istio-system", "istiod-1", json!({"app": "istiod"}), spec)
    };
    hold(vec![
        (
            vec![wasm_plugin("n", to_web()), sidecar("n", json!({"app": "a"}))],
            vec![wasm_plugin("n", to_web()), gateway("n", "web")],
            Rule::Attachment,
            None,
            "targetRefs, which reach only gateways and waypoints",
            "",
        ),
        (
            vec![wasm_plugin("n", none()), waypoint("n", "wp")],
            vec![wasm_plugin("n", none()), gateway("n", "wp")],
            Rule::Attachment,
            Some(2),
            "a waypoint takes only plugins with targetRefs",
            "kind Gateway, name wp",
        ),
        (
            vec![wasm_plugin("n", selecting(json!({GATEWAY_NAME: "web"}))), gateway("n", "web"), no_selectors.clone()],
            vec![wasm_plugin("n", to_web()), gateway("n", "web"), no_selectors],
            Rule::Attachment,
            Some(2),
            "istiod is set to ignore selectors",
            "kind Gateway, name web",
        ),
        (
            vec![wasm_plugin("n", none()), pod("n", "w", json!({"app": "ztunnel"}), "ztunnel")],
            vec![wasm_plugin("n", none()), sidecar("n", none())],
            Rule::Envoy,
            None,
            "Wasm never runs in ztunnel",
            "",
        ),
    ]);
}

#[test]
fn target_refs() {
    let refs = |group: &str, kind: &str, name: &str| wasm_plugin("n", targeting(&[target(group, kind, name)]));
    let web = || gateway("n", "web");
    let good = || vec![refs(GATEWAY_GROUP, "Gateway", "web"), web()];
    let from = |namespace: &str, kind: &str, name: &str| wasm_plugin(namespace, targeting(&[target(GATEWAY_GROUP, kind, name)]));
    let foreign = wasm_plugin("n", targeting(&[json!({"group": GATEWAY_GROUP, "kind": "Gateway", "name": "web", "namespace": "m"})]));
    hold(vec![
        (
            vec![refs(GATEWAY_GROUP, "Gateway", "wep"), web()],
            good(),
            Rule::TargetRef,
            Some(1),
            "Gateway wep: this is web",
            "did you mean name web?",
        ),
        (
            vec![refs(GATEWAY_GROUP, "Gateway", "zzz"), web()],
            good(),
            Rule::TargetRef,
            Some(1),
            "this is web",
            "add a targetRef with kind Gateway, name web",
        ),
        (
            vec![refs("", "Gateway", "web"), web()],
            good(),
            Rule::TargetRef,
            Some(1),
            "its group must be gateway.networking.k8s.io",
            "write group: gateway.networking.k8s.io",
        ),
        (
            vec![refs(GATEWAY_GROUP, "Gatway", "web"), web()],
            good(),
            Rule::TargetRef,
            Some(1),
            "only Gateway, Service, ServiceEntry and GatewayClass",
            "did you mean kind Gateway?",
        ),
        (vec![refs("", "Pod", "web"), web()], good(), Rule::TargetRef, Some(1), "can be targeted", "target kind Gateway, name web"),
        (
            vec![from("m", "Gateway", "web"), web()],
            good(),
            Rule::TargetRef,
            Some(1),
            "the Gateway is in namespace n, the plugin in m",
            "create the plugin in namespace n",
        ),
        (vec![from("m", "Gateway", "zzz"), web()], good(), Rule::TargetRef, Some(2), "this is web", "add a targetRef"),
        (vec![foreign, web()], good(), Rule::TargetRef, Some(1), "it names namespace m", "leave namespace out"),
        (
            vec![refs("", "Service", "s"), web(), service("n", "s", none())],
            good(),
            Rule::TargetRef,
            Some(1),
            "only a waypoint can be reached by it",
            "kind Gateway, name web",
        ),
        (
            vec![from("istio-system", "GatewayClass", "istio"), waypoint("n", "wp")],
            vec![from("istio-system", "GatewayClass", "istio-waypoint"), waypoint("n", "wp")],
            Rule::TargetRef,
            Some(1),
            "only istio-waypoint",
            "target GatewayClass istio-waypoint",
        ),
        (
            vec![from("n", "GatewayClass", "istio-waypoint"), waypoint("n", "wp")],
            vec![from("istio-system", "GatewayClass", "istio-waypoint"), waypoint("n", "wp")],
            Rule::TargetRef,
            Some(1),
            "from the root namespace istio-system alone",
            "create the plugin in the root namespace istio-system",
        ),
    ]);
    let old = world("1.20.8", &[wasm_plugin("n", json!({"targetRef": target("", "Service", "s")})), waypoint("n", "wp")]);
    assert!(decide(&old).reason.to_string().contains("too old"), "{}", decide(&old).reason);
    assert!(missed(&old).change.unwrap().contains("upgrade istiod"));
}

#[test]
fn of_several_references_the_nearest_is_explained() {
    let plugin = wasm_plugin("n", targeting(&[target("", "Service", "s"), target(GATEWAY_GROUP, "Gateway", "wep")]));
    let miss = missed(&world("1.31", &[plugin, gateway("n", "web")]));
    assert_eq!((miss.distance, miss.change.as_deref()), (Some(1), Some("did you mean name web?")));
    assert_eq!(miss.wanted, "Service s, Gateway wep");
}

#[test]
fn services_of_a_waypoint() {
    let plugin = |namespace: &str, name: &str| wasm_plugin(namespace, targeting(&[target("", "Service", name)]));
    let wp = || waypoint("n", "wp");
    let labelled = |labels: Value| service("n", "s", labels);
    let use_wp = || json!({"istio.io/use-waypoint": "wp"});
    let good = || vec![plugin("n", "s"), wp(), labelled(use_wp())];
    let gateway = |labels: Value| {
        let listener = json!({"protocol": "HBONE", "port": 15008, "allowedRoutes": {"namespaces": {"from": "Same"}}});
        named(Kind::Gateway, "n", "wp", labels, json!({"gatewayClassName": "istio-waypoint", "listeners": [listener]}))
    };
    let far = service("m", "s", json!({"istio.io/use-waypoint": "wp", "istio.io/use-waypoint-namespace": "n"}));
    let label = "label Service s with istio.io/use-waypoint=wp";
    let case = |objects: Vec<Object>, reason, change| (objects, good(), Rule::TargetRef, Some(1), reason, change);
    hold(vec![
        case(vec![plugin("n", "s"), wp(), labelled(none())], "neither it nor its namespace has label istio.io/use-waypoint", label),
        case(
            vec![plugin("n", "s"), wp(), labelled(json!({"istio.io/use-waypoint": "none"}))],
            "its label istio.io/use-waypoint is none",
            label,
        ),
        case(vec![plugin("n", "s"), wp(), labelled(json!({"istio.io/use-waypoint": "wp2"}))], "leads to n/wp2", label),
        case(
            vec![plugin("n", "s"), wp(), labelled(none()), namespace("n", json!({"istio.io/use-waypoint": "wp2"}))],
            "its namespace's label istio.io/use-waypoint leads to n/wp2",
            label,
        ),
        case(
            vec![plugin("n", "s"), wp(), labelled(use_wp()), gateway(json!({"istio.io/waypoint-for": "workload"}))],
            "istio.io/waypoint-for of the Gateway is workload",
            "to service or all",
        ),
        case(
            vec![plugin("m", "s"), wp(), far, gateway(none())],
            "takes no routes from its namespace",
            "allowedRoutes.namespaces.from: All",
        ),
        case(
            vec![plugin("n", "svc-on"), wp(), service("n", "svc-one", use_wp())],
            "there is none in namespace n",
            "did you mean Service svc-one?",
        ),
        case(vec![plugin("n", "zzz"), wp(), labelled(use_wp())], "there is none in namespace n", "name a Service that is in namespace n"),
        case(vec![plugin("m", "s"), wp(), labelled(use_wp())], "but one in n", "create the plugin in namespace n"),
        (
            vec![plugin("n", "s"), wp(), with(labelled(use_wp()), "/spec/type", json!("ExternalName"))],
            good(),
            Rule::TargetRef,
            None,
            "it is of type ExternalName",
            "",
        ),
        (
            vec![
                plugin("n", "s"),
                wp(),
                labelled(json!({"istio.io/use-waypoint": "wp", "gateway.istio.io/managed": "istio.io-mesh-controller"})),
            ],
            good(),
            Rule::TargetRef,
            None,
            "the Service of a waypoint itself",
            "",
        ),
    ]);
    let old = world("1.24.6", &[plugin("m", "s"), wp(), service("m", "s", none())]);
    assert!(decide(&old).reason.to_string().contains("the Gateway is in namespace n, the plugin in m"));
}

#[test]
fn objects_that_istiod_does_not_use() {
    let app = || sidecar("n", none());
    let good = || vec![wasm_plugin("n", none()), app()];
    let case = |plugin: Object, reason, change| (vec![plugin, app()], good(), Rule::Object, Some(1), reason, change);
    let mesh = (
        Kind::MeshConfigMap,
        json!({"metadata": {"namespace": "istio-system", "name": "istio"}, "data": {"mesh": "discoverySelectors:\n- matchExpressions: [{key: mesh, operator: Exists}]\n"}}),
    );
    let long = "x".repeat(65_537);
    hold(vec![
        case(wasm_plugin("n", json!({"url": ""})), "url is not set", "set url"),
        case(
            wasm_plugin("n", json!({"url": "10.0.0.1:5000/x"})),
            "first path segment in URL cannot contain colon",
            "oci://registry:5000/name:tag",
        ),
        case(wasm_plugin("n", json!({"phase": "EARLY"})), "spec.phase is EARLY", "istiod sees no change to any object of its kind"),
        case(wasm_plugin("n", json!({"type": "GRPC"})), "spec.type is GRPC", "correct the field"),
        case(wasm_plugin("n", json!({"failStrategy": "FAIL_SOFT"})), "failStrategy is FAIL_SOFT", "correct the field"),
        case(wasm_plugin("n", json!({"imagePullPolicy": "Sometimes"})), "imagePullPolicy is Sometimes", "correct the field"),
        case(wasm_plugin("n", json!({"match": [{"mode": "SIDEWAYS"}]})), "mode is SIDEWAYS", "correct the field"),
        case(wasm_plugin("n", json!({"vmConfig": {"env": [{"name": "a", "valueFrom": "X"}]}})), "valueFrom is X", "correct the field"),
        case(wasm_plugin("n", json!({"url": 7})), "spec.url is a number", "correct the field"),
        case(
            wasm_plugin("n", json!({"selector": {"matchLabels": {"a": 1}}})),
            "spec.selector.matchLabels.a is a number and not text",
            "correct the field",
        ),
        case(extension("n", none()), "neither wasm nor lua is set", "set wasm or lua"),
        case(extension("n", json!({"lua": {}})), "lua.inlineCode is empty", "set lua.inlineCode"),
        case(extension("n", json!({"lua": {"inlineCode": long}})), "65537 bytes, more than 65536", "shorten"),
        (
            vec![wasm_plugin("n", none()), app(), mesh.clone(), namespace("n", none())],
            vec![wasm_plugin("n", none()), app(), mesh, namespace("n", json!({"mesh": "yes"}))],
            Rule::Object,
            Some(1),
            "no discoverySelectors item of the mesh configuration matches namespace n",
            "give namespace n the labels",
        ),
    ]);
    let whole = world("1.31", &[extension("n", json!({"lua": {"inlineCode": "x".repeat(65_536)}})), app()]);
    assert!(decide(&whole).attached, "65536 bytes are allowed");
    let early = world("1.29.0", &[extension("n", json!({"lua": {"inlineCode": "x"}})), app()]);
    assert!(decide(&early).reason.to_string().contains("known from Istio 1.30 on"));
    assert!(missed(&early).change.unwrap().contains("WasmPlugin"));
}

#[test]
fn revisions() {
    let of = |revision: &str| with(wasm_plugin("n", none()), "/metadata/labels/istio.io~1rev", json!(revision));
    let app = |revision: &str| with(sidecar("n", none()), "/metadata/annotations", json!({"istio.io/rev": revision}));
    let istiod = |revision: &str| {
        named(
            Kind::Pod,
            "istio-system",
            &format!("istiod-{revision}"),
            json!({"app": "istiod", "istio.io/rev": revision}),
            json!({"containers": []}),
        )
    };
    hold(vec![
        (
            vec![of("canary"), app("stable"), istiod("stable"), istiod("canary")],
            vec![of("canary"), app("canary"), istiod("stable"), istiod("canary")],
            Rule::Revision,
            Some(1),
            "its label istio.io/rev is canary, and the istiod of this proxy is of revision stable",
            "set label istio.io/rev=stable on the plugin",
        ),
        (
            vec![of("prod"), app("stable"), istiod("stable")],
            vec![of("stable"), app("stable"), istiod("stable")],
            Rule::Revision,
            Some(1),
            "no istiod of revision prod runs, and a tag does not count here",
            "istio.io/rev=stable",
        ),
        // A pod that does not say its revision is served by the only istiod there is.
        (
            vec![of("canary"), sidecar("n", none()), istiod("default")],
            vec![of("default"), sidecar("n", none()), istiod("default")],
            Rule::Revision,
            Some(1),
            "is of revision default",
            "istio.io/rev=default",
        ),
    ]);
    let by_status = with(sidecar("n", none()), "/metadata/annotations", json!({"sidecar.istio.io/status": "{\"revision\":\"old\"}"}));
    assert!(!decide(&world("", &[of("new"), by_status])).attached, "injection wrote down the revision before it had an annotation");
    assert!(decide(&world("", &[of("canary"), sidecar("n", none())])).attached, "nothing says that the proxy's istiod is another");
}

#[test]
fn pods_without_a_proxy() {
    let plugin = |namespace: &str| wasm_plugin(namespace, none());
    let bare = |namespace: &str, labels: Value| pod(namespace, "w", labels, "");
    let good = || vec![plugin("n"), sidecar("n", none()), namespace("n", none())];
    let n = |labels: Value| namespace("n", labels);
    let enabled = || n(json!({"istio-injection": "enabled"}));
    let case = |objects: Vec<Object>, reason, change| (objects, good(), Rule::Proxy, Some(1), reason, change);
    let ambient = with(bare("n", none()), "/metadata/annotations", json!({"ambient.istio.io/redirection": "enabled"}));
    let opted_out = with(bare("n", none()), "/metadata/annotations", json!({"sidecar.istio.io/inject": "false"}));
    hold(vec![
        case(
            vec![plugin("n"), bare("n", none()), n(none())],
            "neither label istio-injection nor istio.io/rev",
            "istio-injection=enabled (or istio.io/rev)",
        ),
        case(
            vec![plugin("n"), bare("n", none()), n(json!({"istio-injection": "disabled"}))],
            "istio-injection of namespace n is disabled",
            "istio-injection=enabled",
        ),
        case(
            vec![plugin("n"), bare("n", json!({"sidecar.istio.io/inject": "false"})), enabled()],
            "inject is false",
            "take sidecar.istio.io/inject",
        ),
        case(vec![plugin("n"), opted_out, enabled()], "inject is false", "take sidecar.istio.io/inject"),
        case(
            vec![plugin("n"), with(bare("n", none()), "/spec/hostNetwork", json!(true)), enabled()],
            "hostNetwork",
            "take hostNetwork away",
        ),
        case(vec![plugin("n"), ambient, n(none())], "ambient captures its traffic", "a waypoint"),
        case(vec![plugin("n"), bare("n", none()), enabled()], "the pod is older than that, or injection failed", "recreate the pods"),
        case(vec![plugin("n"), bare("n", json!({"sidecar.istio.io/inject": "true"})), n(none())], "older than that", "recreate the pods"),
        case(
            vec![
                plugin("n"),
                bare("n", none()),
                n(json!({"istio.io/rev": "gone"})),
                pod("istio-system", "istiod", json!({"app": "istiod"}), ""),
            ],
            "revision gone, of which no istiod runs",
            "make gone a tag",
        ),
        // An istiod that is not seen may serve it.
        case(vec![plugin("n"), bare("n", none()), n(json!({"istio.io/rev": "gone"}))], "or injection failed", "recreate the pods"),
        case(vec![plugin("n"), bare("n", none())], "the pod has no proxy", "see why it has none"),
        (
            vec![plugin("kube-system"), bare("kube-system", none())],
            good(),
            Rule::Proxy,
            None,
            "namespace kube-system is never injected",
            "",
        ),
        (vec![plugin("n"), bare("n", json!({"app": "istiod"}))], good(), Rule::Proxy, None, "it is a part of Istio itself", ""),
    ]);
    let far = missed(&world("", &[wasm_plugin("n", selecting(json!({"app": "a"}))), bare("m", json!({"app": "b"}))]));
    assert_eq!(far.distance, Some(3), "no proxy, another namespace, a label");
}

#[test]
fn a_match_that_excludes_every_chain() {
    let excluded = |world: &Snapshot, predicted: Option<usize>| exclusion(the_plugin(world), the_pod(world), predicted, &world.objects);
    let of = |matches: Value, pod: Object| world("1.31", &[wasm_plugin("n", json!({"match": matches})), pod, service("n", "s", none())]);
    let app = || sidecar("n", json!({"app": "a"}));
    let server = json!([{"mode": "SERVER"}]);
    let client = json!([{"mode": "CLIENT"}]);
    assert!(excluded(&of(server.clone(), gateway("n", "web")), None).is_some(), "a gateway is CLIENT only");
    assert!(excluded(&of(client.clone(), gateway("n", "web")), None).is_none());
    assert!(excluded(&of(client, waypoint("n", "wp")), None).is_some(), "a waypoint is SERVER only");
    assert!(excluded(&of(server.clone(), waypoint("n", "wp")), None).is_none());
    assert!(excluded(&of(json!([{"ports": [{"number": 80}]}]), waypoint("n", "wp")), None).is_some(), "its HTTP chains have no port");
    assert!(excluded(&of(json!([{"ports": [{"number": 0}]}]), app()), None).is_some(), "no port has that number");
    assert!(excluded(&of(server, app()), None).is_none());
    // What only a prediction can say.
    let by_service = of(json!([{"mode": "SERVER", "ports": [{"number": 80}]}]), app());
    assert!(excluded(&by_service, None).is_none() && excluded(&by_service, Some(2)).is_none());
    let why = excluded(&by_service, Some(0)).unwrap();
    assert_eq!(why.service_ports, [(80, 8080)], "the Service's port stands in the place of the container's");
    assert!(why.to_string().contains("port 80 is a service's, and match compares the container port 8080"), "{why}");
    assert!(excluded(&of(json!([]), app()), Some(0)).is_none(), "without match, something else is the cause");
}

#[test]
fn odd_objects_are_named_in_a_warning() {
    let said = |plugin: Object| {
        let world = world("1.31", &[plugin, sidecar("n", none())]);
        world.warnings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    for (spec, part) in [
        (json!({"url": ""}), "WasmPlugin n/p: spec.url is empty, so there is no module to fetch"),
        (json!({"url": "localhost:5000/x:v1"}), "spec.url has the scheme localhost, by which no proxy can fetch it; write oci:// in front"),
        (
            json!({"url": "10.0.0.1:5000/x"}),
            "spec.url is no URL (first path segment in URL cannot contain colon), so istiod discards the object",
        ),
        (json!({"phase": "EARLY"}), "istiod cannot decode the object, and until then it sees no change to any WasmPlugin"),
        (
            json!({"match": [{"ports": [{"number": 70_000}]}]}),
            "spec.match[0].ports has a port without a number from 1 to 65535, which matches nothing",
        ),
        (
            json!({"targetRefs": [{"kind": "Gateway", "name": "x", "namespace": "m"}]}),
            "names another namespace, which Istio does not support",
        ),
    ] {
        let warnings = said(wasm_plugin("n", spec));
        assert!(warnings.contains(part), "{part:?} is not in: {warnings}");
    }
    for good in ["oci://localhost:5000/x", "registry/x:v1", "https://h/x.wasm", "file:///x.wasm"] {
        assert_eq!(said(wasm_plugin("n", json!({"url": good}))), "", "{good}");
    }
    let odd = wasm_plugin("n", selecting(json!({"app": "a\u{1b}[31m", "": "x", "ä/ö": "ü"})));
    let miss = missed(&world("", &[odd, sidecar("n", json!({"app": "a"}))]));
    assert_eq!(miss.distance, Some(3), "odd labels are compared as they are");
}
