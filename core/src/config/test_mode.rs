//! Test mode: for builds that testers and UI tests use.

use super::{Config, ConfigBuilder};
use crate::delivery::Pace;

/// The variable of the environment that switches test mode on.
const VARIABLE: &str = "REZ_TEST";

/// What the builder was told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TestMode {
    is_on: Option<bool>,
    seed: Option<u64>,
}

impl ConfigBuilder {
    /// Sets test mode, for builds that testers and UI tests use. Each event is stored and sent at once, without a batch, and no wait of
    /// our own choice is longer than a second: between attempts on a server that fails, for a network that the host reports as
    /// gone, between the probes of a destination that refused. A wait that a server asks for (`Retry-After`) keeps its length. The
    /// default of [`ConfigBuilder::inspector`] becomes true.
    ///
    /// Default: false. Where [`ConfigBuilder::debug`] or [`ConfigBuilder::inspector`] is on, the environment variable `REZ_TEST` decides
    /// unless this was called: a number is test mode with this [seed](ConfigBuilder::test_seed), `0`, `false` and an
    /// empty text are off, any other text is on.
    ///
    /// ```
    /// use rez_monitor::Config;
    ///
    /// let config = Config::builder("/data/app/queue", "shop", "shop@1.4.0+77").test_mode(true).test_seed(7).build()?;
    /// # Ok::<(), rez_monitor::ConfigError>(())
    /// ```
    pub fn test_mode(mut self, on: bool) -> Self {
        self.test.is_on = Some(on);
        self
    }

    /// Sets the seed of the ids in test mode: installation, runs, sessions and with them the support codes are the same in every
    /// test that begins with an empty folder, and events and traces too as far as the clock allows. Without test mode it has no effect.
    ///
    /// Default: none, so that no id can be foreseen. Devices that report to one server at the same time need different seeds:
    /// with one seed they are one installation.
    pub fn test_seed(mut self, seed: u64) -> Self {
        self.test.seed = Some(seed);
        self
    }
}

/// Decides whether the engine is in test mode.
pub(super) fn resolve(told: &TestMode, config: &mut Config) {
    // An app in the field does not listen to its environment.
    let listens = told.is_on.is_none() && config.inspects();
    let variable = listens.then(|| std::env::var(VARIABLE).ok()).flatten();
    let (asked, seed) = variable.map_or((false, None), |text| asked(&text));
    if told.is_on.unwrap_or(asked) {
        config.pace = Pace::Test;
        config.seed = told.seed.or(seed);
    }
}

/// Whether the variable asks for test mode, and with which seed.
fn asked(text: &str) -> (bool, Option<u64>) {
    match text.trim() {
        "" | "false" => (false, None),
        text => match text.parse() {
            Ok(0) => (false, None),
            seed => (true, seed.ok()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_is_a_switch_or_a_seed() {
        assert_eq!(["", " ", "0", "false"].map(asked), [(false, None); 4]);
        assert_eq!(
            ["1", "42 ", "true", "yes", "-1"].map(asked).map(|(on, seed)| (on, seed)),
            [(true, Some(1)), (true, Some(42)), (true, None), (true, None), (true, None)]
        );
    }

    #[test]
    fn test_mode_is_off_by_default_and_a_seed_alone_changes_nothing() {
        let build = |told: fn(ConfigBuilder) -> ConfigBuilder| {
            let config = told(Config::builder("f", "shop", "1").debug(false)).build().unwrap();
            (config.is_test(), config.seed, config.inspects())
        };
        assert_eq!(build(|builder| builder), (false, None, false));
        assert_eq!(build(|builder| builder.test_seed(7)), (false, None, false));
        assert_eq!(build(|builder| builder.test_mode(true)), (true, None, true));
        assert_eq!(build(|builder| builder.test_mode(true).test_seed(7)), (true, Some(7), true));
        assert_eq!(build(|builder| builder.test_mode(true).inspector(false)), (true, None, false));
        assert_eq!(build(|builder| builder.test_mode(false).test_seed(7)), (false, None, false));
    }
}
