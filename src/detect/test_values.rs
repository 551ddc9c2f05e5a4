//! Values that vendors, networks and offices publish for tests and documentation: well-formed, and nobody's.
//!
//! They are findings like any other unless a policy says `except_test_values`.

use super::kind::Kind;

/// Published values of a kind.
#[derive(Debug)]
pub struct TestValues {
    /// The kind's name.
    pub kind: &'static str,
    /// Who published them where.
    pub source: &'static str,
    /// Each without separators; a star at its end stands for anything.
    pub values: &'static [&'static str],
}

/// Domains that are kept for documentation and tests (RFC 2606, RFC 6761): no mailbox is there.
const DOMAINS: [&str; 6] = ["example.com", "example.org", "example.net", "example", "test", "invalid"];

/// All published values that are known here.
pub static TEST_VALUES: [TestValues; 28] = [
    TestValues {
        kind: "credit_card",
        source: "Stripe Docs, \"Testing\": test card numbers",
        values: &[
            "4242424242424242",
            "4000056655665556",
            "5555555555554444",
            "2223003122003222",
            "5200828282828210",
            "5105105105105100",
            "378282246310005",
            "371449635398431",
            "6011111111111117",
            "6011000990139424",
            "6011981111111113",
            "3056930009020004",
            "36227206271667",
            "6555900000604105",
            "3566002020360505",
            "6200000000000005",
            "6200000000000047",
            "6205500000000000004",
            "4000000000000002",
            "4000000000009995",
            "4000000000009987",
            "4000000000009979",
            "4000000000000069",
            "4000000000000127",
            "4000000000000119",
            "4000002500003155",
            "4000002760003184",
            "4000000000000259",
            "4000000000005126",
        ],
    },
    TestValues {
        kind: "credit_card",
        source: "PayPal Developer, \"Card testing\" and Payflow test card numbers",
        values: &[
            "4111111111111111",
            "4012888888881881",
            "4012000033330026",
            "4222222222222",
            "378734493671000",
            "30569309025904",
            "38520000023237",
            "3530111333300000",
            "5019717010103742",
            "6304000000000000",
        ],
    },
    TestValues {
        kind: "credit_card",
        source: "Adyen Docs, \"Test card numbers\"",
        values: &[
            "4988438843884305",
            "4166676667666746",
            "4646464646464644",
            "5577000055770004",
            "5136333333333335",
            "2222400070000005",
            "2222410740360010",
            "370000000000002",
            "36006666333344",
            "6011601160116611",
            "3569990010095841",
        ],
    },
    TestValues {
        kind: "ssn",
        source: "Social Security Administration, \"Social Security Cards Issued by Woolworth\" and its 1940 pamphlet; the usual placeholder",
        values: &["078051120", "219099999", "123456789", "457555462"],
    },
    TestValues {
        kind: "jwt",
        source: "jwt.io, the debugger's first token",
        values: &[concat!(
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
            "eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ*",
        )],
    },
    TestValues {
        kind: "aws_access_key",
        source: "AWS Documentation, example access keys",
        values: &[concat!("AKIA", "IOSFODNN7EXAMPLE"), concat!("ASIA", "IOSFODNN7EXAMPLE"), concat!("AKIA", "I44QH8DHBEXAMPLE")],
    },
    TestValues {
        kind: "aws_secret_key",
        source: "AWS Documentation, example access keys",
        values: &["wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY", "je7MtGbClwBF2Zp9Utkh3yCo8nvbEXAMPLEKEY"],
    },
    TestValues {
        kind: "azure_storage_key",
        source: "Microsoft Learn, \"Use the Azurite emulator\": well-known account key",
        values: &["Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tqK1SZFPTOtrKBHBeksoGMGw"],
    },
    TestValues {
        kind: "stripe_key",
        source: "Stripe Docs, \"API keys\": keys of the test mode move no money",
        values: &["sktest*", "rktest*"],
    },
    TestValues {
        kind: "iban",
        source: "SWIFT, \"IBAN Registry\": the countries' examples; ECBS and Wikipedia examples",
        values: &[
            "AD1200012030200359100100",
            "AT611904300234573201",
            "BE68539007547034",
            "BG80BNBG96611020345678",
            "CH9300762011623852957",
            "CY17002001280000001200527600",
            "CZ6508000000192000145399",
            "DE89370400440532013000",
            "DK5000400440116243",
            "EE382200221020145685",
            "ES9121000418450200051332",
            "FI2112345600000785",
            "FR1420041010050500013M02606",
            "GB29NWBK60161331926819",
            "GB33BUKB20201555555555",
            "GB82WEST12345698765432",
            "GR1601101250000000012300695",
            "HR1210010051863000160",
            "HU42117730161111101800000000",
            "IE29AIBK93115212345678",
            "IT60X0542811101000000123456",
            "LT121000011101001000",
            "LU280019400644750000",
            "LV80BANK0000435195001",
            "MT84MALT011000012345MTLCAST001S",
            "NL91ABNA0417164300",
            "NO9386011117947",
            "PL61109010140000071219812874",
            "PT50000201231234567890154",
            "RO49AAAA1B31007593840000",
            "SE4550000000058398257466",
            "SI56263300012039086",
            "SK3112000000198742637541",
        ],
    },
    TestValues {
        kind: "phone",
        source: "NANPA, 555 line numbers for fiction; Ofcom, \"Telephone numbers for use in TV and radio drama programmes\"",
        values: &["447700900*", "4420794609*", "4411349601*", "15555550*"],
    },
    TestValues { kind: "us_bank_routing", source: "Stripe Docs, \"Testing\": test bank accounts", values: &["110000000"] },
    TestValues { kind: "us_npi", source: "CMS, \"NPI check digit calculation\"", values: &["1234567893"] },
    TestValues { kind: "us_mbi", source: "CMS, \"Understanding the MBI format\"", values: &["1EG4TE5MK72", "1EG4TE5MK73"] },
    TestValues {
        kind: "br_cpf",
        source: "SERPRO and DataPrev, documentation of their interfaces",
        values: &["11144477735", "12345678909"],
    },
    TestValues {
        kind: "br_cnpj",
        source: "SERPRO, documentation of its interfaces",
        values: &["11222333000181", "12ABC34501DE35"],
    },
    TestValues {
        kind: "uk_nhs",
        source: "NHS England, \"NHS numbers for testing\": 999 is never issued",
        values: &["999*", "9434765919"],
    },
    TestValues { kind: "de_tax_id", source: "Bundeszentralamt für Steuern, the published example", values: &["86095742719"] },
    TestValues {
        kind: "es_dni",
        source: "Ministerio del Interior, the published examples",
        values: &["12345678Z", "00000001R", "99999999R"],
    },
    TestValues {
        kind: "it_codice_fiscale",
        source: "Agenzia delle Entrate, the published examples",
        values: &["RSSMRA85T10A562S"],
    },
    TestValues {
        kind: "nl_bsn",
        source: "Rijksdienst voor Identiteitsgegevens, test numbers",
        values: &["111222333", "123456782", "999*"],
    },
    TestValues { kind: "pl_pesel", source: "gov.pl and Wikipedia, the usual example", values: &["44051401359", "44051401458"] },
    TestValues {
        kind: "se_personal_number",
        source: "Skatteverket, SKV 704 and test numbers",
        values: &["6408233234", "196408233234"],
    },
    TestValues {
        kind: "fi_personal_number",
        source: "Digital and Population Data Services Agency, the published example",
        values: &["131052308T"],
    },
    TestValues {
        kind: "in_aadhaar",
        source: "UIDAI, test data of the authentication API",
        values: &["999941057058", "999971658847", "999933119405"],
    },
    TestValues { kind: "au_tfn", source: "Australian Taxation Office, test data", values: &["123456782", "876543210"] },
    TestValues { kind: "sg_nric", source: "the usual example", values: &["S1234567D", "S0000001I"] },
    TestValues {
        kind: "cn_resident_id",
        source: "GB 11643-1999, the standard's examples",
        values: &["11010519491231002X", "440524188001010014"],
    },
];

