//! When a timer function is due: six fields for second, minute, hour, day, month and weekday, in UTC.
//!
//! Source: Azure/azure-webjobs-sdk-extensions, `CronSchedule.cs`, which reads them with NCrontab: `*`, numbers, `a-b`, `*/n`,
//! `a-b/n` and lists of these; all six must fit. Names of days and months, and five fields, are not known here.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use time::{OffsetDateTime, Time};

/// Least and greatest value of each field.
const RANGES: [(u8, u8); 6] = [(0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6)];

/// Days that are looked through for the next time: a 29 February can be eight years away.
const DAYS: i64 = 9 * 366;

/// A schedule: of each field, the values that fit, as bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Schedule([u64; 6]);

impl Schedule {
    /// Reads the `schedule` of a function.json.
    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        ensure!(fields.len() == 6, "the schedule {text} has not six fields");
        let mut values = [0; 6];
        for ((value, field), range) in values.iter_mut().zip(fields).zip(RANGES) {
            let mut read = field.split(',').map(|part| bits(part, range));
            let read = read.try_fold(0, |all, part| Some(all | part?));
            *value = read.with_context(|| format!("the schedule {text} has a field {field}"))?;
        }
        Ok(Self(values))
    }

    /// The first time after this one.
    pub(super) fn next(&self, after: OffsetDateTime) -> Option<OffsetDateTime> {
        let start = after.replace_nanosecond(0).ok()? + Duration::from_secs(1);
        for day in 0..DAYS {
            let date = start.date() + time::Duration::days(day);
            let is_day = self.fits(3, date.day())
                && self.fits(4, date.month().into())
                && self.fits(5, date.weekday().number_days_from_sunday());
            let earliest = if day == 0 {
                start.time()
            } else {
                Time::MIDNIGHT
            };
            if let Some(time) = self.time(earliest).filter(|_| is_day) {
                return Some(date.with_time(time).assume_utc());
            }
        }
        None
    }

    /// The first time of a day that is not before this one.
    fn time(&self, earliest: Time) -> Option<Time> {
        for hour in earliest.hour()..24 {
            let minutes = if hour == earliest.hour() {
                earliest.minute()
            } else {
                0
            };
            for minute in (minutes..60).filter(|_| self.fits(2, hour)) {
                let is_first = (hour, minute) == (earliest.hour(), earliest.minute());
                let seconds = if is_first { earliest.second() } else { 0 };
                let mut seconds = (seconds..60).filter(|_| self.fits(1, minute));
                if let Some(second) = seconds.find(|second| self.fits(0, *second)) {
                    return Time::from_hms(hour, minute, second).ok();
                }
            }
        }
        None
    }

    fn fits(&self, field: usize, value: u8) -> bool {
        self.0[field] & (1 << value) != 0
    }
}

/// The values that a part of a field stands for.
fn bits(part: &str, (least, most): (u8, u8)) -> Option<u64> {
    let (range, step) = match part.split_once('/') {
        Some((range, step)) => (range, step.parse().ok().filter(|step| *step > 0)?),
        None => (part, 1),
    };
    let (first, last) = match range.split_once('-') {
        _ if range == "*" => (least, most),
        Some((first, last)) => (first.parse().ok()?, last.parse().ok()?),
        None => (range.parse().ok()?, range.parse().ok()?),
    };
    let is_within = least <= first && first <= last && last <= most;
    let values = (first..=last).step_by(step);
    is_within.then(|| values.fold(0, |all, value| all | 1 << value))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn the_next_time_is_the_first_one_that_fits_all_fields() {
        let now = datetime!(2026-11-28 03:17:00.5 UTC);
        for (schedule, next) in [
            ("0 17 3 * * *", datetime!(2026-11-29 03:17:00 UTC)),
            ("* * * * * *", datetime!(2026-11-28 03:17:01 UTC)),
            ("0 */5 * * * *", datetime!(2026-11-28 03:20:00 UTC)),
            ("30 0,15 4-6 * * *", datetime!(2026-11-28 04:00:30 UTC)),
            ("0 0 0 1 * *", datetime!(2026-12-01 00:00:00 UTC)),
            ("0 0 12 * * 1-5", datetime!(2026-11-30 12:00:00 UTC)),
            ("0 0 0 29 2 *", datetime!(2028-02-29 00:00:00 UTC)),
        ] {
            let read = Schedule::parse(schedule).expect(schedule);
            assert_eq!(read.next(now), Some(next), "{schedule}");
        }
        let never = Schedule::parse("0 0 0 31 2 *").expect("six fields");
        assert_eq!(never.next(now), None);
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        for text in [
            "",
            "* * * * *",
            "60 * * * * *",
            "* * * 0 * *",
            "5-1 * * * * *",
            "*/0 * * * * *",
            "x * * * * *",
        ] {
            Schedule::parse(text).expect_err(text);
        }
    }
}
