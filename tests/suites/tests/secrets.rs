//! No share, data key, PIN or whole key lies where it must not: neither in a file that a run
//! writes, nor in a message, nor in memory that a core dump would hold.
//!
//! Left out of the search: the token folders and PIN files, which are what the device is. A worker
//! may keep the PIN of its own token, in pages that no dump holds.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

use std::fs::{self, File};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hsm_api::{Hsm as _, PinSource, TokenSelector, WorkerClient, WorkerConfig};
use symbolon_lab::{
    DirectRequestor, KeySource, Lab, LabOptions, Program, RequestKind, Sampler, Signal,
    interop_secret, write_interop_keystores,
};
use symbolon_protocol::sign::SignAnswer;
use symbolon_server::{Config, GroupShares};
use symbolon_suites::quiet;
use symbolon_threshold::{SecretScalar, SecretShare, ShareIndex};

const SERVERS: u16 = 3;
/// The server that opens the data key for each batch.
const PER_BATCH: u16 = 3;
const KEYS: u64 = 2;
const WRONG_PIN: &str = "7d1c55e0f2a94b38";
const NOBODY: &str = "65534";

#[test]
fn nothing_secret_in_files_messages_or_dumps() {
    let work = tempfile::tempdir().unwrap();
    let mut lab = lab(work.path());
    let mut said = Vec::new();
    for index in 1..=SERVERS {
        if index == PER_BATCH {
            let path = lab.server(index).unwrap().dir.join("server.toml");
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.contains("\"resident\""), "{text}");
            fs::write(&path, text.replace("\"resident\"", "\"per-batch\"")).unwrap();
            lab.restart(index).unwrap();
        }
    }
    use_it(&lab, &mut said);
    break_copies(&mut lab, &mut said);

    let mut secrets = Needles::default();
    secrets.text("wrong PIN", WRONG_PIN);
    for index in 0..KEYS {
        secrets.bytes(&format!("whole key {index}"), &interop_secret(index));
    }
    for index in 1..=SERVERS {
        learn(&lab, index, &mut secrets);
    }

    // The scanner finds what is there.
    let mut canary = Needles::default();
    canary.text("canary", "0c0ffee0canary0c0ffee0");
    let planted = lab.dir().join("logs/planted");
    for form in canary.0.iter().map(|(_, form)| form.clone()) {
        fs::write(&planted, [b"before ", form.as_slice(), b" after"].concat()).unwrap();
        assert_eq!(files(lab.dir(), &canary).len(), 1);
    }
    fs::remove_file(&planted).unwrap();

    let found = files(lab.dir(), &secrets);
    assert!(found.is_empty(), "{found:#?}");
    for text in &said {
        assert_eq!(
            secrets.find(text.as_bytes()),
            Vec::<String>::new(),
            "{text}"
        );
    }
    let log = fs::read_to_string(&lab.server(1).unwrap().log).unwrap();
    assert!(
        log.contains("TRACE") || log.contains("\"trace\""),
        "the logs are of another level"
    );

    memory(&lab, &secrets, &canary);
}

/// Two of three, two well-known keys, every line of every log.
fn lab(work: &Path) -> Lab {
    let (keystores, passwords) = (work.join("keystores"), work.join("passwords"));
    write_interop_keystores(0..KEYS, &keystores, &passwords).unwrap();
    let options = LabOptions {
        servers: SERVERS,
        threshold: 2,
        keys: KeySource::Keystores {
            keystores,
            passwords,
        },
        log_filter: "trace".to_owned(),
        ..LabOptions::default()
    };
    Lab::up(&options, &quiet()).unwrap()
}

/// Signs, and asks for what is refused; keeps what is answered.
fn use_it(lab: &Lab, said: &mut Vec<String>) {
    let sampler = lab.sampler().unwrap();
    for key in lab.keys() {
        let of_key = Sampler { key, ..sampler };
        for kind in [RequestKind::Attestation, RequestKind::RandaoReveal] {
            lab.sign(&of_key.sample(kind).unwrap()).unwrap();
        }
        // Another vote of the same target.
        let other = Sampler { salt: 1, ..of_key };
        let refused = lab
            .request(&other.sample(RequestKind::Attestation).unwrap())
            .unwrap();
        assert_eq!(refused.status, 412, "{}", refused.text());
        said.push(refused.text());
    }
    let path = format!("/api/v1/eth2/sign/{}", sampler.key);
    let stranger = format!("/api/v1/eth2/sign/0x{}", "ab".repeat(48));
    for (path, body) in [
        (path.as_str(), "{"),
        (&path, "{\"type\":\"ATTESTATION\"}"),
        (&path, "{\"type\":\"NOTHING\"}"),
        (
            &stranger,
            "{\"type\":\"RANDAO_REVEAL\",\"randao_reveal\":{\"epoch\":\"1\"}}",
        ),
    ] {
        let answer = lab.client().post_json(path, &[], body.as_bytes()).unwrap();
        assert!(answer.status >= 400, "{body}: {}", answer.text());
        said.push(answer.text());
    }
    for index in 0..=SERVERS {
        said.push(lab.metrics(index).unwrap());
    }
    said.push(
        lab.symbolon(&["roster", "show", "--dir", "/nowhere"])
            .unwrap_err()
            .to_string(),
    );
}

