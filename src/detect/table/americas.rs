//! The United States, Canada and Brazil.

use crate::detect::Near;
use crate::detect::kind::{Anchor, KindSpec};
use crate::detect::validate::{americas, id};

/// A number that identifies somebody.
const ID: KindSpec = KindSpec { may_start: id::may_start, max_len: 24, ..KindSpec::ROW };

/// One of these words within 40 bytes.
const fn near(words: &'static [&'static str]) -> Near {
    Near::of_row(words, 40)
}

/// The rows.
pub(super) const ROWS: [KindSpec; 8] = [
    KindSpec {
        name: "us_bank_routing",
        about: "US bank routing number (ABA)",
        rules: "Nine digits with a Federal Reserve prefix in use and the checksum 3-7-1, with a word for it near.",
        sources: &[
            "American Bankers Association, \"Routing Number Policy\"",
            "Federal Reserve, \"E-Payments Routing Directory\"",
        ],
        pattern: "[0-9]{9}",
        anchor: Anchor::Digits(9),
        accept: americas::us_bank_routing,
        near: Some(&near(&[
            "routing",
            "routing number",
            "routing no",
            "routing code",
            "aba",
            "aba number",
            "rtn",
            "transit number",
            "bank routing",
            "ach",
        ])),
        ..ID
    },
    KindSpec {
        name: "us_itin",
        about: "US individual taxpayer identification number",
        rules: "`9XX-GG-XXXX` with a group that is assigned (50 to 65, 70 to 88, 90 to 92, 94 to 99), not all nines; with spaces or bare only with a word \
                for it near.",
        sources: &["IRS, Internal Revenue Manual 3.21.263", "IRS Publication 1915"],
        pattern: "9[0-9]{2}[ -]?[5-9][0-9][ -]?[0-9]{4}",
        anchor: Anchor::Digits(9),
        accept: americas::us_itin,
        near: Some(&near(&["itin", "taxpayer", "taxpayer id", "tax id", "tin", "individual taxpayer"])),
        alone: americas::dashed,
        ..ID
    },
    KindSpec {
        name: "us_npi",
        about: "US national provider identifier",
        rules: "Ten digits that begin with 1 or 2 and pass Luhn behind `80840`, with a word for it near.",
        sources: &["CMS, \"Requirements for National Provider Identifier (NPI) and NPI Check Digit\"", "45 CFR 162.406"],
        pattern: "[12][0-9]{9}",
        anchor: Anchor::Digits(10),
        accept: americas::us_npi,
        near: Some(&near(&[
            "npi",
            "provider",
            "national provider",
            "provider id",
            "provider identifier",
            "provider number",
            "prescriber",
            "physician",
        ])),
        ..ID
    },
    KindSpec {
        name: "us_dea",
        about: "US DEA registration number",
        rules: "A registrant's letter, a letter or 9, six digits and their check digit, with a word for it near.",
        sources: &["DEA Diversion Control Division, \"DEA Registration Record Layout\"", "21 CFR 1301"],
        pattern: "[A-HJ-NPR-UX][A-Z9][0-9]{7}",
        anchor: Anchor::Led(&[2, 1], 7),
        accept: americas::us_dea,
        near: Some(&near(&["dea", "dea number", "registration", "registrant", "prescriber", "physician", "practitioner"])),
        ..ID
    },
    KindSpec {
        name: "us_mbi",
        about: "US Medicare beneficiary identifier",
        rules: "Eleven characters in CMS's pattern of digits and letters (no S, L, O, I, B, Z); with dashes as they are, bare with a word for \
                it near.",
        sources: &["CMS, \"Understanding the Medicare Beneficiary Identifier (MBI) format\""],
        pattern: concat!(
            "[1-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y][0-9]-?[AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y][0-9]",
            "-?[AC-HJKMNP-RT-Y]{2}[0-9]{2}",
        ),
        anchor: Anchor::Digits(2),
        accept: americas::us_mbi,
        near: Some(&near(&["mbi", "medicare", "beneficiary", "hicn", "member id"])),
        alone: id::grouped,
        ..ID
    },
    KindSpec {
        name: "ca_sin",
        about: "Canadian social insurance number",
        rules: "Nine digits, bare or in threes with spaces or dashes, that pass Luhn and do not begin with 0 or 8, with a word for it near.",
        sources: &["Employment and Social Development Canada, \"Social Insurance Number: Code of Practice\""],
        pattern: "[0-9]{3}[ +-]?[0-9]{3}[ +-]?[0-9]{3}",
        anchor: Anchor::Digits(9),
        accept: americas::ca_sin,
        near: Some(&near(&[
            "sin",
            "social insurance",
            "social insurance number",
            "nas",
            "numero d assurance sociale",
            "assurance sociale",
        ])),
        ..ID
    },
    KindSpec {
        name: "br_cpf",
        about: "Brazilian CPF",
        rules: "Eleven digits with two check digits; `000.000.000-00` as it is, bare with a word for it near.",
        sources: &["Receita Federal do Brasil, \"Cadastro de Pessoas Físicas\"", "python-stdnum, `stdnum.br.cpf`"],
        pattern: r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}|[0-9]{9}-?[0-9]{2}",
        anchor: Anchor::Digits(11),
        accept: americas::br_cpf,
        near: Some(&near(&["cpf", "contribuinte", "cadastro de pessoas", "pessoa fisica", "documento"])),
        alone: americas::printed,
        ..ID
    },
    KindSpec {
        name: "br_cnpj",
        about: "Brazilian CNPJ",
        rules: "Fourteen characters with two check digits, letters among the first twelve since 2026, the first two digits; \
                `00.000.000/0000-00` as it is, bare with a word for it near.",
        sources: &["Receita Federal do Brasil, \"Cadastro Nacional da Pessoa Jurídica\"", "Instrução Normativa RFB 2.229/2024"],
        pattern: r"[0-9]{2}(?:\.[0-9A-Z]{3}\.[0-9A-Z]{3}|[0-9A-Z]{6})(?:\\?/)?[0-9A-Z]{4}-?[0-9]{2}",
        anchor: Anchor::Digits(2),
        accept: americas::br_cnpj,
        near: Some(&near(&["cnpj", "pessoa juridica", "empresa"])),
        alone: americas::printed,
        ..ID
    },
];
