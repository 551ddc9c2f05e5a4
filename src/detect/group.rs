//! Groups of kinds: names for what people want to find together.
//!
//! A group may stand wherever a kind may, as `group:` and its name. This module refuses to know policies.

use super::kind::{Kind, KindSet};

/// What stands before the name of a group in a list of kinds.
pub const PREFIX: &str = "group:";

/// A group of kinds.
#[derive(Debug)]
pub struct Group {
    /// Its name, with [`PREFIX`].
    pub name: &'static str,
    /// One line for people, without a full stop.
    pub about: &'static str,
    members: &'static [&'static str],
}

/// Every group.
pub static GROUPS: [Group; 11] = [
    Group {
        name: "group:core",
        about: "the ten kinds of the `detect_sensitive_data` hook",
        members: &[
            "credit_card",
            "ssn",
            "email",
            "jwt",
            "aws_access_key",
            "private_key",
            "google_api_key",
            "slack_token",
            "github_token",
            "stripe_key",
        ],
    },
    Group {
        name: "group:secrets",
        about: "keys, tokens, passwords in URLs and password hashes",
        members: &[
            "jwt",
            "aws_access_key",
            "private_key",
            "google_api_key",
            "slack_token",
            "github_token",
            "stripe_key",
            "aws_secret_key",
            "azure_storage_key",
            "gitlab_token",
            "npm_token",
            "pypi_token",
            "openai_api_key",
            "anthropic_api_key",
            "sendgrid_api_key",
            "twilio_api_key",
            "slack_webhook",
            "discord_webhook",
            "database_url",
            "basic_auth_url",
            "bearer_token",
            "password_hash",
        ],
    },
    Group {
        name: "group:financial",
        about: "cards, accounts and tax numbers",
        members: &["credit_card", "iban", "us_bank_routing", "us_itin", "de_tax_id", "in_pan", "au_tfn", "br_cnpj"],
    },
    Group { name: "group:contact", about: "e-mail addresses and telephone numbers", members: &["email", "phone", "us_phone"] },
    Group { name: "group:network", about: "public IP addresses", members: &["ipv4", "ipv6"] },
    Group {
        name: "group:health",
        about: "numbers of patients, insured and prescribers",
        members: &["us_npi", "us_dea", "us_mbi", "uk_nhs", "au_medicare", "fr_nir"],
    },
    Group {
        name: "group:pii-us",
        about: "people in the United States",
        members: &["ssn", "us_itin", "us_bank_routing", "us_mbi", "us_phone", "date_of_birth", "email", "phone"],
    },
    Group {
        name: "group:pii-ca",
        about: "people in Canada",
        members: &["ca_sin", "us_phone", "date_of_birth", "email", "phone"],
    },
    Group {
        name: "group:pii-eu",
        about: "people in Europe, the United Kingdom among it",
        members: &[
            "uk_nino",
            "uk_nhs",
            "de_tax_id",
            "fr_nir",
            "es_dni",
            "es_nie",
            "it_codice_fiscale",
            "nl_bsn",
            "pl_pesel",
            "se_personal_number",
            "fi_personal_number",
            "iban",
            "date_of_birth",
            "email",
            "phone",
        ],
    },
    Group {
        name: "group:pii-apac",
        about: "people in Asia and Oceania",
        members: &[
            "in_aadhaar",
            "in_pan",
            "au_tfn",
            "au_medicare",
            "sg_nric",
            "jp_my_number",
            "kr_rrn",
            "cn_resident_id",
            "date_of_birth",
            "email",
            "phone",
        ],
    },
    Group {
        name: "group:pii-latam",
        about: "people in Latin America",
        members: &["br_cpf", "br_cnpj", "date_of_birth", "email", "phone"],
    },
];

impl Group {
    /// The group of that name, [`PREFIX`] and all.
    pub fn from_name(name: &str) -> Option<&'static Group> {
        GROUPS.iter().find(|group| group.name == name)
    }

    /// Its kinds.
    pub fn kinds(&self) -> KindSet {
        self.members.iter().filter_map(|name| Kind::from_name(name)).collect()
    }
}

/// The kinds that a name in a list stands for: one, or those of a group.
pub fn named(name: &str) -> Option<KindSet> {
    match Kind::from_name(name) {
        Some(kind) => Some([kind].into_iter().collect()),
        None => Group::from_name(name).map(Group::kinds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_is_a_kind_and_every_kind_is_a_member() {
        let mut all = KindSet::EMPTY;
        for group in &GROUPS {
            assert!(group.name.starts_with(PREFIX) && Kind::from_name(group.name).is_none());
            assert_eq!(group.kinds().iter().count(), group.members.len(), "{}", group.name);
            all = all.union(group.kinds());
        }
        assert_eq!(all, KindSet::all());
        assert_eq!(Group::from_name("group:core").map(Group::kinds), Some(KindSet::core()));
    }
}
