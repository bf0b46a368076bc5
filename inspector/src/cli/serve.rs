//! `rezq serve`: the page of the inspector for any source.

use super::args::SourceArg;
use crate::source::Ask;
use crate::terminal::{CliError, EndSignal, Exit, Output};
use crate::web::{Server, WebError};
use std::net::SocketAddr;
use std::sync::Arc;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    source: SourceArg,
    /// Port on 127.0.0.1; 0 picks a free port. The first line of output is the address
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    port: u16,
}

pub(super) fn run(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    let source = args.source.open()?;
    // A source that cannot answer is an error now, not in the page.
    Ask(&*source).raw(&serde_json::json!({"ask": "about"}))?;
    source.notes().iter().for_each(|note| eprintln!("rezq: {note}"));
    let address: SocketAddr = ([127, 0, 0, 1], args.port).into();
    let server = Server::start(address, Arc::from(source))?;
    let end = EndSignal::new()?;
    output.line(server.url());
    end.wait();
    server.stop();
    Ok(Exit::Done)
}

impl From<WebError> for CliError {
    fn from(error: WebError) -> CliError {
        CliError::open(error, "")
    }
}
