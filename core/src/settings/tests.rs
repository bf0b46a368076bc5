use super::*;
use serde_json::{Value, json};

const KEY: &str = "0123456789abcdef0123456789abcdef";

fn base() -> Settings {
    Settings {
        folder: Some("/data/app/queue".into()),
        app: Some("shop".into()),
        release: Some("shop@1.4.0+52".into()),
        ..Settings::default()
    }
}

fn destination(kind: &str) -> DestinationSettings {
    DestinationSettings { name: Some(format!("my-{kind}")), kind: Some(kind.into()), ..DestinationSettings::default() }
}

/// One complete destination of each kind.
fn destinations() -> Vec<DestinationSettings> {
    let key = Some(KEY.to_owned());
    let https = |host: &str| Some(format!("https://{host}.example.com"));
    vec![
        DestinationSettings { endpoint: https("in"), key: key.clone(), ..destination("rez") },
        DestinationSettings {
            dsn: Some(format!("https://{KEY}@sentry.example.com/42")),
            traces_sample_rate: Some(0.2),
            ..destination("sentry")
        },
        DestinationSettings {
            application_id: Some("0190f2aa-7c1e-7a53-9b0e-3b6a3f0d9c11".into()),
            key: key.clone(),
            site: Some("datadoghq.eu".into()),
            ..destination("datadog")
        },
        DestinationSettings { key: key.clone(), region: Some("in".into()), ..destination("mixpanel") },
        DestinationSettings { key: key.clone(), measurement_id: Some("G-1A2B3C4D5E".into()), ..destination("ga4") },
        DestinationSettings {
            endpoint: https("otel"),
            signals: Some(vec!["logs".into()]),
            headers: [("api-key".to_owned(), KEY.to_owned())].into(),
            encoding: Some("json".into()),
            ..destination("otlp")
        },
        DestinationSettings {
            key: Some(format!("https://hooks.slack.com/services/T0/B0/{KEY}")),
            service: Some("Shop API".into()),
            ..destination("slack")
        },
        DestinationSettings { key: key.clone(), region: Some("eu".into()), ..destination("pagerduty") },
    ]
}

fn error(settings: &Settings) -> SettingsError {
    Config::from_settings(settings, Spelling::Camel).unwrap_err()
}

#[test]
fn every_setting_of_the_engine_reaches_the_configuration() {
    let settings = Settings {
        dist: Some("52".into()),
        environment: Some("production".into()),
        os: Some("Android 15".into()),
        device: Some("Pixel 9".into()),
        debug: Some(true),
        consent_monitoring: Some("granted".into()),
        consent_analytics: Some("denied".into()),
        slow_screen_ms: Some(1),
        slow_api_ms: Some(2),
        slow_image_ms: Some(3),
        sample_rates: [("frames".to_owned(), 0.1), ("api_call".to_owned(), 0.0)].into(),
        alert_window_ms: Some(0),
        cap_bytes: Some(2 << 20),
        max_age_ms: Some(7_200_000),
        trace_targets: Some(vec!["api.example.com".into()]),
        recorded_headers: Some(vec!["X-Cache".into()]),
        trace_styles: Some(vec!["sentry".into(), "datadog".into()]),
        sessions: Some(false),
        session_background_ms: Some(60_000),
        log_level: Some("warning".into()),
        mask_user: Some(true),
        mask_ip: Some(true),
        destinations: destinations(),
        ..base()
    };
    let config = Config::from_settings(&settings, Spelling::Snake).unwrap().build().unwrap();
    assert_eq!(config.folder.to_str(), Some("/data/app/queue"));
    assert_eq!([&*config.app, &*config.release, &*config.os], ["shop", "shop@1.4.0+52", "Android 15"]);
    let texts = [&config.dist, &config.environment, &config.device].map(|text| text.as_deref().unwrap_or_default());
    assert_eq!(texts, ["52", "production", "Pixel 9"]);
    assert_eq!(config.consent, [Consent::Granted, Consent::Denied]);
    assert_eq!(config.slow, [1, 2, 3].map(Duration::from_millis));
    assert_eq!((config.sampling[Kind::Frames as usize], config.sampling[Kind::ApiCall as usize]), (0.1, 0.0));
    assert_eq!((config.cap_bytes, config.max_age.as_secs()), (2 << 20, 7_200));
    assert!(config.targets.allows("https://api.example.com/x"));
    assert_eq!(config.trace_styles, [TraceStyle::Sentry, TraceStyle::Datadog]);
    assert_eq!((config.sessions, config.session_background.as_secs()), (false, 60));
    assert_eq!((config.log_level, config.alert_window), (crate::Level::Warning, Duration::ZERO));
    assert!(config.mask_user && config.rules.mask_ip && config.debug);
    let names: Vec<&str> = config.destinations.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["my-rez", "my-sentry", "my-datadog", "my-mixpanel", "my-ga4", "my-otlp", "my-slack", "my-pagerduty"]
    );
}

