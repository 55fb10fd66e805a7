//! The commands.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Parser, Subcommand};
use symbolon_lab::{
    Audience, DekResidency, FaultMode, KeySource, Lab, LabOptions, LabRecord, LabStatus,
    RequestKind, Sampler, Story, curl_line, quickstart,
};

use crate::interrupt::end_lab_on_signal;

/// Clusters of real processes on one machine: to try, to test against, to break.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The demo: keys that nobody has, a dead server, a liar, a slashable request.
    Quickstart(Quickstart),
    /// Make and start a cluster; returns when its requestor answers.
    Up(Up),
    /// How a cluster is.
    Status(Show),
    /// Make a server lie, or honest again.
    Fault(Fault),
    /// Kill a server as a power cut would.
    Kill(One),
    /// Start a server again.
    Start(One),
    /// Print a request that the cluster signs, as a validator client would send it.
    Sample(SampleOf),
    /// End a cluster: exactly its own processes.
    Down(Dir),
}

#[derive(Debug, Args)]
struct Dir {
    /// The cluster's folder.
    #[arg(long)]
    dir: PathBuf,
    /// Answer with one JSON document.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Show {
    #[command(flatten)]
    at: Dir,
}

#[derive(Debug, Args)]
struct One {
    #[command(flatten)]
    at: Dir,
    /// The server's number.
    #[arg(long)]
    server: u16,
}

#[derive(Debug, Args)]
struct Fault {
    #[command(flatten)]
    one: One,
    /// wrong, garbage, silent, slow=MILLISECONDS, refuse, refuse=CODE, old-epoch or none.
    #[arg(long)]
    mode: FaultMode,
}

#[derive(Debug, Args)]
struct SampleOf {
    #[command(flatten)]
    at: Dir,
    /// Its type, such as ATTESTATION.
    #[arg(long, default_value = "RANDAO_REVEAL")]
    kind: RequestKind,
    /// Its slot; the one that runs now, if not given.
    #[arg(long)]
    slot: Option<u64>,
    /// Which of the cluster's keys, from 0.
    #[arg(long, default_value_t = 0)]
    key: usize,
}

#[derive(Debug, Args)]
struct Quickstart {
    /// The cluster's folder; a new one in the system's temporary folder, if not given.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// End the cluster afterwards.
    #[arg(long)]
    exit: bool,
    /// Print one line of JSON at the end; the story goes to standard error.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Up {
    /// The cluster's folder; it is made, and what an earlier cluster left there is removed.
    #[arg(long)]
    dir: PathBuf,
    /// How many servers.
    #[arg(long, default_value_t = 5)]
    servers: u16,
    /// How many of them a signature needs.
    #[arg(long, default_value_t = 3)]
    threshold: u16,
    /// How many keys a ceremony makes.
    #[arg(long, conflicts_with = "keystores")]
    keys: Option<usize>,
    /// Split these EIP-2335 keystores instead.
    #[arg(long, requires = "passwords")]
    keystores: Option<PathBuf>,
    /// Their passwords: NAME.txt for NAME.json.
    #[arg(long, requires = "keystores")]
    passwords: Option<PathBuf>,
    /// A network's name, or a config.yaml with GENESIS_VALIDATORS_ROOT; a chain of its own, if not
    /// given.
    #[arg(long)]
    network: Option<String>,
    /// Where the requestor listens; a free port of 127.0.0.1, if not given.
    #[arg(long)]
    listen: Option<SocketAddr>,
    /// Open the data key on the device for each batch instead of once.
    #[arg(long)]
    per_batch: bool,
    /// Print lab.json at the end; the story goes to standard error.
    #[arg(long)]
    json: bool,
}

