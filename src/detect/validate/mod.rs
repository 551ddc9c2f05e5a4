//! One validator a file: is a match of a kind's pattern really one, and how long is it?
//!
//! A validator sees a match and a few bytes around it. It refuses to know the rest of the body, and it allocates only for
//! decoding a token's header.

pub(super) mod americas;
pub(super) mod asia;
pub(super) mod aws;
pub(super) mod boundary;
pub(super) mod card;
pub(super) mod date;
pub(super) mod email;
pub(super) mod europe;
pub(super) mod github;
pub(super) mod google;
pub(super) mod iban;
pub(super) mod id;
pub(super) mod ip;
mod issuers;
pub(super) mod jwt;
pub(super) mod pem;
mod pem_text;
pub(super) mod phone;
pub(super) mod slack;
pub(super) mod ssn;
pub(super) mod stripe;
pub(super) mod token;
pub(super) mod url;