/// Is `value` of `kind` one that was published for tests or documentation?
pub fn is_test_value(kind: Kind, value: &[u8]) -> bool {
    match kind.name() {
        "email" => DOMAINS.iter().any(|domain| is_at(value, domain.as_bytes())),
        "us_phone" => is_fiction(value),
        "phone" if is_north_american(value) && is_fiction(value) => true,
        name => {
            TEST_VALUES.iter().filter(|row| row.kind == name).flat_map(|row| row.values).any(|known| is(value, known.as_bytes()))
        }
    }
}

/// Is `value`, without what is no letter or digit, `known`?
fn is(value: &[u8], known: &[u8]) -> bool {
    let mut bare = value.iter().filter(|byte| byte.is_ascii_alphanumeric());
    let (known, open) = known.strip_suffix(b"*").map_or((known, false), |known| (known, true));
    known.iter().all(|byte| bare.next().is_some_and(|found| found.eq_ignore_ascii_case(byte))) && (open || bare.next().is_none())
}

/// Is an address at this domain or one under it? Its at sign may be written as an escape.
fn is_at(address: &[u8], domain: &[u8]) -> bool {
    let Some((head, tail)) = address.len().checked_sub(domain.len()).and_then(|at| address.split_at_checked(at)) else {
        return false;
    };
    tail.eq_ignore_ascii_case(domain) && matches!(head, [.., b'@' | b'.' | b';'] | [.., b'4', b'0'])
}

