//! Arguments that JavaScript passes.

use napi::bindgen_prelude::FromNapiValue;
use napi::{Result, sys};
use std::time::Duration;

/// An argument of type `T`, or of another type. napi would throw a `TypeError` for the latter.
pub struct Argument<T>(Option<T>);

impl<T> Argument<T> {
    /// The argument, if it is of its type.
    pub fn get(self) -> Option<T> {
        self.0
    }
}

impl Argument<String> {
    /// The text, or a sentence that names the argument.
    pub fn named(self, name: &str) -> std::result::Result<String, String> {
        self.0.ok_or_else(|| format!("`{name}` is no text; pass a string"))
    }
}

impl Argument<f64> {
    /// Milliseconds to wait, or a sentence that names the argument. A negative number and `NaN` are 0, so nothing waits.
    pub fn wait(self, name: &str) -> std::result::Result<Duration, String> {
        self.0.map(wait).ok_or_else(|| format!("`{name}` is no number; pass milliseconds"))
    }
}

fn wait(ms: f64) -> Duration {
    // The conversion saturates, and makes 0 of `NaN`.
    Duration::from_millis(ms as u64)
}

impl<T: FromNapiValue> FromNapiValue for Argument<T> {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> Result<Self> {
        // SAFETY: the caller passes a value of this environment.
        Ok(Argument(unsafe { T::from_napi_value(env, value) }.ok()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_never_negative_and_infinity_is_the_longest() {
        let waits = [1_500.9, -1.0, f64::NAN, f64::NEG_INFINITY].map(|ms| wait(ms).as_millis());
        assert_eq!(waits, [1_500, 0, 0, 0]);
        assert_eq!(wait(f64::INFINITY), Duration::from_millis(u64::MAX));
    }

    #[test]
    fn an_argument_of_another_type_is_named_with_what_to_pass() {
        assert_eq!(Argument(Some("a".to_owned())).named("json").unwrap(), "a");
        let errors =
            [Argument::<String>(None).named("json").unwrap_err(), Argument::<f64>(None).wait("waitMs").unwrap_err()];
        assert_eq!(errors, ["`json` is no text; pass a string", "`waitMs` is no number; pass milliseconds"]);
    }
}
