//! What was paid: the site writes it for people, in the payer's currency and the reader's language.
//!
//! `$5.00`, `CA$20.00`, `¥1,000`, `1.000,00 €`, `PLN 20.00`: a sign or a code on either side, and digits whose
//! separators have to be told apart. What is shown stays as it was sent.

use crate::model::Amount;

/// Signs that are no ISO 4217 code, longest first where one ends another.
const SIGNS: &[(&str, &str)] = &[
    ("MX$", "MXN"),
    ("US$", "USD"),
    ("CA$", "CAD"),
    ("AU$", "AUD"),
    ("NT$", "TWD"),
    ("HK$", "HKD"),
    ("NZ$", "NZD"),
    ("CN¥", "CNY"),
    ("JP¥", "JPY"),
    ("A$", "AUD"),
    ("C$", "CAD"),
    ("R$", "BRL"),
    ("S$", "SGD"),
    ("$", "USD"),
    ("€", "EUR"),
    ("£", "GBP"),
    ("¥", "JPY"),
    ("￥", "JPY"),
    ("円", "JPY"),
    ("元", "CNY"),
    ("₩", "KRW"),
    ("￦", "KRW"),
    ("₹", "INR"),
    ("₱", "PHP"),
    ("₽", "RUB"),
    ("₺", "TRY"),
    ("₪", "ILS"),
    ("฿", "THB"),
    ("₫", "VND"),
    ("₴", "UAH"),
    ("₦", "NGN"),
    ("₡", "CRC"),
    ("₲", "PYG"),
    ("₸", "KZT"),
    ("zł", "PLN"),
    ("Kč", "CZK"),
    ("Ft", "HUF"),
    ("лв.", "BGN"),
    ("Rp", "IDR"),
    ("RM", "MYR"),
    ("S/", "PEN"),
    ("Bs", "BOB"),
];
/// ISO 4217 for "no currency": the sign is not known, the text tells.
const UNKNOWN: &str = "XXX";

