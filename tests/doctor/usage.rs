//! The command line.

use super::*;

#[tokio::test]
async fn wrong_arguments_are_bad_usage() {
    let clinic = Clinic::unconsented().await;
    let config = clinic.proxy.file("config.yaml");
    let config = config.to_str().unwrap();
    for args in
        [&[][..], &["--config", config, "--mailbox-in", "nobody"], &["--config", config, "--format", "xml"]]
    {
        assert_eq!(run(args).await.code, Some(2), "{args:?}");
    }
}

#[tokio::test]
async fn a_configuration_that_cannot_be_read_is_bad_input() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.yaml");
    run(&["--config", missing.to_str().unwrap()]).await.fails(2, &["missing.yaml: there is no such file"]);
    let wrong = folder.path().join("wrong.yaml");
    std::fs::write(&wrong, "listen: nowhere\n").unwrap();
    run(&["--config", wrong.to_str().unwrap()])
        .await
        .fails(2, &["the configuration cannot be used", "listen"]);
}

#[tokio::test]
async fn scripts_get_what_is_documented() {
    let clinic = Clinic::unconsented().await;
    let findings = examine(&clinic.proxy).await;
    let mut counted = [("ok", 0), ("warn", 0), ("fail", 0), ("skip", 0)];
    for check in findings.checks() {
        let members: Vec<_> = check.as_object().unwrap().keys().map(String::as_str).collect();
        let known = ["section", "consumer", "check", "outcome", "message", "advice"];
        assert!(members.iter().all(|name| known.contains(name)), "{members:?}");
        assert_eq!(
            check["consumer"].is_string(),
            matches!(text(&check["section"]), "permissions" | "endpoints")
        );
        counted.iter_mut().find(|(name, _)| check["outcome"] == *name).unwrap().1 += 1;
    }
    counted.iter().for_each(|(name, count)| assert_eq!(findings.all["summary"][name], *count, "{name}"));
}