/// Starts copies of server 2 with a wrong PIN and with a cut file of shares.
fn break_copies(lab: &mut Lab, said: &mut Vec<String>) {
    lab.stop(2).unwrap();
    let original = lab.server(2).unwrap().dir.clone();
    let program = lab.programs().path(Program::Server);
    let mut start = |name: &str, change: &dyn Fn(&Path), expected: &str| {
        let copy = lab.dir().join(name);
        let copied = Command::new("cp")
            .arg("-a")
            .args([&original, &copy])
            .status();
        assert!(copied.unwrap().success());
        change(&copy);
        let log = lab.dir().join("logs").join(name);
        let mut child = Command::new(&program)
            .arg("--config")
            .arg(copy.join("server.toml"))
            .env("SYMBOLON_LOG", "trace")
            .stdin(Stdio::null())
            .stdout(File::create(&log).unwrap())
            .stderr(File::options().append(true).open(&log).unwrap())
            .spawn()
            .unwrap();
        let started = Instant::now();
        while child.try_wait().unwrap().is_none() && started.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let status = child.try_wait().unwrap();
        child.kill().ok();
        child.wait().unwrap();
        let text = fs::read_to_string(&log).unwrap();
        assert!(status.is_some_and(|status| !status.success()), "{text}");
        assert!(text.contains(expected), "{text}");
        said.push(text);
    };
    start(
        "wrong-pin",
        &|copy| fs::write(copy.join("pin"), WRONG_PIN).unwrap(),
        "PIN",
    );
    start(
        "cut-shares",
        &|copy| {
            let path = shares_file(copy);
            let whole = fs::read(&path).unwrap();
            fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        },
        ".shares",
    );
    lab.start(2).unwrap();
}

fn shares_file(server: &Path) -> std::path::PathBuf {
    let mut entries = fs::read_dir(server.join("data/shares")).unwrap();
    entries.next().unwrap().unwrap().path()
}

/// Opens what one server holds, as it does.
fn learn(lab: &Lab, index: u16, secrets: &mut Needles) {
    let dir = &lab.server(index).unwrap().dir;
    let config = Config::load(&dir.join("server.toml")).unwrap();
    secrets.text(
        &format!("PIN {index}"),
        fs::read_to_string(&config.hsm.pin_file).unwrap().trim(),
    );
    let token = TokenSelector {
        label: config.hsm.token.clone(),
        serial: None,
    };
    let pin = PinSource::File(config.hsm.pin_file.clone());
    let program = lab.programs().path(Program::Worker);
    let mut worker = WorkerConfig::new(program, config.hsm.module.clone(), token, pin);
    worker.env = config.hsm.env.clone();
    let device = WorkerClient::start(worker).unwrap();
    let sealed = hsm_api::SealedDek::decode(&fs::read(config.sealed_dek()).unwrap()).unwrap();
    let soon = Instant::now() + Duration::from_secs(20);
    let dek = device.open_dek(&sealed, soon).unwrap();
    dek.key()
        .expose(|key| secrets.bytes(&format!("DEK {index}"), key));
    let group = GroupShares::from_bytes(&fs::read(shares_file(dir)).unwrap()).unwrap();
    let cipher = dek.share_cipher();
    assert_eq!(group.len() as u64, KEYS);
    for (key_index, key) in (0_u32..).zip(group.keys()) {
        let share = cipher.open(&group.binding(key_index), &key.sealed).unwrap();
        let share = SecretShare::new(
            ShareIndex::try_from(u64::from(index)).unwrap(),
            SecretScalar::from_locked(share).unwrap(),
        );
        let name = format!("share {index} of key {key_index}");
        share.scalar().expose(|plain| secrets.bytes(&name, plain));
        assert!(!group.scale().is_plain());
        let name = format!("scaled {name}");
        let scaled = share.scaled(group.scale());
        scaled
            .scalar()
            .expose(|scaled| secrets.bytes(&name, scaled));
    }
}

