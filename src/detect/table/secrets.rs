//! Keys, tokens, passwords and their hashes.

use crate::detect::kind::{Anchor, KindSpec};
use crate::detect::validate::{token, url};

const HEX_TWILIO: [&str; 16] =
    ["SK0", "SK1", "SK2", "SK3", "SK4", "SK5", "SK6", "SK7", "SK8", "SK9", "SKa", "SKb", "SKc", "SKd", "SKe", "SKf"];

/// A token that says by its form what it is.
const TOKEN: KindSpec = KindSpec { may_start: token::may_start, accept: token::accept, max_len: 256, ..KindSpec::ROW };

/// The rows.
pub(super) const ROWS: [KindSpec; 15] = [
    KindSpec {
        name: "aws_secret_key",
        about: "AWS secret access key",
        rules: "40 characters of base64 with upper and lower case letters and digits, directly behind a name like \
                `aws_secret_access_key`, `SecretAccessKey` or `secret_key` and what joins them. The name is no part of the finding.",
        sources: &[
            "AWS IAM User Guide, \"Manage access keys for IAM users\"",
            "AWS CLI User Guide, \"Configuration and credential file settings\"",
        ],
        pattern: concat!(
            r#"(?:secret|Secret|SECRET)[ _.-]?(?:(?:access|Access|ACCESS)[ _.-]?)?(?:key|Key|KEY)[ \t"'\\:=>]{1,8}"#,
            "[A-Za-z0-9/+]{40}",
        ),
        max_len: 80,
        anchor: Anchor::Prefix(&["secret", "Secret", "SECRET"]),
        may_start: token::led_may_start,
        accept: token::accept_aws,
        lead: token::aws_lead,
        ..KindSpec::ROW
    },
    KindSpec {
        name: "azure_storage_key",
        about: "Azure storage account key",
        rules: "86 characters of base64 and `==` directly behind `AccountKey` and what joins them. The name is no part of the finding.",
        sources: &["Microsoft Learn, \"Configure Azure Storage connection strings\""],
        pattern: r#"[Aa]ccount_?[Kk]ey[ \t"'\\:=>]{1,8}[A-Za-z0-9/+]{86}=="#,
        max_len: 112,
        anchor: Anchor::Prefix(&["AccountK", "accountK", "Account_", "account_"]),
        may_start: token::led_may_start,
        accept: token::accept_azure,
        lead: token::azure_lead,
        ..KindSpec::ROW
    },
    KindSpec {
        name: "gitlab_token",
        about: "GitLab token",
        rules: "`glpat-`, `gldt-`, `glrt-`, `glrtr-`, `glcbt-`, `glptt-`, `glft-`, `glimt-`, `glagent-`, `glwt-`, `glsoat-`, \
                `glffct-` or `gloas-` and 20 or more of `[A-Za-z0-9_-]`, routing parts behind points included. None of these \
                beside it, and no placeholder.",
        sources: &["GitLab Docs, \"GitLab token overview\": token prefixes"],
        pattern: r"gl(?:pat|dt|rtr?|cbt|ptt|ft|imt|agent|wt|soat|ffct|oas)-[A-Za-z0-9_-]{20}[A-Za-z0-9_-]*(?:\.[0-9a-z]{2,9}){0,2}",
        anchor: Anchor::Prefix(&[
            "glpat-", "gldt-", "glrt-", "glrtr-", "glcbt-", "glptt-", "glft-", "glimt-", "glagent-", "glwt-", "glsoat-",
            "glffct-", "gloas-",
        ]),
        ..TOKEN
    },
    KindSpec {
        name: "npm_token",
        about: "npm access token",
        rules: "`npm_` and 36 letters and digits, none beside it.",
        sources: &["npm Docs, \"About access tokens\"", "GitHub Blog, \"Announcing npm's new access token format\" (2021)"],
        pattern: "npm_[A-Za-z0-9]{36}",
        max_len: 40,
        anchor: Anchor::Prefix(&["npm_"]),
        ..TOKEN
    },
    KindSpec {
        name: "pypi_token",
        about: "PyPI API token",
        rules: "`pypi-`, a macaroon of pypi.org or test.pypi.org in base64url, and 50 or more letters of it.",
        sources: &[
            "PyPI Help, \"How can I use API tokens to authenticate with PyPI?\"",
            "libmacaroons, binary format 2: the location",
        ],
        pattern: "pypi-(?:AgEIcHlwaS5vcmc|AgENdGVzdC5weXBpLm9yZw)[A-Za-z0-9_-]{50}[A-Za-z0-9_-]*",
        max_len: 512,
        anchor: Anchor::Prefix(&["pypi-AgE"]),
        ..TOKEN
    },
    KindSpec {
        name: "openai_api_key",
        about: "OpenAI API key",
        rules: "`sk-`, letters and digits of a project, service account, admin or user key, `T3BlbkFJ` (\"OpenAI\" in base64) and 20 or \
                more of `[A-Za-z0-9_-]`.",
        sources: &["OpenAI Platform Docs, \"API keys\"", "GitHub Docs, \"Supported secret scanning patterns\""],
        pattern: "sk-[A-Za-z0-9_-]+",
        anchor: Anchor::Prefix(&["sk-"]),
        accept: token::accept_openai,
        ..TOKEN
    },
    KindSpec {
        name: "anthropic_api_key",
        about: "Anthropic API key",
        rules: "`sk-ant-`, a sort with two digits (`api03`, `admin01`, `oat01`), a dash and 80 or more of `[A-Za-z0-9_-]`.",
        sources: &["Anthropic API Docs, \"Authentication\"", "GitHub Docs, \"Supported secret scanning patterns\""],
        pattern: "sk-ant-[a-z]{2,8}[0-9]{2}-[A-Za-z0-9_-]{80}[A-Za-z0-9_-]*",
        anchor: Anchor::Prefix(&["sk-ant-"]),
        ..TOKEN
    },
    KindSpec {
        name: "sendgrid_api_key",
        about: "SendGrid API key",
        rules: "`SG.`, 22 and, behind a point, 43 of `[A-Za-z0-9_-]`, none of these beside it.",
        sources: &["Twilio SendGrid Docs, \"API keys\"", "GitHub Docs, \"Supported secret scanning patterns\""],
        pattern: r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}",
        max_len: 69,
        anchor: Anchor::Prefix(&["SG."]),
        ..TOKEN
    },
    KindSpec {
        name: "twilio_api_key",
        about: "Twilio API key",
        rules: "`SK` and 32 lower-case hexadecimal digits, no letter or digit beside it.",
        sources: &["Twilio Docs, \"String identifier (SID)\"", "Twilio Docs, \"API keys overview\""],
        pattern: "SK[0-9a-f]{32}",
        max_len: 34,
        anchor: Anchor::Prefix(&HEX_TWILIO),
        ..TOKEN
    },
    KindSpec {
        name: "slack_webhook",
        about: "Slack incoming webhook",
        rules: "`hooks.slack.com/services/` with a workspace, an app and a secret, or `hooks.slack.com/workflows/` and `/triggers/` with \
                theirs. Slashes may be escaped. The `https://` before it is no part of the finding.",
        sources: &["Slack, \"Sending messages using incoming webhooks\""],
        pattern: concat!(
            r"hooks\.slack\.com\\?/(?:services\\?/T[A-Z0-9]{7,12}\\?/B[A-Z0-9]{7,12}\\?/[A-Za-z0-9]{20}[A-Za-z0-9]*",
            r"|(?:workflows|triggers)\\?/[A-Z][A-Z0-9]{7,12}(?:\\?/[A-Za-z0-9]+){1,4})",
        ),
        anchor: Anchor::Prefix(&["hooks.slack"]),
        ..TOKEN
    },
    KindSpec {
        name: "discord_webhook",
        about: "Discord webhook",
        rules: "`discord.com/api/webhooks/` (or discordapp.com, or a versioned API), a number of 17 to 20 digits and a token of 60 or more \
                of `[A-Za-z0-9_-]`. Slashes may be escaped. The `https://` before it is no part of the finding.",
        sources: &["Discord Developer Docs, \"Webhook resource\""],
        pattern: r"discord(?:app)?\.com\\?/api\\?/(?:v[0-9]{1,2}\\?/)?webhooks\\?/[0-9]{17,20}\\?/[A-Za-z0-9_-]{60}[A-Za-z0-9_-]*",
        anchor: Anchor::Prefix(&["discord.com", "discordapp.com"]),
        ..TOKEN
    },
    KindSpec {
        name: "database_url",
        about: "database URL with a password",
        rules: "A URL of PostgreSQL, MySQL, MariaDB, MongoDB, Redis, AMQP, SQL Server, Oracle, ClickHouse or CockroachDB with `user:password@` \
                in it, up to the end of host and port. No variable (`$PASS`, `{pass}`, `<pass>`, `%PASS%`), stars, or a word for one (`password`, \
                `db_password`, `your-secret`, `REDACTED`).",
        sources: &[
            "RFC 3986 section 3.2.1",
            "PostgreSQL Documentation section 34.1.1, connection URIs",
            "MongoDB Manual, \"Connection strings\"",
        ],
        pattern: concat!(
            r"(?:postgres(?:ql)?|mysql|mariadb|mongodb|rediss?|amqps?|mssql|sqlserver|oracle|clickhouse|cockroachdb)(?:\+[a-z0-9]+)?",
            r#":\\?/\\?/[A-Za-z0-9._~%!$&*+,;=-]*:[!#$%&()*+,.0-9:;=?A-Z\[\]^_a-z{}|~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*(?::[0-9]{1,5})?"#,
        ),
        max_len: 512,
        anchor: Anchor::Prefix(&[
            "postgres",
            "mysql",
            "mariadb",
            "mongodb",
            "redis",
            "amqp",
            "mssql",
            "sqlserver",
            "oracle",
            "clickhouse",
            "cockroachdb",
        ]),
        may_start: url::may_start,
        accept: url::accept,
        ..KindSpec::ROW
    },
    KindSpec {
        name: "basic_auth_url",
        about: "URL with a password",
        rules: "`http`, `https`, `ftp`, `ftps`, `sftp`, `ws`, `wss`, `smtp`, `smtps` or `ldap(s)`, `://user:password@` and a host, up to the end \
                of host and port. No variable, stars, or a word for a password.",
        sources: &["RFC 3986 section 3.2.1", "RFC 7617"],
        pattern: concat!(
            r"(?:https?|s?ftp|ftps|wss?|smtps?|ldaps?):\\?/\\?/[A-Za-z0-9._~%!$&*+,;=-]*:",
            r"[!#$%&()*+,.0-9:;=?A-Z\[\]^_a-z{}|~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*(?::[0-9]{1,5})?",
        ),
        max_len: 512,
        anchor: Anchor::Prefix(&[
            "https:", "http:", "ftp:", "sftp:", "ftps:", "ws:", "wss:", "smtp:", "smtps:", "ldap:", "ldaps:",
        ]),
        may_start: url::may_start,
        accept: url::accept,
        ..KindSpec::ROW
    },
    KindSpec {
        name: "bearer_token",
        about: "bearer token of an Authorization header",
        rules: "`Bearer` and 20 or more characters of a token with letters and digits behind it that does not begin with `your`. The word is no part of the finding.",
        sources: &["RFC 6750 section 2.1"],
        pattern: r"(?:Bearer|bearer|BEARER)(?: |\+|%20){1,3}[A-Za-z0-9._~/-]{20}[A-Za-z0-9._~+/-]*=*",
        max_len: 4096,
        anchor: Anchor::Prefix(&["Bearer", "bearer", "BEARER"]),
        may_start: token::led_may_start,
        accept: token::accept_bearer,
        lead: token::bearer_lead,
        ..KindSpec::ROW
    },
    KindSpec {
        name: "password_hash",
        about: "password hash: bcrypt, argon2, sha-crypt",
        rules: "`$2a$`, `$2b$`, `$2x$` or `$2y$` with a cost and 53 characters; `$argon2id$`, `$argon2i$` or `$argon2d$` with parameters, salt \
                and hash; `$5$` and `$6$` with a salt and 43 or 86 characters. Slashes may be escaped.",
        sources: &[
            "OpenBSD crypt(3), bcrypt",
            "PHC string format specification",
            "U. Drepper, \"Unix crypt using SHA-256 and SHA-512\"",
        ],
        pattern: concat!(
            r"(?:\$2[abxy]\$[0-9]{2}|\$[56]\$(?:rounds=[0-9]+\$)?(?:[.A-Za-z0-9]|\\?/)+)\$(?:[+.A-Za-z0-9]|\\?/)+",
            r"|\$argon2(?:id|i|d)\$(?:v=[0-9]+\$)?m=[0-9]+,t=[0-9]+,p=[0-9]+(?:\$(?:[+A-Za-z0-9]|\\?/)+){2}",
        ),
        max_len: 512,
        anchor: Anchor::Prefix(&["$2a$", "$2b$", "$2x$", "$2y$", "$argon2", "$5$", "$6$"]),
        accept: token::accept_hash,
        ..TOKEN
    },
];
