//! TLS towards a server: whom to believe that it is the one that is meant.

use std::{fs, path::Path};

use reqwest::{Certificate, blocking::ClientBuilder};
use rustls::crypto::ring;

use super::{super::Failure, Trust};

/// A client that speaks TLS as a URL and the trust ask for.
pub(super) fn secured(
    builder: ClientBuilder,
    url: &str,
    trust: Trust<'_>,
) -> Result<ClientBuilder, Failure> {
    // The library has none of its own; a second one in one process is the same.
    let _ = ring::default_provider().install_default();
    if !url.starts_with("https://") {
        // Without the certificates of the system, which a small container may not have.
        return Ok(builder.tls_certs_only([]));
    }
    Ok(match trust {
        Trust::System => builder,
        Trust::Only(path) => builder.tls_certs_only(certificates(path)?),
        Trust::Nobody => builder.tls_certs_only([]).tls_danger_accept_invalid_certs(true),
    })
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, Failure> {
    let pem = fs::read(path).map_err(|source| Failure::Read { path: path.into(), source })?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => {
            let reason = format!("{} holds no certificate as PEM", path.display());
            Err(Failure::Usage { argument: "--ca", reason })
        }
    }
}
