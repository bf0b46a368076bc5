//! The head: the source, what its lanes hold, why it waits, and the tabs.

use super::cell;
use super::style::Styles;
use crate::queue::Overview;
use crate::terminal::{bytes, count, rows, unreadable};
use crate::tui::list::TABS;
use crate::tui::state::{State, sums};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// The lanes, in the order of the counts.
const LANES: [&str; 4] = ["crash", "critical", "normal", "bulk"];

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, state: &State, styles: Styles) {
    let lines = [vec![title(state, styles)], counts(state, styles), vec![reason(state, styles), tabs(state, styles)]];
    let lines = lines.into_iter().flatten().chain(state.list.is_filtered().then(|| filters(state, styles)));
    let mut rows = area.rows();
    for (place, line) in lines.enumerate() {
        let Some(row) = rows.next() else { break };
        let (word, style) = liveness(state, styles);
        if place > 0 {
            frame.render_widget(line, row);
            continue;
        }
        // How the source is, is shown whatever the length of its name.
        let width = u16::try_from(word.chars().count()).unwrap_or_default();
        let [left, right] = Layout::horizontal([Constraint::Fill(1), Constraint::Length(width)]).spacing(1).areas(row);
        frame.render_widget(line, left);
        frame.render_widget(Span::styled(word, style), right);
    }
}

fn title<'a>(state: &State, styles: Styles) -> Line<'a> {
    let mut spans = vec![Span::styled(cell(&state.source), styles.strong())];
    if !state.about.app.is_empty() {
        spans.push(Span::raw(format!("  {}", cell(&state.about.app))));
    }
    if let Some(Overview { rows: n, bytes: size, cap, .. }) = &state.overview {
        let cap = cap.map(|cap| format!(" of {}", bytes(cap))).unwrap_or_default();
        spans.push(Span::styled(format!("  {}, {}{cap}", rows(*n), bytes(*size)), styles.quiet()));
    }
    Line::from(spans)
}

fn liveness(state: &State, styles: Styles) -> (String, Style) {
    match (&state.trouble, state.busy, &state.overview) {
        (Some(_), ..) => ("no answer".to_owned(), styles.bad()),
        (None, Some(time), _) => (format!("no answer for {} s", time.as_secs()), styles.bad()),
        _ if state.fault.is_some() => {
            (format!("fault: {}", cell(state.fault.as_deref().unwrap_or_default())), styles.bad())
        }
        _ if !state.list.is_read => ("reading".to_owned(), styles.quiet()),
        (_, _, Some(overview)) if overview.live => ("live".to_owned(), styles.good()),
        _ => ("no app".to_owned(), styles.quiet()),
    }
}

/// What became of the events, and the lanes; on a narrow screen on two lines.
fn counts<'a>(state: &State, styles: Styles) -> Vec<Line<'a>> {
    let lines = if state.is_narrow() { 2 } else { 1 };
    let Some(overview) = &state.overview else { return vec![Line::default(); lines] };
    let lanes = LANES.iter().zip(&overview.lanes).map(|(lane, n)| Span::raw(format!("{lane} {}  ", count(*n))));
    let sums = sums(overview).into_iter().filter(|(name, n)| *n > 0 || *name == "waiting");
    let mut spans: Vec<Span<'a>> =
        sums.map(|(name, n)| Span::styled(format!("{name} {}  ", count(n)), styles.state(name))).collect();
    if !overview.holds() {
        spans.insert(0, Span::styled("not balanced  ", styles.bad()));
    }
    let lanes: Vec<Span<'a>> = lanes.collect();
    if state.is_narrow() {
        return vec![Line::from(spans), Line::from(lanes)];
    }
    if !lanes.is_empty() {
        spans.push(Span::styled("lanes: ", styles.quiet()));
    }
    spans.extend(lanes);
    vec![Line::from(spans)]
}

/// Why the source does not answer, or why its routes wait.
fn reason<'a>(state: &State, styles: Styles) -> Line<'a> {
    if let Some(trouble) = &state.trouble {
        return Line::styled(format!("what is shown is old: {}", cell(&trouble.text)), styles.bad());
    }
    if state.list.unreadable > 0 {
        return Line::styled(format!("{}, left out", unreadable(state.list.unreadable)), styles.bad());
    }
    if let Some(note) = state.notes.first() {
        return Line::styled(cell(note), styles.bad());
    }
    let routes = state.overview.as_ref().map(|overview| overview.routes.as_slice()).unwrap_or_default();
    let waiting: Vec<_> = routes.iter().filter(|route| !route.waits.is_empty()).collect();
    let Some(first) = waiting.first() else {
        return Line::styled(if state.overview.is_some() { "no route waits" } else { "" }, styles.quiet());
    };
    let others = match waiting.len() - 1 {
        0 => String::new(),
        1 => " (and 1 more route, s)".to_owned(),
        n => format!(" (and {n} more routes, s)"),
    };
    let why = first.waits.first().map(String::as_str).unwrap_or_default();
    Line::styled(format!("{}{others}: {}", cell(&first.route), cell(why)), styles.state("waiting"))
}

fn tabs<'a>(state: &State, styles: Styles) -> Line<'a> {
    let tab = |(at, name): (usize, &&str)| {
        let is_chosen = at == state.list.tab;
        let text =
            if is_chosen || !state.is_narrow() { format!(" {} {name} ", at + 1) } else { format!(" {} ", at + 1) };
        Span::styled(text, if is_chosen { styles.cursor() } else { Style::new() })
    };
    Line::from(TABS.iter().enumerate().map(tab).collect::<Vec<_>>())
}

fn filters<'a>(state: &State, styles: Styles) -> Line<'a> {
    let mut spans = Vec::new();
    for (name, text) in [("search", &state.list.search), ("conditions", &state.list.conditions)] {
        if !text.is_empty() {
            spans.push(Span::styled(format!("{name} "), styles.quiet()));
            spans.push(Span::styled(format!("{}  ", cell(text)), styles.strong()));
        }
    }
    let found = state.list.len() as u64;
    let more = if state.list.has_more { " so far" } else { "" };
    spans.push(Span::raw(format!("{} found{more}", count(found))));
    Line::from(spans)
}
