//! Accounts, telephone numbers, dates and addresses: kinds of no one country.

use crate::detect::Near;
use crate::detect::kind::{Anchor, KindSpec, Mask};
use crate::detect::validate::{date, iban, id, ip, phone};

/// The rows.
pub(super) const ROWS: [KindSpec; 6] = [
    KindSpec {
        name: "iban",
        about: "international bank account number",
        rules: "A country that uses IBANs, its length, and check digits modulo 97; bare, or in fours with spaces or dashes. No letter or \
                digit beside it.",
        sources: &["ISO 13616-1", "SWIFT, \"IBAN Registry\"", "schwifty, registry of IBANs (countries that are not in SWIFT's)"],
        mask: &Mask::KeepLast(4),
        pattern: "[A-Z]{2}[0-9]{2}(?:[ +-]?[A-Z0-9]{4}){2,7}(?:[ +-]?[A-Z0-9]{1,3})?",
        max_len: 43,
        anchor: Anchor::Led(&[2], 2),
        may_start: iban::may_start,
        accept: iban::accept,
        ..KindSpec::ROW
    },
    KindSpec {
        name: "phone",
        about: "international telephone number",
        rules: "`+`, a country code that exists, and 8 to 15 digits in all (11 behind `+1` and `+7`), with spaces, points, dashes and \
                parentheses between. No letter or digit beside it, no sum, no decimal, no \
                latitude and longitude.",
        sources: &["ITU-T E.164", "ITU-T Operational Bulletin, \"List of Recommendation E.164 assigned country codes\""],
        pattern: r"\+[1-9](?:[ .()-]{0,2}[0-9]){7,14}",
        max_len: 48,
        anchor: Anchor::Led(&[1], 2),
        may_start: phone::international_may_start,
        accept: phone::international,
        ..KindSpec::ROW
    },
    KindSpec {
        name: "date_of_birth",
        about: "date of birth",
        rules: "A day of 1900 to 2049, as `1980-01-31`, `1/31/1980`, `31.1.1980` or `31 January 1980`, with a word of birth near.",
        sources: &["ISO 8601-1", "Unicode CLDR, date formats"],
        pattern: concat!(
            r"(?:19|20)[0-9]{2}(?:[-.]|\\?/|%2[Ff])[0-9]{1,2}(?:[-.]|\\?/|%2[Ff])[0-9]{1,2}",
            r"|[0-9]{1,2}(?:[-.]|\\?/|%2[Ff])[0-9]{1,2}(?:[-.]|\\?/|%2[Ff])(?:19|20)[0-9]{2}",
            r"|[0-9]{1,2} [A-Z][a-z]{2,8} (?:19|20)[0-9]{2}",
        ),
        max_len: 20,
        anchor: Anchor::Digits(2),
        may_start: id::may_start,
        accept: date::accept,
        near: Some(&Near::of_row(
            &[
                "dob",
                "birth",
                "born",
                "birthday",
                "birthdate",
                "date of birth",
                "geboren",
                "geburtsdatum",
                "geb",
                "naissance",
                "nacimiento",
                "nascita",
                "nascimento",
                "geboortedatum",
            ],
            24,
        )),
        ..KindSpec::ROW
    },
    KindSpec {
        name: "ipv4",
        about: "public IPv4 address",
        rules: "Four numbers up to 255, outside the blocks for private, local, shared, documentation, test, multicast and reserved use. No \
                network (`x.x.x.0`, `x.0.0.x`, a prefix length behind it), no version (`Chrome/120.0.1.2`, `version 81.2.69.142`, \
                `V8 to 11.3.244.8`), no object identifier of X.500 (2.5.4.x, 2.5.29.x, 1.3.101.x), no section (`§13.2.5.36`), no \
                chapter (all numbers below 32, but for the public resolvers 1.1.1.1, 8.8.4.4, 8.8.8.8 and 9.9.9.9), no longer chain.",
        sources: &[
            "RFC 791",
            "IANA IPv4 Special-Purpose Address Registry (RFC 6890)",
            "ITU-T X.520 and X.509, RFC 8410 (object identifiers)",
        ],
        pattern: r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}",
        max_len: 15,
        anchor: Anchor::Digits(7),
        may_start: ip::v4_may_start,
        accept: ip::v4,
        ..KindSpec::ROW
    },
    KindSpec {
        name: "ipv6",
        about: "public IPv6 address",
        rules: "A global unicast address (`2000::/3`) that is not for documentation or protocols, the first group with four digits. No \
                letter, digit or colon beside it, no prefix length behind it, not ending with `::`.",
        sources: &["RFC 4291", "IANA IPv6 Special-Purpose Address Registry (RFC 6890)"],
        pattern: "[23][0-9A-Fa-f]{3}(?::[0-9A-Fa-f]{0,4}){2,8}",
        max_len: 44,
        anchor: Anchor::Digits(2),
        may_start: ip::v6_may_start,
        accept: ip::v6,
        ..KindSpec::ROW
    },
    KindSpec {
        name: "us_phone",
        about: "US and Canadian telephone number",
        rules: "Ten digits of the North American plan, with or without `1` or `+1`: neither area nor exchange begins with 0 or 1 or ends \
                with 11. `(NXX) NXX-XXXX`, `NXX-NXX-XXXX` and with `+1` as they are; bare, or with points or spaces, with a word for a \
                telephone near.",
        sources: &["North American Numbering Plan Administrator, \"About the NANP\"", "ATIS-0300051"],
        pattern: concat!(
            r"\([0-9]{3}\)[ .-]?[0-9]{3}[ .-][0-9]{4}",
            r"|(?:\+?1[ .-]?)?(?:[0-9]{3}[ .-][0-9]{3}[ .-][0-9]{4}|[0-9]{10})",
        ),
        max_len: 17,
        anchor: Anchor::Led(&[1, 0], 4),
        may_start: phone::us_may_start,
        accept: phone::us,
        near: Some(&Near::of_row(
            &[
                "phone",
                "telephone",
                "tel",
                "mobile",
                "cell",
                "cellphone",
                "fax",
                "sms",
                "whatsapp",
                "msisdn",
                "phone number",
                "phones",
            ],
            32,
        )),
        alone: phone::us_alone,
        ..KindSpec::ROW
    },
];
