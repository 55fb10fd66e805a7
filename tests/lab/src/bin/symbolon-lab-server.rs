//! A threshold server that lies on demand: the shipped server's library with a hook in front of
//! its replies. Never shipped.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use symbolon_lab::{Falsified, FaultMode};
use symbolon_protocol::sign::{SignBatch, SignReply};
use symbolon_server::{Arguments, Hooks, Outgoing, OutgoingFuture, ReplyHook};

/// A threshold server that lies on demand.
#[derive(Debug, Parser)]
#[command(name = "symbolon-lab-server", version)]
struct Program {
    #[command(flatten)]
    arguments: Arguments,
    /// The file that names the lie; read again for every reply.
    #[arg(long)]
    fault_file: PathBuf,
}

/// Lies as the file says.
struct Liar {
    control: PathBuf,
}

impl ReplyHook for Liar {
    fn outgoing<'a>(&'a self, batch: &'a SignBatch, reply: SignReply) -> OutgoingFuture<'a> {
        Box::pin(async move {
            // A control file that does not parse must not pass for honesty.
            let Ok(mode) = FaultMode::read(&self.control) else {
                return Outgoing::Silence;
            };
            match mode.falsify(batch, reply) {
                Falsified::Reply(delay, reply) => {
                    tokio::time::sleep(delay).await;
                    Outgoing::Reply(reply)
                }
                Falsified::Silence => Outgoing::Silence,
            }
        })
    }
}

fn main() -> ExitCode {
    let program = Program::parse();
    let liar = Liar {
        control: program.fault_file,
    };
    symbolon_server::run(
        &program.arguments,
        Hooks {
            reply: Some(Arc::new(liar)),
        },
    )
}
