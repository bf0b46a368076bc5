//! `rezq status`: the balance, and why each route waits.

use super::args::{Common, done};
use super::line;
use crate::queue::Overview;
use crate::render;
use crate::source::Ask;
use crate::terminal::{CliError, Exit, Output};

pub(super) fn run(args: &Common, output: &mut Output) -> Result<Exit, CliError> {
    let source = args.source.open()?;
    let overview = Ask(&*source).overview(true)?;
    if args.json {
        json(&overview, output);
    } else if Ask(&*source).is_collector()? {
        // A server has no balance: what it did not receive it does not know.
        Ask(&*source).lines()?.iter().for_each(|line| output.line(line));
    } else {
        output.line(&render::status(&overview));
        if source.is_damaged() {
            output.line(
                "of a damaged queue only the rows that were found are counted; what was delivered or lost is not known",
            );
        }
    }
    Ok(match (overview.unreadable.unwrap_or_default(), overview.holds()) {
        (0, true) => done(&*source),
        (0, false) => Exit::Finding,
        _ => Exit::Damaged,
    })
}

fn json(overview: &Overview, output: &mut Output) {
    for kind in &overview.kinds {
        output.line(&line("kind", kind, &[("holds", kind.holds().into())]));
    }
    for route in &overview.routes {
        output.line(&line("route", route, &[("holds", route.holds().into())]));
    }
    let queue = serde_json::json!({"install": overview.install, "epoch": overview.epoch, "rows": overview.rows,
        "bytes": overview.bytes, "cap": overview.cap, "oldest_ms": overview.oldest_ms, "live": overview.live,
        "unreadable": overview.unreadable, "refused": overview.refused});
    output.line(&line("queue", &queue, &[("holds", overview.holds().into())]));
}