#[test]
fn without_settings_the_configuration_is_the_builders() {
    let config = Config::from_settings(&base(), Spelling::Snake).unwrap().build().unwrap();
    let built = Config::builder("/data/app/queue", "shop", "shop@1.4.0+52").build().unwrap();
    let facts = |config: &Config| {
        let rates = config.sampling.to_vec();
        let texts = (config.os.clone(), config.dist.clone(), config.environment.clone(), config.device.clone());
        let times = (config.slow, config.max_age, config.session_background, config.cap_bytes);
        let switches = (config.sessions, config.mask_user, config.rules.mask_ip, config.debug);
        (texts, config.consent, times, rates, config.trace_styles.clone(), switches)
    };
    assert_eq!(facts(&config), facts(&built));
}

#[test]
fn a_default_of_the_table_is_that_of_the_limits() {
    use crate::limits;
    let default = |name: &str| Settings::ALL.iter().find(|one| one.name == name).unwrap().default.to_owned();
    for (name, ms) in [
        ("slow_screen_ms", limits::SLOW_SCREEN.as_millis()),
        ("slow_api_ms", limits::SLOW_API.as_millis()),
        ("slow_image_ms", limits::SLOW_IMAGE.as_millis()),
        ("max_age_ms", limits::MAX_AGE.as_millis()),
        ("session_background_ms", limits::SESSION_BACKGROUND.as_millis()),
        ("cap_bytes", u128::from(limits::QUEUE_BYTES)),
    ] {
        assert_eq!(default(name), ms.to_string());
    }
    assert_eq!(DAY_MS as u128, limits::SESSION_BACKGROUND_MAX.as_millis());
}

#[test]
fn a_wrong_value_names_the_field_as_the_language_spells_it() {
    let rates = |name: &str, rate: f64| Settings { sample_rates: [(name.to_owned(), rate)].into(), ..base() };
    let cases: Vec<(Settings, &str)> = vec![
        (
            Settings { session_background_ms: Some(-5), ..base() },
            "settings: `sessionBackgroundMs` is -5: use a whole number from 0 to 86400000",
        ),
        (Settings { session_background_ms: Some(i64::MAX), ..base() }, "`sessionBackgroundMs` is 9223372036854775807:"),
        (Settings { hang_ms: Some(0), ..base() }, "`hangMs` is 0: use a whole number from 100 to 3600000"),
        (Settings { cap_bytes: Some(5), ..base() }, "`capBytes` is 5: use a whole number from 1048576"),
        (Settings { max_age_ms: Some(i64::MIN), ..base() }, "`maxAgeMs` is -9223372036854775808:"),
        (rates("api_call", f64::NAN), "`sampleRates.api_call` is NaN: use a number from 0 to 1"),
        (rates("api_call", -0.1), "`sampleRates.api_call` is -0.1:"),
        (rates("apiCall", 0.5), "`sampleRates.apiCall` is 0.5: did you mean `api_call`? Use the names of kinds:"),
        (rates("nothing at all", 0.5), "`sampleRates.nothing at all` is 0.5: use the names of kinds: crash, error"),
        (Settings { app: Some("  ".into()), ..base() }, "`app` is empty: use 1 to 200 bytes on one line"),
        (Settings { release: Some("1\n2".into()), ..base() }, "`release` is `1 2`: use 1 to 200 bytes on one line"),
        (Settings { release: None, ..base() }, "`release` is missing: give a value"),
        (Settings { folder: None, ..base() }, "`folder` is missing"),
        (Settings { folder: Some(String::new()), ..base() }, "`folder` is empty"),
        (
            Settings { folder: Some("/private/var/mobile/Containers/Shared/AppGroup/1".into()), ..base() },
            "`folder` is `/private/var/mobile/Containers/Shared/AppGroup/1`: iOS ends a suspended app",
        ),
        (
            Settings { consent_analytics: Some("grant".into()), ..base() },
            "`consentAnalytics` is `grant`: did you mean `granted`? Use one of pending, granted, denied",
        ),
        (
            Settings { trace_styles: Some(vec!["w3c".into(), "b3".into()]), ..base() },
            "`traceStyles[1]` is `b3`: use a list of",
        ),
        (
            Settings { trace_targets: Some(vec!["a.example".into(), "https://b.example".into()]), ..base() },
            "`traceTargets[1]` is `https://b.example`: write it without the scheme",
        ),
        (Settings { trace_targets: Some(vec![String::new()]), ..base() }, "`traceTargets[0]` is empty"),
        (
            Settings { trace_targets: Some(vec!["a.example:8443".into(), "a.example:".into()]), ..base() },
            "`traceTargets[1]` is `a.example:`",
        ),
        (Settings { trace_targets: Some(vec!["a".into(); 10_000]), ..base() }, "`traceTargets` is a list of 10000:"),
        (
            Settings { destinations: vec![destination("rez"); 10_000], ..base() },
            "`destinations` is a list of 10000: use a list of at most 32 destinations",
        ),
    ];
    for (settings, text) in cases {
        let error = error(&settings).to_string();
        assert!(error.contains(text), "{error}\n{text}");
    }
}

