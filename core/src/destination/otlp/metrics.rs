//! Metrics: counters as delta sums, gauges, distributions as histograms, and the number of lost events.
//!
//! Counters and distributions of a request are aggregated by name and attributes, because a backend would treat two
//! points of one stream with the same time as one.

use super::attributes::Attributes;
use super::logs::nanos;
use super::names::{self, metric};
use super::resource::{Frame, by_run, resource};
use super::wire::{Tag, Wire};
use crate::destination::Batch;
use crate::json::Json;
use crate::kind::Kind;
use crate::row::{Lost, Row};
use std::borrow::Cow;

const FRAME: Frame = Frame { resources: Tag(1, "resourceMetrics"), scopes: Tag(2, "scopeMetrics") };
const METRICS: Tag = Tag(2, "metrics");
const POINTS: Tag = Tag(1, "dataPoints");
const TEMPORALITY: Tag = Tag(2, "aggregationTemporality");
const DELTA: u32 = 1;
const CUMULATIVE: u32 = 2;

/// Upper bounds of the buckets: the default of OpenTelemetry's SDKs, chosen for milliseconds.
const BOUNDS: [f64; 15] =
    [0.0, 5.0, 10.0, 25.0, 50.0, 75.0, 100.0, 250.0, 500.0, 750.0, 1_000.0, 2_500.0, 5_000.0, 7_500.0, 10_000.0];

/// The request for these rows and lost events.
pub(super) fn write<W: Wire>(w: &mut W, batch: &Batch<'_>) {
    let mut groups = by_run(batch.rows);
    let newest = batch.runs.iter().map(|run| run.number).max().unwrap_or(0);
    if !batch.lost.is_empty() && groups.iter().all(|(run, _)| *run != newest) {
        groups.push((newest, Vec::new()));
    }
    w.list(FRAME.resources, |w| {
        for (run, rows) in groups {
            let fields: Vec<(&Row, Json<'_>)> = rows.into_iter().map(|row| (row, Json::of(row))).collect();
            let lost = if run == newest { batch.lost } else { &[] };
            let streams = streams(&fields);
            resource(w, &FRAME, batch, run, |w| {
                w.list(METRICS, |w| {
                    streams.iter().for_each(|stream| stream.write(w));
                    losses(w, batch, lost);
                });
            });
        }
    });
}

/// The number of data points of these rows.
pub(super) fn count(batch: &Batch<'_>) -> u64 {
    let of = |rows: Vec<&Row>| {
        let fields: Vec<_> = rows.into_iter().map(|row| (row, Json::of(row))).collect();
        streams(&fields).iter().map(|stream| stream.points.len() as u64).sum::<u64>()
    };
    by_run(batch.rows).into_iter().map(|(_, rows)| of(rows)).sum::<u64>() + batch.lost.len() as u64
}

#[derive(Clone, Copy, PartialEq)]
enum Form {
    /// Monotonic if it only grows.
    Sum {
        monotonic: bool,
    },
    Gauge,
    Histogram,
}

/// A metric with its points.
struct Stream<'a> {
    name: &'a str,
    unit: &'a str,
    form: Form,
    points: Vec<Point<'a>>,
}

struct Point<'a> {
    attrs: &'a [(Cow<'a, str>, Json<'a>)],
    screen: Option<&'a str>,
    start_ms: i64,
    end_ms: i64,
    values: Vec<f64>,
}

/// Whether a metric has a number as its value.
pub(super) fn is_number(row: &Row) -> bool {
    row.kind != Kind::Metric || Json::of(row).float("value").is_some()
}

fn streams<'a>(rows: &'a [(&'a Row, Json<'a>)]) -> Vec<Stream<'a>> {
    let mut streams: Vec<Stream<'a>> = Vec::new();
    for (row, fields) in rows {
        let mut add = |name: &'a str, unit: &'a str, form: Form, screen: Option<&'a str>, value: f64| {
            let found = streams.iter().position(|s| s.name == name && s.unit == unit && s.form == form);
            let at = found.unwrap_or_else(|| {
                streams.push(Stream { name, unit, form, points: Vec::new() });
                streams.len() - 1
            });
            if let Some(stream) = streams.get_mut(at) {
                stream.add(row.wall_ms, fields.map("attrs"), screen, value);
            }
        };
        if row.kind == Kind::Frames {
            let screen = fields.text("name");
            for (name, key) in [
                (metric::FRAMES_SLOW, "slow_frames"),
                (metric::FRAMES_FROZEN, "frozen_frames"),
                (metric::FRAMES_TOTAL, "total_frames"),
            ] {
                if let Some(value) = fields.float(key) {
                    add(name, "{frame}", Form::Gauge, screen, value);
                }
            }
            continue;
        }
        let Some(value) = fields.float("value") else { continue };
        let form = match fields.text("type") {
            Some("counter") => Form::Sum { monotonic: value >= 0.0 },
            Some("distribution") => Form::Histogram,
            _ => Form::Gauge,
        };
        add(fields.text("name").unwrap_or("unnamed"), fields.text("unit").unwrap_or_default(), form, None, value);
    }
    streams
}

