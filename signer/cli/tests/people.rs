//! The commands of people, as a person types them: keys, cards, rosters, plans.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

use std::path::Path;
use std::process::{Command, Output};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("pass"), "correct horse\n").unwrap();
        std::fs::write(folder.path().join("wrong"), "battery staple\n").unwrap();
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, line: &str) -> Output {
        Command::new(env!("CARGO_BIN_EXE_symbolon"))
            .args(line.split_whitespace())
            .current_dir(self.path())
            .output()
            .unwrap()
    }

    /// Runs what must succeed; gives standard output.
    fn good(&self, line: &str) -> String {
        let output = self.run(line);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{line}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs what must fail with exit code 1; gives standard error.
    fn bad(&self, line: &str) -> String {
        let output = self.run(line);
        assert_eq!(output.status.code(), Some(1), "{line}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// Two guardians, an operator, two requestors.
    fn people(&self) {
        for name in ["ada", "bea"] {
            self.good(&format!(
                "guardian new --name {name} --network hoodi --out g --passphrase-file pass"
            ));
        }
        self.good("operator init --name op --network hoodi --dir c/operator");
        self.good("requestor init --name req-1 --provider north --network hoodi --dir r1");
    }
}

/// A card of a member, as `server init` writes it, but with a key in software.
fn member_card(folder: &Folder, index: u16) -> String {
    use symbolon_protocol::card::Card;
    use symbolon_protocol::roster::{Member, TlsPin};
    use symbolon_protocol::{IdentitySigner as _, NetworkId, SoftIdentity, Unsigned};

    let byte = u8::try_from(index).unwrap();
    let key = SoftIdentity::from_bytes(&[byte; 32]).unwrap();
    let card = Card::Member(Member {
        index,
        name: format!("server-{index}"),
        identity: key.public(),
        address: Some(format!("127.0.0.1:{}", 7000 + index)),
        tls_pin: Some(TlsPin([byte; 32])),
    });
    let network = NetworkId(symbolon_duties::Network::named("hoodi").unwrap().id());
    let name = format!("m{index}.card");
    let bytes = Unsigned::new(network, card).sign(&key).unwrap().to_bytes();
    std::fs::write(folder.path().join(&name), bytes).unwrap();
    name
}

#[test]
fn cards_become_a_roster_when_a_quorum_signs() {
    let folder = Folder::new();
    folder.people();
    let (one, two) = (member_card(&folder, 1), member_card(&folder, 2));
    let init = format!(
        "init --dir c --name lab --network hoodi --quorum 2 --card g/ada.card g/bea.card \
         c/operator/client.card r1/client.card {one} {two}"
    );
    let draft = folder.good(&init);
    assert!(draft.contains("words to compare"), "{draft}");

    let sign = |name: &str, pass: &str| {
        format!("roster sign --dir c --guardian {name} --key g/{name}.key --passphrase-file {pass}")
    };
    assert!(
        folder
            .bad(&sign("ada", "wrong"))
            .contains("wrong passphrase")
    );
    assert_eq!(
        folder.good(&sign("ada", "pass")),
        "1 of 2 guardian signatures are there\n"
    );
    assert!(
        folder
            .bad("roster show --dir c")
            .contains("no roster in force yet")
    );
    let signed = folder.good(&sign("bea", "pass"));
    assert!(signed.contains("roster 1 is in force"), "{signed}");

    let shown: serde_json::Value =
        serde_json::from_str(&folder.good("roster show --dir c --json")).unwrap();
    assert_eq!(shown["number"], 1);
    assert_eq!(shown["members"][1]["name"], "server-2");
    assert_eq!(shown["in_force"], true);

    let pin = shown["hash"].as_str().unwrap();
    let install = format!("roster install --into r1 --from c/roster.cbor --pin {pin}");
    folder.good(&install);
    let settings = std::fs::read_to_string(folder.path().join("r1/requestor.toml")).unwrap();
    assert!(
        settings.contains(&format!("roster_pin = \"{pin}\"")),
        "{settings}"
    );
    let other = format!(
        "roster install --into r1 --from c/roster.cbor --pin {}",
        "0".repeat(64)
    );
    assert!(folder.bad(&other).contains("a pin is never changed"));
}

#[test]
fn the_next_roster_keeps_indices_and_needs_the_old_guardians() {
    let folder = Folder::new();
    folder.people();
    let (one, two) = (member_card(&folder, 1), member_card(&folder, 2));
    folder.good(&format!(
        "init --dir c --name lab --network hoodi --card g/ada.card {one} {two} r1/client.card"
    ));
    let sign = "roster sign --dir c --guardian ada --key g/ada.key --passphrase-file pass";
    folder.good(sign);
    folder.good("roster next --dir c --remove server-2");
    folder.good(sign);
    let error = folder.bad("roster next --dir c --remove nobody");
    assert!(error.contains("nobody in the roster is called"), "{error}");

    // The index of the member that left comes back with another key.
    let three = member_card(&folder, 3);
    let stolen = {
        use symbolon_protocol::card::Card;
        use symbolon_protocol::{NetworkId, SoftIdentity, Unsigned};
        let network = NetworkId(symbolon_duties::Network::named("hoodi").unwrap().id());
        let bytes = std::fs::read(folder.path().join(three)).unwrap();
        let (card, _) = Card::open(network, &bytes).unwrap();
        let Card::Member(mut member) = card else {
            panic!("not a member's card")
        };
        member.index = 2;
        let key = SoftIdentity::from_bytes(&[3; 32]).unwrap();
        let signed = Unsigned::new(network, Card::Member(member))
            .sign(&key)
            .unwrap();
        std::fs::write(folder.path().join("stolen.card"), signed.to_bytes()).unwrap();
        "stolen.card"
    };
    let error = folder.bad(&format!("roster next --dir c --card {stolen}"));
    assert!(error.contains("an index is never reused"), "{error}");
}

#[test]
fn nothing_is_overwritten_and_every_error_says_what_to_do() {
    let folder = Folder::new();
    folder.people();
    let again = "guardian new --name ada --network hoodi --out g --passphrase-file pass";
    assert!(
        folder
            .bad(again)
            .contains("exists already; nothing was written")
    );
    let mainnet = "init --dir d --name lab --network mainnet --card g/ada.card";
    assert!(folder.bad(mainnet).contains("belongs to another network"));
    let none = "operator init --name op --network nowhere --dir x";
    assert!(folder.bad(none).contains("neither a known network"));
    let few = "init --dir d --name lab --network hoodi --card g/ada.card";
    assert!(folder.bad(few).contains("0 members"));
    assert!(
        folder
            .bad("status --dir nowhere")
            .contains("symbolon init makes one")
    );

    let key = folder.path().join("c/operator/identity.key");
    let mut open = std::fs::metadata(&key).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut open, 0o644);
    std::fs::set_permissions(&key, open).unwrap();
    let one = member_card(&folder, 1);
    folder.good(&format!(
        "init --dir c --name lab --network hoodi --card g/ada.card {one}"
    ));
    folder.good("roster sign --dir c --guardian ada --key g/ada.key --passphrase-file pass");
    let error = folder.bad("status --dir c");
    assert!(error.contains("chmod 600"), "{error}");
}

#[test]
fn a_plan_says_what_it_bears_and_refuses_what_it_must() {
    let folder = Folder::new();
    let plan: serde_json::Value =
        serde_json::from_str(&folder.good("plan -n 5 -t 4 --json")).unwrap();
    assert_eq!(plan["dishonest_tolerated"], 2);
    assert_eq!(plan["hand_over_receipts"], 4);
    assert!(
        folder
            .good("plan -n 5 -t 3")
            .contains("warning: one dishonest member")
    );
    assert!(folder.bad("plan -n 4 -t 2").contains("needs t = 3 or more"));
    assert!(
        folder
            .bad("plan -n 5 -t 3 --online 3")
            .contains("could sign alone")
    );
}

#[test]
fn wrong_usage_ends_with_code_2_and_help_names_every_command() {
    let folder = Folder::new();
    assert_eq!(folder.run("roster frobnicate").status.code(), Some(2));
    let help = folder.good("--help");
    for noun in [
        "init", "roster", "guardian", "operator", "ceremony", "key", "slashing", "plan", "hsm",
    ] {
        assert!(help.contains(noun), "{noun}");
    }
    folder.good("man pages");
    let pages = std::fs::read_dir(folder.path().join("pages"))
        .unwrap()
        .count();
    assert!(pages > 20, "{pages}");
    for shell in ["bash", "zsh", "fish"] {
        assert!(
            folder
                .good(&format!("completions {shell}"))
                .contains("symbolon")
        );
    }
}
