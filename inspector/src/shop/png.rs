//! Generates small PNG images, so that the repository needs no image files.

use flate2::Compression;
use flate2::write::ZlibEncoder;
use std::io::Write;

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Returns a square image with a gradient whose colour depends on `number`.
pub(crate) fn square(number: u64, side: u8) -> Vec<u8> {
    let [red, green, blue, ..] = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes();
    let mut pixels = Vec::new();
    for y in 0..side {
        // Filter type 0: none.
        pixels.push(0);
        for x in 0..side {
            pixels.extend_from_slice(&[red.wrapping_add(x), green.wrapping_add(y), blue.wrapping_add(x ^ y)]);
        }
    }
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    // Writing to memory does not fail.
    let packed = encoder.write_all(&pixels).and_then(|()| encoder.finish()).unwrap_or_default();
    let side = u32::from(side);
    let mut header = Vec::new();
    header.extend_from_slice(&side.to_be_bytes());
    header.extend_from_slice(&side.to_be_bytes());
    // 8 bits per channel, RGB, deflate, adaptive filters, not interlaced.
    header.extend_from_slice(&[8, 2, 0, 0, 0]);
    let mut png = SIGNATURE.to_vec();
    for (name, data) in [(b"IHDR", &header[..]), (b"IDAT", &packed), (b"IEND", &[])] {
        chunk(&mut png, name, data);
    }
    png
}

fn chunk(png: &mut Vec<u8>, name: &[u8; 4], data: &[u8]) {
    png.extend_from_slice(&u32::try_from(data.len()).unwrap_or(u32::MAX).to_be_bytes());
    let mut crc = crc32fast::Hasher::new();
    crc.update(name);
    crc.update(data);
    png.extend_from_slice(name);
    png.extend_from_slice(data);
    png.extend_from_slice(&crc.finalize().to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn the_image_has_valid_chunks_and_checksums_and_all_pixels() {
        let png = square(7, 40);
        assert!(png.starts_with(SIGNATURE));
        let mut rest = &png[SIGNATURE.len()..];
        let mut names = Vec::new();
        let mut pixels = Vec::new();
        while !rest.is_empty() {
            let length = u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
            let (name, data) = (&rest[4..8], &rest[8..8 + length]);
            let sum = u32::from_be_bytes(rest[8 + length..12 + length].try_into().unwrap());
            assert_eq!(crc32fast::hash(&rest[4..8 + length]), sum);
            names.push(String::from_utf8(name.to_vec()).unwrap());
            if name == b"IDAT" {
                flate2::read::ZlibDecoder::new(data).read_to_end(&mut pixels).unwrap();
            }
            rest = &rest[12 + length..];
        }
        assert_eq!(names, ["IHDR", "IDAT", "IEND"]);
        assert_eq!(pixels.len(), 40 * (1 + 40 * 3));
    }
}
