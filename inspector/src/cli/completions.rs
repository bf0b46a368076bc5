//! `rezq completions`: a script with which a shell completes commands and options.

use crate::terminal::{CliError, Exit, Output};
use clap_complete::Shell;

#[derive(Debug, clap::Args)]
#[command(after_help = "bash: rezq completions bash > ~/.local/share/bash-completion/completions/rezq
zsh:  rezq completions zsh > a file `_rezq` in a folder of $fpath
fish: rezq completions fish > ~/.config/fish/completions/rezq.fish
PowerShell: rezq completions powershell | Out-String | Invoke-Expression")]
pub(super) struct Args {
    #[arg(value_name = "SHELL", value_parser = ["bash", "zsh", "fish", "powershell"])]
    shell: String,
}

/// Prints the script for the commands of `cli`. Scripts would also offer what is hidden, so that is left out.
pub(super) fn run(args: &Args, cli: &clap::Command, output: &mut Output) -> Result<Exit, CliError> {
    let shell: Shell = args.shell.parse().map_err(|error| CliError::usage(error, ""))?;
    // `generate` panics if its writer fails, as standard output does when the reader has closed it.
    let mut script = Vec::new();
    let shown = cli.get_subcommands().filter(|command| !command.is_hide_set()).cloned();
    let mut cli =
        clap::Command::new("rezq").version(env!("CARGO_PKG_VERSION")).disable_help_subcommand(true).subcommands(shown);
    clap_complete::generate(shell, &mut cli, "rezq", &mut script);
    output.line(String::from_utf8_lossy(&script).trim_end());
    Ok(Exit::Done)
}