#[test]
fn a_wrong_destination_names_its_place_and_never_its_key() {
    let with = |change: &dyn Fn(&mut DestinationSettings), kind: &str| {
        let all = destinations();
        let at = all.iter().position(|one| one.kind.as_deref() == Some(kind)).unwrap();
        let mut settings = Settings { destinations: all, ..base() };
        change(&mut settings.destinations[at]);
        settings
    };
    type Change = fn(&mut DestinationSettings);
    let cases: Vec<(&str, Change, &str)> = vec![
        (
            "sentry",
            |one| one.dsn = Some(format!("https://{KEY}@/42")),
            "`destinations[1].dsn` is not valid: sentry: DSN: host missing",
        ),
        (
            "sentry",
            |one| one.dsn = Some(format!("ftp://{KEY}:s3cr3t@h.example/42")),
            "`destinations[1].dsn` is not valid: sentry: DSN: ",
        ),
        (
            "sentry",
            |one| one.dsn = Some(format!("http://{KEY}.example.com/42")),
            "`destinations[1].dsn` is not valid: sentry: DSN: http is allowed",
        ),
        (
            "rez",
            |one| one.endpoint = Some(format!("http://{}.example.com", KEY.to_uppercase())),
            "`destinations[0].endpoint` is not valid: rez: endpoint: http is allowed",
        ),
        (
            "sentry",
            |one| one.dsn = Some(format!("{KEY}\n")),
            "`destinations[1].dsn` is not valid: sentry: DSN: the character",
        ),
        ("sentry", |one| one.dsn = None, "`destinations[1].dsn` is missing: sentry: DSN: "),
        ("sentry", |one| one.dsn = Some(String::new()), "`destinations[1].dsn` is empty: use a key or token"),
        ("sentry", |one| one.traces_sample_rate = Some(f64::NAN), "`destinations[1].tracesSampleRate` is NaN:"),
        (
            "sentry",
            |one| one.key = Some(KEY.into()),
            "`destinations[1].key` is given: leave it out: it is a setting of rez,",
        ),
        (
            "rez",
            |one| one.dsn = Some(KEY.into()),
            "`destinations[0].dsn` is given: leave it out: it is a setting of sentry, not of rez",
        ),
        ("rez", |one| one.key = None, "`destinations[0].key` is missing: rez: write key is empty"),
        (
            "rez",
            |one| one.key = Some(format!("{KEY}\n")),
            "`destinations[0].key` is not valid: rez: write key contains a character",
        ),
        (
            "rez",
            |one| one.endpoint = Some(format!("http://in.example.com/{KEY}")),
            "`destinations[0].endpoint` is not valid: rez: endpoint: http is allowed",
        ),
        (
            "rez",
            |one| one.endpoint = Some(format!("https://user:{KEY}@in.example.com")),
            "`destinations[0].endpoint` is not valid: rez: endpoint: ",
        ),
        ("rez", |one| one.purposes = Some(vec![]), "`destinations[0].purposes` is not valid: rez: no purpose is set"),
        (
            "rez",
            |one| one.name = Some("my-sentry".into()),
            "`destinations[1].name` is `my-sentry`: two destinations have this name",
        ),
        ("rez", |one| one.name = Some("a b".into()), "`destinations[0].name` is `a b`: use 1 to 64 letters"),
        ("rez", |one| one.name = None, "`destinations[0].name` is missing: every destination needs it"),
        (
            "slack",
            |one| one.key = Some(format!("http://hooks.slack.com/services/T0/B0/{KEY}")),
            "`destinations[6].key` is not valid: slack: endpoint: http is allowed to a loopback address only",
        ),
        (
            "slack",
            |one| one.key = Some("https://hooks.slack.com/".into()),
            "`destinations[6].key` is not valid: slack: webhook URL: it ends after the host",
        ),
        ("slack", |one| one.key = None, "`destinations[6].key` is missing: slack: webhook URL is empty"),
        (
            "pagerduty",
            |one| one.key = Some(format!("{KEY}\n")),
            "`destinations[7].key` is not valid: pagerduty: routing key: expected 32 letters and digits",
        ),
        (
            "pagerduty",
            |one| one.region = Some("in".into()),
            "`destinations[7].region` is not valid: pagerduty: region: use us or eu",
        ),
        ("rez", |one| one.kind = Some("Rez".into()), "`destinations[0].kind` is `Rez`: did you mean `rez`?"),
        ("rez", |one| one.kind = None, "`destinations[0].kind` is missing"),
        (
            "datadog",
            |one| one.application_id = Some(KEY.into()),
            "`destinations[2].applicationId` is not valid: datadog: application id: expected a UUID",
        ),
        (
            "datadog",
            |one| one.site = Some("datadog".into()),
            "`destinations[2].site` is not valid: datadog: site: expected one of",
        ),
        (
            "mixpanel",
            |one| one.key = Some(format!("{KEY}:x")),
            "`destinations[3].key` is not valid: mixpanel: project token:",
        ),
        (
            "ga4",
            |one| one.region = Some("in".into()),
            "`destinations[4].region` is not valid: ga4: region: use us or eu",
        ),
        (
            "ga4",
            |one| one.measurement_id = None,
            "`destinations[4].measurementId` is missing: ga4: measurement id is empty",
        ),
        (
            "otlp",
            |one| one.headers = [("host".to_owned(), KEY.to_owned())].into(),
            "`destinations[5].headers` is not valid: otlp: header `host`",
        ),
        ("otlp", |one| one.endpoint = None, "`destinations[5].endpoint` is missing: otlp: endpoint is empty"),
        (
            "otlp",
            |one| one.key = Some("tok\nen".into()),
            "`destinations[5].key` is not valid: otlp: header `Authorization`",
        ),
        (
            "otlp",
            |one| one.signals = Some(Vec::new()),
            "`destinations[5].signals` is not valid: otlp: signals is empty",
        ),
        (
            "ga4",
            |one| one.firebase_app_id = Some("1:1:android:1".into()),
            "`destinations[4].measurementId` is not valid: ga4: measurement id: leave it out",
        ),
        (
            "otlp",
            |one| {
                one.signals = Some(vec!["logs".into(), "traces".into()]);
                one.traces_endpoint = Some("ftp://o.example".into());
            },
            "`destinations[5].tracesEndpoint` is not valid: otlp: endpoint: scheme `ftp`",
        ),
    ];
    for (kind, change, text) in cases {
        let settings = with(&change, kind);
        let error = error(&settings);
        assert!(error.to_string().contains(text), "{error}\n{text}");
        for printed in [error.to_string(), format!("{error:?}"), format!("{settings:?}")] {
            assert!(!printed.to_lowercase().contains(KEY) && !printed.contains("s3cr3t"), "{printed}");
        }
    }
}

