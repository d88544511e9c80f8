//! Durations, amounts of memory and counts as people write them, for labels and pages; and what no text for people has.

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The two largest units of a duration, such as `6h`, `7m30s` or `1d12h`; empty for what is no duration.
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return String::new();
    }
    let total = seconds.round() as u64;
    let (large, large_unit, small, small_unit) = match total {
        DAY.. => (total / DAY, "d", total % DAY / HOUR, "h"),
        HOUR..DAY => (total / HOUR, "h", total % HOUR / MINUTE, "m"),
        MINUTE..HOUR => (total / MINUTE, "m", total % MINUTE, "s"),
        _ => return format!("{total}s"),
    };
    if small == 0 {
        format!("{large}{large_unit}")
    } else {
        format!("{large}{large_unit}{small}{small_unit}")
    }
}

/// An amount of memory with three digits or so, such as `1.5 GiB` or `-12 KiB`.
pub fn bytes(amount: f64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if !amount.is_finite() {
        return String::new();
    }
    if amount.abs() < 1024.0 {
        return format!("{amount:.0} B");
    }
    let mut scaled = amount / 1024.0;
    let mut unit = 0;
    while scaled.abs() >= 1024.0 && unit + 1 < UNITS.len() {
        scaled /= 1024.0;
        unit += 1;
    }
    let decimals = if scaled.abs() < 10.0 { 1 } else { 0 };
    format!("{scaled:.decimals$} {}", UNITS[unit])
}

/// A count with its thousands apart, such as `1,200`; small ones that are no whole numbers keep a digit of the rest.
pub fn count(amount: f64) -> String {
    if !amount.is_finite() {
        return String::new();
    }
    if amount.abs() < 9.95 && (amount - amount.round()).abs() >= 0.05 {
        return format!("{amount:.1}");
    }
    let digits = format!("{:.0}", amount.abs());
    let sign = if amount < 0.0 && digits != "0" { "-" } else { "" };
    let mut text = String::from(sign);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Separators of lines, and marks that change the direction of a text (Unicode Standard Annex 9).
pub fn is_layout(character: char) -> bool {
    matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_at_most_two_units() {
        for (seconds, expected) in [
            (0.0, "0s"),
            (59.4, "59s"),
            (60.0, "1m"),
            (450.0, "7m30s"),
            (21_600.0, "6h"),
            (5_430.0, "1h30m"),
            (129_600.0, "1d12h"),
            (604_800.0, "7d"),
            (-1.0, ""),
            (f64::NAN, ""),
            (f64::INFINITY, ""),
        ] {
            assert_eq!(duration(seconds), expected, "{seconds}");
        }
    }

    #[test]
    fn counts_have_their_thousands_apart() {
        for (amount, expected) in [
            (0.0, "0"),
            (-0.01, "0"),
            (0.44, "0.4"),
            (6.02, "6"),
            (9.97, "10"),
            (999.6, "1,000"),
            (-1200.0, "-1,200"),
            (1_048_576.0, "1,048,576"),
            (f64::NAN, ""),
        ] {
            assert_eq!(count(amount), expected, "{amount}");
        }
    }

    #[test]
    fn amounts_have_the_unit_that_keeps_them_short() {
        for (amount, expected) in [
            (0.0, "0 B"),
            (1023.0, "1023 B"),
            (1536.0, "1.5 KiB"),
            (-12_288.0, "-12 KiB"),
            (1_610_612_736.0, "1.5 GiB"),
            (1.8e19, "16 EiB"),
            (f64::NAN, ""),
        ] {
            assert_eq!(bytes(amount), expected, "{amount}");
        }
    }
}
