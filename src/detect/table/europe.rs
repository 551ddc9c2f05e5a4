//! European countries.

use crate::detect::Near;
use crate::detect::kind::{Anchor, KindSpec};
use crate::detect::validate::{europe, id};

/// A number that identifies somebody.
const ID: KindSpec = KindSpec { may_start: id::may_start, max_len: 24, ..KindSpec::ROW };

/// One of these words within 40 bytes.
const fn near(words: &'static [&'static str]) -> Near {
    Near::of_row(words, 40)
}

/// The rows.
pub(super) const ROWS: [KindSpec; 11] = [
    KindSpec {
        name: "uk_nino",
        about: "UK National Insurance number",
        rules: "Two letters of a prefix that is issued, six digits and A to D; in pairs with spaces as it is, bare with a word for it near.",
        sources: &["HMRC, National Insurance Manual NIM39110"],
        pattern: "[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][ +]?[0-9]{2}[ +]?[0-9]{2}[ +]?[0-9]{2}[ +]?[A-D]",
        anchor: Anchor::Led(&[3, 2], 2),
        accept: europe::uk_nino,
        near: Some(&near(&[
            "nino",
            "ni",
            "ni number",
            "national insurance",
            "national insurance number",
            "insurance number",
            "nat ins",
        ])),
        alone: id::grouped,
        ..ID
    },
    KindSpec {
        name: "uk_nhs",
        about: "UK NHS number",
        rules: "Ten digits, bare or 3-3-4 with spaces or dashes, whose check digit is right (modulo 11), with a word for it near.",
        sources: &["NHS Data Dictionary, \"NHS number\""],
        pattern: "[0-9]{3}[ +-]?[0-9]{3}[ +-]?[0-9]{4}",
        anchor: Anchor::Digits(10),
        accept: europe::uk_nhs,
        near: Some(&near(&["nhs", "nhs number", "nhs no", "national health service", "patient id", "patient number"])),
        ..ID
    },
    KindSpec {
        name: "de_tax_id",
        about: "German tax identification number",
        rules: "Eleven digits, bare or 2-3-3-3 with spaces, no leading zero, one digit two or three times among the first ten, check digit by \
                ISO 7064 MOD 11,10, with a word for it near.",
        sources: &[
            "Bayerisches Landesamt für Steuern, \"Prüfung der Steuer- und Steueridentifikationsnummer\", section 2",
            "§ 139b AO",
        ],
        pattern: "[1-9][0-9][ +]?[0-9]{3}[ +]?[0-9]{3}[ +]?[0-9]{3}",
        anchor: Anchor::Digits(11),
        accept: europe::de_tax_id,
        near: Some(&near(&[
            "steuer id",
            "steuerid",
            "steuer identifikationsnummer",
            "steueridentifikationsnummer",
            "identifikationsnummer",
            "steuernummer",
            "idnr",
            "id nr",
            "tax id",
            "tax number",
            "tin",
        ])),
        ..ID
    },
    KindSpec {
        name: "fr_nir",
        about: "French social security number (NIR)",
        rules: "Fifteen characters: sex, year, month, department (2A and 2B for Corsica), commune, serial, and the key modulo 97; grouped with \
                spaces as it is, bare with a word for it near.",
        sources: &["INSEE, \"Numéro d'inscription au répertoire\"", "Décret n° 82-103"],
        pattern: "[12][ +]?[0-9]{2}[ +]?[0-9]{2}[ +]?[0-9][0-9AB][ +]?[0-9]{3}[ +]?[0-9]{3}[ +]?[0-9]{2}",
        anchor: Anchor::Digits(7),
        accept: europe::fr_nir,
        near: Some(&near(&[
            "nir",
            "securite sociale",
            "sécurité sociale",
            "numero de securite sociale",
            "numéro de sécurité sociale",
            "social security",
            "insee",
            "carte vitale",
            "nss",
            "ssn",
        ])),
        alone: id::grouped,
        ..ID
    },
    KindSpec {
        name: "es_dni",
        about: "Spanish DNI",
        rules: "Eight digits and the letter that they make (modulo 23), with a dash or none between. No letter or digit beside it.",
        sources: &["Ministerio del Interior, \"Cálculo del dígito de control del NIF/NIE\""],
        pattern: "[0-9]{8}-?[A-HJ-NP-TV-Z]",
        anchor: Anchor::Digits(8),
        accept: europe::es_nif,
        near: Some(&near(&["dni", "nif", "documento", "documento nacional", "identidad", "cif nif", "dninif"])),
        ..ID
    },
    KindSpec {
        name: "es_nie",
        about: "Spanish NIE",
        rules: "X, Y or Z, seven digits and the letter that they make (modulo 23), with dashes or none between. No letter or digit beside it.",
        sources: &["Ministerio del Interior, \"Cálculo del dígito de control del NIF/NIE\""],
        pattern: "[XYZ]-?[0-9]{7}-?[A-HJ-NP-TV-Z]",
        anchor: Anchor::Led(&[2, 1], 7),
        accept: europe::es_nif,
        ..ID
    },
    KindSpec {
        name: "it_codice_fiscale",
        about: "Italian codice fiscale",
        rules: "Sixteen characters: six letters, year, month letter, a day of it (women's plus 40), a place, and the check letter. No letter or digit beside it.",
        sources: &["Ministero delle Finanze, decreto 23 dicembre 1976"],
        pattern: "[A-Z]{6}[0-9]{2}[A-EHLMPR-T][0-7][0-9][A-Z][0-9]{3}[A-Z]",
        anchor: Anchor::Led(&[6], 2),
        accept: europe::it_codice_fiscale,
        ..ID
    },
    KindSpec {
        name: "nl_bsn",
        about: "Dutch citizen service number (BSN)",
        rules: "Nine digits, bare or with points or spaces, that pass the elfproef, with a word for it near.",
        sources: &["Rijksdienst voor Identiteitsgegevens, \"Logisch Ontwerp BSN\""],
        pattern: "[0-9]{4}[ .]?[0-9]{2}[ .]?[0-9]{3}|[0-9]{3}[ .][0-9]{3}[ .][0-9]{3}",
        anchor: Anchor::Digits(9),
        accept: europe::nl_bsn,
        near: Some(&near(&["bsn", "burgerservicenummer", "sofinummer", "sofi nummer", "citizen service number"])),
        ..ID
    },
    KindSpec {
        name: "pl_pesel",
        about: "Polish PESEL",
        rules: "Eleven digits: a date of birth whose month tells the century, a serial, a check digit; with a word for it near.",
        sources: &["Ustawa o ewidencji ludności (2010), art. 15", "gov.pl, \"Czym jest numer PESEL\""],
        pattern: "[0-9]{11}",
        anchor: Anchor::Digits(11),
        accept: europe::pl_pesel,
        near: Some(&near(&["pesel", "numer pesel", "nr pesel", "ewidencyjny"])),
        ..ID
    },
    KindSpec {
        name: "se_personal_number",
        about: "Swedish personal identity number",
        rules: "A date (coordination numbers add 60 to the day), a serial and Luhn; `YYMMDD-NNNN` and `YYMMDD+NNNN` as they are, with the \
                century or bare with a word for it near.",
        sources: &["Skatteverket, SKV 704", "Folkbokföringslagen (1991:481) 18 §"],
        pattern: "(?:19|20)?[0-9]{6}[+-]?[0-9]{4}",
        anchor: Anchor::Digits(10),
        accept: europe::se_personal_number,
        near: Some(&near(&[
            "personnummer",
            "personnr",
            "person nr",
            "pnr",
            "samordningsnummer",
            "personal number",
            "personal identity number",
            "ssn",
            "organisationsnummer",
            "personal id",
        ])),
        alone: europe::se_alone,
        ..ID
    },
    KindSpec {
        name: "fi_personal_number",
        about: "Finnish personal identity code",
        rules: "A date, a sign for the century, a serial and a character by the number modulo 31. No letter or digit beside it.",
        sources: &["Digital and Population Data Services Agency, \"The personal identity code\""],
        pattern: "[0-3][0-9][01][0-9]{3}[+A-FU-Y-][0-9]{3}[0-9A-FHJ-NPR-Y]",
        anchor: Anchor::Digits(7),
        accept: europe::fi_personal_number,
        ..ID
    },
];