impl Cli {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Quickstart(command) => return command.run(),
            Command::Up(command) => command.run()?,
            Command::Status(command) => command.run()?,
            Command::Fault(command) => command.run()?,
            Command::Kill(one) => {
                let mut lab = Lab::open(&one.at.dir)?;
                lab.kill9(one.server)?;
                one.done(&lab, "killed")?;
            }
            Command::Start(one) => {
                let mut lab = Lab::open(&one.at.dir)?;
                lab.start(one.server)?;
                one.done(&lab, "runs")?;
            }
            Command::Sample(command) => command.run()?,
            Command::Down(at) => {
                let ended = Lab::down(&at.dir)?;
                if at.json {
                    print(&serde_json::json!({ "ended": ended }).to_string())?;
                } else {
                    print(&format!(
                        "{ended} processes ended; logs stay in {}",
                        at.dir.display()
                    ))?;
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Quickstart {
    fn run(self) -> anyhow::Result<ExitCode> {
        let story = Story::begin(if self.json {
            Audience::Script
        } else {
            Audience::People
        });
        let dir = match self.dir {
            Some(dir) => dir,
            None => fresh_folder()?,
        };
        end_lab_on_signal(dir.clone())?;
        let mut outcome = quickstart(Some(dir.clone()), &story);
        let line = outcome.line()?;
        let ok = outcome.is_ok();
        match outcome.lab.take() {
            Some(lab) if !self.exit => {
                let (this, dir) = (this_program(), dir.display());
                story.line("\nThe cluster runs on. Try:\n");
                story.line(&format!("  {}\n", curl_line(&lab)?));
                story.line(&format!("  {this} status --dir {dir}"));
                story.line(&format!(
                    "  {this} fault --dir {dir} --server 4 --mode garbage"
                ));
                story.line(&format!("  {this} down --dir {dir}"));
                lab.let_go();
            }
            Some(lab) => {
                drop(lab);
                if ok {
                    // Whoever asked for --exit wants nothing to stay; after a failure logs help.
                    std::fs::remove_dir_all(&dir)
                        .with_context(|| format!("cannot remove {}", dir.display()))?;
                }
                story.tell("everything is ended");
            }
            None => {}
        }
        if !ok {
            story.line(&format!(
                "\nNot everything held; the logs are in {}/logs.",
                dir.display()
            ));
        }
        if self.json {
            print(&line)?;
        }
        Ok(if ok {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

impl Up {
    fn run(self) -> anyhow::Result<()> {
        let keys = match (self.keystores, self.passwords) {
            (Some(keystores), Some(passwords)) => KeySource::Keystores {
                keystores,
                passwords,
            },
            _ => KeySource::Ceremony {
                keys: self.keys.unwrap_or(1),
            },
        };
        let options = LabOptions {
            dir: Some(self.dir.clone()),
            servers: self.servers,
            threshold: self.threshold,
            keys,
            network: self.network,
            listen: self.listen,
            dek_residency: if self.per_batch {
                DekResidency::PerBatch
            } else {
                DekResidency::Resident
            },
            ..LabOptions::default()
        };
        let story = Story::begin(if self.json {
            Audience::Script
        } else {
            Audience::People
        });
        end_lab_on_signal(self.dir)?;
        let lab = Lab::up(&options, &story)?;
        story.tell(format!("ready: {}", lab.record().requestor_url));
        for key in lab.record().public_keys.iter().take(SHOWN_KEYS) {
            story.detail(key);
        }
        story.detail(LabRecord::path(lab.dir()).display().to_string());
        if self.json {
            print(&serde_json::to_string(lab.record())?)?;
        }
        lab.let_go();
        Ok(())
    }
}

impl Show {
    fn run(self) -> anyhow::Result<()> {
        let status = LabStatus::of(&LabRecord::read(&self.at.dir)?);
        if self.at.json {
            print(&serde_json::to_string(&status)?)
        } else {
            print(status.text().trim_end())
        }
    }
}

impl Fault {
    fn run(self) -> anyhow::Result<()> {
        let mut lab = Lab::open(&self.one.at.dir)?;
        lab.fault(self.one.server, self.mode)?;
        let what = match self.mode {
            FaultMode::None => "is honest".to_owned(),
            mode => format!("lies: {mode}"),
        };
        self.one.done(&lab, &what)
    }
}

impl One {
    fn done(&self, lab: &Lab, what: &str) -> anyhow::Result<()> {
        let server = lab.server(self.server)?;
        if self.at.json {
            print(&serde_json::to_string(server)?)
        } else {
            print(&format!("{} {what}", server.name))
        }
    }
}

impl SampleOf {
    fn run(self) -> anyhow::Result<()> {
        let lab = Lab::open(&self.at.dir)?;
        let Some(key) = lab.keys().get(self.key).copied() else {
            bail!(
                "there is no key {}; the cluster has {}",
                self.key,
                lab.keys().len()
            );
        };
        let now = lab.sampler()?;
        let slot = self.slot.map_or(now.slot, symbolon_duties::Slot);
        let sample = Sampler { slot, key, ..now }.sample(self.kind)?;
        if self.at.json {
            print(&sample.body.to_string())
        } else {
            print(&format!(
                "curl -s -X POST {}{} -H 'content-type: application/json' -d '{}'",
                lab.record().requestor_url,
                sample.path(),
                sample.body
            ))
        }
    }
}

fn fresh_folder() -> anyhow::Result<PathBuf> {
    let mut random = [0; 4];
    getrandom::fill(&mut random).context("no randomness from the system")?;
    Ok(std::env::temp_dir().join(format!("symbolon-quickstart-{}", hex::encode(random))))
}

/// As it was called.
fn this_program() -> String {
    std::env::args()
        .next()
        .unwrap_or_else(|| "symbolon-lab".to_owned())
}

/// A closed pipe ends the output, not the command.
fn print(line: &str) -> anyhow::Result<()> {
    match writeln!(std::io::stdout().lock(), "{line}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// A line on standard error.
pub(crate) fn complain(line: &str) {
    // Nobody is left to be told when standard error is closed.
    writeln!(std::io::stderr().lock(), "{line}").ok();
}

const SHOWN_KEYS: usize = 5;
