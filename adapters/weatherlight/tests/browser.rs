//! The live page in a real browser: it fills itself, and what a hostile sender says of itself stays text.
//!
//! Wants `chromium`. Where that is missing the test says so and passes, unless `COUNTERMAND_NEEDS_CHROMIUM` is set.

mod support;

use std::process::{Command, Stdio};

use support::{Place, packet};

#[test]
fn the_page_fills_itself_and_shows_hostile_names_as_text() {
    let place = Place::new();
    let version = Command::new("chromium").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if let Err(error) = version {
        assert!(std::env::var_os("COUNTERMAND_NEEDS_CHROMIUM").is_none(), "chromium does not start: {error}");
        println!("skipped: chromium does not start: {error}");
        return;
    }
    let supervisor = place.start(&[]);
    let mut sender = supervisor.connect();
    let hostile = "<script>document.title='taken'</script><img src=x onerror=\\\"document.title='taken'\\\">";
    sender.keep(&format!(
        "{{\"packet_id\":\"x\",\"source_subsystem\":\"{hostile}\",\"level\":\"TELEMETRY_LEVEL_CRITICAL\"}}"
    ));
    sender.keep(&packet("ordinary", "INFO"));
    let output = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--dump-dom"])
        .arg("--virtual-time-budget=4000")
        .arg(format!("--user-data-dir={}", place.path("profile").display()))
        .arg(format!("http://{}/", supervisor.addresses["page"]))
        .env("HOME", place.directory.path())
        .output()
        .expect("it starts");
    let page = String::from_utf8_lossy(&output.stdout);
    let said = String::from_utf8_lossy(&output.stderr);
    // Figures that only the script can have put in.
    assert!(page.contains("healthy, the ledger balances"), "{page}\n{said}");
    assert!(page.contains("<td>journal.emergency</td>"), "{page}");
    assert!(page.contains("<td>running</td>"), "{page}");
    // As text, and not as what it pretends to be.
    assert!(page.contains("&lt;script&gt;document.title"), "{page}");
    assert!(!page.contains("<img") && page.contains("<title>weatherlight</title>"), "{page}");
    assert!(!said.contains("Content Security Policy"), "{said}");
    assert!(supervisor.end().success());
}