#[test]
fn json_in_both_spellings_is_the_record() {
    let snake = json!({
        "folder": "/data/app/queue", "app": "shop", "release": "shop@1.4.0+52", "dist": null,
        "session_background_ms": 60_000.0, "sample_rates": {"api_call": 1, "frames": 0.5}, "mask_ip": true,
        "trace_targets": ["api.example.com"],
        "destinations": [{"name": "team", "kind": "otlp", "endpoint": "https://o.example.com", "headers": {"x-my_key": "v"},
            "traces_endpoint": null, "signals": ["logs"]}],
    });
    fn camel(value: &Value, keep: bool) -> Value {
        match value {
            Value::Object(members) => {
                let one = |(name, value): (&String, &Value)| {
                    let data = name == "sample_rates" || name == "headers";
                    let name = if keep { name.clone() } else { Spelling::Camel.of(name) };
                    (name, camel(value, data))
                };
                Value::Object(members.iter().map(one).collect())
            }
            Value::Array(items) => items.iter().map(|item| camel(item, false)).collect(),
            other => other.clone(),
        }
    }
    let one = Settings::from_json(&snake.to_string(), Spelling::Snake).unwrap();
    let other = Settings::from_json(&camel(&snake, false).to_string(), Spelling::Camel).unwrap();
    assert_eq!(one, other);
    assert_eq!((one.session_background_ms, one.dist.as_deref()), (Some(60_000), None));
    assert_eq!(one.destinations[0].headers.get("x-my_key").map(String::as_str), Some("v"));
    assert!(Config::from_settings(&one, Spelling::Camel).is_ok());
}

