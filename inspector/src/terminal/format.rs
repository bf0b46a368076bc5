//! Formats numbers for people.

/// Formats a count as the sentences of the library do: `12,345`.
pub(crate) use rez_monitor::inspect::number as count;

/// Formats a size in binary units: `1.5 MiB`.
pub(crate) fn bytes(n: u64) -> String {
    const UNITS: [&str; 5] = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let mut value = n as f64;
    let mut units = UNITS.iter();
    let mut unit = units.next();
    while value >= 1024.0
        && let Some(next) = units.next()
    {
        value /= 1024.0;
        unit = Some(next);
    }
    let unit = unit.copied().unwrap_or_default();
    if n < 1024 { format!("{n} {unit}") } else { format!("{value:.1} {unit}") }
}

/// `1 row`, `2,000 rows`.
pub(crate) fn rows(n: u64) -> String {
    format!("{} {}", count(n), if n == 1 { "row" } else { "rows" })
}

/// Says how many rows have a wrong checksum.
pub(crate) fn unreadable(n: u64) -> String {
    format!("{} {} a wrong checksum", rows(n), if n == 1 { "has" } else { "have" })
}

/// Formats microseconds as `0.8 ms`, `230 ms` or `1.25 s`.
pub(crate) fn millis(us: u64) -> String {
    match us {
        0..10_000 => format!("{:.1} ms", us as f64 / 1e3),
        10_000..1_000_000 => format!("{} ms", us / 1000),
        _ => format!("{:.2} s", us as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_formatted_for_people() {
        assert_eq!([count(0), count(999), count(1000), count(1_234_567)], ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [bytes(0), bytes(1023), bytes(1536), bytes(20 << 20)],
            ["0 bytes", "1023 bytes", "1.5 KiB", "20.0 MiB"]
        );
        assert_eq!([1, 1_200].map(unreadable), ["1 row has a wrong checksum", "1,200 rows have a wrong checksum"]);
        assert_eq!([millis(800), millis(230_900), millis(1_250_000)], ["0.8 ms", "230 ms", "1.25 s"]);
    }
}
