//! Days, as a lesson's table names them. The build script reads them by this file too.

/// A day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// Year.
    pub year: u16,
    /// Month from 1.
    pub month: u8,
    /// Day from 1.
    pub day: u8,
}

impl Date {
    /// The day as a point on an axis of years, to a day or two (months of equal length).
    #[must_use]
    pub fn years(self) -> f64 {
        f64::from(self.year) + (f64::from(self.month) - 1.0 + (f64::from(self.day) - 1.0) / 31.0) / 12.0
    }
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}