impl<'a> Stream<'a> {
    fn add(&mut self, ms: i64, attrs: &'a [(Cow<'a, str>, Json<'a>)], screen: Option<&'a str>, value: f64) {
        let same = |point: &&mut Point<'a>| point.attrs == attrs && point.screen == screen;
        match self.points.iter_mut().find(same).filter(|_| self.form != Form::Gauge) {
            Some(point) => {
                point.start_ms = point.start_ms.min(ms);
                point.end_ms = point.end_ms.max(ms);
                point.values.push(value);
            }
            None => self.points.push(Point { attrs, screen, start_ms: ms, end_ms: ms, values: vec![value] }),
        }
    }

    fn write<W: Wire>(&self, w: &mut W) {
        w.item(METRICS, |w| {
            w.text(Tag(1, "name"), self.name);
            if !self.unit.is_empty() {
                w.text(Tag(3, "unit"), self.unit);
            }
            match self.form {
                Form::Gauge => w.message(Tag(5, "gauge"), |w| {
                    w.list(POINTS, |w| self.points.iter().for_each(|point| point.number(w, false)));
                }),
                Form::Sum { monotonic } => w.message(Tag(7, "sum"), |w| {
                    w.list(POINTS, |w| self.points.iter().for_each(|point| point.number(w, true)));
                    w.enumeration(TEMPORALITY, DELTA);
                    if monotonic {
                        w.boolean(Tag(3, "isMonotonic"), true);
                    }
                }),
                Form::Histogram => w.message(Tag(9, "histogram"), |w| {
                    w.list(POINTS, |w| self.points.iter().for_each(|point| point.histogram(w)));
                    w.enumeration(TEMPORALITY, DELTA);
                }),
            }
        });
    }
}

impl Point<'_> {
    fn attributes<W: Wire>(&self, w: &mut W, tag: Tag) {
        if self.screen.is_some() || !self.attrs.is_empty() {
            Attributes::list(w, tag, |a| {
                a.text(names::SCREEN_NAME, self.screen);
                a.app(self.attrs);
            });
        }
    }

    fn number<W: Wire>(&self, w: &mut W, start: bool) {
        w.item(POINTS, |w| {
            if start {
                w.fixed64(Tag(2, "startTimeUnixNano"), nanos(self.start_ms));
            }
            w.fixed64(Tag(3, "timeUnixNano"), nanos(self.end_ms));
            w.double(Tag(4, "asDouble"), finite(self.values.iter().sum()));
            self.attributes(w, Tag(7, "attributes"));
        });
    }

    fn histogram<W: Wire>(&self, w: &mut W) {
        let mut buckets = [0u64; BOUNDS.len() + 1];
        for value in &self.values {
            // A bucket includes its upper bound.
            let at = BOUNDS.partition_point(|bound| bound < value);
            if let Some(bucket) = buckets.get_mut(at) {
                *bucket += 1;
            }
        }
        w.item(POINTS, |w| {
            w.fixed64(Tag(2, "startTimeUnixNano"), nanos(self.start_ms));
            w.fixed64(Tag(3, "timeUnixNano"), nanos(self.end_ms));
            w.fixed64(Tag(4, "count"), self.values.len() as u64);
            // OTLP allows a sum only if no value is negative.
            if self.values.iter().all(|value| *value >= 0.0) {
                w.double(Tag(5, "sum"), finite(self.values.iter().sum()));
            }
            w.fixed64s(Tag(6, "bucketCounts"), &buckets);
            w.doubles(Tag(7, "explicitBounds"), &BOUNDS);
            self.attributes(w, Tag(9, "attributes"));
            w.double(Tag(11, "min"), self.values.iter().copied().fold(f64::INFINITY, f64::min));
            w.double(Tag(12, "max"), self.values.iter().copied().fold(f64::NEG_INFINITY, f64::max));
        });
    }
}

/// The sum of finite numbers can overflow.
fn finite(sum: f64) -> f64 {
    sum.clamp(f64::MIN, f64::MAX)
}

/// The number of lost events since the epoch began. Totals, so that a repeated request counts nothing twice.
fn losses<W: Wire>(w: &mut W, batch: &Batch<'_>, lost: &[Lost]) {
    if lost.is_empty() {
        return;
    }
    let newest = batch.rows.iter().map(|row| row.wall_ms).max().unwrap_or(0);
    let time = nanos(newest.max(created_ms(batch.batch_id)));
    w.item(METRICS, |w| {
        w.text(Tag(1, "name"), metric::DROPPED);
        w.text(Tag(2, "description"), "Events that were not delivered");
        w.text(Tag(3, "unit"), "{event}");
        w.message(Tag(7, "sum"), |w| {
            w.list(POINTS, |w| {
                for lost in lost {
                    w.item(POINTS, |w| {
                        w.fixed64(Tag(3, "timeUnixNano"), time);
                        w.fixed64(Tag(6, "asInt"), lost.count);
                        Attributes::list(w, Tag(7, "attributes"), |a| {
                            a.text(names::DROPPED_REASON, Some(lost.reason.as_str()));
                            a.text(names::DROPPED_KIND, Some(lost.kind.map_or("unknown", Kind::as_str)));
                            a.int(names::DROPPED_EPOCH, i64::try_from(batch.epoch).ok());
                        });
                    });
                }
            });
            w.enumeration(TEMPORALITY, CUMULATIVE);
            w.boolean(Tag(3, "isMonotonic"), true);
        });
    });
}

/// The time at which the batch was built, from its id (UUIDv7), so that a repeated request has the same one.
fn created_ms(batch_id: &str) -> i64 {
    let id = batch_id.parse::<crate::EventId>();
    id.map_or(0, |id| i64::try_from(id.unix_ms()).unwrap_or(0))
}
