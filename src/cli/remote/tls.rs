//! The server beside us, asked over TLS whether it is well.
//!
//! It is not asked who it is: its certificate is for the name that clients know, not for a loopback
//! address, and may be newer in its file than in its memory. So nothing secret is sent, and the
//! answer is believed no further than that of a server without TLS: who could give it in the
//! server's place already has this machine.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error as TlsError, SignatureScheme,
    StreamOwned,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};

use super::Failure;
use crate::sync::Arc;

/// Bytes of an answer to this one question, which is short.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// Whether the server at this address is ready, and what it says of itself.
pub(in super::super) fn health_over_tls(
    address: SocketAddr,
    timeout: Duration,
) -> Result<(bool, String), Failure> {
    let failed =
        |reason: String| Failure::Unreachable { url: format!("https://{address}"), reason };
    let answer = ask(address, timeout).map_err(|error| failed(error.to_string()))?;
    let (status, body) =
        parsed(&answer).ok_or_else(|| failed("its answer is not understood".to_owned()))?;
    match status {
        200 => Ok((true, body.to_owned())),
        503 => Ok((false, body.to_owned())),
        _ => Err(failed(format!("it answers with status {status}"))),
    }
}

/// The whole answer, head and body.
fn ask(address: SocketAddr, timeout: Duration) -> io::Result<String> {
    let until = Instant::now() + timeout;
    let stream = TcpStream::connect_timeout(&address, timeout)?;
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().map_err(io::Error::other)?;
    let algorithms = ring::default_provider().signature_verification_algorithms;
    let config = config.dangerous().with_custom_certificate_verifier(Arc::new(Anyone(algorithms)));
    let config = Arc::new(config.with_no_client_auth());
    let name = ServerName::from(address.ip());
    let connection = ClientConnection::new(config, name).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(connection, stream);
    wait_until(&stream.sock, until)?;
    stream
        .write_all(b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .map_err(told)?;
    let mut answer = Vec::new();
    let mut bytes = [0; 4096];
    while answer.len() < ANSWER_BYTES_MAX {
        wait_until(&stream.sock, until)?;
        match stream.read(&mut bytes) {
            Ok(0) => break,
            Ok(read) => answer.extend_from_slice(&bytes[..read]),
            // The server closes without a farewell. What breaks off is not understood.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(told(error)),
        }
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// The system calls it a resource that is not available when the time of a socket is over.
fn told(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => late(),
        _ => error,
    }
}

fn late() -> io::Error {
    io::Error::new(ErrorKind::TimedOut, "it does not answer in time")
}

/// Lets the next read and write wait no longer than until then.
fn wait_until(stream: &TcpStream, until: Instant) -> io::Result<()> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(late());
    }
    stream.set_read_timeout(Some(left))?;
    stream.set_write_timeout(Some(left))
}

/// Status and body of an answer.
fn parsed(answer: &str) -> Option<(u16, &str)> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    Some((status, body))
}

/// Takes whatever certificate is shown, if only its owner speaks.
#[derive(Debug)]
struct Anyone(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(message, certificate, signed, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, certificate, signed, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
