//! The settings of the platform layers, with their defaults.

use super::Settings;

/// A platform, as far as defaults differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Platform {
    /// Android.
    Android,
    /// iOS and iPadOS.
    Ios,
    /// JavaScript, a desk, a server.
    Other,
}

/// Declares the resolved record: each member has the name of its setting and its default.
macro_rules! resolved {
    ($platform:ident; $($name:ident: $type:ty = $default:expr;)*) => {
        /// The settings of a platform layer: every member has a value. See [`Settings`] for what each does.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct PlatformSettings {
            $(
                #[doc = concat!("See [`Settings::", stringify!($name), "`].")]
                pub $name: $type,
            )*
        }

        impl Settings {
            /// What the platform layer reads: the given values, and for the others the platform's default.
            #[must_use]
            pub fn platform(&self, $platform: Platform) -> PlatformSettings {
                PlatformSettings { $($name: self.$name.unwrap_or($default),)* }
            }
        }

        #[cfg(test)]
        mod tests {
            use super::*;

            #[test]
            fn a_default_is_the_one_that_the_table_documents() {
                for platform in [Platform::Android, Platform::Ios, Platform::Other] {
                    let resolved = Settings::default().platform(platform);
                    $(
                        let documented = Settings::ALL.iter().find(|one| one.name == stringify!($name)).unwrap().default;
                        let value = resolved.$name.to_string();
                        // `5000 on Android, 2000 on iOS, 5000 elsewhere`
                        let part = match platform {
                            Platform::Android => 0,
                            Platform::Ios => 1,
                            Platform::Other => 2,
                        };
                        let parts: Vec<&str> = documented.split(", ").collect();
                        let part = if parts.len() == 1 { parts[0] } else { parts[part] };
                        assert_eq!(part.split(' ').next(), Some(value.as_str()), "{}", stringify!($name));
                    )*
                    let given = Settings { hang_ms: Some(1_500), frames: Some(false), ..Settings::default() };
                    assert_eq!((given.platform(platform).hang_ms, given.platform(platform).frames), (1_500, false));
                }
            }
        }
    };
}

resolved! {
    platform;
    hangs: bool = true;
    hang_ms: i64 = if platform == Platform::Ios { 2_000 } else { 5_000 };
    errors: bool = true;
    rejections: bool = true;
    exits: bool = true;
    app_start: bool = true;
    app_start_max_ms: i64 = 60_000;
    screens: bool = true;
    screen_max_ms: i64 = 30_000;
    images: bool = true;
    network: bool = true;
    interactions: bool = true;
    frames: bool = true;
    slow_frame_us: i64 = 16_667;
    frozen_frame_ms: i64 = 700;
    long_tasks: bool = true;
    long_task_ms: i64 = 100;
    breadcrumb_lifecycle: bool = true;
    breadcrumb_navigation: bool = true;
    breadcrumb_touch: bool = true;
    breadcrumb_network: bool = true;
    breadcrumb_console: bool = true;
    breadcrumb_system: bool = true;
    device_hints: bool = true;
    background_upload: bool = true;
}