/// What dumps would hold of each process, and who could make one.
fn memory(lab: &Lab, secrets: &Needles, canary: &Needles) {
    let record = lab.record();
    let pid_of = |index: u16| lab.server(index).unwrap().pid.unwrap();
    let mut processes: Vec<u32> = (1..=SERVERS).map(pid_of).collect();
    processes.extend((1..=SERVERS).flat_map(|index| children(pid_of(index))));
    assert_eq!(
        processes.len(),
        2 * usize::from(SERVERS),
        "each server has a worker"
    );
    processes.push(record.requestor.pid.unwrap());
    for pid in &processes {
        let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
        let core = limits
            .lines()
            .find(|line| line.starts_with("Max core file size"));
        let core: Vec<&str> = core.unwrap().split_whitespace().skip(4).collect();
        assert_eq!(&core[..2], ["0", "0"], "process {pid}");
    }
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        eprintln!("left out: only root reads the memory of servers");
        return;
    }
    refused_to_its_own_user(lab);

    assert!(
        !image(std::process::id(), false, canary).is_empty(),
        "its own memory"
    );
    // Each has signed with its shares a moment ago, whomever the requestor asks.
    let asking = DirectRequestor::of(record, lab.network()).unwrap();
    let sample = lab.sampler().unwrap().sample(RequestKind::RandaoReveal);
    let batch = asking.batch(&[sample.unwrap()], 1).unwrap();
    for index in 1..=SERVERS {
        let reply = asking.ask(index, &batch).unwrap();
        assert!(
            matches!(reply.answers[0], SignAnswer::Partial(_)),
            "server {index}"
        );
        let pid = pid_of(index);
        lab.signal(index, Signal::STOP).unwrap();
        let (dumped, kept) = (image(pid, false, secrets), image(pid, true, secrets));
        lab.signal(index, Signal::CONT).unwrap();
        assert!(
            dumped.is_empty(),
            "a dump of server {index} holds {dumped:#?}"
        );
        // Between batches such a server has nothing at all; the others have it where no dump sees it,
        // which shows that the forms looked for are right.
        if index == PER_BATCH {
            assert!(kept.is_empty(), "server {index} kept {kept:#?}");
        } else {
            for name in [
                format!("DEK {index}"),
                format!("scaled share {index} of key 0"),
            ] {
                assert!(
                    kept.iter().any(|it| it.starts_with(&name)),
                    "{name}: {kept:#?}"
                );
            }
            let own = |it: &String| it.contains(&format!(" {index} ")) || it.starts_with("DEK");
            assert!(kept.iter().all(own), "server {index} holds {kept:#?}");
        }
        for worker in children(pid) {
            let (dumped, kept) = (image(worker, false, secrets), image(worker, true, secrets));
            assert!(
                dumped.is_empty(),
                "a dump of worker {index} holds {dumped:#?}"
            );
            let pin = |it: &String| it.starts_with(&format!("PIN {index} "));
            assert!(kept.iter().all(pin), "worker {index} holds {kept:#?}");
        }
    }
    let requestor = record.requestor.pid.unwrap();
    for excluded in [false, true] {
        let held = image(requestor, excluded, secrets);
        assert!(held.is_empty(), "the requestor holds {held:#?}");
    }
}

/// A worker started as another user waits for its first input; that very user may look into an
/// ordinary process of his, but not into the worker. The servers are root's here, so that his being
/// refused there shows less.
fn refused_to_its_own_user(lab: &Lab) {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let as_nobody = |program: &Path| {
        let mut command = Command::new("setpriv");
        command.args([
            "--reuid",
            NOBODY,
            "--regid",
            NOBODY,
            "--clear-groups",
            "--no-new-privs",
        ]);
        command
            .arg(program)
            .stdin(Stdio::piped())
            .stderr(Stdio::null());
        command
    };
    let worker = folder.path().join("symbolon-hsm-worker");
    fs::copy(lab.programs().path(Program::Worker), &worker).unwrap();
    fs::set_permissions(&worker, fs::Permissions::from_mode(0o755)).unwrap();
    let may_read = |pid: u32| {
        let mut head = as_nobody(Path::new("head"));
        head.args(["-c", "1", &format!("/proc/{pid}/maps")]);
        head.stdout(Stdio::null()).status().unwrap().success()
    };
    let cat = Waiting(as_nobody(Path::new("cat")).spawn().unwrap());
    let worker = Waiting(as_nobody(&worker).spawn().unwrap());
    std::thread::sleep(Duration::from_millis(500));
    assert!(may_read(cat.0.id()), "its own ordinary process");
    assert!(fs::read(format!("/proc/{}/maps", worker.0.id())).is_ok_and(|maps| !maps.is_empty()));
    assert!(!may_read(worker.0.id()), "the worker of the same user");
    for index in 1..=SERVERS {
        assert!(!may_read(lab.server(index).unwrap().pid.unwrap()));
    }
}

