use super::*;

fn shipped() -> [(&'static str, &'static str); 2] {
    [
        ("outlook-mail.yaml", include_str!("../../../rules/outlook-mail.yaml")),
        ("outlook-mail-metadata-only.yaml", include_str!("../../../rules/outlook-mail-metadata-only.yaml")),
    ]
}

#[test]
fn the_shipped_rules_compile_without_a_finding() {
    for (file, text) in shipped() {
        let compiled = compile(file, text);
        assert!(
            compiled.plan.is_some() && compiled.report.diagnostics.is_empty(),
            "{}",
            compiled.report.render()
        );
    }
}
