//! Reads the body of a request, within limits.

use super::response::ErrorResponse;
use axum::body::{Bytes, to_bytes};
use axum::http::HeaderMap;
use std::io::Read;

/// Maximum number of bytes read of a body; a longer request closes the connection. Up to this size, a body above its limit is read
/// completely, so that the client receives the 413 response.
const READ_BYTES: usize = 16 * 1024 * 1024;

/// Reads a body as it was sent.
pub(super) async fn read(body: axum::body::Body) -> Result<Bytes, ErrorResponse> {
    let too_large = || ErrorResponse::new(413, "too_large", "the body is too large or incomplete");
    to_bytes(body, READ_BYTES).await.map_err(|_| too_large())
}

/// Unpacks a body. `limit`: the most bytes that it may have then.
pub(super) fn unpacked(headers: &HeaderMap, body: &[u8], limit: usize) -> Result<Vec<u8>, ErrorResponse> {
    let too_large = || ErrorResponse::new(413, "too_large", format!("the body is larger than {limit} bytes"));
    let unpack = |name: &str, from: &mut dyn Read| {
        let mut plain = Vec::new();
        // Stop one byte after the limit, so that a decompression bomb is not unpacked.
        let most = (limit as u64).saturating_add(1);
        from.take(most)
            .read_to_end(&mut plain)
            .map_err(|error| ErrorResponse::new(400, "unreadable", format!("the body is not {name}: {error}")))?;
        if plain.len() > limit { Err(too_large()) } else { Ok(plain) }
    };
    match text(headers, "content-encoding").unwrap_or("identity") {
        "identity" | "" if body.len() > limit => Err(too_large()),
        "identity" | "" => Ok(body.to_vec()),
        "gzip" => unpack("gzip", &mut flate2::read::MultiGzDecoder::new(body)),
        "deflate" => unpack("zlib", &mut flate2::read::ZlibDecoder::new(body)),
        other => Err(ErrorResponse::new(
            415,
            "encoding",
            format!("`Content-Encoding: {other}` is not supported; send gzip, deflate or identity"),
        )),
    }
}

/// The value of a header.
pub(super) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
