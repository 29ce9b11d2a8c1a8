//! What was paid: money, bits or kicks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An amount of money or of a platform's own tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Amount {
    /// Minor units: cents for USD, whole yen for JPY, pieces for bits and kicks.
    pub value: i64,
    /// ISO 4217 in capitals, or `bits`, or `kicks`.
    pub currency: String,
    /// As a person would write it: `$5.00`, `100 bits`.
    pub display: String,
}

impl Amount {
    /// `count` Twitch bits.
    #[must_use]
    pub fn bits(count: i64) -> Self {
        let display = if count == 1 { "1 bit".to_owned() } else { format!("{count} bits") };
        Self { value: count, currency: "bits".to_owned(), display }
    }

    /// `count` kicks of Kick.
    #[must_use]
    pub fn kicks(count: i64) -> Self {
        let display = if count == 1 { "1 kick".to_owned() } else { format!("{count} kicks") };
        Self { value: count, currency: "kicks".to_owned(), display }
    }

    /// Money in minor units; `exponent` is how many digits stand behind the point (2 for USD, 0 for JPY).
    #[must_use]
    pub fn money(value: i64, currency: &str, exponent: u32) -> Self {
        let currency = currency.to_ascii_uppercase();
        let exponent = exponent.min(6);
        let unit = 10_i64.pow(exponent);
        let (sign, magnitude) =
            if value < 0 { ("-", value.unsigned_abs()) } else { ("", value.unsigned_abs()) };
        let (whole, rest) = (magnitude / unit.unsigned_abs(), magnitude % unit.unsigned_abs());
        let digits = if exponent == 0 {
            whole.to_string()
        } else {
            format!("{whole}.{rest:0width$}", width = exponent as usize)
        };
        let display = match currency.as_str() {
            "USD" => format!("{sign}${digits}"),
            "EUR" => format!("{sign}€{digits}"),
            "GBP" => format!("{sign}£{digits}"),
            "JPY" => format!("{sign}¥{digits}"),
            other => format!("{sign}{digits} {other}"),
        };
        Self { value, currency, display }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_written_as_people_write_it() {
        assert_eq!(Amount::money(500, "usd", 2).display, "$5.00");
        assert_eq!(Amount::money(1400, "NOK", 2).display, "14.00 NOK");
        assert_eq!(Amount::money(1200, "JPY", 0).display, "¥1200");
        assert_eq!(Amount::money(-5, "EUR", 2).display, "-€0.05");
        assert_eq!(Amount::bits(1).display, "1 bit");
    }
}
