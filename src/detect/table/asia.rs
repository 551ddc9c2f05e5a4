//! Asia and Oceania.

use crate::detect::Near;
use crate::detect::kind::{Anchor, KindSpec};
use crate::detect::validate::{asia, id};

/// A number that identifies somebody.
const ID: KindSpec = KindSpec { may_start: id::may_start, max_len: 24, ..KindSpec::ROW };

/// One of these words within 40 bytes.
const fn near(words: &'static [&'static str]) -> Near {
    Near::of_row(words, 40)
}

/// The rows.
pub(super) const ROWS: [KindSpec; 8] = [
    KindSpec {
        name: "in_aadhaar",
        about: "Indian Aadhaar number",
        rules: "Twelve digits, bare or in fours with spaces or dashes, that pass Verhoeff and do not begin with 0 or 1, with a word for it near.",
        sources: &["UIDAI, \"A UID Numbering Scheme\" (2010)", "J. Verhoeff, \"Error detecting decimal codes\" (1969)"],
        pattern: "[2-9][0-9]{3}[ +-]?[0-9]{4}[ +-]?[0-9]{4}",
        anchor: Anchor::Digits(12),
        accept: asia::in_aadhaar,
        near: Some(&near(&["aadhaar", "aadhar", "adhaar", "uidai", "uid", "आधार"])),
        ..ID
    },
    KindSpec {
        name: "in_pan",
        about: "Indian permanent account number (PAN)",
        rules: "Five letters, the fourth one of the sorts of holder, four digits and a letter, with a word for it near.",
        sources: &["Income Tax Department of India, \"Permanent Account Number\""],
        pattern: "[A-Z]{3}[ABCFGHJLPT][A-Z][0-9]{4}[A-Z]",
        anchor: Anchor::Led(&[5], 4),
        accept: asia::in_pan,
        near: Some(&near(&["pan", "pan card", "pan number", "pan no", "permanent account", "income tax", "tax id"])),
        ..ID
    },
    KindSpec {
        name: "au_tfn",
        about: "Australian tax file number",
        rules: "Nine digits, bare or in threes with spaces or dashes, weighted and modulo 11, with a word for it near.",
        sources: &["Australian Taxation Office, \"Tax file number\"", "python-stdnum, `stdnum.au.tfn`"],
        pattern: "[0-9]{3}[ +-]?[0-9]{3}[ +-]?[0-9]{3}",
        anchor: Anchor::Digits(9),
        accept: asia::au_tfn,
        near: Some(&near(&["tfn", "tax file", "tax file number"])),
        ..ID
    },
    KindSpec {
        name: "au_medicare",
        about: "Australian Medicare number",
        rules: "Ten digits that begin with 2 to 6, bare or 4-5-1 with spaces or dashes, with or without the person's digit; the ninth is a check \
                digit; with a word for it near.",
        sources: &[
            "Australian Institute of Health and Welfare, METeOR 270101",
            "HL7 Australia, AU Base Implementation Guide, \"AU Medicare Card Number\"",
        ],
        pattern: "[2-6][0-9]{3}[ +-]?[0-9]{5}[ +-]?[0-9](?:[ /-]?[1-9])?",
        anchor: Anchor::Digits(10),
        accept: asia::au_medicare,
        near: Some(&near(&["medicare", "medicare number", "medicare card", "medicare no"])),
        ..ID
    },
    KindSpec {
        name: "sg_nric",
        about: "Singapore NRIC or FIN",
        rules: "S, T, F, G or M, seven digits and their check letter. No letter or digit beside it.",
        sources: &[
            "Immigration and Checkpoints Authority of Singapore, \"NRIC and FIN\"",
            "django-localflavor, `SGNRICFINField`",
        ],
        pattern: "[FGMST][0-9]{7}[A-Z]",
        anchor: Anchor::Led(&[1], 7),
        accept: asia::sg_nric,
        ..ID
    },
    KindSpec {
        name: "jp_my_number",
        about: "Japanese My Number",
        rules: "Twelve digits, bare or in fours with spaces or dashes, with a check digit modulo 11, with a word for it near.",
        sources: &["Ministry of Internal Affairs and Communications, ordinance 85 of 2014, article 5"],
        pattern: "[0-9]{4}[ +-]?[0-9]{4}[ +-]?[0-9]{4}",
        anchor: Anchor::Digits(12),
        accept: asia::jp_my_number,
        near: Some(&near(&["my number", "mynumber", "individual number", "kojin bango", "マイナンバー", "個人番号"])),
        ..ID
    },
    KindSpec {
        name: "kr_rrn",
        about: "Korean resident registration number",
        rules: "A date, a digit for sex and century and six more; with a dash and the check digit of numbers until 2020 as it is, else with a \
                word for it near.",
        sources: &["Ministry of the Interior and Safety, Resident Registration Act enforcement rules, article 2"],
        pattern: "[0-9]{6}-?[1-8][0-9]{6}",
        anchor: Anchor::Digits(13),
        accept: asia::kr_rrn,
        near: Some(&near(&["rrn", "resident registration", "resident number", "jumin", "주민등록번호", "주민번호"])),
        alone: asia::kr_rrn_alone,
        ..ID
    },
    KindSpec {
        name: "cn_resident_id",
        about: "Chinese resident identity number",
        rules: "Eighteen characters: a region of a province that there is, a date of birth, a serial, and a check character by ISO 7064 MOD 11-2, which may be X.",
        sources: &["GB 11643-1999", "GB/T 2260 (provinces)"],
        pattern: "[1-9][0-9]{5}(?:19|20)[0-9]{9}[0-9Xx]",
        anchor: Anchor::Digits(17),
        accept: asia::cn_resident_id,
        ..ID
    },
];