#[test]
fn json_of_a_wrong_type_or_with_a_misspelled_name_is_an_error_with_the_place() {
    for (text, wanted) in [
        ("", "`settings` is no JSON: EOF"),
        ("[1]", "use an object with settings as members"),
        ("{\"app\": \"shop\"", "`settings` is no JSON: EOF"),
        (r#"{"sesionBackgroundMs": 1}"#, "`sesionBackgroundMs` is not a setting: did you mean `sessionBackgroundMs`?"),
        (r#"{"mask_ip": true}"#, "`mask_ip` is not a setting: did you mean `maskIp`?"),
        (
            r#"{"tracesSampleRate": 0.2}"#,
            "`tracesSampleRate` is not a setting: put it into an element of `destinations`",
        ),
        (r#"{"replay": true}"#, "`replay` is not a setting: use only known settings"),
        (r#"{"slowApiMs": "3 s"}"#, "`slowApiMs` is a text: use a whole number"),
        (r#"{"slowApiMs": 1.5}"#, "`slowApiMs` is 1.5: use a whole number"),
        (r#"{"slowApiMs": 1e300}"#, "`slowApiMs` is 1e+300: use a whole number"),
        (r#"{"maskUser": "yes"}"#, "`maskUser` is a text: use true or false"),
        (r#"{"app": 7}"#, "`app` is 7: use 1 to 200 bytes"),
        (r#"{"traceTargets": "a.example"}"#, "`traceTargets` is a text: use a list"),
        (r#"{"traceTargets": ["a", 7]}"#, "`traceTargets[1]` is 7: use a list"),
        (r#"{"sampleRates": {"api_call": "1"}}"#, "`sampleRates.api_call` is a text:"),
        (r#"{"destinations": {"name": "a"}}"#, "`destinations` is no list"),
        (r#"{"destinations": [7]}"#, "`destinations[0]` is no object"),
        (r#"{"destinations": [{"nmae": "a"}]}"#, "`destinations[0].nmae` is not a setting: did you mean `name`?"),
        (
            r#"{"destinations": [{"tracesSampelRate": 1}]}"#,
            "`destinations[0].tracesSampelRate` is not a setting: did you mean `tracesSampleRate`?",
        ),
        (
            r#"{"destinations": [{"dsn": {"key": "0123456789abcdef0123456789abcdef"}}]}"#,
            "`destinations[0].dsn` is an object with 1 members",
        ),
    ] {
        let error = Settings::from_json(text, Spelling::Camel).unwrap_err().to_string();
        assert!(error.contains(wanted), "{text}: {error}");
        assert!(!error.contains(KEY), "{error}");
    }
    let deep = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
    assert!(Settings::from_json(&deep, Spelling::Camel).is_err());
    let many = json!({"destinations": vec![json!({"name": "a", "kind": "rez"}); 10_000]}).to_string();
    let error = Settings::from_json(&many, Spelling::Snake).unwrap_err().to_string();
    assert!(error.contains("`destinations` is a list of 10000: use a list of at most 32"), "{error}");
    let long = format!("{{\"app\": \"{}\"}}", "x".repeat(2 << 20));
    assert!(Settings::from_json(&long, Spelling::Snake).unwrap_err().to_string().contains("use at most 1 MiB"));
}

#[test]
fn names_are_one_word_per_meaning_and_every_row_is_a_sentence() {
    let mut names = std::collections::BTreeSet::new();
    for setting in Settings::ALL {
        assert!(names.insert(setting.name), "{}", setting.name);
    }
    for setting in Settings::ALL.iter().chain(DestinationSettings::ALL) {
        assert!(setting.what.ends_with('.') && !setting.default.is_empty(), "{}", setting.name);
        assert!(!setting.what.contains('|') && !setting.shape.text().contains('|'), "{}", setting.name);
        assert_eq!(Spelling::Snake.of(setting.name), setting.name);
    }
}
