//! One validator a file: is a match of a kind's pattern really one, and how long is it?
//!
//! A validator sees a match and a few bytes around it. It refuses to know the rest of the body, and it allocates only for
//! decoding a token's header.

pub(super) mod aws;
pub(super) mod boundary;
pub(super) mod card;
pub(super) mod email;
pub(super) mod github;
pub(super) mod google;
mod issuers;
pub(super) mod jwt;
pub(super) mod pem;
mod pem_text;
pub(super) mod slack;
pub(super) mod ssn;
pub(super) mod stripe;