/// Is it the code 1 and ten digits?
fn is_north_american(value: &[u8]) -> bool {
    let mut digits = value.iter().filter(|byte| byte.is_ascii_digit());
    digits.next() == Some(&b'1') && digits.count() == 10
}

/// Line numbers 555-0100 to 555-0199 are kept for fiction.
fn is_fiction(value: &[u8]) -> bool {
    let mut digits = value.iter().filter(|byte| byte.is_ascii_digit()).rev().skip(2);
    b"10555".iter().all(|wanted| digits.next() == Some(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_values_are_known_however_they_are_separated() {
        for (kind, value, known) in [
            ("credit_card", "4111 1111 1111 1111", true),
            ("credit_card", "4111-1111-1111-1111", true),
            ("credit_card", "4111111111111112", false),
            ("credit_card", "411111111111111", false),
            ("ssn", "078-05-1120", true),
            ("ssn", "078-05-1121", false),
            ("email", "bob@example.com", true),
            ("email", "bob@mail.Example.org", true),
            ("email", "bob%40example.com", true),
            ("email", "bob@myexample.com", false),
            ("email", "bob@shop.test", true),
            ("us_phone", "(415) 555-0123", true),
            ("us_phone", "415-555-2671", false),
            ("phone", "+44 20 7946 0958", true),
            ("phone", "+1 415 555 0123", true),
            ("phone", "+14155550123", true),
            ("phone", "+14155550223", false),
            ("phone", "+49 415 555 0123", false),
            ("iban", "DE89 3704 0044 0532 0130 00", true),
            ("stripe_key", concat!("sk_", "test_abcdefghijklmnopqrst"), true),
            ("stripe_key", concat!("sk_", "live_abcdefghijklmnopqrst"), false),
            ("aws_access_key", concat!("AKIA", "IOSFODNN7EXAMPLE"), true),
            ("aws_secret_key", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", true),
        ] {
            assert_eq!(is_test_value(Kind::from_name(kind).unwrap(), value.as_bytes()), known, "{kind} {value}");
        }
    }

    #[test]
    fn every_row_is_of_a_kind() {
        for row in &TEST_VALUES {
            assert!(Kind::from_name(row.kind).is_some(), "{}", row.kind);
            assert!(row.values.iter().all(|value| value.trim_end_matches('*').bytes().all(|byte| byte.is_ascii_alphanumeric())));
        }
    }
}
