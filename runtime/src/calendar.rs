//! Moments as people write them, in UTC.

/// `2026-11-25`, from seconds since 1970-01-01. Source: Hinnant, "chrono-Compatible Low-Level Date Algorithms", 2021,
/// `civil_from_days`.
pub fn date(unix_time: u64) -> String {
    let days = unix_time / 86_400 + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // March is the first month.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    format!("{}-{month:02}-{day:02}", era * 400 + year + next)
}

/// `2026-11-25T03:04:05+00:00`: ISO 8601.
pub fn timestamp(unix_time: u64) -> String {
    let seconds = unix_time % 86_400;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!(
        "{}T{hours:02}:{minutes:02}:{seconds:02}+00:00",
        date(unix_time)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (seconds, day) in [
            (0, "1970-01-01"),
            (951_782_399, "2000-02-28"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_798_761_599, "2026-12-31"),
            (1_798_761_600, "2027-01-01"),
        ] {
            assert_eq!(date(seconds), day);
        }
        assert_eq!(timestamp(1_795_564_799), "2026-11-24T23:59:59+00:00");
    }
}
