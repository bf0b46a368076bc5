//! Revenue.

use super::Event;
use super::field::Field;
use crate::attributes::{Attrs, Value};
use crate::kind::Kind;

/// Revenue.
#[derive(Clone, Copy, Debug)]
pub struct Revenue<'a> {
    /// The amount, in units of the currency.
    pub amount: f64,
    /// ISO 4217 code; empty if the app has one currency that needs no code.
    pub currency: &'a str,
    /// The app's id of the transaction.
    pub transaction_id: Option<&'a str>,
    /// What was bought: a list of maps.
    pub items: &'a [Value<'a>],
    /// Attributes, as on any event.
    pub attrs: Attrs<'a>,
    /// The destinations that receive it; empty = all that accept its kind.
    pub targets: &'a [&'a str],
}

impl<'a> Revenue<'a> {
    /// Revenue without transaction and items.
    #[must_use]
    pub fn new(amount: f64, currency: &'a str) -> Revenue<'a> {
        Revenue { amount, currency, transaction_id: None, items: &[], attrs: &[], targets: &[] }
    }

    pub(crate) fn into_event(self) -> Event<'a> {
        let items = (!self.items.is_empty()).then_some(Value::List(self.items));
        Event::new(Kind::Revenue)
            .with(Field::Amount, self.amount)
            .maybe(Field::Currency, (!self.currency.is_empty()).then_some(self.currency))
            .maybe(Field::TransactionId, self.transaction_id)
            .maybe(Field::Items, items)
            .attrs(self.attrs)
            .targets(self.targets)
    }
}