/// Ended when it goes out of scope.
struct Waiting(Child);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn children(pid: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let lists = tasks.map(|task| fs::read_to_string(task.unwrap().path().join("children")));
    let lists: Vec<String> = lists.map(Result::unwrap_or_default).collect();
    lists
        .iter()
        .flat_map(|list| list.split_whitespace())
        .map(|pid| pid.parse().unwrap())
        .collect()
}

/// What is found in the pages of a process that a dump holds, or in those left out of dumps.
fn image(pid: u32, left_out: bool, needles: &Needles) -> Vec<String> {
    let maps = fs::read_to_string(format!("/proc/{pid}/smaps")).unwrap();
    let memory = File::open(format!("/proc/{pid}/mem")).unwrap();
    let (mut found, mut total) = (Vec::new(), 0);
    let mut range = None;
    let mut resident = true;
    for line in maps.lines() {
        let mut words = line.split_whitespace();
        let first = words.next().unwrap();
        if !first.ends_with(':') {
            let (from, to) = first.split_once('-').unwrap();
            let number = |text| u64::from_str_radix(text, 16).unwrap();
            range = Some((number(from), number(to), line.to_owned()));
        } else if first == "Rss:" {
            resident = words.next() != Some("0");
        } else if first == "VmFlags:" {
            let (from, to, line) = range.take().unwrap();
            if words.any(|flag| flag == "dd") != left_out || !resident || line.contains("[v") {
                continue;
            }
            let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
            // A mapping of a file may reach beyond its end; those pages hold nothing.
            for (page, at) in bytes.chunks_mut(4096).zip((from..to).step_by(4096)) {
                total += usize::from(memory.read_exact_at(page, at).is_ok());
            }
            let here = needles.find(&bytes);
            found.extend(here.into_iter().map(|name| format!("{name} in {line}")));
        }
    }
    assert!(
        left_out || total > 256,
        "only {total} pages of process {pid} were read"
    );
    found
}

/// What is found in the files below a folder.
fn files(folder: &Path, needles: &Needles) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let (path, name) = (entry.path(), entry.file_name());
        let kind = entry.file_type().unwrap();
        if kind.is_dir() && name != "token" {
            found.extend(files(&path, needles));
        } else if kind.is_file() && name != "pin" {
            let here = needles.find(&fs::read(&path).unwrap());
            found.extend(
                here.into_iter()
                    .map(|name| format!("{name} in {}", path.display())),
            );
        }
    }
    found
}

/// What is looked for, in every form, each with its name.
#[derive(Default)]
struct Needles(Vec<(String, Vec<u8>)>);

impl Needles {
    fn text(&mut self, name: &str, text: &str) {
        assert!(text.len() >= 12, "{name} is too short to be looked for");
        self.forms(name, text.as_bytes());
    }

    fn bytes(&mut self, name: &str, bytes: &[u8; 32]) {
        self.forms(name, bytes);
        let turned: Vec<u8> = bytes.iter().rev().copied().collect();
        self.forms(&format!("{name}, little-endian"), &turned);
    }

    fn forms(&mut self, name: &str, bytes: &[u8]) {
        let forms = [
            ("raw", bytes.to_vec()),
            ("hex", hex::encode(bytes).into_bytes()),
            ("HEX", hex::encode_upper(bytes).into_bytes()),
            ("base64", base64(bytes)),
        ];
        let named = forms.map(|(form, bytes)| (format!("{name} ({form})"), bytes));
        self.0.extend(named);
    }

    /// The names of all that occur.
    fn find(&self, hay: &[u8]) -> Vec<String> {
        let mut starts = vec![false; 1 << 16];
        for (_, form) in &self.0 {
            starts[usize::from(form[0]) << 8 | usize::from(form[1])] = true;
        }
        let mut found = Vec::new();
        for (at, pair) in hay.windows(2).enumerate() {
            if starts[usize::from(pair[0]) << 8 | usize::from(pair[1])] {
                let here = self
                    .0
                    .iter()
                    .filter(|(_, form)| hay[at..].starts_with(form));
                found.extend(here.map(|(name, _)| name.clone()));
            }
        }
        found.sort();
        found.dedup();
        found
    }
}

/// The whole groups of three bytes, in both alphabets alike where neither of their last two digits
/// occurs.
fn base64(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let groups = bytes.chunks_exact(3).flat_map(|group| {
        let bits = u32::from(group[0]) << 16 | u32::from(group[1]) << 8 | u32::from(group[2]);
        [18, 12, 6, 0].map(|shift| DIGITS[(bits >> shift & 63) as usize])
    });
    groups.collect()
}
