//! The first ten kinds, on which the `detect_sensitive_data` hook blocks.

use crate::detect::kind::{Anchor, KindSpec, Mask};
use crate::detect::validate::{aws, card, email, github, google, jwt, pem, slack, ssn, stripe};

/// The ten.
pub(super) const ROWS: [KindSpec; 10] = [
    KindSpec {
        name: "credit_card",
        about: "payment card number",
        rules: "13 to 19 digits that pass Luhn, of a known issuer and its lengths. Bare, or grouped as that issuer prints them \
                (4-4-4-4 and up to 3 more, American Express 4-6-5, Diners Club 4-6-4) with one kind of separator: space, dash, \
                or `+` as forms encode a space. No letter or digit beside it, not the fraction of a decimal number, not the end of \
                a chain of fours (an IBAN, an ICCID). The `%B` of a magnetic stripe may stand before it. A 13-digit number that is \
                a valid article number (EAN-13), or a time in milliseconds that ends in five zeros (`4583437200000`), is none.",
        sources: &[
            "ISO/IEC 7812-1 (length, Luhn)",
            "networks' IIN ranges: see src/detect/validate/issuers.rs",
            "GS1 General Specifications, check digit calculation",
        ],
        mask: &Mask::KeepLastDigits(4),
        detect_only: false,
        pattern: concat!(
            "[0-9]{13,19}",
            "|[0-9]{4} [0-9]{4} [0-9]{4} [0-9]{4}(?: [0-9]{1,3})?|[0-9]{4} [0-9]{6} [0-9]{4,5}",
            "|[0-9]{4}-[0-9]{4}-[0-9]{4}-[0-9]{4}(?:-[0-9]{1,3})?|[0-9]{4}-[0-9]{6}-[0-9]{4,5}",
            r"|[0-9]{4}\+[0-9]{4}\+[0-9]{4}\+[0-9]{4}(?:\+[0-9]{1,3})?|[0-9]{4}\+[0-9]{6}\+[0-9]{4,5}",
        ),
        max_len: 23,
        anchor: Anchor::Digits(13),
        may_start: card::may_start,
        accept: card::accept,
        ..KindSpec::ROW
    },
    KindSpec {
        name: "ssn",
        about: "US social security number",
        rules: "`AAA-GG-SSSS`; area not 000, 666 or 9xx (so no ITIN), group not 00, serial not 0000. No digit and no digit with \
                a dash beside it.",
        sources: &[
            "Social Security Administration, POMS RM 10201.035, \"Invalid Social Security Numbers\"",
            "Social Security Administration, \"Social Security Number Randomization Frequently Asked Questions\"",
        ],
        mask: &Mask::Label,
        detect_only: false,
        pattern: "[0-9]{3}-[0-9]{2}-[0-9]{4}",
        max_len: 11,
        anchor: Anchor::Digits(9),
        may_start: ssn::may_start,
        accept: ssn::accept,
        ..KindSpec::ROW
    },
    KindSpec {
        name: "email",
        about: "e-mail address",
        rules: "A dot-atom of letters, digits and `_ + - '` of up to 64, `@`, a dotted host name of up to 253 and a top-level \
                domain that exists. The `@` may be written `%40`, `\\u0040`, `&#64;`, `&#x40;` or `&commat;`, a `+` as `%2B`. Labels behind \
                the last that makes a top-level domain are no part of it. Not the user or password of a URL, not `git@host`, \
                not a package with a version (`react@18.2.0`), not an image's density (`logo@2x.png`).",
        sources: &["RFC 5321 sections 4.1.2 and 4.5.3.1", "RFC 1035 section 2.3.4", "IANA root zone, through the crate `tld`"],
        mask: &Mask::Label,
        detect_only: false,
        pattern: concat!(
            // The local part: atoms with dots between; an apostrophe only before a letter, for it is a quote elsewhere.
            r"[A-Za-z0-9_](?:[A-Za-z0-9_+-]|'[A-Za-z]|%2[Bb])*(?:\.(?:[A-Za-z0-9_+-]|%2[Bb])(?:[A-Za-z0-9_+-]|'[A-Za-z]|%2[Bb])*)*",
            r"(?:@|%40|\\{1,4}u0040|&#0{0,4}64;|&#[xX]0{0,4}40;|&commat;)",
            r"[A-Za-z0-9]+(?:-+[A-Za-z0-9]+)*(?:\.[A-Za-z0-9]+(?:-+[A-Za-z0-9]+)*)+",
        ),
        // 64 characters of up to 3 bytes, the longest way to write an at sign, 253 bytes, and one more to see that it is longer.
        max_len: 64 * 3 + 10 + 253 + 1,
        anchor: Anchor::Inner(&["@", "%40", "u0040", "&#64;", "&#x40;", "&#X40;", "&#0", "&#x0", "&#X0", "&commat;"], 64 * 3 + 4),
        may_start: email::may_start,
        accept: email::accept,
        ..KindSpec::ROW
    },
    KindSpec {
        name: "jwt",
        about: "JSON Web Token",
        rules: "Three parts of base64url, the first decodes to a JSON object with a string `alg`; five parts where it has `enc` \
                too. The third may be empty where `alg` is `none`. No letter of base64url before it.",
        sources: &["RFC 7519", "RFC 7515 section 7.1", "RFC 7516 section 7.1"],
        mask: &Mask::Label,
        detect_only: false,
        pattern: concat!(
            // `{"`, `{ `, `{` and a line end or a tab, in base64.
            r"e(?:yJ|yA|wo|w0|wk)[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*",
            r"(?:\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)?",
        ),
        // Servers take headers of 8 to 60 KiB; a token longer than this passes through none but a few of them.
        max_len: 16 * 1024,
        anchor: Anchor::Prefix(&["eyJ", "eyA", "ewo", "ew0", "ewk"]),
        may_start: jwt::may_start,
        accept: jwt::accept,
        ..KindSpec::ROW
    },
    KindSpec {
        name: "aws_access_key",
        about: "AWS access key ID",
        rules: "`AKIA`, `ASIA`, `ABIA` or `ACCA` and 16 of `[A-Z2-7]`, no letter or digit beside it.",
        sources: &["AWS IAM User Guide, \"Understanding unique ID prefixes\""],
        mask: &Mask::Label,
        detect_only: false,
        pattern: "A(?:KIA|SIA|BIA|CCA)[A-Z2-7]{16}",
        max_len: 20,
        anchor: Anchor::Prefix(&["AKIA", "ASIA", "ABIA", "ACCA"]),
        may_start: aws::may_start,
        accept: aws::accept,
        ..KindSpec::ROW
    },
    KindSpec {
        name: "private_key",
        about: "PEM private key block",
        rules: "A whole PEM block, BEGIN to END, of any `... PRIVATE KEY` or `PGP PRIVATE KEY BLOCK`, with at least 32 base64 \
                characters of key in it. Line ends raw, as spaces, escaped (`\\n`, `\\\\n`, `\\r\\n`) or encoded (`%0A`). One \
                cut off before END goes to the end of its base64. The header alone, a placeholder body, or one whose base64 \
                begins behind two blank lines, is nothing.",
        sources: &[
            "RFC 7468",
            "RFC 1421 section 4.6 (Proc-Type, DEK-Info)",
            "RFC 9580 section 6.2 (OpenPGP armor)",
            "OpenSSH PROTOCOL.key",
        ],
        mask: &Mask::Label,
        detect_only: false,
        pattern: concat!(
            r"-----BEGIN(?: |\+|%20)(?:[A-Z0-9]+(?:[._-][A-Z0-9]+)*(?: |\+|%20))*PRIVATE(?: |\+|%20)KEY(?:(?: |\+|%20)BLOCK)?-----",
            // Anything a block may hold, up to the next five dashes; no quote, for it ends the string that the block stands in.
            r"(?:-{0,4}[\t\n\r !#$%&()*+,./0-9:;<=>?@A-Z\[\\\]_a-z~\x80-\xFF])*",
            r"(?:-----END(?:-?[ +%._A-Z0-9])*-----)?",
        ),
        max_len: 64 * 1024,
        anchor: Anchor::Prefix(&["-----BEGIN"]),
        may_start: pem::may_start,
        accept: pem::accept,
        ..KindSpec::ROW
    },
    KindSpec {
        name: "google_api_key",
        about: "Google API key",
        rules: "`AIza` and 35 of `[A-Za-z0-9_-]`, none of these beside it.",
        sources: &["Google Cloud, \"Manage API keys\""],
        mask: &Mask::Label,
        detect_only: false,
        pattern: "AIza[A-Za-z0-9_-]{35}",
        max_len: 39,
        anchor: Anchor::Prefix(&["AIza"]),
        may_start: google::may_start,
        accept: google::accept,
        ..KindSpec::ROW
    },
    KindSpec {
        name: "slack_token",
        about: "Slack token",
        rules: "`xoxb-`, `xoxp-`, `xoxa-`, `xoxr-`, `xoxs-`, `xoxo-`, `xoxe-`, `xoxe.xoxp-`, `xoxe.xoxb-` and `xapp-` with the \
                groups in which Slack issues them (src/detect/validate/slack.rs). No letter or digit beside it.",
        sources: &["Slack, \"Tokens\" and \"Token rotation\" (api.slack.com/concepts/token-types)"],
        mask: &Mask::Label,
        detect_only: false,
        pattern: r"(?:xox[abeoprs]|xoxe\.xox[bp]|xapp)-(?:[0-9A-Za-z]+-){0,4}[0-9A-Za-z]+",
        max_len: 512,
        anchor: Anchor::Prefix(&["xox", "xapp-"]),
        may_start: slack::may_start,
        accept: slack::accept,
        ..KindSpec::ROW
    },
    KindSpec {
        name: "github_token",
        about: "GitHub token",
        rules: "`ghp_`, `gho_`, `ghu_`, `ghs_`, `ghr_` and 36 alphanumerics (`ghr_` also 76); `github_pat_`, 22, `_`, 59; \
                `ghs_`, an application's number, `_` and a JSON Web Token. No letter or digit beside it.",
        sources: &[
            "GitHub Docs, \"About authentication to GitHub\": token formats",
            "GitHub Changelog 2026-05-15, GitHub App installation tokens",
        ],
        mask: &Mask::Label,
        detect_only: false,
        pattern: concat!(
            "gh[oprsu]_[A-Za-z0-9]+|github_pat_[A-Za-z0-9]+_[A-Za-z0-9]+",
            r"|ghs_[0-9]+_e(?:yJ|yA|wo|w0|wk)[A-Za-z0-9]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+",
        ),
        // The new form has about 520.
        max_len: 4096,
        anchor: Anchor::Prefix(&["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"]),
        may_start: github::may_start,
        accept: github::accept,
        ..KindSpec::ROW
    },
    KindSpec {
        name: "stripe_key",
        about: "Stripe API key",
        rules: "`sk_live_`, `sk_test_`, `rk_live_` or `rk_test_` and 20 to 247 alphanumerics, no letter or digit beside it. \
                Only the `detect_sensitive_data` hook looks for it.",
        sources: &["Stripe, \"API keys\" (docs.stripe.com/keys)"],
        mask: &Mask::Label,
        detect_only: true,
        pattern: "[rs]k_(?:live|test)_[A-Za-z0-9]+",
        max_len: 256,
        anchor: Anchor::Prefix(&["sk_live_", "sk_test_", "rk_live_", "rk_test_"]),
        may_start: stripe::may_start,
        accept: stripe::accept,
        ..KindSpec::ROW
    },
];