/// How many digits a currency has behind its point.
fn exponent(currency: &str) -> u32 {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX"
        | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

/// Reads `purchaseAmountText`; `None` when it holds no number.
pub(super) fn read(text: &str) -> Option<Amount> {
    let display = text.trim();
    let start = display.find(|it: char| it.is_ascii_digit())?;
    let end = display.rfind(|it: char| it.is_ascii_digit())? + 1;
    let around = |it: &str| it.replace(is_space, "").trim_matches(['-', '+']).to_owned();
    let (before, after) = (around(&display[..start]), around(&display[end..]));
    let currency = currency(&before).or_else(|| currency(&after)).unwrap_or(UNKNOWN.to_owned());
    let value = minor_units(&display[start..end], exponent(&currency))?;
    Some(Amount { value, currency, display: display.to_owned() })
}

/// Reads `amountMicros`, `currency` and `amountDisplayString` of the Data API.
pub(super) fn of_micros(micros: i64, currency: &str, display: &str) -> Option<Amount> {
    let currency = currency.trim().to_ascii_uppercase();
    if currency.len() != 3 || !currency.bytes().all(|it| it.is_ascii_uppercase()) {
        return read(display);
    }
    let exponent = exponent(&currency);
    let value = micros / 10_i64.pow(6 - exponent);
    let display = match display.trim() {
        "" => Amount::money(value, &currency, exponent).display,
        display => display.to_owned(),
    };
    Some(Amount { value, currency, display })
}

fn is_space(it: char) -> bool {
    it.is_whitespace() || matches!(it, '\u{a0}' | '\u{202f}' | '\u{200e}' | '\u{200f}')
}

fn currency(sign: &str) -> Option<String> {
    if let Some((_, code)) = SIGNS.iter().find(|it| it.0 == sign) {
        return Some((*code).to_owned());
    }
    let is_code = sign.len() == 3 && sign.bytes().all(|it| it.is_ascii_alphabetic());
    is_code.then(|| sign.to_ascii_uppercase())
}

/// The number in `text` with `exponent` digits behind its point, without the point.
fn minor_units(text: &str, exponent: u32) -> Option<i64> {
    let separators: Vec<(usize, char)> =
        text.char_indices().filter(|it| matches!(it.1, '.' | ',')).collect();
    let point = separators.last().filter(|(at, last)| {
        let behind = text[at + 1..].chars().filter(char::is_ascii_digit).count();
        let alike = separators.iter().filter(|it| it.1 == *last).count();
        let both = alike < separators.len();
        match (alike, both) {
            // `1.000.000`: whatever repeats, groups.
            (2.., _) => false,
            // `1.000,00`: the last of two kinds is the point.
            (_, true) => true,
            // `1.000` is a thousand, unless the currency has three digits behind its point.
            _ => behind != 3 || exponent == 3,
        }
    });
    let digits = |it: &str| it.chars().filter(char::is_ascii_digit).collect::<String>();
    let (whole, mut rest) = match point {
        Some((at, _)) => (digits(&text[..*at]), digits(&text[at + 1..])),
        None => (digits(text), String::new()),
    };
    rest.truncate(exponent as usize);
    while rest.len() < exponent as usize {
        rest.push('0');
    }
    format!("{whole}{rest}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_read_in_every_currency_and_shown_as_it_was_sent() {
        for (text, value, currency) in [
            ("$5.00", 500, "USD"),
            ("$1,234.50", 123_450, "USD"),
            ("CA$20.00", 2_000, "CAD"),
            ("A$7.99", 799, "AUD"),
            ("NT$14.00", 1_400, "TWD"),
            ("NT$1,500", 150_000, "TWD"),
            ("HK$25.00", 2_500, "HKD"),
            ("NZ$3.00", 300, "NZD"),
            ("R$10,00", 1_000, "BRL"),
            ("MX$1,000.00", 100_000, "MXN"),
            ("₩10,000", 10_000, "KRW"),
            ("¥1,000", 1_000, "JPY"),
            ("￥846", 846, "JPY"),
            ("1.000,00\u{a0}€", 100_000, "EUR"),
            ("€5", 500, "EUR"),
            ("1\u{202f}000,50 €", 100_050, "EUR"),
            ("£0.99", 99, "GBP"),
            ("₹1,00,000.00", 10_000_000, "INR"),
            ("₱50.00", 5_000, "PHP"),
            ("PHP\u{a0}50.00", 5_000, "PHP"),
            ("₽100.00", 10_000, "RUB"),
            ("PLN 20.00", 2_000, "PLN"),
            ("20,00 zł", 2_000, "PLN"),
            ("CZK 20.00", 2_000, "CZK"),
            ("ARS\u{a0}1.000", 100_000, "ARS"),
            ("CLP 5,000", 5_000, "CLP"),
            ("KWD 1.250", 1_250, "KWD"),
            ("₫50.000", 50_000, "VND"),
            ("\u{200e}₪10.00", 1_000, "ILS"),
            ("¤ 3.00", 300, "XXX"),
        ] {
            let amount = read(text).unwrap();
            assert_eq!((amount.value, amount.currency.as_str()), (value, currency), "{text}");
            assert_eq!(amount.display, text.trim());
        }
        assert_eq!(read("free"), None);
        assert_eq!(read(""), None);
        assert_eq!(read("$99999999999999999999"), None);
    }

    #[test]
    fn micros_become_minor_units() {
        let amount = of_micros(5_000_000, "usd", "$5.00").unwrap();
        assert_eq!((amount.value, amount.currency.as_str()), (500, "USD"));
        assert_eq!(of_micros(1_000_000_000, "JPY", "¥1,000").unwrap().value, 1_000);
        assert_eq!(of_micros(1_250_000, "KWD", "").unwrap().display, "1.250 KWD");
        assert_eq!(of_micros(1, "", "no"), None);
    }
}
