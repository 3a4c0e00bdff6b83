//! An obfuscated case gets the verdict of the plain one.

use crate::cases::cases;
use wss_bundle::Bundle;
use wss_bundle::obfuscate::Obfuscator;
use wss_bundle::redact::Redactor;
use wss_diagnosis::{Diagnosis, diagnose};

/// What must not depend on anybody's name.
fn told(diagnosis: &Diagnosis) -> serde_json::Value {
    let json = serde_json::to_value(diagnosis).unwrap();
    let verdict = &json["verdict"];
    let each = |list: &serde_json::Value, fields: &[&str]| -> Vec<Vec<String>> {
        let items = list.as_array().unwrap().iter();
        items.map(|item| fields.iter().map(|field| item[*field].to_string()).collect()).collect()
    };
    serde_json::json!({
        "verdict": [&verdict["status"], &verdict["cause"], &verdict["location"], &verdict["confidence"]],
        "findings": each(&json["findings"], &["rule", "severity"]),
        "alternatives": each(&json["alternatives"], &["cause", "confidence"]),
        "checklist": each(&json["checklist"], &["item", "status"]),
        "devices": each(&json["devices"], &["role", "product", "version", "confidence"]),
        "layers": json["routes"].as_array().unwrap().iter()
            .map(|route| each(&route["layers"], &["layer", "status"])).collect::<Vec<_>>(),
        "idle": &json["idle"],
    })
}

#[test]
fn the_verdict_is_the_same() {
    for case in cases() {
        let redacted: Vec<_> =
            case.bundles.into_iter().map(|bundle| Redactor::new().bundle(bundle)).collect();
        let plain: Vec<Bundle> = redacted.iter().map(|bundle| bundle.get().clone()).collect();
        let mut map = Obfuscator::new();
        let obfuscated: Vec<Bundle> =
            redacted.iter().map(|bundle| map.bundle(bundle).unwrap().into_inner()).collect();
        let json = serde_json::to_string(&obfuscated[0].observations).unwrap();
        assert!(!json.contains("corp.example"), "{}: {json}", case.name);
        assert_eq!(told(&diagnose(&obfuscated)), told(&diagnose(&plain)), "{}", case.name);
    }
}
