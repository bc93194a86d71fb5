use super::*;

#[test]
fn tmp_shipped() {
    let text = std::fs::read_to_string("rules/outlook-mail-metadata-only.yaml").unwrap();
    let compiled = compile("r.yaml", &text);
    println!("{}", compiled.report.render());
    let plan = compiled.plan.unwrap();
    for e in &plan.endpoints {
        println!("{} {} {:?}", e.name, e.template, e.response.body().select);
        for l in e.response.body().automaton.describe() { println!("    {l:?}"); }
    }
    println!("{}", plan.fingerprint);
}
