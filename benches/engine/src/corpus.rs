//! Bodies made from a fixed seed: the same bytes on every machine, and as many findings as they were given.

/// A small generator of pseudo-random numbers (xorshift64*): no dependency, the same everywhere.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        (self.next() >> 11) % bound
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len() as u64) as usize]
    }

    fn of(&mut self, alphabet: &[u8], len: usize) -> String {
        (0..len).map(|_| char::from(alphabet[self.below(alphabet.len() as u64) as usize])).collect()
    }
}

const WORDS: [&str; 40] = [
    "account", "active", "address", "always", "basket", "before", "blue", "carrier", "checkout", "city", "colour", "customer",
    "delivery", "discount", "example", "express", "field", "garden", "green", "hello", "item", "kitchen", "large", "light",
    "market", "north", "order", "packet", "payment", "product", "quantity", "river", "session", "shipping", "small", "status",
    "summer", "the", "through", "winter",
];
const HEX: &[u8] = b"0123456789abcdef";
const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const ALNUM: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

fn sentence(random: &mut Random, words: u64) -> String {
    let mut text = String::new();
    for i in 0..words {
        if i > 0 {
            text.push(' ');
        }
        text.push_str(random.pick(&WORDS));
    }
    text
}

/// One record of an API's answer, with nothing in it that is a finding.
fn record(random: &mut Random) -> String {
    let (id, price, stock) = (random.below(9_000_000) + 1000, random.below(99_999), random.below(400));
    let (month, day, hour, minute) = (random.below(12) + 1, random.below(28) + 1, random.below(24), random.below(60));
    let uuid = [8, 4, 4, 4, 12].map(|len| random.of(HEX, len)).join("-");
    let (name, about) = (sentence(random, 3), sentence(random, 14));
    let (tag, other) = (random.pick(&WORDS), random.pick(&WORDS));
    format!(
        concat!(
            r#"{{"id":{id},"uuid":"{uuid}","name":"{name}","description":"{about}.","price":{price}.{cents:02},"currency":"EUR","#,
            r#""stock":{stock},"is_active":{active},"created_at":"2024-{month:02}-{day:02}T{hour:02}:{minute:02}:07.123Z","#,
            r#""updated_ms":1{updated:012},"tags":["{tag}","{other}"],"url":"https://shop.example.com/{tag}/{id}?ref={other}","#,
            r#""dimensions":{{"w":{w},"h":{h},"unit":"mm"}},"rating":4.{rating},"parent_id":null}}"#
        ),
        id = id,
        uuid = uuid,
        name = name,
        about = about,
        price = price,
        cents = random.below(100),
        stock = stock,
        active = random.below(2) == 0,
        month = month,
        day = day,
        hour = hour,
        minute = minute,
        updated = random.below(1_000_000_000_000),
        tag = tag,
        other = other,
        w = random.below(900),
        h = random.below(900),
        rating = random.below(10),
    )
}

/// An API's benign data.
fn json(random: &mut Random, size: usize) -> Vec<u8> {
    let mut body = String::from(r#"{"data":["#);
    while body.len() < size {
        body.push_str(&record(random));
        body.push(',');
    }
    body.truncate(size);
    body.into_bytes()
}

/// A page with inline script.
fn html(random: &mut Random, size: usize) -> Vec<u8> {
    let mut body =
        String::from("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Shop</title>\n<style>\n");
    body.push_str(
        "@media (max-width: 640px) { .grid { display: block; width: 100%; padding: 0 16px } }\n</style></head><body>\n",
    );
    while body.len() < size {
        let (id, word, other) = (random.below(100_000), random.pick(&WORDS), random.pick(&WORDS));
        match random.below(4) {
            0 => {
                let text = sentence(random, 30);
                body.push_str(&format!(
                    "<div class=\"card card-{word}\" id=\"p{id}\">\n  <h2>{word} &amp; {other}</h2>\n  <p>{text}.</p>\n"
                ));
                body.push_str(&format!(
                    "  <a href=\"/{word}/{id}?page=2&amp;sort={other}\" title=\"{other}\">More &raquo;</a>\n</div>\n"
                ));
            }
            1 => {
                body.push_str(&format!("<script>\n(function(){{var e=document.getElementById(\"p{id}\"),t=e&&e.dataset.{word};"));
                body.push_str(&format!(
                    "if(!t||t.length>{id}){{return}}window.{other}=window.{other}||[];for(var n=0;n<t.length;n++){{{other}.push(t[n]^0x{id:x})}}}})();\n</script>\n"
                ));
            }
            2 => {
                let (d, colour) = (random.below(900), random.of(HEX, 6));
                body.push_str(&format!(
                    "<svg width=\"24\" height=\"24\" viewBox=\"0 0 24 24\"><path fill=\"#{colour}\" d=\"M12 2.{d}L{d}.5 8-{d}-.3 12.{d}z\"/></svg>\n"
                ));
            }
            _ => {
                let text = sentence(random, 8);
                body.push_str(&format!(
                    "<li><span>{text}</span><time datetime=\"2024-05-17T10:22:33Z\">17 May 2024</time></li>\n"
                ));
            }
        }
    }
    body.truncate(size);
    body.into_bytes()
}

/// A card number that passes Luhn.
fn card(random: &mut Random) -> String {
    let mut digits: Vec<u8> = b"411111".iter().map(|d| d - b'0').collect();
    for _ in 0..9 {
        digits.push(random.below(10) as u8);
    }
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, d)| if i % 2 == 0 { [0, 2, 4, 6, 8, 1, 3, 5, 7, 9][usize::from(*d)] } else { u32::from(*d) })
        .sum();
    digits.push(((10 - sum % 10) % 10) as u8);
    digits.iter().map(|d| char::from(d + b'0')).collect()
}

