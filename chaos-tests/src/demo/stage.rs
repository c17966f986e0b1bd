//! What the audience sees.

use std::time::{Duration, Instant};

/// Headings with the time since the beginning.
#[derive(Debug)]
pub(super) struct Stage {
    begun: Instant,
    part: u32,
}

impl Stage {
    pub(super) fn begin() -> Self {
        Self { begun: Instant::now(), part: 0 }
    }

    /// A new part of the show.
    pub(super) fn heading(&mut self, title: &str) {
        self.part += 1;
        println!("\n{}. {title}  [{}]\n", self.part, seconds(self.begun.elapsed()));
    }

    /// A line of text.
    pub(super) fn line(&self, text: &str) {
        println!("   {text}");
    }

    /// An empty line.
    pub(super) fn gap(&self) {
        println!();
    }

    /// A text of several lines, set in further.
    pub(super) fn block(&self, text: &str) {
        for line in text.trim_end().lines() {
            println!("     {line}");
        }
    }

    /// Since the beginning.
    pub(super) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }
}

/// "1.3 s".
pub(super) fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

/// "1.3 ms".
pub(super) fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

/// 137000 -> "137,000".
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(37_000), "37,000");
        assert_eq!(thousands(1_234_567), "1,234,567");
    }
}
