//! Ranges of numbers as blocks: 1200 to 2999 is 12**, 13**... 19**, 2***. A number is found by its own few blocks.

/// Most digits of which a range can be open.
pub const OPEN_DIGITS_MAX: usize = 12;
/// Most blocks of one range; what would need more is indexed by its two ends alone.
pub const BLOCKS_MAX: usize = 256;

/// The blocks that cover `from..=to`: numbers of one length whose last digits count up and whose rest is equal.
/// Empty when the two are no range.
pub fn blocks(from: &str, to: &str) -> Vec<String> {
    let Some((stem, low, high, width)) = span(from, to) else { return Vec::new() };
    let mut blocks = Vec::new();
    let mut next = low;
    while next <= high {
        let mut open = 0;
        let mut size: u64 = 1;
        while open < width && next % (size * 10) == 0 && next + (size * 10 - 1) <= high {
            open += 1;
            size *= 10;
        }
        let digits = format!("{next:0width$}");
        blocks.push(format!("{stem}{}{}", &digits[..width - open], "*".repeat(open)));
        if blocks.len() > BLOCKS_MAX {
            return Vec::new();
        }
        next += size;
    }
    blocks
}

/// Every block that can hold `number`, the closed one first.
pub fn blocks_of(number: &str) -> Vec<String> {
    let digits = number.bytes().rev().take_while(u8::is_ascii_digit).count().min(OPEN_DIGITS_MAX);
    (0..=digits).map(|open| format!("{}{}", &number[..number.len() - open], "*".repeat(open))).collect()
}

/// True when `number` lies in `from..=to`.
pub fn contains(from: &str, to: &str, number: &str) -> bool {
    span(from, to).is_some() && number.len() == from.len() && from <= number && number <= to
}

/// (common part, first, last, digits that count).
fn span<'a>(from: &'a str, to: &str) -> Option<(&'a str, u64, u64, usize)> {
    if from.len() != to.len() || from > to {
        return None;
    }
    let digits = |text: &str| text.bytes().rev().take_while(u8::is_ascii_digit).count();
    let width = digits(from).min(digits(to)).min(OPEN_DIGITS_MAX);
    let at = from.len() - width;
    if from.get(..at)? != to.get(..at)? {
        return None;
    }
    Some((&from[..at], from[at..].parse().ok()?, to[at..].parse().ok()?, width))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_covered_exactly_by_few_blocks() {
        assert_eq!(blocks("AB1200", "AB2999").len(), 9);
        assert_eq!(blocks("0000", "9999"), ["****"]);
        assert_eq!(blocks("7", "7"), ["7"]);
        assert!(blocks("AB10", "AC20").is_empty());
        assert!(blocks("20", "10").is_empty());
        for (from, to) in [(0, 0), (37, 41), (95, 1203), (999, 1000), (1, 9998)] {
            let blocks = blocks(&format!("X{from:04}"), &format!("X{to:04}"));
            for number in 0..10_000 {
                let text = format!("X{number:04}");
                let found = blocks_of(&text).iter().filter(|block| blocks.contains(block)).count();
                assert_eq!(found, usize::from((from..=to).contains(&number)), "{text} in {from}..={to}");
            }
        }
    }
}
