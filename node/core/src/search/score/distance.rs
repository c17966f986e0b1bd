//! Typing errors between two words: insertions, deletions, substitutions and transpositions of neighbours.

/// True when at most one typing error lies between the two.
pub fn within_one(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let front = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[front..], &b[front..]);
    match (a, b) {
        ([], []) => true,
        ([_, rest @ ..], shorter) if a.len() == b.len() + 1 => rest == shorter,
        (shorter, [_, rest @ ..]) if b.len() == a.len() + 1 => rest == shorter,
        ([x, more @ ..], [y, others @ ..]) if a.len() == b.len() => {
            more == others || matches!((more, others), ([x2, r @ ..], [y2, s @ ..]) if x == y2 && y == x2 && r == s)
        }
        _ => false,
    }
}

/// Letters of a word that are compared; no name part is longer.
const LETTERS_MAX: usize = 64;

/// The number of typing errors between the two (optimal string alignment), at most `limit + 1`. Words of more than 64
/// letters are compared by their first 64.
pub fn errors(a: &str, b: &str, limit: usize) -> usize {
    let (mut first, mut second) = (['\0'; LETTERS_MAX], ['\0'; LETTERS_MAX]);
    let (a, b) = (letters(a, &mut first), letters(b, &mut second));
    if a.len().abs_diff(b.len()) > limit {
        return limit + 1;
    }
    // What both begin and end with takes part in no error.
    let front = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[front..], &b[front..]);
    let back = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[..a.len() - back], &b[..b.len() - back]);
    let mut rows = [[0_usize; LETTERS_MAX + 1]; 3];
    let [two_back, previous, current] = &mut rows;
    let (mut two_back, mut previous, mut current) = (two_back, previous, current);
    for (j, cell) in previous.iter_mut().enumerate().take(b.len() + 1) {
        *cell = j;
    }
    for i in 1..=a.len() {
        current[0] = i;
        let mut least = i;
        for j in 1..=b.len() {
            let substituted = previous[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut cell = substituted.min(previous[j] + 1).min(current[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                cell = cell.min(two_back[j - 2] + 1);
            }
            current[j] = cell;
            least = least.min(cell);
        }
        if least > limit {
            return limit + 1;
        }
        std::mem::swap(&mut two_back, &mut previous);
        std::mem::swap(&mut previous, &mut current);
    }
    previous[b.len()].min(limit + 1)
}

/// The letters of a word in a place that is there already: this is the innermost loop of a search.
fn letters<'a>(word: &str, place: &'a mut [char; LETTERS_MAX]) -> &'a [char] {
    let mut count = 0;
    for (place, letter) in place.iter_mut().zip(word.chars()) {
        *place = letter;
        count += 1;
    }
    &place[..count]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_measures_agree_on_one_error() {
        let words = [
            "", "A", "AB", "BA", "ABC", "ACB", "BAC", "ABCD", "BCD", "ACD", "XBC", "ABX", "LI", "LU", "MARTIN",
            "MARTNI", "MRATIN", "MARTINA",
        ];
        for a in words {
            for b in words {
                assert_eq!(within_one(a, b), errors(a, b, 1) <= 1, "{a} {b}");
                assert_eq!(errors(a, b, 9), errors(b, a, 9));
            }
        }
        assert_eq!(errors("MOHAMED", "MUHAMMAD", 5), 3);
        assert_eq!(errors("SMITH", "SIMTH", 3), 1);
        assert_eq!(errors("ABCDEF", "UVWXYZ", 2), 3);
    }
}
