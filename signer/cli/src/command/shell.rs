//! Completions and manual pages, made from the command definitions.

use std::path::Path;

use anyhow::Context as _;
use clap::CommandFactory as _;

use crate::cli::{Cli, Completions, Man};

/// Prints completions.
pub(crate) fn completions(command: &Completions) -> anyhow::Result<()> {
    let mut text = Vec::new();
    clap_complete::generate(command.shell, &mut Cli::command(), "symbolon", &mut text);
    crate::output::print(&String::from_utf8_lossy(&text))
}

/// Writes one page a command.
pub(crate) fn man(command: &Man) -> anyhow::Result<()> {
    std::fs::create_dir_all(&command.dir)
        .with_context(|| format!("cannot create {}", command.dir.display()))?;
    let mut root = Cli::command();
    root.build();
    write_pages(&root, "symbolon", &command.dir)
}

fn write_pages(command: &clap::Command, name: &str, dir: &Path) -> anyhow::Result<()> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone())
        .title(name)
        .render(&mut page)?;
    let path = dir.join(format!("{name}.1"));
    std::fs::write(&path, page).with_context(|| format!("cannot write {}", path.display()))?;
    for sub in command
        .get_subcommands()
        .filter(|sub| sub.get_name() != "help")
    {
        write_pages(sub, &format!("{name}-{}", sub.get_name()), dir)?;
    }
    Ok(())
}
