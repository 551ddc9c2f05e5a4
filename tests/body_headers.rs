//! The headers that negotiate content codings, as tables.

use bodyguard::body::{Coding, Wanted, narrow_accept_encoding};

#[test]
fn a_content_encoding_is_one_coding_or_none_that_can_be_decoded() {
    for (value, coding) in [
        (&b""[..], Some(Coding::Identity)),
        (b"identity", Some(Coding::Identity)),
        (b"gzip", Some(Coding::Gzip)),
        (b"x-gzip", Some(Coding::Gzip)),
        (b" GZip\t", Some(Coding::Gzip)),
        (b"deflate", Some(Coding::Deflate)),
        (b"identity, gzip", Some(Coding::Gzip)),
        (b"gzip,identity,", Some(Coding::Gzip)),
        (b", ,gzip", Some(Coding::Gzip)),
        (b"IDENTITY,Identity", Some(Coding::Identity)),
        (b"gzip, gzip", None),
        (b"gzip, deflate", None),
        (b"deflate,identity,x-gzip", None),
        (b"br", Some(Coding::Brotli)),
        (b"identity, BR", Some(Coding::Brotli)),
        (b"gzip, br", None),
        (b"zstd", Some(Coding::Zstd)),
        (b"br, zstd", None),
        (b"compress", None),
        (b"aws-chunked", None),
        (b"gzip;q=1", None),
        (b"gzip gzip", None),
        (b"\"gzip\"", None),
        (b"\xff\xfe", None),
        (b"gzip\0", None),
    ] {
        assert_eq!(Coding::from_header(value), coding, "{}", value.escape_ascii());
    }
}

#[test]
fn the_name_of_a_coding_reads_back() {
    for coding in [Coding::Identity, Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd] {
        assert_eq!(Coding::from_header(coding.name().as_bytes()), Some(coding));
    }
}

#[test]
fn an_accept_encoding_is_narrowed_to_what_can_be_put_back() {
    for (value, narrowed) in [
        // Nothing to do, byte for byte.
        ("", None),
        ("gzip", None),
        ("gzip, deflate", None),
        ("gzip;q=1.0,  deflate;q=0.5 ,identity;q=0.1", None),
        ("GZIP,x-gzip", None),
        ("identity", None),
        ("identity;q=0, gzip", None),
        ("*;q=0", None),
        ("gzip, *;q=0", None),
        ("gzip, br;q=0", None),
        ("gzip, br; Q=0.000", None),
        (", gzip,,", None),
        // What else could come back goes; order and weights stay.
        ("gzip, deflate, br", Some("gzip, deflate")),
        ("gzip, deflate, br, zstd", Some("gzip, deflate")),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", Some("gzip;q=0.8")),
        ("br,deflate;q=0.3,gzip ; q=0.9", Some("deflate;q=0.3, gzip ; q=0.9")),
        ("compress, gzip", Some("gzip")),
        ("gzip, *", Some("gzip")),
        ("identity, *;q=0.5", Some("identity")),
        ("gzip;q=0, br", Some("gzip;q=0")),
        ("gzip, identity;q=0, br", Some("gzip, identity;q=0")),
        ("zstd;q=0, br, gzip", Some("zstd;q=0, gzip")),
        ("gzip, br;q=0.001", Some("gzip")),
        // A weight that is none may be read as acceptable.
        ("gzip, br;q=no", Some("gzip")),
        ("gzip, br;q=", Some("gzip")),
        ("gzip, br;q=00", Some("gzip")),
        ("gzip, br;level=0", Some("gzip")),
        ("gzip, x-what-ever", Some("gzip")),
        // Nothing would be left.
        ("br", Some("identity")),
        ("*", Some("identity")),
        ("*;q=0.5", Some("identity")),
        ("br, zstd;q=0.5", Some("identity")),
        ("br, *;q=0", Some("identity")),
        ("br, identity;q=0", Some("identity")),
        ("br, gzip;q=0, identity;q=0", Some("identity")),
        ("br;q=1, gzip;q=0, *;q=0", Some("identity")),
    ] {
        let found = narrow_accept_encoding(value.as_bytes(), Wanted::Encodable);
        assert_eq!(found.as_deref(), narrowed.map(str::as_bytes), "{value:?}");
        // Once narrow, always narrow.
        if let Some(found) = found {
            assert_eq!(narrow_accept_encoding(&found, Wanted::Encodable), None, "{value:?} again");
        }
    }
    assert_eq!(narrow_accept_encoding(b"gzip, \xff\xfe", Wanted::Encodable), Some(b"gzip".to_vec()));
}

#[test]
fn where_no_body_is_changed_all_that_can_be_decoded_as_it_flows_may_come() {
    for (value, narrowed) in [
        ("gzip, deflate, br", None),
        ("gzip, deflate, br, zstd", None),
        ("zstd", None),
        ("compress, zstd", Some("zstd")),
        ("br;q=1.0, *;q=0.1", Some("br;q=1.0")),
    ] {
        let found = narrow_accept_encoding(value.as_bytes(), Wanted::Decodable);
        assert_eq!(found.as_deref(), narrowed.map(str::as_bytes), "{value:?}");
    }
}
