//! `rezq mcp`: the commands that only read, as tools of the Model Context Protocol, for coding agents.
//!
//! | file | idea |
//! | --- | --- |
//! | `input` | lines of standard input, until a signal comes |
//! | `rpc` | messages of JSON-RPC 2.0, one per line |
//! | `tools` | the tools, their arguments and their answers |

mod input;
mod rpc;
mod tools;

use super::args::SourceArg;
use super::check;
use crate::source::{Inspect as _, Masked};
use crate::terminal::{CliError, Exit, Output};
use input::Input;
use rpc::{Line, Server};
use std::path::PathBuf;
use tools::Tools;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Speaks JSON-RPC 2.0 on standard input and output, one message per line, until the input ends or a signal comes"
)]
pub(super) struct Args {
    #[command(flatten)]
    source: SourceArg,
    /// The tracking plan for the tool `check`
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
}

pub(super) fn run(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    // A plan that is wrong is an error now, not in an answer. It is read again by each check, so that it can be corrected.
    args.plan.as_deref().map(check::read).transpose()?;
    let source = Masked::new(args.source.open()?);
    let server = Server { tools: Tools { source: &source, plan: args.plan.as_deref() } };
    let failed = |error| CliError::open(format!("cannot read standard input: {error}"), "");
    let input = Input::start().map_err(failed)?;
    while let Some(line) = input.next().map_err(failed)? {
        let answer = match line {
            Line::Text(text) => server.answer(&text),
            Line::TooLong => Some(rpc::too_long()),
        };
        if let Some(answer) = answer {
            output.line(&answer.to_string());
        }
    }
    Ok(if source.is_damaged() { Exit::Damaged } else { Exit::Done })
}
