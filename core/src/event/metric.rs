//! Counters, gauges and distributions.

use super::Event;
use super::field::Field;
use crate::kind::Kind;

/// The value of a metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Metric {
    /// Adds to a sum.
    Counter(f64),
    /// The current value.
    Gauge(f64),
    /// One sample of a distribution.
    Distribution(f64),
}

impl Metric {
    pub(crate) fn into_event(self, name: &str) -> Event<'_> {
        let (word, value) = match self {
            Metric::Counter(value) => ("counter", value),
            Metric::Gauge(value) => ("gauge", value),
            Metric::Distribution(value) => ("distribution", value),
        };
        Event::new(Kind::Metric).with(Field::Name, name).with(Field::Type, word).with(Field::Value, value)
    }
}