/// A value of one of the kinds that are cheap to make.
fn value(random: &mut Random) -> String {
    match random.below(8) {
        0 | 1 => format!("{}.{}{}@example.com", random.pick(&WORDS), random.pick(&WORDS), random.below(1000)),
        2 => card(random),
        3 => {
            let digits = card(random);
            format!("{} {} {} {}", &digits[..4], &digits[4..8], &digits[8..12], &digits[12..])
        }
        4 => format!("{:03}-{:02}-{:04}", random.below(600) + 1, random.below(98) + 1, random.below(9998) + 1),
        5 => format!("AKIA{}", random.of(UPPER, 16)),
        6 => format!("ghp_{}", random.of(ALNUM, 36)),
        _ => format!(
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIn0.{}",
            random.of(ALNUM, 43)
        ),
    }
}

/// JSON with a finding every 200 bytes, and how many they are.
fn dense(random: &mut Random, size: usize) -> (Vec<u8>, usize) {
    let mut body = String::from("[");
    let (mut next, mut findings) = (40, 0);
    while body.len() < size {
        let id = random.below(100_000);
        body.push_str(&format!(r#"{{"id":{id},"note":""#));
        while body.len() < next {
            body.push_str(random.pick(&WORDS));
            body.push(' ');
        }
        let value = value(random);
        if body.len() + value.len() + 4 > size {
            break;
        }
        body.push_str(&format!(r#"","value":"{value}"}},"#));
        next += 200;
        findings += 1;
    }
    while body.len() < size {
        body.push(' ');
    }
    (body.into_bytes(), findings)
}

/// Bodies made to hurt, each the same few bytes over and over: what every stage has most work with, and finds nothing in.
pub const ADVERSARIAL: [(&str, &str); 29] = [
    ("digits", "0123456789"),
    ("cards", "4111111111111112 "),
    ("grouped", "4111-1111-1111-1112-"),
    ("ssns", "666-12-3456 "),
    ("ats", "@"),
    ("a-at-a", "a@"),
    ("locals", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@b.c "),
    (
        "dots",
        "a@...............................................................................................................................",
    ),
    (
        "labels",
        "a@b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.",
    ),
    ("begins", "-----BEGIN "),
    ("keys", "-----BEGIN PRIVATE KEY-----\nMIIE"),
    ("eyj", "eyJ"),
    ("eyj-dots", "eyJ."),
    ("backslashes", "\\"),
    ("percents", "%"),
    ("escapes", "%41"),
    ("escaped-ats", "a\\u0040"),
    (
        "far-escapes",
        "&#x41;........................................................................................................................",
    ),
    ("escaped-keys", "\\u002d----BEGIN PRIVATE KEY-----\nMIIE"),
    // For all kinds, and a policy's own.
    ("dates", "1980-01-31,"),
    ("nines", "123456782 "),
    ("thirteens", "9001011234567,"),
    ("separated", "1-2 3.4/"),
    ("near-words", "sin tin aba dob nhs pan "),
    ("near-numbers", "sin tin aba dob 123456782 "),
    ("escaped-words", "\\u0073in 123456782 "),
    ("schemes", "https://a:"),
    ("prefixes", "MRN-ACC-KEYacme_stark-vault"),
    ("runs", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
];

/// A body of a corpus by its name, and how many findings are in it.
pub fn make(name: &str, size: usize) -> (Vec<u8>, usize) {
    let mut random = Random::new(0x6b6f_6479_6775_6172);
    match name {
        "json" => (json(&mut random, size), 0),
        "html" => (html(&mut random, size), 0),
        "dense" => dense(&mut random, size),
        _ => {
            let piece = ADVERSARIAL.iter().find(|(n, _)| *n == name).map_or("x", |(_, piece)| piece);
            (piece.bytes().cycle().take(size).collect(), 0)
        }
    }
}
