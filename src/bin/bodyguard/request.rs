//! The arguments that describe a request, as `redact` and `explain` both take them.

use bodyguard::policy::RequestHead;

/// What of a request selects a rule.
#[derive(clap::Args)]
pub(crate) struct RequestArgs {
    /// The request's host (`:authority`) [default: localhost]
    #[arg(long)]
    host: Option<String>,
    /// The request's path, with or without a query [default: /]
    #[arg(long)]
    path: Option<String>,
    /// The request's method [default: GET]
    #[arg(long)]
    method: Option<String>,
    /// A header of the request; may be given many times
    #[arg(long = "header", value_name = "NAME:VALUE", value_parser = parse_header)]
    pub(crate) headers: Vec<(String, String)>,
    /// Who sends the request: the URI of its client certificate, with or without spiffe://
    #[arg(long, value_name = "URI")]
    pub(crate) source_principal: Option<String>,
    /// The port that the client connects to
    #[arg(long, value_name = "PORT")]
    pub(crate) destination_port: Option<u16>,
    /// The cluster of Envoy that the request goes to
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: Option<String>,
}

/// The URI that a principal stands for, written as Istio writes it or whole.
pub(crate) fn uri_of(principal: &str) -> String {
    if principal.contains(':') { principal.into() } else { format!("spiffe://{principal}") }
}

fn parse_header(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_ascii_lowercase(), value.trim().to_string())),
        _ => Err("a header is written name:value".into()),
    }
}

impl RequestArgs {
    /// Was anything said of a request?
    pub(crate) fn is_given(&self) -> bool {
        let texts = [&self.host, &self.path, &self.method, &self.source_principal, &self.cluster];
        texts.into_iter().any(Option::is_some) || self.destination_port.is_some() || !self.headers.is_empty()
    }

    /// Calls `then` with the head; `content_type` is the request's own, where there is one.
    pub(crate) fn with_head<T>(&self, content_type: Option<&str>, then: impl FnOnce(&RequestHead<'_>) -> T) -> T {
        let mut headers: Vec<(&[u8], &[u8])> =
            self.headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        if let Some(content_type) = content_type {
            headers.push((b"content-type", content_type.as_bytes()));
        }
        let principal = self.source_principal.as_deref().map(uri_of);
        then(&RequestHead {
            authority: self.host.as_deref().unwrap_or("localhost").as_bytes(),
            path: self.path.as_deref().unwrap_or("/").as_bytes(),
            method: self.method.as_deref().unwrap_or("GET").as_bytes(),
            headers: &headers,
            source_principal: principal.as_deref().map(str::as_bytes),
            destination_port: self.destination_port,
            cluster: self.cluster.as_deref().map(str::as_bytes),
        })
    }
}
