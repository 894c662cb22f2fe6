//! Findings as SARIF 2.1.0 (OASIS, Static Analysis Results Interchange Format): one run, each rule once, each finding a result.
//!
//! A finding is about an object of a cluster and not about a file. The object is the logical location; the physical one, which
//! readers of SARIF ask for, names it as a path below nothing.

use serde_json::{Value, json};

use crate::analysis::answers::FindingsAnswer;
use crate::analysis::findings::{Finding, RULES, Rule, Severity};

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json";

pub(super) fn written(answer: &FindingsAnswer) -> String {
    let said = answer.not_checked.iter().map(|unchecked| format!("not looked at: {unchecked}"));
    let said = answer.unread().into_iter().chain(said).chain(answer.warnings.iter().map(ToString::to_string));
    let notes: Vec<Value> = said.map(|text| json!({"level": "warning", "message": {"text": text}})).collect();
    let driver = json!({
        "name": env!("CARGO_PKG_NAME"),
        "version": env!("CARGO_PKG_VERSION"),
        "rules": RULES.iter().map(rule).collect::<Vec<_>>(),
    });
    super::json(&json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": driver},
            "invocations": [{"executionSuccessful": true, "toolExecutionNotifications": notes}],
            "results": answer.findings.iter().map(result).collect::<Vec<_>>(),
            "properties": {"scope": answer.scope},
        }],
    }))
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Information => "note",
    }
}

fn rule(rule: &Rule) -> Value {
    json!({
        "id": rule.code,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": format!("{} {}", rule.title, rule.why)},
        "help": {"text": format!("{}\n\nSource: {}", rule.why, rule.source)},
        "defaultConfiguration": {"level": level(rule.severity)},
    })
}

fn result(finding: &Finding) -> Value {
    let evidence: String = finding.evidence.iter().map(|line| format!("\n- {line}")).collect();
    // Where its pods come and go, the workload is what stays.
    let object = if let ("Pod", [owner]) = (finding.object.kind, &finding.workloads[..]) { owner } else { &finding.object };
    let name = object.path();
    json!({
        "ruleId": finding.code,
        "ruleIndex": RULES.iter().position(|rule| rule.code == finding.code),
        "level": level(finding.severity),
        "message": {"text": format!("{}{evidence}\nWhat to do: {}.", finding.what, finding.fix)},
        "locations": [{
            "physicalLocation": {"artifactLocation": {"uri": name}, "region": {"startLine": 1}},
            "logicalLocations": [{"name": object.name, "fullyQualifiedName": name, "kind": "resource"}],
        }],
        "partialFingerprints": {"codeAndObject/v2": finding.id},
        "properties": {"object": finding.object, "proxies": finding.proxies, "place": finding.place},
    })
}
